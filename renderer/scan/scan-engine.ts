import type { Scan } from '../../main/devices/contract.ts'
import type { Code, ScanMeaning as Reading } from '../../services/barcodes/contract.ts'

export type Tone = 'ok' | 'warn' | 'bad'

/** What a scanned text is, and what it belongs to here. */
export interface Resolved {
  readonly meaning: Reading
  readonly matches: readonly Code[]
}

/** What came of a scan or of another act, for the scan line and the feed. `code` parts of a sentence stand in backticks. */
export interface ScanResult {
  readonly tone: Tone
  readonly sentence: string
  readonly detail?: string
  /** Takes the act back; offered for ten seconds. */
  readonly undo?: () => Promise<void>
  /** A button beside the result, such as "Show both". */
  readonly action?: { readonly label: string; readonly run: () => void }
  /** The code is not known: the feed offers to receive it, link it or ignore it. */
  readonly unknown?: boolean
}

/** What a scan means on a screen. */
export interface ScanMeaning {
  /** Announced before the scan: "Scan a position to place `TS-7K2M-0004-X`". */
  readonly sentence: string
  /** What other codes do. */
  readonly elseSentence: string
  /** Acts on the scan. Null: not meant for this screen, so it is found and opened. */
  readonly handle: (scan: Scan, resolved: Resolved) => Promise<ScanResult | null> | ScanResult | null
}

/** A line of the feed. */
export interface FeedItem {
  readonly id: string
  readonly scanId: string | null
  readonly at: number
  /** The code as a person reads it; null for acts that were not scans. */
  readonly code: string | null
  readonly text: string | null
  readonly tone: Tone | 'idle'
  readonly sentence: string
  readonly detail: string | null
  readonly unknown: boolean
  readonly action: ScanResult['action'] | null
  readonly undo: { readonly run: () => Promise<void>; readonly until: number } | null
}

export interface ScanState {
  readonly sentence: string | null
  readonly elseSentence: string | null
  /** Not yet acted on, the one in work included. */
  readonly queued: number
  readonly working: string | null
  /** Grows with each flash, so that equal results flash again. */
  readonly flash: { readonly count: number; readonly tone: Tone }
  readonly last: FeedItem | null
  /** Newest first. */
  readonly feed: readonly FeedItem[]
  readonly paused: boolean
}

export interface ScanEngineParts {
  readonly now: () => number
  readonly wait: (milliseconds: number) => Promise<void>
  readonly resolve: (text: string) => Promise<Resolved>
  /** What a scan does where no screen says otherwise. */
  readonly findAndOpen: (scan: Scan, resolved: Resolved) => Promise<ScanResult>
  readonly settle: (scanId: string, state: 'acted' | 'dismissed', summary: string) => Promise<void>
  readonly play: (tone: Tone) => void
  readonly words: {
    readonly repeat: string
    readonly failed: (code: string, error: unknown) => string
    readonly undone: (what: string) => string
    readonly undoFailed: (error: unknown) => string
  }
}

/** Two results never follow each other faster than a person can see. */
export const betweenFlashesMs = 250
export const undoForMs = 10_000
const feedLength = 200

/**
 * One queue for all scans: each is acted on in its turn, by the meaning in force when its turn comes, and settled in
 * the host's store. A scan whose handling fails stays waiting there, so nothing is lost.
 */
export function createScanEngine(parts: ScanEngineParts) {
  const listeners = new Set<() => void>()
  const meanings: ScanMeaning[] = []
  const queue: Scan[] = []
  const seen = new Set<string>()
  let running = false
  let lastFlashAt = -Infinity
  let acts = 0
  let state: ScanState = {
    sentence: null,
    elseSentence: null,
    queued: 0,
    working: null,
    flash: { count: 0, tone: 'ok' },
    last: null,
    feed: [],
    paused: false,
  }

  function set(change: Partial<ScanState>): void {
    state = { ...state, ...change }
    for (const listener of listeners) listener()
  }

  function addToFeed(item: Omit<FeedItem, 'id' | 'at'>): FeedItem {
    acts += 1
    const whole: FeedItem = { ...item, id: `act-${String(acts)}`, at: parts.now() }
    set({ feed: [whole, ...state.feed].slice(0, feedLength) })
    return whole
  }

  function showResult(
    result: ScanResult,
    scan: { readonly id: string; readonly code: string; readonly text: string } | null,
  ): void {
    const undo = result.undo === undefined ? null : { run: result.undo, until: parts.now() + undoForMs }
    const item = addToFeed({
      scanId: scan?.id ?? null,
      code: scan?.code ?? null,
      text: scan?.text ?? null,
      tone: result.tone,
      sentence: result.sentence,
      detail: result.detail ?? null,
      unknown: result.unknown === true,
      action: result.action ?? null,
      undo,
    })
    lastFlashAt = parts.now()
    set({ last: item, flash: { count: state.flash.count + 1, tone: result.tone } })
    parts.play(result.tone)
  }

  async function work(): Promise<void> {
    if (running) return
    running = true
    try {
      while (!state.paused) {
        const [scan] = queue
        if (scan === undefined) break
        await actOn(scan)
        queue.shift()
        set({ queued: queue.length, working: null })
      }
    } finally {
      running = false
      set({ working: null })
    }
  }

  async function actOn(scan: Scan): Promise<void> {
    let code = scan.text
    set({ working: code })
    let result: ScanResult
    let settled = true
    try {
      const resolved = await parts.resolve(scan.text)
      code = resolved.meaning.readable === '' ? scan.text : resolved.meaning.readable
      const meant = await meanings.at(-1)?.handle(scan, resolved)
      result = meant ?? (await parts.findAndOpen(scan, resolved))
    } catch (error) {
      settled = false
      result = { tone: 'bad', sentence: parts.words.failed(code, error) }
    }
    const restMs = lastFlashAt + betweenFlashesMs - parts.now()
    if (restMs > 0) await parts.wait(restMs)
    showResult(result, { id: scan.scanId, code, text: scan.text })
    // An unknown code is settled when a person has decided about it.
    if (settled && result.unknown !== true) await settle(scan.scanId, 'acted', result.sentence)
  }

  async function settle(scanId: string, how: 'acted' | 'dismissed', summary: string): Promise<void> {
    // Left unsettled it is listed for review after the next start; that is no reason to stop the queue.
    await parts.settle(scanId, how, summary.replaceAll('`', '').slice(0, 500)).catch(() => undefined)
  }

  return {
    subscribe(listener: () => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    read: (): ScanState => state,

    /** A scan that was stored and waits to be acted on. The same scan twice is one. */
    receive(scan: Scan): void {
      if (seen.has(scan.scanId)) return
      seen.add(scan.scanId)
      if (scan.repeat) {
        addToFeed({
          scanId: scan.scanId,
          code: scan.text,
          text: scan.text,
          tone: 'idle',
          sentence: parts.words.repeat,
          detail: null,
          unknown: false,
          action: null,
          undo: null,
        })
        void settle(scan.scanId, 'acted', parts.words.repeat)
        return
      }
      queue.push(scan)
      set({ queued: queue.length })
      void work()
    },

    /** Shows what an act by hand has done, with its undo, the way a scan's result is shown. */
    announce(result: ScanResult): void {
      showResult(result, null)
    },

    /** From now on scans mean this; the answer takes it back. The newest one counts. */
    mean(meaning: ScanMeaning): () => void {
      meanings.push(meaning)
      const show = () => {
        const top = meanings.at(-1)
        set({ sentence: top?.sentence ?? null, elseSentence: top?.elseSentence ?? null })
      }
      show()
      return () => {
        const at = meanings.lastIndexOf(meaning)
        if (at >= 0) meanings.splice(at, 1)
        show()
      }
    },

    /** While paused (the workstation is locked) scans are kept and none is acted on. */
    pause(paused: boolean): void {
      if (paused === state.paused) return
      set({ paused })
      if (!paused) void work()
    },

    /** Takes an act back, once, while its time runs. */
    async undo(id: string): Promise<void> {
      const item = state.feed.find((each) => each.id === id)
      if (item?.undo === null || item === undefined || item.undo.until < parts.now()) return
      const { run } = item.undo
      dropUndo(id)
      try {
        await run()
        showResult({ tone: 'ok', sentence: parts.words.undone(item.sentence) }, null)
      } catch (error) {
        showResult({ tone: 'bad', sentence: parts.words.undoFailed(error) }, null)
      }
    },

    /** Ctrl Z: the newest act whose time still runs. */
    newestUndo(): FeedItem | null {
      return state.feed.find(({ undo }) => undo !== null && undo.until >= parts.now()) ?? null
    },

    /** A person decided about an unknown code. */
    async decide(id: string, how: 'acted' | 'dismissed', sentence: string): Promise<void> {
      const item = state.feed.find((each) => each.id === id)
      replace(id, { unknown: false, sentence, tone: how === 'acted' ? 'ok' : 'idle' })
      if (item?.scanId != null) await settle(item.scanId, how, sentence)
    },

    /** Waiting scans that a person leaves as they are. */
    dismiss: (scanId: string, summary: string) => settle(scanId, 'dismissed', summary),

    /** Another person signs in: the feed and its undos belonged to the one before. */
    forget(): void {
      queue.length = 0
      set({ queued: 0, feed: [], last: null, working: null })
    },
  }

  function dropUndo(id: string): void {
    replace(id, { undo: null })
  }

  function replace(id: string, change: Partial<FeedItem>): void {
    const feed = state.feed.map((item) => (item.id === id ? { ...item, ...change } : item))
    const last = state.last?.id === id ? { ...state.last, ...change } : state.last
    set({ feed, last })
  }
}

export type ScanEngine = ReturnType<typeof createScanEngine>

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
  readonly action: NonNullable<ScanResult['action']> | null
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
    readonly screenLeft: (code: string) => string
    readonly actNow: string
    readonly tryAgain: string
  }
}

/** A scan in the queue, bound to the screen that was announced when it was made; null means find and open. */
interface Queued {
  readonly scan: Scan
  readonly owner: ScanOwner | null
}

/** Who gives scans a meaning: the same for all drawings of one screen or dialog. */
export type ScanOwner = symbol

/** Two results never follow each other faster than a person can see. */
export const betweenFlashesMs = 250
export const undoForMs = 10_000
const feedLength = 200

/**
 * One queue for all scans: each is acted on once, in its turn, by the screen that was shown when it was made, and
 * settled in the host's store. A scan whose screen was left, or whose handling fails, waits for a person.
 */
export function createScanEngine(parts: ScanEngineParts) {
  const listeners = new Set<() => void>()
  const meanings: { readonly owner: ScanOwner; meaning: ScanMeaning }[] = []
  const queue: Queued[] = []
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
    try {
      parts.play(result.tone)
    } catch {
      // A machine without sound: the line says it all, and a missing tone must not cost a scan.
    }
  }

  async function work(): Promise<void> {
    if (running) return
    running = true
    try {
      while (!state.paused) {
        // Taken off first: whatever happens to it, it is never acted on twice and never hides the next one.
        const next = queue.shift()
        if (next === undefined) break
        set({ queued: queue.length + 1 })
        await actOn(next)
        set({ queued: queue.length, working: null })
      }
    } finally {
      running = false
      set({ working: null })
    }
  }

  async function actOn({ scan, owner }: Queued): Promise<void> {
    let code = scan.text
    set({ working: code })
    let result: ScanResult
    let settled = true
    try {
      const resolved = await parts.resolve(scan.text)
      code = resolved.meaning.readable === '' ? scan.text : resolved.meaning.readable
      const meaning = owner === null ? null : meanings.find((each) => each.owner === owner)?.meaning
      if (meaning === undefined) {
        settled = false
        const run = () => putBack(scan)
        result = {
          tone: 'warn',
          sentence: parts.words.screenLeft(code),
          action: { label: parts.words.actNow, run },
        }
      } else {
        result = (await meaning?.handle(scan, resolved)) ?? (await parts.findAndOpen(scan, resolved))
      }
    } catch (error) {
      settled = false
      const run = () => putBack(scan)
      result = {
        tone: 'bad',
        sentence: parts.words.failed(code, error),
        action: { label: parts.words.tryAgain, run },
      }
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
      putBack(scan)
    },

    /** Shows what an act by hand has done, with its undo, the way a scan's result is shown. */
    announce(result: ScanResult): void {
      showResult(result, null)
    },

    /**
     * From now on scans mean this; the answer takes it back. The owner that came last counts; one that only changes its
     * words keeps its place, so that a page never gets in front of its own dialog.
     */
    mean(meaning: ScanMeaning, owner: ScanOwner = Symbol('scan owner')): () => void {
      const known = meanings.find((each) => each.owner === owner)
      if (known === undefined) meanings.push({ owner, meaning })
      else known.meaning = meaning
      showMeaning()
      return () => {
        const at = meanings.findIndex((each) => each.owner === owner && each.meaning === meaning)
        if (at >= 0) meanings.splice(at, 1)
        showMeaning()
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

  /** Into the queue, bound to the screen that is shown now. */
  function putBack(scan: Scan): void {
    queue.push({ scan, owner: meanings.at(-1)?.owner ?? null })
    set({ queued: queue.length + (state.working === null ? 0 : 1) })
    void work()
  }

  function showMeaning(): void {
    const top = meanings.at(-1)?.meaning
    set({ sentence: top?.sentence ?? null, elseSentence: top?.elseSentence ?? null })
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

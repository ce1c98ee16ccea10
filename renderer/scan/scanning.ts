import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { DeviceStatus, Scan } from '../../main/devices/contract.ts'
import { client } from '../client.ts'
import { i18n } from '../i18n.ts'
import { readFeed } from '../link/feed.ts'
import { problemWords } from '../problem.ts'
import { whileSignedIn } from '../session/session-store.ts'
import { findAndOpen } from './find-and-open.ts'
import { createScanEngine, type ScanMeaning, type ScanOwner, type ScanState } from './scan-engine.ts'
import { playTone } from './tones.ts'
import { listenToKeyboardScanners, recordScan, type WedgeTrouble } from './wedge-intake.ts'

const t = i18n.getFixedT(null, 'scan')

/** The one queue of this window. */
export const scanEngine = createScanEngine({
  now: () => Date.now(),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  resolve: (text) => client.barcodes.resolve({ text }),
  findAndOpen,
  settle: async (scanId, state, summary) => {
    await client.devices.settleScan({ scanId, state, summary })
  },
  play: playTone,
  words: {
    repeat: t('repeat'),
    failed: (code, error) => t('failed', { code, why: problemWords(error) }),
    undone: (what) => t('undone', { what }),
    undoFailed: (error) => t('undoFailed', { why: problemWords(error) }),
    screenLeft: (code) => t('screenLeft', { code }),
    actNow: t('actNow'),
    tryAgain: t('tryAgain'),
  },
})

/** The scan line's and the feed's state. */
export function useScanState(): ScanState {
  return useSyncExternalStore(
    (listener) => scanEngine.subscribe(listener),
    () => scanEngine.read(),
  )
}

/**
 * While the component is shown, scans mean this. `handle` may be a new function at each drawing; it never moves focus
 * and never fills a field. Null (nothing special now) leaves scans to the meaning below: find and open.
 */
export function useScanMeaning(meaning: ScanMeaning | null): void {
  const handle = useRef(meaning?.handle)
  useEffect(() => {
    handle.current = meaning?.handle
  })
  const [owner] = useState<ScanOwner>(() => Symbol('scan owner'))
  const takeBack = useRef<(() => void) | null>(null)
  const sentence = meaning?.sentence ?? null
  const elseSentence = meaning?.elseSentence ?? null
  useEffect(() => {
    if (sentence === null || elseSentence === null) {
      takeBack.current?.()
      takeBack.current = null
      return
    }
    takeBack.current = scanEngine.mean(
      {
        sentence,
        elseSentence,
        handle: (scan, resolved) => handle.current?.(scan, resolved) ?? null,
      },
      owner,
    )
  }, [sentence, elseSentence, owner])
  useEffect(
    () => () => {
      takeBack.current?.()
      takeBack.current = null
    },
    [],
  )
}

interface Intake {
  readonly devices: readonly DeviceStatus[]
  /** Scans from before this start, for a person to look at. */
  readonly review: readonly Scan[]
  readonly connected: boolean
}

let intake: Intake = { devices: [], review: [], connected: false }
const intakeListeners = new Set<() => void>()

function setIntake(change: Partial<Intake>): void {
  intake = { ...intake, ...change }
  for (const listener of intakeListeners) listener()
}

/** Scanners as they are, and the scans that wait from before the start. */
export function useScanIntake(): Intake {
  return useSyncExternalStore(
    (listener) => {
      intakeListeners.add(listener)
      return () => intakeListeners.delete(listener)
    },
    () => intake,
  )
}

/** Puts the scans left from before the restart into the queue. */
export function actOnWaitingScans(): void {
  const waiting = intake.review
  setIntake({ review: [] })
  for (const scan of waiting) scanEngine.receive(scan)
}

/** Leaves them as they are; each stays in the history as left. */
export async function leaveWaitingScans(summary: string): Promise<void> {
  const waiting = intake.review
  setIntake({ review: [] })
  for (const scan of waiting) await scanEngine.dismiss(scan.scanId, summary)
}

/** A code typed by a person does what a scan of it would do. */
export function scanTyped(text: string): void {
  void recordScan(text, 'typed', showTrouble)
}

function showTrouble({ kind, text, error }: WedgeTrouble): void {
  scanEngine.announce(
    kind === 'not-saved'
      ? { tone: 'bad', sentence: t('notSaved', { code: text, why: problemWords(error) }) }
      : { tone: 'bad', sentence: t('brokenOff', { text }), detail: t('brokenOffDetail') },
  )
}

/** Starts listening: keyboard scanners at once, the host's feed while somebody is signed in. Returns the stop. */
export function startScanning(): () => void {
  const stopKeyboard = listenToKeyboardScanners(showTrouble)
  let userId: string | null = null
  scanEngine.pause(true)
  const stopFeed = whileSignedIn((me) => {
    if (userId !== null && userId !== me.user.id) scanEngine.forget()
    userId = me.user.id
    scanEngine.pause(false)
    // What was scanned while locked or signed out is for a person to look at, not to act by itself.
    const startedAt = new Date().toISOString()
    const stop = new AbortController()
    void readFeed(
      {
        open: (signal) => client.devices.scanFeed(undefined, { context: { feed: true }, signal }),
        onOpen: () => {
          setIntake({ connected: true })
          return takeWaiting(startedAt)
        },
        onEvent: (event) => {
          if (event.type === 'scan') scanEngine.receive(event.scan)
          else setIntake({ devices: event.devices })
        },
        // The line shows "scanner not connected". What came in between waits in the store.
        onBreak: () => setIntake({ connected: false }),
      },
      stop.signal,
    )
    return () => {
      stop.abort()
      setIntake({ connected: false })
      scanEngine.pause(true)
    }
  })
  return () => {
    stopKeyboard()
    stopFeed()
  }
}

/** Scans nobody acted on: those since this start go on in the queue, older ones are for a person to look at. */
async function takeWaiting(startedAt: string): Promise<void> {
  const waiting = await client.devices.waitingScans()
  const known = new Set(scanEngine.read().feed.map(({ scanId }) => scanId))
  const open = waiting.filter(({ scanId }) => !known.has(scanId))
  setIntake({ review: open.filter(({ receivedAt }) => receivedAt < startedAt) })
  for (const scan of open) if (scan.receivedAt >= startedAt) scanEngine.receive(scan)
}

import { useSyncExternalStore } from 'react'
import { SampleId } from '../../../services/samples/contract.ts'
import { client } from '../../client.ts'
import { materialName } from '../../components/material-name.ts'
import { i18n } from '../../i18n.ts'
import { openThing } from '../../scan/find-and-open.ts'
import type { Resolved, ScanResult } from '../../scan/scan-engine.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { problemCode, problemWords } from '../../problem.ts'

const t = i18n.getFixedT(null, 'receive')

/** What every scanned tube gets; it stays from one tube to the next. */
export interface TubeDefaults {
  readonly type: string | null
  readonly project: string
  readonly donor: string
  readonly volumeUl: string
}

export interface ReceivedTube {
  readonly sampleId: string
  readonly code: string
  readonly name: string
  readonly type: string
  readonly project: string | null
  readonly donor: string | null
  readonly at: string
}

interface Sitting {
  readonly userId: string | null
  readonly defaults: TubeDefaults
  /** Newest first. */
  readonly received: readonly ReceivedTube[]
}

const nothing: TubeDefaults = { type: null, project: '', donor: '', volumeUl: '' }
let sitting: Sitting = { userId: null, defaults: nothing, received: [] }
const listeners = new Set<() => void>()

/*
 * Not React state: scans come faster than the screen is drawn, and what was received is still listed after a look at
 * another screen. The tubes themselves are on the server.
 */
function set(change: Partial<Sitting>): void {
  sitting = { ...sitting, ...change }
  for (const listener of listeners) listener()
}

export function useTubeSitting(): Sitting {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => sitting,
  )
}

/** Begins a sitting; what somebody else had chosen is forgotten. */
export function beginTubeSitting(userId: string): void {
  if (sitting.userId !== userId) set({ userId, defaults: nothing, received: [] })
}

export function changeDefaults(change: Partial<TubeDefaults>): void {
  set({ defaults: { ...sitting.defaults, ...change } })
}

/** Whether a text is an amount that the record takes. */
export function isVolume(text: string): boolean {
  return text === '' || /^\d{1,12}(\.\d{1,6})?$/.test(text)
}

/** Receives the tube of a scan with what stands in the form. Codes known already are only named. */
export async function receiveScanned(
  scan: { readonly scanId: string; readonly text: string },
  { meaning, matches }: Resolved,
): Promise<ScanResult | null> {
  if (meaning.kind === 'no-tube' || meaning.kind === 'refused' || meaning.kind === 'own-position') return null
  const code = meaning.readable
  const thing = matches.find((match) => match.thing !== null)?.thing
  if (thing !== undefined && thing !== null) {
    return {
      tone: 'warn',
      sentence: t('one.known', { code }),
      detail: t('one.knownDetail'),
      action: {
        label: t('scan.openIt'),
        run: () => void openThing(code, thing).then((result) => scanEngine.announce(result)),
      },
    }
  }
  const again = () =>
    void receiveNow(scan.scanId, scan.text, code, false).then((result) => finish(scan.scanId, result))
  if (sitting.defaults.type === null || !isVolume(sitting.defaults.volumeUl)) {
    return {
      tone: 'bad',
      sentence: t('one.notYet', { code }),
      detail: t(sitting.defaults.type === null ? 'one.typeFirst' : 'one.volumeWrong'),
      unknown: true,
      action: { label: t('one.receiveNow'), run: again },
    }
  }
  return receiveNow(scan.scanId, scan.text, code, false)
}

/** The scan's own id is the key of the command: however often it is repeated, there is one tube. */
async function receiveNow(
  scanId: string,
  text: string,
  code: string,
  confirmed: boolean,
): Promise<ScanResult> {
  const { type, project, donor, volumeUl } = sitting.defaults
  if (type === null)
    return { tone: 'bad', sentence: t('one.notYet', { code }), detail: t('one.typeFirst'), unknown: true }
  try {
    const received = await client.samples.receive(
      {
        sample: {
          name: code,
          type,
          project: orNull(project),
          donor: orNull(donor),
          volumeUl: orNull(volumeUl),
        },
        code: text,
        codeConfirmed: confirmed,
      },
      { context: { idempotencyKey: confirmed ? `${scanId}/confirmed` : scanId } },
    )
    const { sample } = received
    set({
      received: [
        {
          sampleId: sample.id,
          code: received.code,
          name: sample.name,
          type: sample.type,
          project: sample.project,
          donor: sample.donor,
          at: sample.createdAt,
        },
        ...sitting.received,
      ],
    })
    return {
      tone: 'ok',
      sentence: t('one.received', { code: received.code }),
      detail: [materialName(sample.type), sample.project, sample.donor]
        .filter((word) => word !== null)
        .join(', '),
      undo: () => takeBack(sample.id),
    }
  } catch (error) {
    if (problemCode(error) === 'INDEX_SEQUENCE') {
      return {
        tone: 'warn',
        sentence: t('one.indexSequence', { code }),
        detail: t('one.indexDetail'),
        unknown: true,
        action: {
          label: t('one.isTube'),
          run: () => void receiveNow(scanId, text, code, true).then((result) => finish(scanId, result)),
        },
      }
    }
    if (problemCode(error) === null) throw error
    return { tone: 'bad', sentence: t('one.refused', { code }), detail: problemWords(error), unknown: true }
  }
}

/** Takes one received tube back, while nothing has happened to it. */
export async function takeBack(sampleId: string): Promise<void> {
  const [result] = await client.samples.undoReceive({
    sampleIds: [SampleId.parse(sampleId)],
    reason: t('one.undoReason'),
  })
  if (result !== undefined && !result.ok) throw new Error(result.error.message)
  set({ received: sitting.received.filter((each) => each.sampleId !== sampleId) })
}

/** What came of a button beside a scan stands in the line, and settles the scan when it worked. */
async function finish(scanId: string, result: ScanResult): Promise<void> {
  const item = scanEngine.read().feed.find((each) => each.scanId === scanId && each.unknown)
  if (result.tone === 'ok' && item !== undefined) await scanEngine.decide(item.id, 'acted', result.sentence)
  scanEngine.announce(result)
}

function orNull(text: string): string | null {
  return text.trim() === '' ? null : text.trim()
}

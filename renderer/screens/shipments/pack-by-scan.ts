import { ContainerId } from '../../../services/storage/contract.ts'
import { SampleId } from '../../../services/samples/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { goTo } from '../../navigation.ts'
import type { Resolved, ScanResult } from '../../scan/scan-engine.ts'
import { readSession } from '../../session/session-store.ts'
import { beginPacking, pack, readPacking, samplesAtMost, unpack } from './packing-store.ts'

const t = i18n.getFixedT(null, 'shipments')

/** Packs the sample of a scanned tube, when it may be shipped; null for the code of a place. */
export async function packByScan({ meaning, matches }: Resolved): Promise<ScanResult | null> {
  if (meaning.kind === 'refused' || meaning.kind === 'no-tube' || meaning.kind === 'own-position') return null
  const code = meaning.readable
  const thing = matches.find((match) => match.thing !== null)?.thing ?? null
  if (thing === null)
    return {
      tone: 'bad',
      sentence: t('scan.packUnknown', { code }),
      detail: t('scan.packUnknownHint'),
      unknown: true,
    }
  if (thing.kind !== 'sample' && thing.kind !== 'container') return null
  const id = thing.kind === 'sample' ? SampleId.parse(thing.id) : await sampleIn(thing.id)
  if (id === null) return { tone: 'bad', sentence: t('scan.packEmpty', { code }) }
  if (readPacking().samples.some((packed) => packed.id === id))
    return { tone: 'warn', sentence: t('scan.packedAlready', { code }) }
  const [checked] = await client.shipments.check({ sampleIds: [id] })
  if (checked === undefined)
    return { tone: 'bad', sentence: t('scan.staysHere', { code }), detail: t('notAtHub') }
  const [obstacle] = checked.obstacles
  if (obstacle !== undefined)
    return { tone: 'bad', sentence: t('scan.staysHere', { code }), detail: obstacle }
  const { name } = checked
  if (pack([{ id, name, code: checked.code }]).length === 0)
    return { tone: 'bad', sentence: t('scan.full', { code, count: samplesAtMost }) }
  return {
    tone: 'ok',
    sentence: t('scan.packed', { code }),
    detail: t('scan.packedDetail', { name, count: readPacking().samples.length }),
    undo: () => {
      unpack([id])
      return Promise.resolve()
    },
  }
}

async function sampleIn(containerId: string): Promise<SampleId | null> {
  const { sampleId } = await client.storage.getContainer({ id: ContainerId.parse(containerId) })
  return sampleId === null ? null : SampleId.parse(sampleId)
}

/** Puts samples chosen elsewhere into the parcel and opens it; what may not be shipped is said there. */
export function packSamples(
  samples: readonly { readonly id: SampleId; readonly name: string; readonly code: string | null }[],
): void {
  const session = readSession()
  if (session.stage !== 'signed-in') return
  beginPacking(session.me.user.id)
  pack(samples.map(({ id, name, code }) => ({ id, name, code })))
  goTo({ to: '/shipments/new' })
}

import type { Shipment } from '../../../services/shipments/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { goTo } from '../../navigation.ts'
import { openThing } from '../../scan/find-and-open.ts'
import type { Resolved, ScanResult } from '../../scan/scan-engine.ts'

const t = i18n.getFixedT(null, 'shipments')

type Recognised = Awaited<ReturnType<typeof client.shipments.recognise>>[number]

/** On the list: the tube is checked off in the shipment that it came with, and that one is opened. */
export async function findArrival(resolved: Resolved): Promise<ScanResult | null> {
  const [found] = await recognise(resolved)
  if (found === undefined) return null
  goTo({ to: '/shipments/$id', params: { id: found.shipmentId } })
  return checkOff(found, resolved)
}

/**
 * On the page of a shipment that arrives: ticks the tube off. One that does not belong to it is said loudly; a place's
 * code means what it always does.
 */
export async function receiveByScan(shipment: Shipment, resolved: Resolved): Promise<ScanResult | null> {
  const { meaning, matches } = resolved
  if (!['own-code', 'gs1', 'hibc', 'external', 'index-sequence'].includes(meaning.kind)) return null
  const thing = matches.find((match) => match.thing !== null)?.thing ?? null
  if (thing !== null && thing.kind !== 'sample' && thing.kind !== 'container') return null
  const found = await recognise(resolved)
  const here = found.find(({ shipmentId }) => shipmentId === shipment.id)
  if (here !== undefined) return checkOff(here, resolved)
  const code = meaning.readable
  const sentence = t('scan.notInside', { code, number: shipment.number })
  const [other] = found
  if (other !== undefined && other.item.state === 'travelling') {
    const run = () => goTo({ to: '/shipments/$id', params: { id: other.shipmentId } })
    const detail = t('scan.inOther', { number: other.number, from: other.from })
    return { tone: 'bad', sentence, detail, action: { label: t('scan.openOther'), run } }
  }
  if (thing === null)
    return { tone: 'bad', sentence, detail: t('scan.unknown', { from: shipment.from.name }), unknown: true }
  const run = () => void openThing(code, thing)
  return { tone: 'bad', sentence, detail: t('scan.ofHere'), action: { label: t('scan.openSample'), run } }
}

async function recognise({ meaning }: Resolved): Promise<readonly Recognised[]> {
  const { lookupKeys } = meaning
  return lookupKeys.length === 0 ? [] : client.shipments.recognise({ lookupKeys })
}

async function checkOff({ shipmentId, from, item }: Recognised, resolved: Resolved): Promise<ScanResult> {
  const code = resolved.meaning.readable
  const { sampleId, name } = item
  switch (item.state) {
    case 'travelling':
      break
    case 'arriving':
    case 'received':
      return { tone: 'warn', sentence: t('scan.takenIn', { code }), detail: name }
    case 'cancelling':
    case 'cancelled':
      return {
        tone: 'bad',
        sentence: t('scan.takenBack', { code, from }),
        detail: t('scan.askSender', { from }),
      }
    case 'sending':
    case 'refusing':
    case 'refused':
      return {
        tone: 'bad',
        sentence: t('scan.notSent', { code, from }),
        detail: t('scan.askSender', { from }),
      }
  }
  if (item.checkedOff) return { tone: 'warn', sentence: t('scan.again', { code }), detail: name }
  const tick = { id: shipmentId, sampleIds: [sampleId] }
  const { items } = await client.shipments.checkOff({ ...tick, present: true })
  const waiting = items.filter(({ state }) => state === 'travelling')
  const left = waiting.filter(({ checkedOff }) => !checkedOff).length
  const count = left === 0 ? t('scan.allFound') : t('scan.left', { count: left })
  return {
    tone: 'ok',
    sentence: t('scan.found', { code, name }),
    detail: item.turnedBack === null ? count : t('scan.afterAll', { count }),
    undo: async () => {
      await client.shipments.checkOff({ ...tick, present: false })
    },
  }
}

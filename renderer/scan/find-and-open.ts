import type { Scan } from '../../main/devices/contract.ts'
import type { Code } from '../../services/barcodes/contract.ts'
import { ContainerId, NodeId } from '../../services/storage/contract.ts'
import { SampleId } from '../../services/samples/contract.ts'
import { client } from '../client.ts'
import { i18n } from '../i18n.ts'
import { goTo } from '../navigation.ts'
import type { Resolved, ScanResult } from './scan-engine.ts'

const t = i18n.getFixedT(null, 'scan')

/** What a scan does where the screen says nothing else: it finds the thing and opens its page. */
export async function findAndOpen(_scan: Scan, { meaning, matches }: Resolved): Promise<ScanResult> {
  const code = meaning.readable
  switch (meaning.kind) {
    case 'refused':
      return { tone: 'bad', sentence: t('refused', { code }), ...detailOf(meaning.remark) }
    case 'no-tube':
      return { tone: 'warn', sentence: t('noTube'), ...detailOf(meaning.remark) }
    case 'own-position':
      if (meaning.position !== null) return openPosition(meaning.position)
      break
    case 'own-code':
    case 'gs1':
    case 'hibc':
    case 'external':
    case 'index-sequence':
      break
  }
  const linked = matches.find(({ thing }) => thing !== null)
  if (linked?.thing != null) return openThing(code, linked.thing)
  const sentence =
    meaning.kind === 'index-sequence' ? t('indexSequence', { code }) : t('unknownLine', { code })
  return { tone: 'warn', sentence, detail: meaning.remark ?? t('unknownDetail'), unknown: true }
}

/** Opens the page of a thing and says what was opened. */
export async function openThing(code: string, thing: NonNullable<Code['thing']>): Promise<ScanResult> {
  const result: ScanResult = { tone: 'ok', sentence: t('opened', { code }) }
  switch (thing.kind) {
    case 'sample': {
      const sample = await client.samples.get({ id: SampleId.parse(thing.id) })
      goTo({ to: '/samples/$id', params: { id: sample.id } })
      return { ...result, ...detailOf([sample.name, sample.location].filter(Boolean).join(', ')) }
    }
    case 'container': {
      const container = await client.storage.getContainer({ id: ContainerId.parse(thing.id) })
      if (container.sampleId !== null) goTo({ to: '/samples/$id', params: { id: container.sampleId } })
      else if (container.place !== null)
        goTo({ to: '/storage/$boxId', params: { boxId: container.place.boxId } })
      else goTo({ to: '/storage' })
      const place = container.place
      return {
        ...result,
        ...detailOf(place === null ? null : t('position', { position: place.position, box: place.boxName })),
      }
    }
    case 'storage-node':
      return openNode(code, thing.id)
    case 'position': {
      // `box id/label`: a position has no page of its own, it is shown on its box.
      const [boxId] = thing.id.split('/')
      return openNode(code, boxId ?? thing.id)
    }
    case 'user':
      goTo({ to: '/people' })
      return result
    case 'library':
    case 'pool':
    case 'reagent':
      return {
        tone: 'warn',
        sentence: t('notOpenable', { code }),
        detail: t('notOpenableDetail', { kind: thing.kind }),
      }
  }
}

async function openNode(code: string, id: string): Promise<ScanResult> {
  const node = await client.storage.getNode({ id: NodeId.parse(id) })
  if (node.kind === 'box') goTo({ to: '/storage/$boxId', params: { boxId: node.id } })
  else goTo({ to: '/storage', search: { node: node.id } })
  return {
    tone: 'ok',
    sentence: node.kind === 'box' ? t('openedBox', { code }) : t('openedPlace', { name: node.name }),
    detail: t('openedBoxFill', { occupied: node.capacity.occupied, positions: node.capacity.positions }),
  }
}

async function openPosition(position: {
  readonly boxCode: string
  readonly label: string
}): Promise<ScanResult> {
  const { matches } = await client.barcodes.resolve({ text: position.boxCode })
  const box = matches.find(({ thing }) => thing?.kind === 'storage-node')?.thing
  if (box == null) {
    return { tone: 'warn', sentence: t('unknownLine', { code: position.boxCode }), unknown: true }
  }
  const node = await client.storage.getNode({ id: NodeId.parse(box.id) })
  goTo({ to: '/storage/$boxId', params: { boxId: node.id }, search: { position: position.label } })
  return { tone: 'ok', sentence: t('position', { position: position.label, box: node.name }) }
}

function detailOf(detail: string | null): { readonly detail?: string } {
  return detail === null || detail === '' ? {} : { detail }
}

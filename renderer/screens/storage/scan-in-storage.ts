import type { Scan } from '../../../main/devices/contract.ts'
import { NodeId } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import type { Resolved, ScanResult } from '../../scan/scan-engine.ts'
import { interpretScan, type Scanned, takeInHand } from './placing.ts'
import { openBoxPage, place, readBox, readContainer, showBoxNow, tookResult } from './placing-acts.ts'
import { changePlacing, readPlacing } from './placing-store.ts'

const t = i18n.getFixedT(null, 'storage')

/** What a scan does on the storage screen. Null for what means nothing special here: it is found and opened. */
export async function actOnStorageScan(_scan: Scan, resolved: Resolved): Promise<ScanResult | null> {
  const scanned = await readScanned(resolved)
  if (scanned === null || 'tone' in scanned) return scanned
  const intent = interpretScan(readPlacing(), scanned)
  switch (intent.act) {
    case 'take': {
      const { boxId } = readPlacing()
      const map = boxId === null ? null : await readBox(boxId)
      changePlacing((placing) => takeInHand(placing, [intent.tube], map))
      return tookResult([intent.tube])
    }
    case 'place':
      return place(intent.tubes, { boxId: intent.boxId, label: intent.label })
    case 'frame': {
      const map = await readBox(intent.boxId)
      const { name } = map.box
      const position = intent.label
      if (map.positions.every(({ label }) => label !== position)) {
        return { tone: 'bad', sentence: t('refused.noPosition', { position, box: name }) }
      }
      await showBoxNow(intent.boxId, position)
      openBoxPage(intent.boxId)
      return { tone: 'ok', sentence: t('done.framed', { position }), detail: name }
    }
    case 'open': {
      const map = await showBoxNow(intent.boxId, null)
      openBoxPage(intent.boxId)
      const { occupied, positions } = map.box.capacity
      const fill = { occupied, positions, position: map.nextFree ?? '' }
      return {
        tone: 'ok',
        sentence: t('done.opened', { box: map.box.name }),
        detail: map.nextFree === null ? t('done.openedFull', fill) : t('done.openedDetail', fill),
      }
    }
    case 'refuse':
      return {
        tone: 'bad',
        sentence:
          intent.why === 'disposed'
            ? t('refused.disposed', { code: intent.tube.label })
            : t('refused.boxFull', { code: intent.tube.label }),
        detail: intent.why === 'disposed' ? t('refused.disposedDetail') : t('refused.boxFullDetail'),
      }
  }
}

/** Looks up what was scanned. A result instead says why it cannot be used. */
async function readScanned({ meaning, matches }: Resolved): Promise<Scanned | ScanResult | null> {
  if (meaning.kind === 'own-position' && meaning.position !== null) {
    const { boxCode, label } = meaning.position
    const known = await client.barcodes.resolve({ text: boxCode })
    const box = known.matches.find(({ thing }) => thing?.kind === 'storage-node')?.thing
    return box == null ? null : { kind: 'position', boxId: box.id, label }
  }
  const thing = matches.find((match) => match.thing !== null)?.thing
  if (thing == null) return null
  switch (thing.kind) {
    case 'container':
      return { kind: 'tube', tube: await readContainer(thing.id) }
    case 'sample':
      return readTubeOf(thing.id, meaning.readable)
    case 'position': {
      const [boxId = '', label = ''] = thing.id.split('/')
      return { kind: 'position', boxId, label }
    }
    case 'storage-node': {
      const node = await client.storage.getNode({ id: NodeId.parse(thing.id) })
      return node.kind === 'box' ? { kind: 'box', boxId: node.id } : null
    }
    case 'user':
    case 'library':
    case 'pool':
    case 'reagent':
      return null
  }
}

/** A sample's code means its tube as long as it has only one. */
async function readTubeOf(sampleId: string, code: string): Promise<Scanned | ScanResult> {
  const all = await client.storage.containersOfSamples({ sampleIds: [sampleId] })
  const live = all.filter(({ state }) => state !== 'disposed')
  const [tube] = live
  if (tube !== undefined && live.length === 1) return { kind: 'tube', tube }
  return tube === undefined
    ? { tone: 'warn', sentence: t('refused.noTube', { code }), detail: t('refused.noTubeDetail') }
    : {
        tone: 'warn',
        sentence: t('refused.manyTubes', { code, count: live.length }),
        detail: t('refused.manyTubesDetail'),
      }
}

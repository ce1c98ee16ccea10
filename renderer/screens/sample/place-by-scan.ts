import type { TFunction } from 'i18next'
import { type Container, NodeId } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { problemCode, problemWords } from '../../problem.ts'
import type { Resolved, ScanResult } from '../../scan/scan-engine.ts'
import { askToOverrule } from '../storage/overrule.ts'
import { may, wrongZoneWords } from '../storage/placing-acts.ts'

/** Puts the page's tube where a scanned position label says; null when the scan is no position. */
export async function placeByScan(
  tube: Container,
  { meaning }: Resolved,
  t: TFunction<'sample'>,
): Promise<ScanResult | null> {
  if (meaning.kind !== 'own-position' || meaning.position === null) return null
  const { boxCode, label } = meaning.position
  const { matches } = await client.barcodes.resolve({ text: boxCode })
  const box = matches.find(({ thing }) => thing?.kind === 'storage-node')?.thing
  if (box === undefined || box === null)
    return { tone: 'bad', sentence: t('scan.boxUnknown', { code: boxCode }) }
  const target = { boxId: NodeId.parse(box.id), position: label }
  const before = tube.place
  try {
    const moved = await moveTo(tube, target)
    return {
      tone: 'ok',
      sentence: t('scan.placed', { code: tube.label, position: label }),
      detail: moved.place?.boxName ?? '',
      undo: () => undoMove(tube, before),
    }
  } catch (error) {
    if (problemCode(error) === null) throw error
    const words = refusalWords(problemWords(error), t('scan.stays', { code: tube.label }))
    const wrongZone = wrongZoneWords(error)
    if (wrongZone === null || !may('storage:override')) return { tone: 'bad', ...words }
    const run = () => void askToOverrule(tube, { boxId: target.boxId, label }, wrongZone)
    return { tone: 'bad', ...words, action: { label: i18n.t('storage:override.open'), run } }
  }
}

/** What became of the tube, then why; storage begins some of its reasons with the first itself. */
function refusalWords(words: string, stays: string): { readonly sentence: string; readonly detail: string } {
  const lead = `${stays}: `
  return { sentence: stays, detail: words.startsWith(lead) ? words.slice(lead.length) : words }
}

function moveTo(
  tube: Container,
  target: { readonly boxId: NodeId; readonly position: string },
): Promise<Container> {
  switch (tube.state) {
    case 'placed':
      return client.storage.move({ containerId: tube.id, target })
    case 'checked_out':
      return client.storage.returnToPlace({ containerId: tube.id, target })
    case 'unplaced':
    case 'disposed':
      return client.storage.place({ containerId: tube.id, target })
  }
}

async function undoMove(tube: Container, before: Container['place']): Promise<void> {
  if (before === null) {
    await client.storage.takeOut({ containerId: tube.id, reason: 'Undo' })
    return
  }
  await client.storage.move({
    containerId: tube.id,
    target: { boxId: before.boxId, position: before.position },
  })
}

type NodeId = ReturnType<typeof NodeId.parse>

import { and, eq, ne, notInArray, or } from 'drizzle-orm'
import { z } from 'zod'
import { ruleBroken } from '../../platform/contract/refusal.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { runSaga, type SagaDefinition, type SagaStep } from '../../platform/saga/saga.ts'
import { orchestrates } from '../../platform/service/implementation.ts'
import type { OrchestrationScope } from '../../platform/service/scopes.ts'
import { barcodes } from '../barcodes/contract.ts'
import { ContainerId, NodeId, storage } from '../storage/contract.ts'
import { doEach } from './batch.ts'
import { liveCodes, refreshCode } from './codes.ts'
import { readChain } from './custody.ts'
import { listWhatHappenedSince, type SinceReceived } from './domain/undo-receive.ts'
import { containersOf, type ContainerLink, updateContainer } from './placements.ts'
import { holdSample, requireKept, type SampleRow, updateSample } from './sample-rows.ts'
import { amountMovement, sampleHistory, sampleNote, sampleRelation } from './schema.ts'
import { changeStateOf } from './state-change.ts'

export const undoReceive = orchestrates(
  (scope: OrchestrationScope, input: { sampleIds: string[]; reason: string }) =>
    doEach(input.sampleIds, async (id, index) => {
      await runSaga(scope, undoReceiveSaga, { sampleId: id, reason: input.reason }, String(index))
      return { id }
    }),
)

const Input = z.object({ sampleId: z.uuid(), reason: z.string() })
const Begun = z.object({
  containerId: ContainerId,
  place: z.object({ boxId: NodeId, position: z.string() }).nullable(),
  codes: z.array(z.string()),
})

const placementStep: SagaStep = {
  name: 'placement',
  async run(scope, input, outputs, key) {
    const { reason } = Input.parse(input)
    const { containerId, place } = Begun.parse(outputs['begin'])
    if (place === null) return {}
    await scope.service('storage', storage).takeOut({ containerId, reason }, { context: { key } })
    return {}
  },
  async undo(scope, _input, outputs, key) {
    const { containerId, place } = Begun.parse(outputs['begin'])
    if (place === null) return
    await scope.service('storage', storage).place({ containerId, target: place }, { context: { key } })
  },
}

const codeStep: SagaStep = {
  name: 'code',
  async run(scope, input, outputs, key) {
    const { reason } = Input.parse(input)
    const thing = { kind: 'container', id: Begun.parse(outputs['begin']).containerId } as const
    const client = scope.service('barcodes', barcodes)
    // Those taken off by an earlier try are not listed any more, so the step may be run again.
    for (const { id } of await client.codesOf(thing)) {
      await client.unlink({ codeId: id, reason }, { context: { key: `${key}/${id}` } })
    }
    return {}
  },
  async undo(scope, _input, outputs, key) {
    const { containerId, codes } = Begun.parse(outputs['begin'])
    const thing = { kind: 'container', id: containerId } as const
    for (const text of codes) {
      const options = { context: { key: `${key}/${text}` } }
      await scope.service('barcodes', barcodes).link({ text, thing, confirmed: true }, options)
    }
  },
}

const containerStep: SagaStep = {
  name: 'container',
  async run(scope, input, outputs, key) {
    const { reason } = Input.parse(input)
    const { containerId: id } = Begun.parse(outputs['begin'])
    await scope.service('storage', storage).removeContainer({ id, reason }, { context: { key } })
    return {}
  },
  undo: null,
}

/** Takes back what Receive did, in the other direction; the sample's record stays, deleted. */
export const undoReceiveSaga: SagaDefinition = {
  name: 'undo-receive',
  async begin(scope, input) {
    const { sampleId } = Input.parse(input)
    const row = await holdSample(scope.tx, sampleId)
    requireKept(row)
    const containers = await containersOf(scope.tx, sampleId)
    const own = containers.find(({ byReceive }) => byReceive)
    if (own === undefined) {
      throw ruleBroken(
        'sample_was_not_received',
        `${row.name} was not received here as a tube, so there is nothing to take back.`,
      )
    }
    const since = listWhatHappenedSince(await gatherFacts(scope.tx, row, own, containers))
    if (since.length > 0) {
      throw ruleBroken(
        'receive_undo_too_late',
        `Receiving ${row.name} cannot be taken back: since then ${since.join(', ')}.`,
      )
    }
    return { containerId: own.id, place: own.receivedPlace, codes: await liveCodes(scope.tx, sampleId) }
  },
  // The first step only looked.
  undoBegin: () => Promise.resolve(),
  steps: [placementStep, codeStep, containerStep],
  async end(scope, input, outputs) {
    const { sampleId, reason } = Input.parse(input)
    const { containerId } = Begun.parse(outputs['begin'])
    await holdSample(scope.tx, sampleId)
    await updateContainer(scope, containerId, { state: 'removed', place: null })
    await changeStateOf(scope, sampleId, 'deleted', reason)
    await updateSample(scope, sampleId, { location: null })
    await refreshCode(scope, sampleId)
    return {}
  },
}

async function gatherFacts(
  tx: ReadTransaction,
  row: SampleRow,
  own: ContainerLink,
  containers: readonly ContainerLink[],
): Promise<SinceReceived> {
  const lineOf = (lane: 'record' | 'storage') =>
    and(eq(sampleHistory.sampleId, row.id), eq(sampleHistory.lane, lane))
  const countOf = (
    table: Parameters<ReadTransaction['$count']>[0],
    where: Parameters<ReadTransaction['$count']>[1],
  ) => tx.$count(table, where)
  const stateChanges = await countOf(
    sampleHistory,
    and(lineOf('record'), eq(sampleHistory.what, 'state_changed')),
  )
  const otherLines = await countOf(
    sampleHistory,
    and(lineOf('record'), notInArray(sampleHistory.what, ['accessioned', 'state_changed'])),
  )
  const wasPlaced = own.receivedPlace !== null
  const stateChangesOfReceive = wasPlaced ? 2 : 1
  return {
    otherContainers: containers.length - 1,
    isWhereItWasPut: own.state === (wasPlaced ? 'placed' : 'unplaced'),
    wasPlaced,
    custodyEvents: (await readChain(tx, row.id)).length,
    storageEvents: await countOf(sampleHistory, lineOf('storage')),
    codes: (await liveCodes(tx, row.id)).length,
    edits: otherLines + Math.max(0, stateChanges - stateChangesOfReceive),
    // The one of the record's own change set is the volume it came with.
    movements: await countOf(
      amountMovement,
      and(eq(amountMovement.sampleId, row.id), ne(amountMovement.revision, row.writtenRevision)),
    ),
    notes: await countOf(sampleNote, eq(sampleNote.sampleId, row.id)),
    relations: await countOf(
      sampleRelation,
      or(eq(sampleRelation.childId, row.id), eq(sampleRelation.parentId, row.id)),
    ),
  }
}

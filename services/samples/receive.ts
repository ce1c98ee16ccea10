import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { Refusal } from '../../platform/contract/refusal.ts'
import { isFinal, runSaga, type SagaDefinition, type SagaStep } from '../../platform/saga/saga.ts'
import { orchestrates } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import { barcodes, CodeId, Thing } from '../barcodes/contract.ts'
import { ContainerId, NodeId, storage } from '../storage/contract.ts'
import { AssemblyLine } from './assembly-line.ts'
import { doEach } from './batch.ts'
import { noteFirstLink, refreshCode } from './codes.ts'
import { Received, ReceiveRequest, samplesEvents } from './contract.ts'
import { addCustody } from './custody.ts'
import { decideTransition, type SampleState } from './domain/lifecycle.ts'
import { accepted } from './decisions.ts'
import { stateLine, tell } from './history.ts'
import { occasionOf } from './people.ts'
import { findContainer, followContainer, updateContainer } from './placements.ts'
import { recordSample } from './record-sample.ts'
import { findSample, holdSample, readSample, showSample, updateSample } from './sample-rows.ts'
import { sampleContainer } from './schema.ts'
import { requireType } from './types.ts'

export const receive = orchestrates((scope: OrchestrationScope, input: ReceiveRequest) =>
  receiveOne(scope, receiveSaga, input, 'receive'),
)

export const receiveBatch = orchestrates((scope: OrchestrationScope, input: { rows: ReceiveRequest[] }) => {
  const line = new AssemblyLine()
  const saga = inLine(receiveSaga, line)
  const entrance = inTurn(scope, line)
  return doEach(input.rows, (row, index) => receiveOne(entrance, saga, row, String(index)))
})

async function receiveOne(
  scope: OrchestrationScope,
  saga: SagaDefinition,
  request: ReceiveRequest,
  key: string,
): Promise<z.input<typeof Received>> {
  const { id, outputs } = await runSaga(scope, saga, request, key)
  return { sagaId: id, ...Ended.parse(outputs['end']) }
}

/** What the first step leaves for the others; the container's id is made before the container. */
const Begun = z.object({ sampleId: z.uuid(), containerId: ContainerId, type: z.string() })
const Coded = z.object({ codeId: CodeId, text: z.string() })
/** Null when the tube was not to be placed. */
const Placed = z.object({ boxId: NodeId, position: z.string(), words: z.string() }).nullable()
const Ended = Received.omit({ sagaId: true })

const codeStep: SagaStep = {
  name: 'code',
  async run(scope, input, outputs, key) {
    const { code: text, codeConfirmed: confirmed } = ReceiveRequest.parse(input)
    const thing = { kind: 'container', id: Begun.parse(outputs['begin']).containerId } as const
    const client = scope.service('barcodes', barcodes)
    const options = { context: { key } }
    const code =
      text === undefined
        ? await client.allocateFor({ kind: 'sample', thing }, options)
        : await client.link({ text, thing, confirmed }, options).catch(async (error: unknown) => {
            throw await explainTakenCode(scope, text, error)
          })
    return { codeId: code.id, text: code.text } satisfies z.input<typeof Coded>
  },
  async undo(scope, _input, outputs, key) {
    const { codeId } = Coded.parse(outputs['code'])
    await scope.service('barcodes', barcodes).unlink({ codeId, reason: neverReceived }, { context: { key } })
  },
}

const containerStep: SagaStep = {
  name: 'container',
  async run(scope, input, outputs, key) {
    const { containerKind: kind, placement } = ReceiveRequest.parse(input)
    const { sampleId, containerId, type } = Begun.parse(outputs['begin'])
    const { text: label } = Coded.parse(outputs['code'])
    const { place } = await scope
      .service('storage', storage)
      .createContainer(
        { id: containerId, kind, sampleId, material: type, label, target: placement },
        { context: { key } },
      )
    if (placement === undefined) return null
    if (place === null) throw new Error(`Storage placed the container ${containerId} nowhere`)
    const { boxId, position, path, boxName } = place
    return { boxId, position, words: `${[...path, boxName].join(' › ')}, ${position}` }
  },
  undo: null,
}

const neverReceived = 'Receiving it could not be finished'

/**
 * Receiving a tube: sample, code, container and place, whole or not at all. The person who receives it holds it and has
 * its record before their eyes, so the sample is validated; placed, it goes on to `in_storage`.
 */
export const receiveSaga: SagaDefinition = {
  name: 'receive',
  async begin(scope, input) {
    const request = ReceiveRequest.parse(input)
    const sampleId = uuidv7()
    const containerId = uuidv7()
    const type = await requireType(scope.tx, request.sample.type)
    await recordSample(scope, {
      id: sampleId,
      fields: request.sample,
      type,
      importId: request.importId ?? null,
      validated: true,
      firstVolume: { kind: 'corrected', reason: 'As given when it was received' },
    })
    const occasion = occasionOf(scope)
    await addCustody(scope, sampleId, { kind: 'received', holder: occasion.by, reason: null }, occasion, null)
    await scope.tx.insert(sampleContainer).values({
      laboratoryId: scope.laboratoryId,
      id: containerId,
      sampleId,
      state: 'unplaced',
      byReceive: true,
    })
    return { sampleId, containerId, type }
  },
  async undoBegin(scope, _input, outputs) {
    const { sampleId, containerId } = Begun.parse(outputs['begin'])
    const { state } = await holdSample(scope.tx, sampleId)
    await updateContainer(scope, containerId, { state: 'removed', place: null })
    await removeUnreceived(scope, sampleId, state)
  },
  steps: [codeStep, containerStep].map(explained),
  async end(scope, _input, outputs) {
    const { sampleId, containerId } = Begun.parse(outputs['begin'])
    await holdSample(scope.tx, sampleId)
    const { text: code } = Coded.parse(outputs['code'])
    const placed = Placed.parse(outputs['container'])
    await noteFirstLink(scope, sampleId, {
      code,
      thing: { kind: 'container', id: containerId },
      at: scope.now,
    })
    const place = placed === null ? null : { boxId: placed.boxId, position: placed.position }
    if (placed !== null) {
      await notePlacement(scope, { containerId, sampleId, label: code, to: placed.words })
      await updateContainer(scope, containerId, { receivedPlace: place })
    }
    const sample = await showSample(scope.tx, await readSample(scope.tx, sampleId))
    return { sample, code, containerId, place }
  },
}

/** The same saga, its steps taken by the rows of a batch one behind the other. */
function inLine(saga: SagaDefinition, assemblyLine: AssemblyLine): SagaDefinition {
  const steps = saga.steps.map((step) => ({
    ...step,
    run: (...given: Parameters<SagaStep['run']>) => assemblyLine.pass(step.name, () => step.run(...given)),
  }))
  return { ...saga, steps }
}

/** The first change of a row is a station as well: on a server, changes made at once end in any order. */
function inTurn(scope: OrchestrationScope, line: AssemblyLine): OrchestrationScope {
  return {
    ...scope,
    change: (key, work, options) =>
      key.endsWith('/begin')
        ? line.pass('begin', () => scope.change(key, work, options))
        : scope.change(key, work, options),
  }
}

/** Unless storage has told of it already, perhaps of more since. */
async function notePlacement(
  scope: WriteScope,
  placed: {
    readonly containerId: string
    readonly sampleId: string
    readonly label: string
    readonly to: string
  },
): Promise<void> {
  const link = await findContainer(scope.tx, placed.containerId)
  if (link === null || link.placementAhead !== null) return
  const news = { what: 'placed', ...placed, from: null, reason: null } as const
  await followContainer(scope, news, occasionOf(scope), { aheadOfStorage: true })
}

async function removeUnreceived(scope: WriteScope, sampleId: string, from: SampleState): Promise<void> {
  const transition = accepted(decideTransition(from, 'deleted', { reason: neverReceived }))
  await tell(scope, [stateLine(scope, sampleId, occasionOf(scope), transition)])
  scope.announce(samplesEvents.SampleRemoved, { sampleId, reason: neverReceived })
  await updateSample(scope, sampleId, { state: 'deleted', updatedAt: scope.now })
  await refreshCode(scope, sampleId)
}

/** A step whose refusals say what became of the tube; those about its code speak for themselves. */
function explained(step: SagaStep): SagaStep {
  return {
    ...step,
    run: (scope, input, outputs, key) =>
      step.run(scope, input, outputs, key).catch((error: unknown) => {
        if (!isFinal(error) || ['DUPLICATE_CODE', 'INDEX_SEQUENCE'].includes(error.code)) throw error
        const message = `The tube was not received: ${error.message}. Nothing was kept of it; put it right and receive it again.`
        throw new Refusal('SAGA_COMPENSATED', message, {
          step: step.name,
          why: error.message,
          code: error.code,
        })
      }),
  }
}

const TakenCode = z.object({ code: z.string(), thing: Thing })

/** CODE_TAKEN in the words of samples: which sample has it. Other errors stay as they are. */
async function explainTakenCode(scope: ReadScope, text: string, error: unknown): Promise<unknown> {
  if (!isFinal(error) || error.code !== 'CODE_TAKEN') return error
  const taken = TakenCode.safeParse(error.data)
  if (!taken.success) return error
  const { code, thing } = taken.data
  const known = await scope.read(async (tx) => {
    const link = thing.kind === 'container' ? await findContainer(tx, thing.id) : null
    const sampleId = thing.kind === 'sample' ? thing.id : link?.sampleId
    return sampleId === undefined ? null : findSample(tx, sampleId)
  })
  const words =
    known === null ? `belongs to a ${thing.kind.replaceAll('-', ' ')}` : `is on the tube of ${known.name}`
  return new Refusal('DUPLICATE_CODE', `${text} ${words} already. Nothing was received.`, {
    code,
    existing: known?.id ?? thing.id,
  })
}

import { eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { toInstant } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { reads, writes } from '../../platform/service/implementation.ts'
import type { ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import type { CustodyEvent as CustodyEventItem } from './contract.ts'
import { accepted } from './decisions.ts'
import {
  checkCustody,
  type CustodyEvent,
  type CustodyHead,
  type CustodyKind,
  decideCustody,
  orderCustody,
} from './domain/custody.ts'
import { type Occasion, occasionOf } from './people.ts'
import { holdSample, readSample, requireKept } from './sample-rows.ts'
import { custodyEvent } from './schema.ts'

type CustodyRow = typeof custodyEvent.$inferSelect

/** What is said of one step of custody. */
export interface CustodyStatement {
  readonly kind: CustodyKind
  readonly holder: string
  readonly place?: string | null
  readonly reason: string | null
  /** `shipped` only: the laboratory of this Hub that it goes to. */
  readonly toLaboratoryId?: string
}

interface RecordedByHand extends CustodyStatement {
  readonly id: string
  readonly reason: string
  readonly predecessorId?: string | undefined
  readonly settlesIds: string[]
}

export const recordCustody = writes(async (scope: WriteScope, input: RecordedByHand) => {
  const row = await holdSample(scope.tx, input.id)
  requireKept(row)
  const { heads } = checkCustody(await readChain(scope.tx, row.id))
  const event: CustodyEvent = {
    id: uuidv7(),
    predecessorId: input.predecessorId ?? lastOf(heads)?.eventId ?? null,
    settlesIds: input.settlesIds,
    kind: input.kind,
    laboratoryId: scope.laboratoryId,
    toLaboratoryId: null,
  }
  return toCustodyEvent(
    await insert(scope, row.id, accepted(decideCustody(heads, event)), input, occasionOf(scope)),
  )
})

export const custody = reads((scope: ReadScope, input: { id: string }) =>
  scope.read(async (tx) => {
    await readSample(tx, input.id)
    const rows = await readChain(tx, input.id)
    const { problems } = checkCustody(rows)
    return {
      events: orderCustody(rows).map(toCustodyEvent),
      problems: problems.map(({ message }) => message),
    }
  }),
)

/** The events of a sample, oldest first by id; the chain itself is in their predecessors. */
export async function readChain(tx: ReadTransaction, sampleId: string): Promise<CustodyRow[]> {
  const rows = await tx
    .select()
    .from(custodyEvent)
    .where(eq(custodyEvent.sampleId, sampleId))
    .orderBy(custodyEvent.id)
  return rows.map((row) => ({ ...row, laboratoryId: row.actedInId ?? row.laboratoryId }))
}

/**
 * Appends a fact to a sample's chain and gives its id. Facts are not refused: a step that cannot follow is shown as a
 * problem of the chain.
 */
export async function addCustody(
  scope: WriteScope,
  sampleId: string,
  said: CustodyStatement,
  occasion: Occasion,
  predecessorId: string | null,
): Promise<string> {
  const event: CustodyEvent = {
    id: uuidv7(),
    predecessorId,
    settlesIds: [],
    kind: said.kind,
    laboratoryId: scope.laboratoryId,
    toLaboratoryId: said.toLaboratoryId ?? null,
  }
  await insert(scope, sampleId, event, said, occasion)
  return event.id
}

/** The end of a chain; of a fork's ends the one that was recorded last here. */
export function lastOf(heads: readonly CustodyHead[]): CustodyHead | null {
  return heads.at(-1) ?? null
}

async function insert(
  scope: WriteScope,
  sampleId: string,
  event: CustodyEvent,
  said: CustodyStatement,
  occasion: Occasion,
): Promise<CustodyRow> {
  const { holder, place = null, reason } = said
  const [row] = await scope.tx
    .insert(custodyEvent)
    .values({ ...event, sampleId, holder, place, reason, ...occasion })
    .returning()
  if (row === undefined) throw new Error('The custody event was not stored')
  return row
}

function toCustodyEvent(row: CustodyRow): z.input<typeof CustodyEventItem> {
  const { id, kind, predecessorId, holder, place, reason, by, byId } = row
  return {
    ...{ id, kind, predecessorId, holder, place, reason, by, byId },
    settlesIds: [...row.settlesIds],
    at: toInstant(row.at),
  }
}

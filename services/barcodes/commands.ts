import { randomInt } from 'node:crypto'
import { and, eq, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { notFound, Refusal } from '../../platform/contract/refusal.ts'
import { isDuplicate } from '../../platform/database/errors.ts'
import { rowsOf, type Transaction } from '../../platform/database/transaction.ts'
import { orchestrates, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { ownKinds, toCode, type CodeRow } from './codes.ts'
import { barcodesEvents, type CodeKind, type Thing } from './contract.ts'
import { classifyScan, normaliseForLookup } from './domain/classify.ts'
import {
  drawWorkstationPart,
  formatOwnCode,
  isWorkstationPart,
  type WorkstationPart,
} from './domain/own-code.ts'
import { liveCodes } from './queries.ts'
import { code, workstationPart } from './schema.ts'

type Kind = z.infer<typeof CodeKind>

/** Codes that one change set gives out; it stays far below the limit of rows. */
const codesPerChange = 500

export const allocate = orchestrates(
  async (scope: OrchestrationScope, input: { kind: Kind; count: number }) => {
    const codes: string[] = []
    for (let done = 0; done < input.count; done += codesPerChange) {
      const share = Math.min(codesPerChange, input.count - done)
      const given = await scope.change(String(done), async (write) => {
        const rows = await giveOut(write, input.kind, share, null)
        return rows.map((row) => row.text)
      })
      codes.push(...given)
    }
    return { codes }
  },
)

export const allocateFor = writes(async (scope: WriteScope, input: { kind: Kind; thing: Thing }) => {
  const [row] = await giveOut(scope, input.kind, 1, input.thing)
  if (row === undefined) throw new Error('No code was given out')
  scope.announce(barcodesEvents.CodeLinked, { code: row.text, thing: input.thing })
  return toCode(row)
})

export const link = writes(
  async (scope: WriteScope, input: { text: string; thing: Thing; confirmed: boolean }) => {
    const { lookupKey, text, own } = readCode(input)
    const [known] = await liveCodes(scope.tx, [lookupKey])
    if (known !== undefined && known.state === 'linked') {
      if (known.thingKind === input.thing.kind && known.thingId === input.thing.id) return toCode(known)
      throw codeTaken(known)
    }
    const row =
      known === undefined
        ? await insertCode(scope, { text, lookupKey, source: own ? 'own' : 'external', thing: input.thing })
        : await updateCode(scope, known.id, { state: 'linked', thing: input.thing })
    scope.announce(barcodesEvents.CodeLinked, { code: row.text, thing: input.thing })
    return toCode(row)
  },
)

export const unlink = writes(async (scope: WriteScope, input: { codeId: string; reason: string }) => {
  const [known] = await scope.tx.select().from(code).where(eq(code.id, input.codeId))
  if (known === undefined) throw notFound('code', input.codeId)
  if (known.state === 'released') return toCode(known)
  const row = await updateCode(scope, known.id, { state: 'released', thing: null })
  if (known.thingKind !== null && known.thingId !== null) {
    const thing = toCode(known).thing
    if (thing !== null) {
      scope.announce(barcodesEvents.CodeUnlinked, { code: known.text, thing, reason: input.reason })
    }
  }
  return toCode(row)
})

/** Draws this workstation's part when there is none: after a first start, and after a loss of the database. */
export async function ensureWorkstationPart(scope: OrchestrationScope): Promise<void> {
  await scope.asOwner(async (tx) => {
    const [existing] = await tx.select().from(workstationPart)
    if (existing !== undefined) return
    const part = drawWorkstationPart((exclusiveMaximum) => randomInt(exclusiveMaximum))
    await tx.insert(workstationPart).values({ part, drawnAt: scope.now })
  })
}

/**
 * Gives out the next codes of this workstation. The counter is read from the codes themselves, so it is right again
 * any replay, and a lost database draws a new workstation part. On a Hub all laboratories count together.
 */
async function giveOut(
  scope: WriteScope,
  kind: Kind,
  count: number,
  thing: Thing | null,
): Promise<readonly CodeRow[]> {
  const { tx } = scope
  const part = await readWorkstationPart(tx)
  await tx.execute(sql`select pg_advisory_xact_lock(hashtext(${part}))`)
  const [last] = await rowsOf<{ counter: number | null }>(tx, sql`select highest_counter(${part}) as counter`)
  const first = (last?.counter ?? 0) + 1
  const values = Array.from({ length: count }, (_, index) => {
    const own = formatOwnCode(ownKinds[kind], part, first + index)
    const keys = normaliseForLookup(own.text)
    if (!keys.ok) throw new Error(`The code ${own.text} cannot be looked up: ${keys.problem}`)
    return {
      laboratoryId: scope.laboratoryId,
      id: uuidv7(),
      text: own.text,
      lookupKey: keys.value[0].key,
      source: 'own' as const,
      state: thing === null ? ('allocated' as const) : ('linked' as const),
      thingKind: thing?.kind ?? null,
      thingId: thing?.id ?? null,
      workstationPart: part,
      counter: own.counter,
      createdAt: scope.now,
      createdBy: scope.actor?.userId ?? 'nobody',
    }
  })
  return tx.insert(code).values(values).returning()
}

async function readWorkstationPart(tx: Transaction): Promise<WorkstationPart> {
  const [row] = await tx.select().from(workstationPart)
  if (row === undefined || !isWorkstationPart(row.part)) {
    throw new Error('This workstation has no part for its codes: it is drawn when the service opens')
  }
  return row.part
}

/** What may be linked: a code, and not an index sequence that nobody confirmed. */
function readCode(input: { readonly text: string; readonly confirmed: boolean }): {
  readonly text: string
  readonly lookupKey: string
  readonly own: boolean
} {
  const scan = classifyScan(input.text)
  if (scan.kind === 'index-sequence' && !input.confirmed) {
    throw new Refusal(
      'INDEX_SEQUENCE',
      `${scan.sequence} reads like an index sequence, not like a tube: confirm it if it really is a tube id`,
      { code: scan.sequence },
    )
  }
  const keys = normaliseForLookup(input.text)
  if (!keys.ok)
    throw new Refusal('NOT_A_CODE', keys.problem, { code: input.text.slice(0, 200), why: keys.problem })
  const [canonical] = keys.value
  if (canonical.identifies === 'batch' || canonical.identifies === 'product') {
    const why = `It names a ${canonical.identifies === 'batch' ? 'lot' : 'product'}, which many tubes share: it has no serial number`
    throw new Refusal('NOT_A_CODE', why, { code: input.text.slice(0, 200), why })
  }
  const text = scan.kind === 'own-code' ? scan.code.text : input.text.trim()
  return { text, lookupKey: canonical.key, own: scan.kind === 'own-code' }
}

async function insertCode(
  scope: WriteScope,
  given: {
    readonly text: string
    readonly lookupKey: string
    readonly source: CodeRow['source']
    readonly thing: Thing
  },
): Promise<CodeRow> {
  const { thing, ...rest } = given
  try {
    const [row] = await scope.tx
      .insert(code)
      .values({
        ...rest,
        laboratoryId: scope.laboratoryId,
        id: uuidv7(),
        state: 'linked',
        thingKind: thing.kind,
        thingId: thing.id,
        createdAt: scope.now,
        createdBy: scope.actor?.userId ?? 'nobody',
      })
      .returning()
    if (row === undefined) throw new Error('The code was not stored')
    return row
  } catch (error) {
    // On a server, somebody else may link the same code between our look and our write.
    if (!isDuplicate(error, 'code_names_one_thing')) throw error
    throw new Refusal('CODE_TAKEN', `${given.text} was given to something else at this moment`, {
      code: given.text,
      thing,
    })
  }
}

async function updateCode(
  scope: WriteScope,
  id: string,
  change: { readonly state: CodeRow['state']; readonly thing: Thing | null },
): Promise<CodeRow> {
  const [row] = await scope.tx
    .update(code)
    .set({ state: change.state, thingKind: change.thing?.kind ?? null, thingId: change.thing?.id ?? null })
    .where(and(eq(code.laboratoryId, scope.laboratoryId), eq(code.id, id)))
    .returning()
  if (row === undefined) throw notFound('code', id)
  return row
}

function codeTaken(known: CodeRow): Refusal {
  const { thing } = toCode(known)
  return new Refusal('CODE_TAKEN', `${known.text} belongs to something else already`, {
    code: known.text,
    thing,
  })
}

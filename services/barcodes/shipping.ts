import { and, inArray, ne } from 'drizzle-orm'
import { orchestrates, reads, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import type { TravellingRow } from '../../platform/contract/travelling-rows.ts'
import { rowsOfTable, TravellingTables } from '../../platform/sync/database/travelling-rows.ts'
import type { Thing } from './contract.ts'
import { code } from './schema.ts'

const tables = new TravellingTables()

/** The codes of things, with what keeps them from being shipped. */
export const shippingCheck = reads((scope: ReadScope, input: { things: Thing[] }) =>
  scope.read(async (tx) => {
    const ids = input.things.map(({ id }) => id)
    const rows =
      ids.length === 0
        ? []
        : await tx
            .select({ id: code.thingId, kind: code.thingKind, text: code.text, contested: code.contested })
            .from(code)
            .where(and(inArray(code.thingId, ids), ne(code.state, 'released')))
    return rows.flatMap(({ id, kind, text, contested }) => {
      const thing = input.things.find((each) => each.id === id && each.kind === kind)
      const words = `The code ${text} is contested: decide first which thing it belongs to.`
      return thing === undefined ? [] : [{ thing, text, words: contested ? words : null }]
    })
  }),
)

export const shippingRecord = orchestrates((scope: OrchestrationScope, input: { things: Thing[] }) =>
  scope.asOwner(async (tx) => {
    const where = input.things.map(({ kind, id }) => ({ thing_kind: kind, thing_id: id }))
    return { rows: [...(await tables.read(tx, scope.laboratoryId, 'code', where))] }
  }),
)

/** The codes come in their form, letter by letter. One that means something else here is contested until a person decides. */
export const land = writes(async (scope: WriteScope, input: { rows: TravellingRow[] }) => {
  const coming = rowsOfTable(input.rows, 'code').filter(({ state }) => state === 'linked')
  const keys = coming.flatMap((row) => row.lookup_key ?? [])
  const taken =
    keys.length === 0
      ? []
      : await scope.tx
          .select({ id: code.id, key: code.lookupKey })
          .from(code)
          .where(and(inArray(code.lookupKey, keys), ne(code.state, 'released')))
  const rows = coming.map((row) => ({
    ...row,
    contested: String(taken.some(({ id, key }) => key === row.lookup_key && id !== row.id)),
  }))
  await tables.land(scope.tx, scope.laboratoryId, 'code', rows)
  return {}
})

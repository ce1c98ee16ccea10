import { v5 as uuidv5 } from 'uuid'
import { z } from 'zod'

/** A row as text, as the capture trigger writes it. `revision` is the change set that last wrote it. */
export type RowImage = Readonly<Record<string, string | null>>

/** A synced row's primary key, in the columns' own names. */
export interface RowKey {
  readonly laboratory_id: string
  readonly id: string
}

/** One row as one change set changed it. */
export interface RowChange {
  readonly table: string
  /** `withdraw` takes away a row that only a set made which the Hub did not take. It is journaled, never pushed. */
  readonly operation: 'insert' | 'update' | 'withdraw'
  readonly key: RowKey
  /** The revision the author saw; null for an insert. */
  readonly replaces: string | null
  /** An insert's whole row, an update's changed columns, nothing for a withdrawal. */
  readonly values: RowImage
  /** What the changed columns held before; for a withdrawal the whole row. */
  readonly before: RowImage
}

/** Something announced together with the rows. It travels for the record; nobody reacts to it a second time. */
export interface AnnouncedEvent {
  readonly name: string
  readonly data: unknown
}

/** All that one command wrote, the unit of sync: it is taken whole or not at all. */
export interface ChangeSet {
  readonly id: string
  readonly domain: string
  readonly laboratoryId: string
  readonly workstationId: string
  readonly actorId: string
  readonly hybridLogicalTime: string
  readonly recordedAt: string
  readonly reason: string | null
  readonly correlationId: string
  readonly procedure: string
  /** The change set whose event this one reacts to. */
  readonly causedBy: string | null
  /** Migrations with an upcast that its rows were written under; left out, there were none. */
  readonly shapedBy?: readonly string[]
  readonly changes: readonly RowChange[]
  readonly events: readonly AnnouncedEvent[]
}

/** Where a row stands: `storage/placement/<id>`. A laboratory's rows are always looked at apart from others'. */
export type RowAddress = string & { readonly __brand: 'RowAddress' }

export function addressOf(domain: string, table: string, id: string): RowAddress {
  return `${domain}/${table}/${id}` as RowAddress
}

export function splitAddress(address: RowAddress): {
  readonly domain: string
  readonly table: string
  readonly id: string
} {
  const [domain = '', table = '', id = ''] = address.split('/')
  return { domain, table, id }
}

/** The most row changes that a change set may hold. */
export const maximumChanges = 1_000

/** PostgreSQL's own spelling. An id with capitals would be another text for the same row. */
const uuid = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID in small letters')
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0')
const storable = z.string().refine(isStorable, 'must not contain NUL or a lone surrogate')
const name = storable.min(1).max(200)
const identifierPattern = /^[a-z_][a-z0-9_.]{0,126}$/
const identifier = z.string().regex(identifierPattern, 'must be a name of a table or column')
const longestCell = 1_048_576

/** A row's cells are most of what is parsed, and a loop looks at them in a fraction of the time. */
export const RowImage = z.custom<RowImage>((value) => findUnsoundCell(value) === null, {
  error: ({ input }) => findUnsoundCell(input) ?? 'must be a row',
})

function findUnsoundCell(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be a row'
  for (const [column, cell] of Object.entries(value as Readonly<Record<string, unknown>>)) {
    if (!identifierPattern.test(column)) return `${column} must be a name of a column`
    if (cell === null) continue
    if (typeof cell !== 'string') return `${column} must be text or null`
    if (!isStorable(cell)) return `${column} must not contain NUL or a lone surrogate`
    if (cell.length > longestCell) return `${column} must not be longer than ${longestCell} characters`
  }
  return null
}

const RowChangeSchema = z
  .strictObject({
    table: identifier,
    operation: z.enum(['insert', 'update']),
    key: z.strictObject({ laboratory_id: uuid, id: uuid }),
    replaces: uuid.nullable(),
    values: RowImage,
    before: RowImage,
  })
  .superRefine((change, context) => {
    const problem = findUnevenness(change)
    if (problem !== null) context.addIssue({ code: 'custom', message: problem })
  })

/**
 * A change set as it comes over the wire. The byte limit is the front door's. Every row is the laboratory's own, and is
 * made before it is changed: what the changes of a row come to together holds the key that each of them was judged by.
 */
export const ChangeSetSchema = z
  .strictObject({
    id: uuid,
    domain: name,
    laboratoryId: uuid,
    workstationId: name,
    actorId: name,
    hybridLogicalTime: storable.max(200),
    recordedAt: z.iso.datetime({ precision: 3 }),
    reason: storable.max(10_000).nullable(),
    correlationId: storable.max(200),
    procedure: name,
    causedBy: uuid.nullable(),
    shapedBy: z.array(name).max(maximumChanges).readonly().default([]),
    changes: z.array(RowChangeSchema).max(maximumChanges),
    events: z.array(z.strictObject({ name, data: z.json() })).max(maximumChanges),
  })
  .superRefine(({ laboratoryId, changes }, context) => {
    const rows = new Set<string>()
    for (const [index, { table, operation, key }] of changes.entries()) {
      const row = `${table}/${key.id}`
      const problem =
        key.laboratory_id !== laboratoryId
          ? 'every row is of the laboratory of its change set'
          : operation === 'insert' && rows.has(row)
            ? 'a row is inserted once, before it is changed'
            : null
      if (problem !== null)
        context.addIssue({ code: 'custom', path: ['changes', index, 'key'], message: problem })
      rows.add(row)
    }
  }) satisfies z.ZodType<ChangeSet>

function findUnevenness(change: z.infer<typeof RowChangeSchema>): string | null {
  const { operation, replaces, values, before, key } = change
  if (operation === 'insert') {
    if (replaces !== null || Object.keys(before).length > 0) return 'an insert replaces nothing'
    return values.id === key.id && values.laboratory_id === key.laboratory_id
      ? null
      : 'an insert holds its own key'
  }
  if (replaces === null) return 'an update names the revision it replaces'
  if ('id' in values || 'laboratory_id' in values) return 'a key does not change'
  const columns = Object.keys(values)
  return columns.length === Object.keys(before).length && columns.every((column) => column in before)
    ? null
    : 'an update says of every changed column what it held before'
}

/**
 * The changes of a set, one for each row: a command may write a row twice. Their order is that of the first writes.
 */
export function compactChanges(set: ChangeSet): readonly RowChange[] {
  const byRow = new Map<string, RowChange>()
  for (const change of set.changes) {
    const row = `${change.table}/${change.key.id}`
    const first = byRow.get(row)
    byRow.set(row, first === undefined ? change : joinChanges(first, change))
  }
  return [...byRow.values()]
}

function joinChanges(first: RowChange, second: RowChange): RowChange {
  return {
    ...first,
    values: { ...first.values, ...second.values, ...keyIn(first) },
    // The columns that the first one wrote held something else before it.
    before: first.operation === 'insert' ? {} : { ...second.before, ...first.before },
  }
}

/** The key columns that a change writes: those of the row it is about, whatever a later change says. */
function keyIn({ operation, key }: RowChange): RowImage {
  return operation === 'insert' ? { laboratory_id: key.laboratory_id, id: key.id } : {}
}

/**
 * The row after a change; null when there is none (an update of a row that is not there does nothing). A founder's rows
 * come to the Hub with the revisions they had.
 */
export function applyChange(row: RowImage | null, change: RowChange, revision: string): RowImage | null {
  switch (change.operation) {
    case 'insert':
      return { ...row, ...change.values, revision: change.values.revision ?? revision }
    case 'update':
      return row === null ? null : { ...row, ...change.values, revision }
    case 'withdraw':
      return null
  }
}

/** An id that follows from another: whoever decides the same thing again gives it the same id. */
export function deriveId(from: string, what: string): string {
  return uuidv5(what, from)
}

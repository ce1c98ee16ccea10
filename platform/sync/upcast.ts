import { z } from 'zod'
import type { ChangeSet, RowChange, RowImage } from './change-set.ts'
import type { LogEntryBody } from './log.ts'
import { type ConflictPoint, isHeld, type WorkItem } from './work-item.ts'

const column = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be the name of a column')

/** What became of a table's columns; all of it by their old names. */
const ColumnsThen = z.strictObject({
  renamed: z.record(column, column).default({}),
  /** Values that are called otherwise now. */
  values: z.record(column, z.record(z.string(), z.string())).default({}),
  dropped: z.array(column).default([]),
})
type ColumnsThen = z.output<typeof ColumnsThen>

/**
 * How rows that were written before a migration are read after it, by table. It lies beside the migration as
 * `upcast.json`, where one is needed: new columns take their default, and tables keep their names.
 */
export const Upcast = z.record(z.string(), ColumnsThen)
export type Upcast = z.output<typeof Upcast>

/** The upcasts of a database by the name of their migration, in the order in which they apply. */
export type Upcasts = ReadonlyMap<string, Upcast>

/** A row's columns as they are called now. */
export function upcastImage(image: RowImage, table: string, upcast: Upcast): RowImage {
  const then = own(upcast, table)
  if (then === undefined) return image
  return Object.fromEntries(
    Object.entries(image).flatMap(([name, value]) =>
      then.dropped.includes(name) ? [] : [[own(then.renamed, name) ?? name, valueNow(then, name, value)]],
    ),
  )
}

/** A change of a row in the columns of now. */
export function upcastChange(change: RowChange, upcast: Upcast): RowChange {
  const { table, values, before } = change
  return {
    ...change,
    values: upcastImage(values, table, upcast),
    before: upcastImage(before, table, upcast),
  }
}

/** A change set as this version would have written it. It is read once: afterwards it says so itself. */
export function upcastSet<Set extends ChangeSet>(set: Set, upcasts: Upcasts): Set {
  const missing = upcastsSince(set, upcasts)
  if (missing.length === 0) return set
  return {
    ...set,
    // What this version does not know stays in it, to be noticed.
    shapedBy: [...new Set([...(set.shapedBy ?? []), ...upcasts.keys()])],
    changes: missing.reduce(
      (changes, upcast) => changes.map((change) => upcastChange(change, upcast)),
      set.changes,
    ),
  }
}

/** The same for a work item: the set that it holds back, and where that does not go together with the rows. */
export function upcastItem<Item extends WorkItem>(item: Item, upcasts: Upcasts): Item {
  if (!isHeld(item)) return item
  const missing = upcastsSince(item.set, upcasts)
  if (missing.length === 0) return item
  const conflicts = missing.reduce(
    (points, upcast) => points.flatMap((point) => upcastPoint(point, upcast)),
    item.conflicts,
  )
  return { ...item, set: upcastSet(item.set, upcasts), conflicts }
}

/** Nothing where the column is gone: there is nothing left to decide about it. */
function upcastPoint(point: ConflictPoint, upcast: Upcast): readonly ConflictPoint[] {
  const { table, column } = point
  const then = own(upcast, table)
  if (then === undefined || column === null) return [point]
  if (then.dropped.includes(column)) return []
  const now = (value: string | null) => valueNow(then, column, value)
  return [
    {
      ...{ ...point, column: own(then.renamed, column) ?? column },
      ...{ base: now(point.base), hub: now(point.hub), pushed: now(point.pushed) },
    },
  ]
}

/** Those that a set was not written under. */
function upcastsSince({ shapedBy = [] }: ChangeSet, upcasts: Upcasts): readonly Upcast[] {
  return [...upcasts].flatMap(([name, upcast]) => (shapedBy.includes(name) ? [] : [upcast]))
}

/** The same for an entry of the Hub's log, with the work items that it opens. */
export function upcastEntry(entry: LogEntryBody, upcasts: Upcasts): LogEntryBody {
  if (upcasts.size === 0) return entry
  return { ...upcastSet(entry, upcasts), opens: entry.opens.map((item) => upcastItem(item, upcasts)) }
}

/** A migration that a set was written under and this version does not have; null when it knows them all. */
export function findUnknownShape({ shapedBy = [] }: ChangeSet, upcasts: Upcasts): string | null {
  return shapedBy.find((name) => !upcasts.has(name)) ?? null
}

function valueNow({ values }: ColumnsThen, name: string, value: string | null): string | null {
  const names = own(values, name)
  return value === null || names === undefined ? value : (own(names, value) ?? value)
}

/** What was pushed may be called like something that every object has. */
function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

import type { SyncPolicy } from '../database/policy.ts'
import type { AnnouncedEvent, RowImage } from './change-set.ts'

/*
 * What a domain says about its tables beside their policy: data and pure functions, exported from its
 * `domain/sync-rules.ts`. The Hub decides by them, the workstation shows by them, and the simulation tries them.
 */

/** A column that was changed on both sides since the author looked. `base` is undefined where the author made the row. */
export interface BothChanged {
  readonly base: string | null | undefined
  readonly hub: string | null
  readonly pushed: string | null
  /** The change set that the merge becomes. */
  readonly mergeId: string
}

/** The value to keep, or in words why a person must decide. */
export type ColumnVerdict = { readonly value: string | null } | { readonly conflict: string }
export type ColumnMerge = (both: BothChanged) => ColumnVerdict

/** What holds when both sides changed a column; a column without a rule is a conflict. `greatest` knows instants and numbers. */
export type ColumnRule = 'hub' | 'pushed' | 'greatest' | ColumnMerge

/** A row that the Hub and a workstation both changed. */
export interface BothRows {
  readonly hub: RowImage
  /** The columns that the workstation changed, and what they held before. */
  readonly pushed: RowImage
  readonly before: RowImage
  /** What the columns' own rules made of it. */
  readonly merged: RowImage
}

/** Rows of the same domain whose columns have these values, as they would be after the change. */
export type Find = (table: string, where: Readonly<Record<string, string | null>>) => readonly RowImage[]

/** A column of an exclusive rule; `lower` compares without regard to case, as `lower()` does in the constraint. */
export type ExclusiveColumn = string | { readonly lower: string }

/** What to write into a row that is there. */
export interface RowEdit {
  readonly table: string
  readonly id: string
  readonly values: RowImage
}

/** At most one live, uncontested row for each combination of these columns. Its table has a column `contested`. */
export interface ExclusiveRule {
  readonly name: string
  readonly columns: readonly ExclusiveColumn[]
  isLive(row: RowImage): boolean
  /** How a row gives up its claim, with what hangs on it, when a person decides for the other. */
  giveUp(row: RowImage, find: Find): readonly RowEdit[]
}

/** A column that names a row of the same domain. What names a row that is not taken yet waits with it. */
export interface Reference {
  readonly column: string
  readonly table: string
  /** The column holds a JSON list of ids. */
  readonly isList?: true
  /** While this holds of the row, the one it names must be alive. Absent: it must only be there. */
  readonly whileLive?: (row: RowImage) => boolean
}

/** Something a person must look at that stops nothing. It stands while `judge` finds it and goes when it does not. */
export interface Notice {
  readonly kind: string
  /** What it is about: one item stands for each. */
  subjectOf(row: RowImage): string
  /** In words what is wrong, and the rows to show; null when all is well. */
  judge(row: RowImage, find: Find): { readonly words: string; readonly rowIds: readonly string[] } | null
}

export interface TableRules {
  readonly policy: SyncPolicy
  readonly columns?: Readonly<Record<string, ColumnRule>>
  /** Columns that never take part: they follow from others. */
  readonly derived?: readonly string[]
  readonly exclusive?: readonly ExclusiveRule[]
  readonly references?: readonly Reference[]
  /** Whether others may hang on the row; absent: always. */
  readonly isAlive?: (row: RowImage) => boolean
  /** Judges a merged row as a whole, or says in words why a person must decide. Policy `reconcile` only. */
  readonly reconcile?: (both: BothRows) => { readonly values: RowImage } | { readonly conflict: string }
  /** An invariant of the row, of its step and of what hangs on it; in words what is wrong, or null. */
  readonly check?: (before: RowImage | null, after: RowImage, find: Find) => string | null
  readonly notices?: readonly Notice[]
  /**
   * What the laboratory must hear of when a person's decision changes a row: other domains follow these events, as they
   * follow those of commands.
   */
  readonly announce?: (before: RowImage | null, after: RowImage) => readonly AnnouncedEvent[]
}

/** The rules of a domain, by table. Tables that are not here are not synced. */
export type DomainRules = Readonly<Record<string, TableRules>>

/** The rules of all domains. */
export type SyncRules = Readonly<Record<string, DomainRules>>

/** Columns of the engine itself. */
const systemColumns: readonly string[] = ['revision', 'contested']

/** Whether a column's values are compared and merged at all. */
export function takesPart(rules: TableRules, column: string): boolean {
  return !systemColumns.includes(column) && rules.derived?.includes(column) !== true
}

/** Whether rows of the table are inserted and never changed. */
export function isWrittenOnce(policy: SyncPolicy): boolean {
  return policy === 'immutable' || policy === 'append-only' || policy === 'movement'
}

/**
 * A reconcile rule for rows that only make sense as one person left them: what both sides changed must be equal, apart
 * from columns that have a rule of their own.
 */
export function asOnePersonLeftIt(
  columns: Readonly<Record<string, ColumnRule>>,
  words: string,
): NonNullable<TableRules['reconcile']> {
  return ({ hub, pushed, merged }) => {
    const differing = Object.keys(pushed).filter(
      (column) => !(column in columns) && !systemColumns.includes(column) && pushed[column] !== hub[column],
    )
    return differing.length === 0 ? { values: merged } : { conflict: words }
  }
}

/** The rule of the runner's own table: a saga is run, and written, where it was begun. */
export const sagaRules: DomainRules = {
  'platform.saga': {
    policy: 'field-merge',
    columns: { state: 'pushed', step: 'pushed', outputs: 'pushed', error: 'pushed', updated_at: 'greatest' },
  },
}

/** Below, at or above zero, for instants, numbers and other texts; null comes before everything. */
export function compareTexts(left: string | null, right: string | null): number {
  if (left === right) return 0
  if (left === null) return -1
  if (right === null) return 1
  if (isInstant(left) && isInstant(right)) return Date.parse(left) - Date.parse(right)
  if (isNumber(left) && isNumber(right)) return compareNumbers(left, right)
  return left < right ? -1 : 1
}

function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(text)
}

function isNumber(text: string): boolean {
  return /^-?\d+(\.\d+)?$/.test(text)
}

/** Exact, whatever their length. */
function compareNumbers(left: string, right: string): number {
  const places = Math.max(countPlaces(left), countPlaces(right))
  const difference = scale(left, places) - scale(right, places)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

function countPlaces(text: string): number {
  return text.includes('.') ? text.length - text.indexOf('.') - 1 : 0
}

function scale(text: string, places: number): bigint {
  return BigInt(text.replace('.', '') + '0'.repeat(places - countPlaces(text)))
}

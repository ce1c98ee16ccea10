import type { Acceptance } from './corrections.ts'
import type { FieldValue } from './field-value.ts'
import type { Issue } from './issue.ts'

type Lookup = (value: string) => Readonly<Record<string, string>> | undefined

/** Known records by what a `reference` rule calls them; a record's properties are compared by `matching`. */
export type ReferenceTables = Readonly<
  Record<string, ReadonlyMap<string, Readonly<Record<string, string>>> | Lookup>
>

/** What the check needs to know from outside the file. All of it is optional; what is missing is named in `unchecked`. */
export interface CheckContext {
  /** Known records for `reference` rules, by the rule's `to`. */
  readonly references?: ReferenceTables
  /** The day of the check, `2026-11-21`, for rules that say `today`. */
  readonly today?: string
  /** Tables that take the place of those in `allowed-by` checks, by the check's field. */
  readonly tables?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  /** Rules of the caller's own, run on every row after the template's. */
  readonly rowRules?: readonly RowRule[]
  /** What people accepted, from {@link applyCorrections}. */
  readonly acceptances?: readonly Acceptance[]
}

/** A rule in code: what is wrong with a row, each issue with the field that shows it (null: the whole row). */
export type RowRule = (
  values: Readonly<Record<string, FieldValue>>,
) => readonly { readonly field: string | null; readonly issue: Issue }[]

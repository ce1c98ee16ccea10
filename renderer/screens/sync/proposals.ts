import type { WorkItemView } from '../../../platform/sync/contract.ts'

/** One column of a row, in the two proposals and before them. */
export interface Field {
  readonly column: string
  readonly before: string | null
  readonly hub: string | null
  readonly pushed: string | null
  /** Here the two do not go together, and why; null where they do. */
  readonly conflict: string | null
}

/** A row that was to be written, as the Hub has it and as it was pushed. */
export interface RowProposals {
  readonly address: string
  readonly table: string
  readonly id: string
  /** The Hub has no such row. */
  readonly isNew: boolean
  /** What is wrong with the row as a whole. */
  readonly words: readonly string[]
  readonly fields: readonly Field[]
}

/** What only the database needs, or follows from the rest. */
const internal: ReadonlySet<string> = new Set([
  ...[
    'id',
    'laboratory_id',
    'revision',
    'written_revision',
    'contested',
    'lookup_key',
    'updated_at',
    'file_sha256',
  ],
  ...['created_by_id', 'by_id', 'held_by_id', 'marked_by_id', 'actor_id', 'import_id', 'predecessor_id'],
  ...[
    'placement_ahead',
    'by_receive',
    'workstation_part',
    'counter',
    'settles_ids',
    'covers',
    'to_laboratory_id',
  ],
])

/** Whether a person wants to see this column. */
export function isShown(column: string): boolean {
  return !internal.has(column)
}

/** What a held item proposes, row by row; where the two do not go together stands first. */
export function compareProposals(item: WorkItemView): readonly RowProposals[] {
  const rows = new Map<string, { table: string; id: string; isNew: boolean; fields: Map<string, Field> }>()
  for (const { table, id, operation, values, before } of item.pushed?.changes ?? []) {
    const address = `${item.domain}/${table}/${id}`
    const here = item.here[address]
    const row = rows.get(address) ?? {
      ...{ table, id },
      isNew: operation === 'insert' && here === undefined,
      fields: new Map<string, Field>(),
    }
    rows.set(address, row)
    for (const [column, pushed] of Object.entries(values)) {
      const point = item.conflicts.find(
        (each) => each.table === table && each.id === id && each.column === column,
      )
      const known = row.fields.get(column)
      row.fields.set(column, {
        column,
        pushed,
        before: known?.before ?? point?.base ?? before[column] ?? null,
        hub: point?.hub ?? here?.[column] ?? null,
        conflict: point?.words ?? null,
      })
    }
  }
  return [...rows]
    .map(([address, { table, id, isNew, fields }]) => ({
      ...{ address, table, id, isNew },
      words: item.conflicts
        .filter((each) => each.table === table && each.id === id && each.column === null)
        .map(({ words }) => words),
      fields: [...fields.values()]
        .filter((field) => field.conflict !== null || (isShown(field.column) && isWorthShowing(field, isNew)))
        .toSorted((left, right) => Number(left.conflict === null) - Number(right.conflict === null)),
    }))
    .toSorted((left, right) => troubleOf(right) - troubleOf(left))
}

/** A new row's empty columns say nothing, and neither does what is the same everywhere. */
function isWorthShowing({ before, hub, pushed }: Field, isNew: boolean): boolean {
  return isNew ? pushed !== null : hub !== pushed || before !== pushed
}

/** Whether anything in the row does not go together. */
export function isInTrouble(row: RowProposals): boolean {
  return troubleOf(row) > 0
}

/** The table that an item is about most: where the two do not go together, else what was changed and not only noted. */
export function mainTable(item: WorkItemView): string {
  const noted =
    item.pushed?.changes.find(({ operation }) => operation === 'update') ?? item.pushed?.changes[0]
  return item.conflicts[0]?.table ?? noted?.table ?? item.rows[0]?.split('/')[1] ?? ''
}

function troubleOf({ words, fields }: RowProposals): number {
  return words.length + fields.filter(({ conflict }) => conflict !== null).length
}

/** What can be decided about an item. */
export type Choices = readonly ('hub' | 'pushed')[]

/** A refused set can only be given up, a parked one waits, and what merely stands in the rows can be left there. */
export function choicesOf({ kind }: Pick<WorkItemView, 'kind'>): Choices {
  return kind === 'conflict' || kind === 'contested' || kind === 'review' ? ['hub', 'pushed'] : ['hub']
}

/** What the screens have words for; everything else is a notice of a domain. */
export const itemKinds = ['conflict', 'contested', 'refused', 'parked', 'review'] as const
export type ItemKind = (typeof itemKinds)[number] | 'notice'

export function kindOf({ kind }: Pick<WorkItemView, 'kind'>): ItemKind {
  return itemKinds.find((known) => known === kind) ?? 'notice'
}

/** What needs a person first, and what waits for that last; the oldest first in each. */
export function inOrder(items: readonly WorkItemView[]): readonly WorkItemView[] {
  return items.toSorted(
    (left, right) =>
      Number(left.kind === 'parked') - Number(right.kind === 'parked') ||
      left.openedAt.localeCompare(right.openedAt),
  )
}

/** The rows of an item; of what is claimed twice who has it first, and who claims it too last. */
export function inSeniority({ kind, rows }: Pick<WorkItemView, 'kind' | 'rows'>): readonly string[] {
  return kind === 'contested' ? [...rows.slice(1), ...rows.slice(0, 1)] : rows
}

/** What a row is about, as far as it has a page or a name: a sample, a container or a place. */
export interface About {
  readonly kind: 'sample' | 'container' | 'place'
  readonly id: string
}

const referring: Readonly<Record<string, readonly [About['kind'], string]>> = {
  sample: ['sample', 'id'],
  amount_movement: ['sample', 'sample_id'],
  sample_relation: ['sample', 'child_id'],
  custody_event: ['sample', 'sample_id'],
  sample_note: ['sample', 'sample_id'],
  sample_history: ['sample', 'sample_id'],
  sample_container: ['container', 'id'],
  container: ['container', 'id'],
  container_event: ['container', 'container_id'],
  placement: ['container', 'container_id'],
  storage_node: ['place', 'id'],
  node_event: ['place', 'node_id'],
  position_mark: ['place', 'box_id'],
}

/** What a row is about; null for one that is about nothing with a name. */
export function aboutRow(
  table: string,
  id: string,
  values: Readonly<Record<string, string | null>>,
): About | null {
  if (table === 'code') {
    const kind = values['thing_kind']
    const thing = values['thing_id'] ?? null
    if (thing === null) return null
    return kind === 'sample' || kind === 'container' ? { kind, id: thing } : { kind: 'place', id: thing }
  }
  const [kind, column] = referring[table] ?? [null, '']
  const about = column === 'id' ? id : (values[column] ?? null)
  return kind === null || about === null ? null : { kind, id: about }
}

/** Columns that name a row of some kind. */
export const namingColumns: Readonly<Record<string, About['kind']>> = {
  sample_id: 'sample',
  child_id: 'sample',
  parent_id: 'place',
  container_id: 'container',
  box_id: 'place',
  node_id: 'place',
  from_box_id: 'place',
  to_box_id: 'place',
}

/** The values of a row as an item knows it: as it is here, with what was pushed laid over it. */
export function valuesOf(item: WorkItemView, address: string): Readonly<Record<string, string | null>> {
  const pushed = (item.pushed?.changes ?? []).filter(
    ({ table, id }) => `${item.domain}/${table}/${id}` === address,
  )
  return Object.assign(
    {},
    item.here[address],
    ...pushed.flatMap(({ before, values }) => [before, values]),
  ) as Record<string, string | null>
}

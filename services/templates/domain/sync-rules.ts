import type { RowImage } from '../../../platform/sync/change-set.ts'
import {
  type BothChanged,
  type ColumnVerdict,
  type DomainRules,
  type Find,
  type RowEdit,
  sagaRules,
} from '../../../platform/sync/rules.ts'

/** The life of a version, in its order. */
const order: readonly (string | null | undefined)[] = ['draft', 'published', 'deprecated', 'archived']

/** What a published version says for ever. */
const fixed = ['name', 'version', 'definition', 'description', 'built_in'] as const

/** What a version is called. */
const naming: readonly string[] = ['name', 'version']

/** How templates and imports come together when several workstations worked on them. */
export const templatesSyncRules: DomainRules = {
  ...sagaRules,
  template: {
    policy: 'reconcile',
    columns: { state: mergeState, published_at: 'hub' },
    reconcile: ({ hub, pushed, merged }) => {
      if (
        hub.state !== 'draft' &&
        fixed.some((column) => column in pushed && pushed[column] !== hub[column])
      ) {
        return { conflict: 'The version was published meanwhile, so it cannot be changed.' }
      }
      return hub.state === 'draft' && merged.state !== 'draft'
        ? { conflict: 'The draft was changed meanwhile. Look at it before it is published.' }
        : { values: merged }
    },
    exclusive: [
      {
        name: 'template_version_is_one',
        columns: [{ lower: 'name' }, 'version'],
        isLive: () => true,
        giveUp: takeNextNumber,
      },
    ],
    check: checkVersion,
  },
  import: {
    policy: 'field-merge',
    columns: {
      // Counts of the last check: whoever looks next counts again.
      ...{ rows: 'pushed', good: 'pushed', to_confirm: 'pushed', with_errors: 'pushed', skipped: 'pushed' },
      ...{ leading_zeros_kept: 'pushed', facts: 'pushed' },
    },
  },
  import_decision: { policy: 'append-only', references: [{ column: 'import_id', table: 'import' }] },
  import_row: { policy: 'field-merge', references: [{ column: 'import_id', table: 'import' }] },
}

/** A version that is in use cannot go: it gets the next number that its name has not. */
function takeNextNumber({ id, name, version }: RowImage, find: Find): readonly RowEdit[] {
  const next = Array.from({ length: 20 }, (_, index) => String(Number(version) + index + 1))
  const tried = next.map((number) => ({
    number,
    isTaken: find('template', { name: name ?? '', version: number }).length > 0,
  }))
  const free = tried.find(({ isTaken }) => !isTaken)
  return free === undefined ? [] : [{ table: 'template', id: id ?? '', values: { version: free.number } }]
}

/** Versions only go on, so the further of two steps holds. */
function mergeState({ hub, pushed }: BothChanged): ColumnVerdict {
  return { value: order.indexOf(hub) >= order.indexOf(pushed) ? hub : pushed }
}

function checkVersion(before: RowImage | null, after: RowImage): string | null {
  if (before === null || before.state === 'draft') return null
  if (order.indexOf(after.state) < order.indexOf(before.state)) return 'A version only goes on, never back.'
  // Which of two gets the name is not settled while it is contested.
  const settled = fixed.filter((column) => before.contested !== 'true' || !naming.includes(column))
  return settled.some((column) => before[column] !== after[column])
    ? 'A published version never changes.'
    : null
}

import { type ChangeSet, deriveId, type RowChange, type RowImage } from '../change-set.ts'
import { asOnePersonLeftIt, type SyncRules } from '../rules.ts'

/** One table for each kind of policy, for tests of the engine alone. */
export const plainRules: SyncRules = {
  auth: { app_user: { policy: 'hub-only' } },
  lab: {
    thing: { policy: 'field-merge', columns: { seen: 'greatest' } },
    entry: { policy: 'append-only' },
    child: { policy: 'append-only', references: [{ column: 'parent_id', table: 'entry' }] },
    local_note: { policy: 'local' },
    spot: {
      policy: 'reconcile',
      reconcile: asOnePersonLeftIt({}, 'Somebody else moved it.'),
      exclusive: [
        {
          name: 'one_per_place',
          columns: ['place'],
          isLive: (row) => row.live === 'true',
          giveUp: (row) => [{ table: 'spot', id: row.id ?? '', values: { live: 'false' } }],
        },
      ],
    },
  },
  news: { entry: { policy: 'append-only' } },
}

export const plainLaboratoryId = '00000000-0000-4000-8000-00000000000a'

/** The same id for the same name, in every test. */
export function makeId(name: string, number: number): string {
  return deriveId(plainLaboratoryId, `${name} ${number}`)
}

export function insertOf(table: string, id: string, values: RowImage): RowChange {
  const key = { laboratory_id: plainLaboratoryId, id }
  return { table, operation: 'insert', key, replaces: null, values: { ...key, ...values }, before: {} }
}

/** Columns with what they held before and hold now. */
export function updateOf(
  table: string,
  id: string,
  replaces: string,
  columns: Readonly<Record<string, readonly [before: string | null, after: string | null]>>,
): RowChange {
  return {
    ...{ table, operation: 'update', key: { laboratory_id: plainLaboratoryId, id }, replaces },
    values: Object.fromEntries(Object.entries(columns).map(([column, [, after]]) => [column, after])),
    before: Object.fromEntries(Object.entries(columns).map(([column, [before]]) => [column, before])),
  }
}

export function makeSet(
  given: Pick<ChangeSet, 'id' | 'domain' | 'actorId' | 'changes'> & { readonly causedBy?: string | null },
): ChangeSet {
  return {
    ...{ laboratoryId: plainLaboratoryId, workstationId: 'bench-1', hybridLogicalTime: '0', reason: null },
    ...{ recordedAt: '2026-11-21T10:00:00.000Z', correlationId: 'test', procedure: 'lab.work', events: [] },
    causedBy: null,
    ...given,
  }
}

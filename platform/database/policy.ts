import { type PgTable, timestamp, uuid } from 'drizzle-orm/pg-core'
import { getTableConfig } from 'drizzle-orm/pg-core'

/**
 * How a table's rows travel between workstations and the Hub. The list is closed; a table without a policy fails the
 * schema test.
 */
export type SyncPolicy =
  'immutable' | 'append-only' | 'movement' | 'field-merge' | 'reconcile' | 'hub-only' | 'local' | 'derived'

/** A domain's tables, each with its policy. */
export interface DomainTables {
  readonly tables: readonly { readonly name: string; readonly policy: SyncPolicy }[]
}

/** Says the sync policy of every table of a domain: `syncPolicies([[sample, 'field-merge'], …])`. */
export function syncPolicies(tables: readonly (readonly [PgTable, SyncPolicy])[]): DomainTables {
  return { tables: tables.map(([table, policy]) => ({ name: getTableConfig(table).name, policy })) }
}

/**
 * The columns every synced table begins with. Its primary key is (laboratory_id, id); the trigger sets the revision to
 * the change set that writes the row.
 */
export function syncedColumns() {
  return {
    laboratoryId: uuid().notNull(),
    id: uuid().notNull(),
    revision: uuid().notNull().default('00000000-0000-0000-0000-000000000000'),
  }
}

/** An instant with milliseconds, read and written as text in UTC. */
export function instant() {
  return timestamp({ withTimezone: true, precision: 3, mode: 'string' })
}

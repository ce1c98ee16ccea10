import { type PgColumn, type PgTable, timestamp, uuid } from 'drizzle-orm/pg-core'
import { getTableConfig } from 'drizzle-orm/pg-core'

/**
 * How a table's rows travel between workstations and the Hub. The list is closed; a table without a policy fails the
 * schema test.
 */
export type SyncPolicy =
  'immutable' | 'append-only' | 'movement' | 'field-merge' | 'reconcile' | 'hub-only' | 'local' | 'derived'

/** A domain's tables, each with its policy. */
export interface DomainTables {
  readonly tables: readonly {
    readonly name: string
    readonly policy: SyncPolicy
    /** Columns that hold the SHA-256 of a stored file. The file travels beside the rows. */
    readonly files?: readonly string[]
  }[]
}

/**
 * Says the sync policy of every table of a domain, and which of its columns name files:
 * `syncPolicies([[sample, 'field-merge'], [importTable, 'field-merge', [importTable.fileSha256]], …])`.
 */
export function syncPolicies(
  tables: readonly (readonly [table: PgTable, policy: SyncPolicy, files?: readonly PgColumn[]])[],
): DomainTables {
  return {
    tables: tables.map(([table, policy, files = []]) => ({
      name: getTableConfig(table).name,
      policy,
      files: files.map((column) => column.name),
    })),
  }
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

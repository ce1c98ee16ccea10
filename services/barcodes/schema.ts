import { boolean, index, integer, primaryKey, snakeCase, text } from 'drizzle-orm/pg-core'
import { instant, syncedColumns, syncPolicies } from '../../platform/database/policy.ts'

/**
 * Every code that was given out or seen on a thing. That a live code belongs to one thing only is an exclusion
 * constraint, written by hand in the migration: drizzle has no word for it.
 */
export const code = snakeCase.table(
  'code',
  {
    ...syncedColumns(),
    text: text().notNull(),
    /** The canonical form under which all spellings of the code meet. */
    lookupKey: text().notNull(),
    source: text({ enum: ['own', 'preprinted', 'external'] }).notNull(),
    state: text({ enum: ['allocated', 'linked', 'released'] }).notNull(),
    thingKind: text(),
    thingId: text(),
    /** Own codes only: where it was given out, and its number there. */
    workstationPart: text(),
    counter: integer(),
    /** Two workstations gave it to two things; outside of the constraint until a person decides. */
    contested: boolean().notNull().default(false),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    // Every scan looks here. The exclusion's own index leaves out contested codes, so it cannot serve.
    index('code_lookup').on(table.laboratoryId, table.lookupKey),
    index('code_of_thing').on(table.laboratoryId, table.thingKind, table.thingId),
    index('code_counter').on(table.laboratoryId, table.workstationPart, table.counter),
    // Laboratories of one Hub share its part, and no code of theirs may be the same: a tube may go from one to the other.
    index('code_part_counter').on(table.workstationPart, table.counter),
    index('code_created').on(table.laboratoryId, table.createdAt, table.id),
  ],
)

/** This workstation's part in its codes, drawn at random when there is none: after a first start or a restore. */
export const workstationPart = snakeCase.table('workstation_part', {
  part: text().primaryKey(),
  drawnAt: instant().notNull(),
})

export const barcodesTables = syncPolicies([
  [code, 'reconcile'],
  [workstationPart, 'local'],
])

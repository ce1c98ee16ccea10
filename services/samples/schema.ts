import { sql } from 'drizzle-orm'
import {
  boolean,
  check,
  customType,
  date,
  index,
  jsonb,
  numeric,
  primaryKey,
  snakeCase,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { instant, syncedColumns, syncPolicies } from '../../platform/database/policy.ts'
import { movementKinds, type Quantity, quantityRules } from './domain/amount.ts'
import { type CustodyKind, custodySteps } from './domain/custody.ts'
import { sampleStates } from './domain/lifecycle.ts'
import { type RelationshipKind, relationshipRules } from './domain/relationship.ts'

/** PostgreSQL's sorted list of words. */
const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' })

/** Where lists that are sorted by the day of collection put samples whose day is not known: before all others. */
export const noDay = '0001-01-01'

/**
 * A biological sample. Amounts are not here: they are derived from movements. `code` and `location` follow what
 * barcodes and storage tell. The functions in generated columns stand in the migration.
 */
export const sample = snakeCase.table(
  'sample',
  {
    ...syncedColumns(),
    name: text().notNull(),
    /** Key of a sample type. */
    type: text().notNull(),
    state: text({ enum: sampleStates }).notNull(),
    clientId: text(),
    donor: text(),
    project: text(),
    collectedOn: date({ mode: 'string' }),
    concentrationNgPerUl: numeric(),
    taxonId: text(),
    priority: text({ enum: ['low', 'normal', 'high', 'urgent', 'stat'] }).notNull(),
    extra: jsonb().$type<Readonly<Record<string, string>>>().notNull(),
    code: text(),
    location: text(),
    importId: uuid(),
    /** The shipment that took it to another laboratory of this Hub; null while it is here. The rest is a read-only stub. */
    shipmentId: uuid(),
    /** Where it went and with what, in words, while `shipmentId` says so. */
    shippedTo: text(),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
    createdById: text().notNull(),
    updatedAt: instant().notNull(),
    /** The change set that last wrote what people write; a tube that is moved does not disturb somebody's editing. */
    writtenRevision: uuid().notNull(),
    /** The words under which it is found. */
    search: tsvector().generatedAlwaysAs(
      sql`array_to_tsvector(sample_words(name, code, client_id, donor, project))`,
    ),
    /** Equal for all spellings of a sender's name for a sample; a little coarser than the rule of duplicates. */
    clientSkeleton: text().generatedAlwaysAs(sql`sample_skeleton(coalesce(client_id, name))`),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('sample_created').on(table.laboratoryId, table.createdAt, table.id),
    index('sample_name').on(table.laboratoryId, table.name, table.id),
    index('sample_state').on(table.laboratoryId, table.state, table.id),
    index('sample_type_of').on(table.laboratoryId, table.type, table.id),
    index('sample_collected').on(
      table.laboratoryId,
      sql`coalesce(${table.collectedOn}, '0001-01-01'::date)`,
      table.id,
    ),
    index('sample_project').on(table.laboratoryId, table.project, table.createdAt),
    index('sample_project_name').on(table.laboratoryId, table.project, table.name, table.id),
    index('sample_donor').on(table.laboratoryId, table.donor, table.collectedOn),
    index('sample_import').on(table.laboratoryId, table.importId),
    index('sample_code_shown').on(table.laboratoryId, table.code),
    index('sample_client').on(table.laboratoryId, table.clientSkeleton),
    // GIN knows no uuid, so this one alone does not begin with the laboratory.
    index('sample_search').using('gin', table.search).with({ fastupdate: false }),
    check(
      'sample_state_known',
      sql.raw(`state in (${sampleStates.map((state) => `'${state}'`).join(', ')})`),
    ),
  ],
)

/** Types of the laboratory's own; the built-in ones are in the rules. Key and letter are unique by constraint. */
export const sampleType = snakeCase.table(
  'sample_type',
  {
    ...syncedColumns(),
    key: text().notNull(),
    name: text().notNull(),
    letter: text().notNull(),
    /** Two workstations made it at once; outside of the constraint until a person decides. */
    contested: boolean().notNull().default(false),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.laboratoryId, table.id] })],
)

/** What was taken, added or measured; a correction stores which movements its author saw. */
export const amountMovement = snakeCase.table(
  'amount_movement',
  {
    ...syncedColumns(),
    sampleId: uuid().notNull(),
    quantity: text({ enum: keysOf<Quantity>(quantityRules) }).notNull(),
    kind: text({ enum: movementKinds }).notNull(),
    value: numeric().notNull(),
    covers: jsonb().$type<readonly string[]>().notNull(),
    reason: text().notNull(),
    at: instant().notNull(),
    ...person(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('movement_of_sample').on(table.laboratoryId, table.sampleId, table.id),
  ],
)

/** One arrow of the lineage: child comes from parent. */
export const sampleRelation = snakeCase.table(
  'sample_relation',
  {
    ...syncedColumns(),
    childId: uuid().notNull(),
    parentId: uuid().notNull(),
    kind: text({ enum: keysOf<RelationshipKind>(relationshipRules) }).notNull(),
    at: instant().notNull(),
    ...person(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('relation_of_child').on(table.laboratoryId, table.childId),
    index('relation_of_parent').on(table.laboratoryId, table.parentId),
  ],
)

/** Who held what, where and why. Ordered by predecessor, never by time. */
export const custodyEvent = snakeCase.table(
  'custody_event',
  {
    ...syncedColumns(),
    sampleId: uuid().notNull(),
    kind: text({ enum: keysOf<CustodyKind>(custodySteps) }).notNull(),
    predecessorId: uuid(),
    settlesIds: jsonb().$type<readonly string[]>().notNull(),
    holder: text().notNull(),
    place: text(),
    /** The laboratory that a shipment goes to, when it is one known here. */
    toLaboratoryId: uuid(),
    /** The laboratory that acted, where it was another one: the chain came here with the sample. */
    actedInId: uuid(),
    reason: text(),
    at: instant().notNull(),
    ...person(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('custody_of_sample').on(table.laboratoryId, table.sampleId, table.id),
  ],
)

export const sampleNote = snakeCase.table(
  'sample_note',
  {
    ...syncedColumns(),
    sampleId: uuid().notNull(),
    note: text().notNull(),
    at: instant().notNull(),
    ...person(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('note_of_sample').on(table.laboratoryId, table.sampleId, table.id),
  ],
)

/** What happened to the record, and what storage told of the sample's tubes; the other lanes have tables of their own. */
export const sampleHistory = snakeCase.table(
  'sample_history',
  {
    ...syncedColumns(),
    sampleId: uuid().notNull(),
    lane: text({ enum: ['record', 'storage'] }).notNull(),
    what: text().notNull(),
    detail: jsonb().$type<Readonly<Record<string, string | null>>>().notNull(),
    reason: text(),
    at: instant().notNull(),
    ...person(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('history_of_sample').on(table.laboratoryId, table.sampleId, table.id),
  ],
)

/** Which sample is in which container, and where that is, as storage told. Its id is the container's. */
export const sampleContainer = snakeCase.table(
  'sample_container',
  {
    ...syncedColumns(),
    sampleId: uuid().notNull(),
    state: text({ enum: ['unplaced', 'placed', 'checked_out', 'disposed', 'removed'] }).notNull(),
    /** Where it is, or where it goes back to. */
    place: text(),
    /**
     * Null until it is placed for the first time; then whether Receive wrote that itself and storage has yet to tell
     * of it: once told, it is not new.
     */
    placementAhead: boolean(),
    byReceive: boolean().notNull(),
    /** Where Receive put it, so that taking it back can be undone. */
    receivedPlace: jsonb().$type<{ readonly boxId: string; readonly position: string }>(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('container_of_sample').on(table.laboratoryId, table.sampleId, table.id),
  ],
)

/** Which codes lead to a sample, as barcodes told; codes of containers wait here until storage tells what is inside. */
export const sampleCode = snakeCase.table(
  'sample_code',
  {
    ...syncedColumns(),
    code: text().notNull(),
    thingKind: text({ enum: ['sample', 'container'] }).notNull(),
    thingId: text().notNull(),
    live: boolean().notNull(),
    linkedAt: instant().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('sample_code_of_thing').on(table.laboratoryId, table.thingKind, table.thingId),
    index('sample_code_text').on(table.laboratoryId, table.code),
  ],
)

export const samplesTables = syncPolicies([
  [sample, 'field-merge'],
  [sampleType, 'reconcile'],
  [amountMovement, 'movement'],
  [sampleRelation, 'append-only'],
  [custodyEvent, 'append-only'],
  [sampleNote, 'append-only'],
  [sampleHistory, 'append-only'],
  [sampleContainer, 'field-merge'],
  [sampleCode, 'field-merge'],
])

/** Who did it: the name as it was then, and the user's id. */
function person() {
  return { by: text().notNull(), byId: text().notNull() }
}

/** The keys of a rule table as a column's closed list. */
function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): [Key, ...Key[]] {
  return Object.keys(table) as [Key, ...Key[]]
}

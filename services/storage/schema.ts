import { boolean, index, integer, primaryKey, snakeCase, text, uuid } from 'drizzle-orm/pg-core'
import { instant, syncedColumns, syncPolicies } from '../../platform/database/policy.ts'
import { fillOrders } from './domain/geometry.ts'
import { containerStates } from './domain/occupancy.ts'
import { zoneNames } from './domain/zone.ts'

/** Rooms, freezers, shelves, racks and boxes. */
export const storageNode = snakeCase.table(
  'storage_node',
  {
    ...syncedColumns(),
    parentId: uuid(),
    kind: text({ enum: ['room', 'freezer', 'shelf', 'rack', 'box'] }).notNull(),
    name: text().notNull(),
    /** Its own; null takes that of the nearest node above. */
    zone: text({ enum: zoneNames }),
    /** Boxes only, as are the next two. */
    rows: integer(),
    columns: integer(),
    fillOrder: text({ enum: fillOrders }),
    /** As printed on it. The barcodes domain owns it; this copy is for showing. */
    code: text(),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
    removedAt: instant(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('storage_node_below').on(table.laboratoryId, table.parentId),
  ],
)

export const nodeChanges = ['added', 'renamed', 'moved', 'rezoned', 'removed'] as const

/** What happened to a node. A box that moves takes its containers along, so this is part of their way. */
export const nodeEvent = snakeCase.table(
  'node_event',
  {
    ...syncedColumns(),
    nodeId: uuid().notNull(),
    what: text({ enum: nodeChanges }).notNull(),
    from: text(),
    to: text(),
    reason: text(),
    byId: text().notNull(),
    by: text().notNull(),
    at: instant().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('node_event_of_node').on(table.laboratoryId, table.nodeId, table.at, table.id),
  ],
)

/**
 * Tubes, plates and the like. Where one is, is its live placement; its state says whether it has one, so that the tubes
 * without a place are found among a million.
 */
export const container = snakeCase.table(
  'container',
  {
    ...syncedColumns(),
    kind: text({ enum: ['tube', 'plate', 'slide', 'bag', 'other'] }).notNull(),
    sampleId: uuid(),
    material: text(),
    label: text().notNull(),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
    state: text({ enum: containerStates }).notNull(),
    stateSince: instant().notNull(),
    removedAt: instant(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('container_state').on(table.laboratoryId, table.state, table.label, table.id),
    index('container_since').on(table.laboratoryId, table.stateSince, table.id),
    index('container_of_sample').on(table.laboratoryId, table.sampleId),
    index('container_label').on(table.laboratoryId, table.label, table.id),
  ],
)

/**
 * A container's place, from when it is put somewhere until it is taken out; moves change the row. While the container
 * is checked out, the row keeps the position for it. That a position holds one container, and a container has one
 * position, are exclusion constraints, written by hand in the migration: drizzle has no word for them.
 */
export const placement = snakeCase.table(
  'placement',
  {
    ...syncedColumns(),
    containerId: uuid().notNull(),
    boxId: uuid().notNull(),
    /** The stored spelling, `C4`. */
    position: text().notNull(),
    live: boolean().notNull(),
    /** Another workstation filled the position first; outside of the constraints until a person decides. */
    contested: boolean().notNull().default(false),
    /** Since when it is in this position. */
    since: instant().notNull(),
    /** Checked out: the position is kept for it. */
    kept: boolean().notNull().default(false),
    heldById: text(),
    heldBy: text(),
    heldSince: instant(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('placement_of_container').on(table.laboratoryId, table.containerId),
    index('placement_in_box').on(table.laboratoryId, table.boxId),
    index('placement_held_by').on(table.laboratoryId, table.kept, table.heldById),
  ],
)

/** A position that is reserved or out of use. A reservation is over at its instant, whether or not the row still lives. */
export const positionMark = snakeCase.table(
  'position_mark',
  {
    ...syncedColumns(),
    boxId: uuid().notNull(),
    position: text().notNull(),
    kind: text({ enum: ['reserved', 'out_of_use'] }).notNull(),
    live: boolean().notNull(),
    contested: boolean().notNull().default(false),
    /** Reservations only. */
    until: instant(),
    /** For whom it is reserved, or why it is out of use. */
    words: text().notNull(),
    markedAt: instant().notNull(),
    markedById: text().notNull(),
    markedBy: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.laboratoryId, table.id] })],
)

export const containerChanges = [
  'registered',
  'corrected',
  'placed',
  'moved',
  'taken_out',
  'checked_out',
  'returned',
  'disposed',
  'removed',
] as const

/** The whole history of every container; each event names the one before it. */
export const containerEvent = snakeCase.table(
  'container_event',
  {
    ...syncedColumns(),
    containerId: uuid().notNull(),
    predecessorId: uuid(),
    sampleId: uuid(),
    label: text().notNull(),
    what: text({ enum: containerChanges }).notNull(),
    fromBoxId: uuid(),
    fromPosition: text(),
    /** In words, as the place was called then. */
    fromPlace: text(),
    toBoxId: uuid(),
    toPosition: text(),
    toPlace: text(),
    reason: text(),
    zoneOverridden: boolean().notNull().default(false),
    byId: text().notNull(),
    by: text().notNull(),
    at: instant().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('container_event_of_container').on(table.laboratoryId, table.containerId, table.at, table.id),
    index('container_event_of_sample').on(table.laboratoryId, table.sampleId, table.at, table.id),
    index('container_event_to_box').on(table.laboratoryId, table.toBoxId, table.at, table.id),
    index('container_event_from_box').on(table.laboratoryId, table.fromBoxId, table.at, table.id),
    index('container_event_after').on(table.laboratoryId, table.predecessorId),
  ],
)

export const storageTables = syncPolicies([
  [storageNode, 'field-merge'],
  [nodeEvent, 'append-only'],
  [container, 'field-merge'],
  [placement, 'reconcile'],
  [positionMark, 'reconcile'],
  [containerEvent, 'append-only'],
])

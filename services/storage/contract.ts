import { z } from 'zod'
import { event } from '../../platform/contract/event.ts'
import { command, domainContract, query } from '../../platform/contract/procedure.ts'
import { TravellingRows } from '../../platform/contract/travelling-rows.ts'
import {
  id,
  Instant,
  listInput,
  page,
  Reason,
  requiredText,
  Revision,
  rowResult,
  text,
  YesNo,
} from '../../platform/contract/values.ts'
import { Thing } from '../barcodes/contract.ts'

export const NodeId = id('NodeId')
export const ContainerId = id('ContainerId')

export const ZoneName = z.enum(['minus_80', 'minus_20', 'plus_4', 'room', 'plus_37', 'ln2_vapour'])
export const NodeKind = z.enum(['room', 'freezer', 'shelf', 'rack', 'box'])
export const PositionState = z.enum(['available', 'occupied', 'reserved', 'out_of_use'])
export const ContainerState = z.enum(['unplaced', 'placed', 'checked_out', 'disposed'])
export const ContainerKind = z.enum(['tube', 'plate', 'slide', 'bag', 'other'])

/** A label such as `C4`; tolerant spelling (`c04`) is accepted and normalised by the service. */
export const PositionLabel = z.string().trim().min(1).max(12)

export const Zone = z.object({
  name: ZoneName,
  minimumCelsius: z.string().nullable(),
  maximumCelsius: z.string(),
})

export const Capacity = z.object({
  positions: z.number().int(),
  occupied: z.number().int(),
  reserved: z.number().int(),
  outOfUse: z.number().int(),
  available: z.number().int(),
  level: z.enum(['normal', 'warning', 'critical']),
})

export const StorageNode = z.object({
  id: NodeId,
  parentId: NodeId.nullable(),
  kind: NodeKind,
  name: z.string(),
  code: z.string().nullable(),
  /** Own, or that of the nearest node above. */
  zone: ZoneName.nullable(),
  /** Boxes only. */
  grid: z
    .object({
      rows: z.number().int(),
      columns: z.number().int(),
      order: z.enum(['row-major', 'column-major']),
    })
    .nullable(),
  capacity: Capacity,
  revision: Revision,
})
export type StorageNode = z.infer<typeof StorageNode>

export const NewNode = z.object({
  kind: NodeKind,
  parentId: NodeId.nullable().default(null),
  name: requiredText(120),
  zone: ZoneName.nullable().default(null),
  /** Rows and columns: boxes only, and needed there. */
  rows: z.number().int().min(1).max(45).optional(),
  columns: z.number().int().min(1).max(64).optional(),
  order: z.enum(['row-major', 'column-major']).default('row-major'),
  /** A printed code the thing carries already; without it one of our own is made (rooms get none). */
  code: requiredText(200).optional(),
})

export const Place = z.object({
  boxId: NodeId,
  boxName: z.string(),
  boxCode: z.string().nullable(),
  position: z.string(),
  zone: ZoneName.nullable(),
  /** From the top down, without the box: `F1`, `Shelf 2`, `Rack C`. */
  path: z.array(z.string()),
})

export const Container = z.object({
  id: ContainerId,
  kind: ContainerKind,
  sampleId: z.uuid().nullable(),
  /** Type of what is inside, for zone rules and the colour of the cap. */
  material: z.string().nullable(),
  label: z.string(),
  state: ContainerState,
  place: Place.nullable(),
  /** Where it goes back to while it is checked out. */
  reservedPlace: Place.nullable(),
  /** Who has it in hand, by name. */
  heldBy: z.string().nullable(),
  heldById: z.string().nullable(),
  /** Since when it is in this state: placed, in this person's hands, disposed of, or registered. */
  since: Instant.nullable(),
  /** Another workstation claims its position too; a person has to look and move one of the two. */
  contested: z.boolean(),
  revision: Revision,
})
export type Container = z.infer<typeof Container>

const ContainerInBox = Container.pick({
  id: true,
  kind: true,
  sampleId: true,
  material: true,
  label: true,
  state: true,
}).extend({ placedAt: Instant.nullable() })

const BoxPosition = z.object({
  label: z.string(),
  row: z.number().int(),
  column: z.number().int(),
  state: PositionState,
  reservedUntil: Instant.nullable(),
  reservedFor: z.string().nullable(),
  /** Why it is out of use. */
  reason: z.string().nullable(),
  /** What is in it, or for a kept place what is checked out. */
  container: ContainerInBox.nullable(),
})

export const BoxMap = z.object({
  box: StorageNode,
  path: z.array(z.string()),
  /** In the order in which the box is filled. */
  positions: z.array(BoxPosition),
  /** The next free position in that order; null when the box is full. */
  nextFree: z.string().nullable(),
  /** Containers that claim a position of this box which another one has. */
  contested: z.array(z.object({ position: z.string(), container: ContainerInBox })),
})
export type BoxMap = z.infer<typeof BoxMap>

export const HistoryWhat = z.enum([
  'registered',
  'corrected',
  'placed',
  'moved',
  'taken_out',
  'checked_out',
  'returned',
  'disposed',
  'removed',
])
const PlaceReference = z.object({ boxId: NodeId, position: z.string() })

/** Where a container is to go. Without a position the next free one in the box's order is taken. */
const Target = z.object({
  boxId: NodeId,
  position: PositionLabel.optional(),
  /** It was reserved for this very container: use the reservation up. */
  useReservation: z.boolean().default(false),
})
const ExactTarget = Target.extend({ position: PositionLabel })

/** Placing against a zone rule needs a reason, and the permission `storage:override`. */
const ZoneOverride = z.object({ reason: Reason }).optional()

const placeErrors = {
  POSITION_TAKEN: {
    status: 409,
    message: 'The position is taken',
    data: z.object({ position: z.string(), occupant: z.string(), state: PositionState }),
  },
  NO_SUCH_POSITION: {
    status: 422,
    message: 'The box has no such position',
    data: z.object({ position: z.string(), rows: z.number(), columns: z.number() }),
  },
  BOX_FULL: {
    status: 409,
    message: 'The box has no free position left',
    data: z.object({ box: z.string() }),
  },
  ZONE_NOT_ALLOWED: {
    status: 422,
    message: 'This type may not be stored at this temperature',
    data: z.object({ material: z.string(), zone: ZoneName, allowed: z.array(ZoneName) }),
  },
} as const

const codeErrors = {
  CODE_TAKEN: {
    status: 409,
    message: 'This code belongs to something else already',
    data: z.object({ code: z.string(), thing: Thing }),
  },
  INDEX_SEQUENCE: {
    status: 422,
    message: 'This reads like an index sequence, not like the code of a place',
    data: z.object({ code: z.string() }),
  },
  NOT_A_CODE: {
    status: 422,
    message: 'This cannot be a code',
    data: z.object({ code: z.string(), why: z.string() }),
  },
} as const

const nodeErrors = {
  NAME_TAKEN: {
    status: 409,
    message: 'Something here has this name already',
    data: z.object({ name: z.string() }),
  },
} as const

const RackReadResult = z.object({
  position: z.string(),
  code: z.string().nullable(),
  result: z.enum(['as_expected', 'new_here', 'moved_here', 'missing', 'unknown_code', 'empty', 'unreadable']),
  containerId: ContainerId.nullable(),
  label: z.string().nullable(),
  expected: z.string().nullable(),
  sentence: z.string(),
})
const RackProblem = z.object({
  row: z.number().int().nullable(),
  position: z.string().nullable(),
  message: z.string(),
})

/** What other parts of the system may ask of the storage domain: where every container is, was and may go. */
const shipping = { permission: 'public', internal: true } as const
const Shipped = z.object({ containerIds: z.array(ContainerId).max(500) })

export const storage = domainContract('storage', {
  zones: query({ permission: 'storage:read', summary: 'Temperature zones' }).output(z.array(Zone)),
  tree: query({
    permission: 'storage:read',
    summary: 'Freezers, shelves, racks and boxes with their capacity',
  })
    .input(z.object({ rootId: NodeId.optional() }))
    .output(z.array(StorageNode)),
  getNode: query({
    permission: 'storage:read',
    path: '/nodes/{id}',
    summary: 'One freezer, shelf, rack or box',
  })
    .input(z.object({ id: NodeId }))
    .output(StorageNode),
  createNode: command({
    permission: 'storage:manage',
    path: '/nodes',
    summary: 'Add a freezer, shelf, rack or box',
  })
    .errors({ ...nodeErrors, ...codeErrors })
    .input(NewNode)
    .output(StorageNode),
  updateNode: command({
    permission: 'storage:manage',
    summary: 'Rename, move or re-zone a freezer, shelf, rack or box, with all that is in it',
  })
    .errors({ ...nodeErrors, ZONE_NOT_ALLOWED: placeErrors.ZONE_NOT_ALLOWED })
    .input(
      z.object({
        id: NodeId,
        revision: Revision,
        name: requiredText(120).optional(),
        parentId: NodeId.nullable().optional(),
        zone: ZoneName.nullable().optional(),
        zoneOverride: ZoneOverride,
      }),
    )
    .output(StorageNode),
  removeNode: command({
    permission: 'storage:manage',
    summary: 'Take an empty freezer, shelf, rack or box out of use',
  })
    .errors({
      NOT_EMPTY: {
        status: 409,
        message: 'It is not empty',
        data: z.object({ containers: z.number(), nodes: z.number() }),
      },
    })
    .input(z.object({ id: NodeId, reason: Reason }))
    .output(z.object({})),
  nodeHistory: query({
    permission: 'storage:read',
    path: '/nodes/{id}/history',
    summary: 'How a freezer, shelf, rack or box came to be where it is, newest first',
  })
    .input(z.object({ id: NodeId, ...listInput }))
    .output(
      page(
        z.object({
          id: z.string(),
          what: z.enum(['added', 'renamed', 'moved', 'rezoned', 'removed']),
          from: z.string().nullable(),
          to: z.string().nullable(),
          reason: z.string().nullable(),
          by: z.string(),
          byId: z.string(),
          at: Instant,
        }),
      ),
    ),
  boxMap: query({
    permission: 'storage:read',
    scan: true,
    path: '/boxes/{boxId}',
    summary: 'Every position of a box',
  })
    .input(z.object({ boxId: NodeId }))
    .output(BoxMap),
  findSpace: query({
    permission: 'storage:read',
    summary: 'Boxes with room for so many containers of a material',
  })
    .input(
      z.object({
        count: z.number().int().min(1).max(10_000),
        material: text(60).optional(),
        together: YesNo.default(false),
      }),
    )
    .output(
      z.array(z.object({ box: StorageNode, path: z.array(z.string()), positions: z.array(z.string()) })),
    ),
  listContainers: query({ permission: 'storage:read', path: '/containers', summary: 'Containers' })
    .input(
      z.object({
        ...listInput,
        sort: z.enum(['label', '-label', 'since', '-since']).default('label'),
        state: ContainerState.optional(),
        sampleId: z.uuid().optional(),
        boxId: NodeId.optional(),
        /** Part of the label. */
        search: text(200).optional(),
        heldByMe: YesNo.default(false),
      }),
    )
    .output(page(Container)),
  getContainer: query({
    permission: 'storage:read',
    scan: true,
    path: '/containers/{id}',
    summary: 'One container',
  })
    .input(z.object({ id: ContainerId }))
    .output(Container),
  containersOfSamples: query({
    permission: 'storage:read',
    largeInput: true,
    summary: 'The containers of some samples',
  })
    .input(z.object({ sampleIds: z.array(z.uuid()).max(1_000) }))
    .output(z.array(Container)),
  locate: query({
    permission: 'storage:read',
    largeInput: true,
    summary: 'In one line each, where some samples and containers are',
  })
    .input(
      z.object({
        sampleIds: z.array(z.uuid()).max(1_000).default([]),
        containerIds: z.array(ContainerId).max(1_000).default([]),
      }),
    )
    .output(
      z.array(
        z.object({
          containerId: ContainerId,
          sampleId: z.uuid().nullable(),
          label: z.string(),
          state: ContainerState,
          /** `F1 › Shelf 2 › Rack C › Plasma ONC-14, F8`; the kept place while it is checked out. */
          place: z.string().nullable(),
          boxId: NodeId.nullable(),
          position: z.string().nullable(),
          heldBy: z.string().nullable(),
        }),
      ),
    ),
  createContainer: command({
    permission: 'storage:place',
    path: '/containers',
    summary: 'Register a tube or plate, and put it into a position at once where one is named',
  })
    .errors(placeErrors)
    .input(
      z.object({
        id: ContainerId.optional(),
        kind: ContainerKind.default('tube'),
        sampleId: z.uuid().nullable().default(null),
        material: text(60).nullable().default(null),
        label: requiredText(200),
        target: Target.optional(),
        zoneOverride: ZoneOverride,
      }),
    )
    .output(Container),
  updateContainer: command({
    permission: 'storage:place',
    summary: 'Correct what is written of a container',
  })
    .errors({ ZONE_NOT_ALLOWED: placeErrors.ZONE_NOT_ALLOWED })
    .input(
      z.object({
        id: ContainerId,
        kind: ContainerKind.optional(),
        sampleId: z.uuid().nullable().optional(),
        material: text(60).nullable().optional(),
        label: requiredText(200).optional(),
        reason: Reason,
        zoneOverride: ZoneOverride,
      }),
    )
    .output(Container),
  removeContainer: command({
    permission: 'storage:place',
    summary: 'Undo the registration of a container that was never used',
  })
    .input(z.object({ id: ContainerId, reason: Reason }))
    .output(z.object({})),
  place: command({ permission: 'storage:place', scan: true, summary: 'Put a container into a position' })
    .errors(placeErrors)
    .input(z.object({ containerId: ContainerId, target: Target, zoneOverride: ZoneOverride }))
    .output(Container),
  move: command({ permission: 'storage:place', scan: true, summary: 'Move a container to another position' })
    .errors(placeErrors)
    .input(z.object({ containerId: ContainerId, target: Target, zoneOverride: ZoneOverride }))
    .output(Container),
  moveMany: command({
    permission: 'storage:place',
    summary: 'Move several containers at once, swaps included',
  })
    .errors(placeErrors)
    .input(
      z.object({
        moves: z
          .array(z.object({ containerId: ContainerId, target: ExactTarget }))
          .min(1)
          .max(500),
        zoneOverride: ZoneOverride,
      }),
    )
    .output(z.array(Container)),
  takeOut: command({
    permission: 'storage:place',
    scan: true,
    summary: 'Undo a placement: the container is unplaced again and its position free',
  })
    .input(z.object({ containerId: ContainerId, reason: Reason }))
    .output(Container),
  checkOut: command({
    permission: 'storage:place',
    scan: true,
    summary: 'Take a container in hand; its place is kept',
  })
    .input(z.object({ containerId: ContainerId, purpose: requiredText(200).optional() }))
    .output(Container),
  returnToPlace: command({
    permission: 'storage:place',
    scan: true,
    summary: 'Put a checked-out container back, to its place or another',
  })
    .errors(placeErrors)
    .input(z.object({ containerId: ContainerId, target: Target.optional(), zoneOverride: ZoneOverride }))
    .output(Container),
  dispose: command({ permission: 'storage:dispose', summary: 'Dispose of a container' })
    .input(z.object({ containerId: ContainerId, reason: Reason }))
    .output(Container),
  reserve: command({ permission: 'storage:place', summary: 'Reserve positions of a box for a time' })
    .errors(placeErrors)
    .input(
      z.object({
        boxId: NodeId,
        positions: z.array(PositionLabel).min(1).max(400),
        until: Instant,
        reservedFor: requiredText(200),
      }),
    )
    .output(BoxMap),
  cancelReservation: command({ permission: 'storage:place', summary: 'Give reserved positions free' })
    .errors(placeErrors)
    .input(z.object({ boxId: NodeId, positions: z.array(PositionLabel).min(1).max(400) }))
    .output(BoxMap),
  setOutOfUse: command({
    permission: 'storage:manage',
    summary: 'Take positions out of use, or back into use',
  })
    .errors(placeErrors)
    .input(
      z.object({
        boxId: NodeId,
        positions: z.array(PositionLabel).min(1).max(400),
        outOfUse: z.boolean(),
        reason: Reason,
      }),
    )
    .output(BoxMap),
  history: query({
    permission: 'storage:read',
    summary: 'What happened to a container or in a box, newest first',
  })
    .input(
      z.object({
        ...listInput,
        containerId: ContainerId.optional(),
        sampleId: z.uuid().optional(),
        boxId: NodeId.optional(),
        /** With `boxId` and `placed`: the list "placed in this box". */
        what: z.union([HistoryWhat, z.array(HistoryWhat)]).optional(),
        since: Instant.optional(),
      }),
    )
    .output(
      page(
        z.object({
          id: z.string(),
          containerId: ContainerId,
          label: z.string(),
          sampleId: z.uuid().nullable(),
          what: HistoryWhat,
          from: z.string().nullable(),
          to: z.string().nullable(),
          fromPosition: PlaceReference.nullable(),
          toPosition: PlaceReference.nullable(),
          reason: z.string().nullable(),
          /** A zone rule was overridden; `reason` says why. */
          zoneOverridden: z.boolean(),
          by: z.string(),
          byId: z.string(),
          at: Instant,
          /** The event before it is missing, ended elsewhere, or has two successors. Shown as an error. */
          broken: z.enum(['gap', 'fork']).nullable(),
        }),
      ),
    ),
  readRackScan: query({
    permission: 'storage:read',
    largeInput: true,
    summary: 'Judge a whole-rack scan against what should be in the box',
  })
    .input(z.object({ boxId: NodeId, text: z.string().max(200_000) }))
    .output(
      z.object({
        rackCode: z.string().nullable(),
        reads: z.array(RackReadResult),
        problems: z.array(RackProblem),
      }),
    ),
  applyRackScan: command({
    permission: 'storage:place',
    summary: 'Place every good read of a whole-rack scan; the others are listed',
    deadlineMs: 60_000,
    long: true,
  })
    .input(z.object({ boxId: NodeId, text: z.string().max(200_000), zoneOverride: ZoneOverride }))
    .output(z.object({ results: z.array(rowResult(Container)), problems: z.array(RackProblem) })),
  capacityCheck: query({
    permission: 'storage:read',
    summary: 'Whether every capacity shown equals a recount, position by position',
    deadlineMs: 120_000,
    long: true,
  }).output(
    z.object({
      boxes: z.number().int(),
      differences: z.array(z.object({ boxId: NodeId, words: z.string() })),
    }),
  ),

  // Asked by the Hub's shipments alone.
  shippingCheck: query({ ...shipping, largeInput: true, summary: 'What keeps containers from being shipped' })
    .input(Shipped)
    // `rows` is what is written of it.
    .output(z.array(z.object({ containerId: ContainerId, words: z.string().nullable(), rows: z.int() }))),
  leave: command({ ...shipping, summary: 'Containers leave for another laboratory, and their positions' })
    .input(Shipped.extend({ reason: Reason }))
    .output(z.object({})),
  comeBack: command({ ...shipping, summary: 'Containers that left are here after all, without a place' })
    .input(Shipped.extend({ reason: Reason }))
    .output(z.object({})),
  shippingRecord: command({ ...shipping, summary: 'Everything that is written of containers' })
    .input(Shipped)
    .output(z.object({ rows: TravellingRows })),
  land: command({ ...shipping, summary: "Write another laboratory's record of containers that arrived" })
    .input(Shipped.extend({ rows: TravellingRows, reason: Reason }))
    .output(z.object({})),
})

const Moved = z.object({
  containerId: z.string(),
  sampleId: z.string().nullable(),
  label: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
})
export const storageEvents = {
  ContainerPlaced: event('ContainerPlaced', Moved),
  ContainerMoved: event('ContainerMoved', Moved),
  ContainerTakenOut: event('ContainerTakenOut', Moved),
  ContainerCheckedOut: event('ContainerCheckedOut', Moved),
  ContainerReturned: event('ContainerReturned', Moved),
  ContainerDisposed: event('ContainerDisposed', Moved.extend({ reason: z.string() })),
  StorageNodeChanged: event(
    'StorageNodeChanged',
    z.object({
      nodeId: z.string(),
      kind: NodeKind,
      name: z.string(),
      what: z.enum(['added', 'renamed', 'moved', 'rezoned', 'removed']),
      from: z.string().nullable(),
      to: z.string().nullable(),
    }),
  ),
}

/** Which zones a material may be kept in: an import checks a sheet against the table by which storage refuses. */
export { defaultZoneRules } from './domain/zone.ts'

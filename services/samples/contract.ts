import { z } from 'zod'
import { event } from '../../platform/contract/event.ts'
import { command, domainContract, query } from '../../platform/contract/procedure.ts'
import { TravellingRow, TravellingRows } from '../../platform/contract/travelling-rows.ts'
import {
  Day,
  DecimalText,
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

export const SampleId = id('SampleId')
export type SampleId = z.infer<typeof SampleId>

export const SampleState = z.enum([
  'pending',
  'validated',
  'in_storage',
  'in_sequencing',
  'completed',
  'failed',
  'rejected',
  'archived',
  'discarded',
  'deleted',
])
export type SampleState = z.infer<typeof SampleState>
/** Which states a screen may offer. */
export { nextStates } from './domain/lifecycle.ts'

/** The laboratory may add types, so a type is text; the built-in ones are listed by `types`. */
export const SampleTypeName = requiredText(60)

export const Relationship = z.enum(['derived_from', 'aliquot_of', 'split_from', 'pooled_from'])
export const MovementKind = z.enum(['taken', 'added', 'corrected'])
export const AmountKind = z.enum(['volume_ul', 'thaw_cycles'])
export const CustodyKind = z.enum([
  'received',
  'stored',
  'moved',
  'checked_out',
  'returned',
  'shipped',
  'received_elsewhere',
  'consumed',
  'disposed',
])

const name = requiredText(200)
const optionalText = text(200).nullable()
const TaxonId = z.string().regex(/^\d{1,10}$/, 'A taxon id has digits only')
const Priority = z.enum(['low', 'normal', 'high', 'urgent', 'stat'])
/** Columns of a manifest that TracSeq has no field for, exactly as they came. */
const Extra = z.record(text(200), text(4_000))

/** What a person says of a sample; everything else follows from what happens to it. */
export const SampleFields = z.object({
  name,
  /** A type's key (`rna`) or its name as people write it. */
  type: SampleTypeName,
  /** The sender's own name for the sample. */
  clientId: optionalText.default(null),
  donor: optionalText.default(null),
  project: optionalText.default(null),
  collectedOn: Day.nullable().default(null),
  volumeUl: DecimalText.nullable().default(null),
  concentrationNgPerUl: DecimalText.nullable().default(null),
  taxonId: TaxonId.nullable().default(null),
  priority: Priority.default('normal'),
  extra: Extra.default({}),
})
export type SampleFields = z.infer<typeof SampleFields>

/** Only what is named changes: no defaults here, they would wipe out what is not mentioned. */
export const SampleChanges = z
  .object({
    name,
    type: SampleTypeName,
    clientId: optionalText,
    donor: optionalText,
    project: optionalText,
    collectedOn: Day.nullable(),
    concentrationNgPerUl: DecimalText.nullable(),
    taxonId: TaxonId.nullable(),
    priority: Priority,
  })
  .partial()
export type SampleChanges = z.infer<typeof SampleChanges>

/** Derived, so it may have more digits than anybody enters; below zero when more was taken than was there. */
const DerivedDecimal = z.string().regex(/^-?\d+(\.\d+)?$/)

export const Sample = SampleFields.extend({
  id: SampleId,
  volumeUl: DerivedDecimal.nullable(),
  /** The key of its type; `types` has the name. */
  type: z.string(),
  state: SampleState,
  /** The code shown for it: the first linked one. */
  code: z.string().nullable(),
  amountNg: DerivedDecimal.nullable(),
  thawCycles: z.number().int(),
  /** In words: what a person must look at (more was taken than was there, two people measured); null when all is well. */
  amountRemark: z.string().nullable(),
  location: z.string().nullable(),
  importId: z.uuid().nullable(),
  /** Where it was shipped to and with which shipment, in words: the record here is a read-only stub. Null while it is here. */
  shippedTo: z.string().nullable(),
  createdAt: Instant,
  createdBy: z.string(),
  createdById: z.string(),
  updatedAt: Instant,
  /** Changes when somebody changes what is written of it, not when its tube is moved or its state goes on. */
  revision: Revision,
})
export type Sample = z.infer<typeof Sample>

/** A sample in a shipment between laboratories of one Hub. */
const Shipped = z.object({ id: SampleId, shipmentId: z.uuid() })
const shipping = { permission: 'public', internal: true } as const

export const SampleType = z.object({
  /** Stable; what `Sample.type` holds. */
  key: z.string(),
  name: z.string(),
  /** On the cap. */
  letter: z.string().length(1),
  builtIn: z.boolean(),
})
export type SampleType = z.infer<typeof SampleType>

export const TimelineItem = z.object({
  id: z.string(),
  at: Instant,
  lane: z.enum(['record', 'custody', 'storage', 'amount', 'relation', 'note']),
  /** A stable word such as `accessioned`, `state_changed`, `stored`; the screen makes the sentence. */
  what: z.string(),
  detail: z.record(z.string(), z.string().nullable()),
  by: z.string(),
  byId: z.string(),
  reason: z.string().nullable(),
})
export type TimelineItem = z.infer<typeof TimelineItem>

export const CustodyEvent = z.object({
  id: z.string(),
  kind: CustodyKind,
  predecessorId: z.string().nullable(),
  holder: z.string(),
  place: z.string().nullable(),
  /** Last events of other branches of a fork that this one settles. */
  settlesIds: z.array(z.string()),
  reason: z.string().nullable(),
  at: Instant,
  by: z.string(),
  byId: z.string(),
})
export type CustodyEvent = z.infer<typeof CustodyEvent>

const codeErrors = {
  DUPLICATE_CODE: {
    status: 409,
    message: 'A sample with this code is here already',
    data: z.object({ code: z.string(), existing: z.string() }),
  },
  INDEX_SEQUENCE: {
    status: 422,
    message: 'This reads like an index sequence, not like a tube: confirm it if it really is a tube id',
    data: z.object({ code: z.string() }),
  },
} as const

const stateErrors = {
  TRANSITION_NOT_ALLOWED: {
    status: 422,
    message: 'A sample in this state cannot go there',
    data: z.object({ from: SampleState, to: SampleState, allowed: z.array(SampleState) }),
  },
} as const

/** What the Receive saga is asked to do for one tube. */
export const ReceiveRequest = z.object({
  sample: SampleFields,
  /** The code on the tube; without one a code of our own is allocated. */
  code: requiredText(200).optional(),
  codeConfirmed: z.boolean().default(false),
  containerKind: z.enum(['tube', 'plate', 'slide', 'bag', 'other']).default('tube'),
  placement: z.object({ boxId: z.uuid(), position: text(12).optional() }).optional(),
  importId: z.uuid().optional(),
})

const SagaState = z.enum([
  'created',
  'executing',
  'compensating',
  'completed',
  'compensated',
  'failed',
  'paused',
  'cancelled',
  'timed_out',
])

export const Saga = z.object({
  id: z.uuid(),
  name: z.string(),
  state: SagaState,
  step: z.string().nullable(),
  error: z.string().nullable(),
  startedAt: Instant,
  updatedAt: Instant,
})

export type ReceiveRequest = z.infer<typeof ReceiveRequest>

export const Received = z.object({
  sagaId: z.uuid(),
  sample: Sample,
  code: z.string(),
  containerId: z.uuid(),
  place: z.object({ boxId: z.uuid(), position: z.string() }).nullable(),
})

/** What other parts of the system may ask of the samples domain. */
export const samples = domainContract('samples', {
  list: query({ permission: 'samples:read', path: '/', summary: 'Samples' })
    .input(
      z.object({
        ...listInput,
        sort: z
          .enum([
            'createdAt',
            '-createdAt',
            'name',
            '-name',
            'state',
            '-state',
            'type',
            '-type',
            'collectedOn',
            '-collectedOn',
          ])
          .default('-createdAt'),
        state: z.union([SampleState, z.array(SampleState)]).optional(),
        type: text(60).optional(),
        project: text(200).optional(),
        donor: text(200).optional(),
        importId: z.uuid().optional(),
        createdAfter: Instant.optional(),
        createdBefore: Instant.optional(),
        /** Words over name, code, client id, donor and project: each must begin a word there, in any order and case. */
        search: text(200).optional(),
        withDeleted: YesNo.default(false),
      }),
    )
    .output(page(Sample)),
  counts: query({ permission: 'samples:read', summary: 'How many samples there are in each state' }).output(
    z.array(z.object({ state: SampleState, count: z.number().int() })),
  ),
  get: query({ permission: 'samples:read', scan: true, path: '/{id}', summary: 'One sample' })
    .input(z.object({ id: SampleId }))
    .output(Sample),
  getMany: query({ permission: 'samples:read', internal: true, summary: 'Several samples' })
    .input(z.object({ ids: z.array(SampleId).max(1_000) }))
    .output(z.array(Sample)),
  facts: query({
    permission: 'samples:read',
    largeInput: true,
    summary: 'State, type and project of several samples, for colouring a map',
  })
    .input(z.object({ ids: z.array(SampleId).max(500) }))
    .output(
      z.array(
        z.object({ id: SampleId, state: SampleState, type: z.string(), project: z.string().nullable() }),
      ),
    ),
  timeline: query({
    permission: 'samples:read',
    path: '/{id}/timeline',
    summary: 'The whole life of a sample, newest first',
  })
    .input(z.object({ id: SampleId, ...listInput }))
    .output(page(TimelineItem)),
  custody: query({
    permission: 'samples:read',
    path: '/{id}/custody',
    summary: 'Chain of custody and its gaps',
  })
    .input(z.object({ id: SampleId }))
    .output(z.object({ events: z.array(CustodyEvent), problems: z.array(z.string()) })),
  lineage: query({ permission: 'samples:read', path: '/{id}/lineage', summary: 'Ancestors and descendants' })
    .input(z.object({ id: SampleId }))
    .output(
      z.object({
        samples: z.array(Sample),
        edges: z.array(z.object({ childId: SampleId, parentId: SampleId, relationship: Relationship })),
      }),
    ),
  duplicates: query({ permission: 'samples:read', summary: 'Samples that look like the same one' })
    .input(z.object({ id: SampleId }))
    .output(z.array(z.object({ sample: Sample, reasons: z.array(z.string()) }))),
  types: query({ permission: 'samples:read', summary: 'Sample types' }).output(z.array(SampleType)),
  addType: command({ permission: 'samples:manage', summary: 'Add a sample type of the laboratory' })
    .errors({ NAME_TAKEN: { status: 409, message: 'This type exists already' } })
    .input(z.object({ name: SampleTypeName, letter: z.string().regex(/^[A-Z]$/, 'One capital letter') }))
    .output(SampleType),

  accession: command({ permission: 'samples:create', summary: 'Record a sample without container or place' })
    .input(z.object({ id: SampleId.optional(), sample: SampleFields, importId: z.uuid().optional() }))
    .output(Sample),
  accessionBatch: command({
    permission: 'samples:create',
    summary: 'Record many samples, with a result for each',
    deadlineMs: 120_000,
    long: true,
  })
    .input(z.object({ rows: z.array(SampleFields).min(1).max(2_000) }))
    .output(z.array(rowResult(Sample))),
  receive: command({
    permission: 'samples:create',
    scan: true,
    summary: 'Receive a tube: sample, code, container and place, whole or not at all',
    deadlineMs: 30_000,
  })
    .errors({
      ...codeErrors,
      SAGA_COMPENSATED: {
        status: 409,
        message: 'It could not be finished and was taken back',
        data: z.object({ step: z.string(), why: z.string(), code: z.string() }),
      },
    })
    .input(ReceiveRequest)
    .output(Received),
  receiveBatch: command({
    permission: 'samples:create',
    summary: 'Receive many tubes, with a result for each',
    deadlineMs: 600_000,
    long: true,
  })
    .input(z.object({ rows: z.array(ReceiveRequest).min(1).max(500) }))
    .output(z.array(rowResult(Received))),
  undoReceive: command({
    permission: 'samples:create',
    summary: 'Take back received tubes that nothing has happened to since',
    deadlineMs: 600_000,
    long: true,
  })
    .input(z.object({ sampleIds: z.array(SampleId).min(1).max(500), reason: Reason }))
    .output(z.array(rowResult(z.object({ id: SampleId })))),
  sagas: query({
    permission: 'samples:read',
    summary: 'Work that spans domains and is not finished, or lately finished',
  })
    .input(z.object({ open: YesNo.default(true) }))
    .output(z.array(Saga)),

  update: command({ permission: 'samples:edit', summary: 'Change what is written of a sample' })
    .input(
      z.object({
        id: SampleId,
        revision: Revision,
        fields: SampleChanges,
        reason: Reason.optional(),
      }),
    )
    .output(Sample),
  updateBatch: command({
    permission: 'samples:edit',
    summary: 'Change one field or more of many samples',
    deadlineMs: 120_000,
    long: true,
  })
    .input(
      z.object({
        rows: z
          .array(
            z.object({
              id: SampleId,
              revision: Revision,
              fields: SampleChanges,
            }),
          )
          .min(1)
          .max(2_000),
        reason: Reason.optional(),
      }),
    )
    .output(z.array(rowResult(Sample))),
  changeState: command({ permission: 'samples:edit', summary: 'Move a sample along its lifecycle' })
    .errors(stateErrors)
    .input(z.object({ id: SampleId, to: SampleState.exclude(['deleted']), reason: Reason.optional() }))
    .output(Sample),
  changeStateBatch: command({
    permission: 'samples:edit',
    summary: 'Move many samples along their lifecycle',
    long: true,
    deadlineMs: 120_000,
  })
    .input(
      z.object({
        ids: z.array(SampleId).min(1).max(2_000),
        to: SampleState.exclude(['deleted']),
        reason: Reason.optional(),
      }),
    )
    .output(z.array(rowResult(Sample))),
  recordMovement: command({
    permission: 'samples:edit',
    scan: true,
    summary: 'Take from, add to or correct an amount',
  })
    .errors({
      NOT_ENOUGH: {
        status: 422,
        message: 'There is less than that',
        data: z.object({ available: DerivedDecimal, asked: DerivedDecimal }),
      },
    })
    .input(
      z.object({
        id: SampleId,
        amount: AmountKind.default('volume_ul'),
        kind: MovementKind,
        quantity: DecimalText,
        reason: Reason,
      }),
    )
    .output(Sample),
  addNote: command({ permission: 'samples:edit', summary: 'Write a note' })
    .input(z.object({ id: SampleId, note: requiredText(4_000) }))
    .output(TimelineItem),
  relate: command({ permission: 'samples:edit', summary: 'Say that a sample comes from another' })
    .errors({
      CYCLE: {
        status: 422,
        message: 'A sample cannot come from itself',
        data: z.object({ path: z.array(z.string()) }),
      },
    })
    .input(z.object({ childId: SampleId, parentId: SampleId, relationship: Relationship }))
    .output(z.object({})),
  makeAliquots: command({
    permission: 'samples:create',
    summary: 'Make aliquots: volume leaves the mother tube',
  })
    .errors({
      NOT_ENOUGH: {
        status: 422,
        message: 'There is less than that',
        data: z.object({ available: DerivedDecimal, asked: DerivedDecimal }),
      },
    })
    .input(
      z.object({ id: SampleId, volumesUl: z.array(DecimalText).min(1).max(96), reason: Reason.optional() }),
    )
    .output(z.array(Sample)),
  recordCustody: command({ permission: 'samples:edit', summary: 'Write a custody event by hand' })
    .input(
      z.object({
        id: SampleId,
        kind: CustodyKind,
        holder: requiredText(200),
        place: text(200).nullable().default(null),
        /** In a forked chain: the event it follows, and the ends of the other branches that it settles. */
        predecessorId: z.uuid().optional(),
        settlesIds: z.array(z.uuid()).max(50).default([]),
        reason: Reason,
      }),
    )
    .output(CustodyEvent),
  remove: command({ permission: 'samples:delete', summary: 'Soft-delete: the record stays' })
    .errors(stateErrors)
    .input(z.object({ id: SampleId, reason: Reason }))
    .output(Sample),

  // Asked by the Hub's shipments alone.
  shippingCheck: query({ ...shipping, largeInput: true, summary: 'What keeps samples from being shipped' })
    .input(z.object({ ids: z.array(SampleId).max(500) }))
    .output(
      z.array(
        z.object({
          id: SampleId,
          name: z.string(),
          code: z.string().nullable(),
          containerIds: z.array(z.uuid()),
          obstacles: z.array(z.string()),
          /** How much is written of it. */
          rows: z.int(),
        }),
      ),
    ),
  shipOut: command({ ...shipping, summary: 'Hand a sample to a shipment: a read-only stub stays' })
    .input(
      Shipped.extend({ to: z.string(), toLaboratoryId: z.uuid(), reference: z.string(), reason: Reason }),
    )
    .output(z.object({})),
  takeBack: command({ ...shipping, summary: 'Take a sample back from a shipment that nobody received' })
    .input(Shipped.extend({ reason: Reason }))
    .output(z.object({})),
  /** Longer than what travels in one piece where much was written since it left: that is told in several. */
  shippingRecord: command({ ...shipping, summary: 'Everything that is written of a sample' })
    .input(z.object({ id: SampleId }))
    .output(z.object({ rows: z.array(TravellingRow) })),
  shippingDigests: query({ ...shipping, largeInput: true, summary: 'Whether something of samples changed' })
    .input(z.object({ ids: z.array(SampleId).max(500) }))
    .output(z.record(z.string(), z.string())),
  shippingOwners: query({
    ...shipping,
    largeInput: true,
    summary: 'Which samples these tubes, codes and relations are of',
  })
    .input(z.object({ rowIds: z.array(z.uuid()).max(1_000) }))
    .output(z.object({ sampleIds: z.array(SampleId) })),
  land: command({ ...shipping, summary: "Write another laboratory's record of a sample" })
    .input(
      Shipped.extend({
        /** `arrive`: it is here now. `stub`: what became of it elsewhere. `late`: facts that came after it had left. */
        as: z.enum(['arrive', 'stub', 'late']),
        from: z.string(),
        reason: Reason,
        rows: TravellingRows,
      }),
    )
    .output(z.object({ taken: z.boolean() })),
})

export const samplesEvents = {
  SampleAccessioned: event(
    'SampleAccessioned',
    z.object({ sampleId: z.string(), name: z.string(), type: z.string() }),
  ),
  SampleStateChanged: event(
    'SampleStateChanged',
    z.object({ sampleId: z.string(), from: SampleState, to: SampleState }),
  ),
  SampleRemoved: event('SampleRemoved', z.object({ sampleId: z.string(), reason: z.string() })),
}

import { z } from 'zod'
import { command, domainContract, query } from '../contract/procedure.ts'
import { largestFileBytes } from '../gateway/contract.ts'
import { Instant, Reason, requiredText, text } from '../contract/values.ts'

const Count = z.int().min(0)

export const SyncStatus = z.object({
  /** `hub`: this is the Hub itself. `stopped` waits for a person, `paused` for the one who paused it. */
  state: z.enum(['hub', 'not-enrolled', 'enrolling', 'online', 'offline', 'paused', 'stopped']),
  /** What is going on, for people. */
  words: z.string(),
  hubUrl: z.string().nullable(),
  laboratoryId: z.string().nullable(),
  lastContactAt: Instant.nullable(),
  lastPushAt: Instant.nullable(),
  lastPullAt: Instant.nullable(),
  /** Change sets that the Hub has not confirmed. */
  pending: z.array(z.object({ domain: z.string(), sets: Count })),
  /** How far this copy follows the Hub's log, and how many entries it is behind. */
  position: Count,
  lag: Count,
  /** The Hub's clock minus this one; null before the first contact. */
  clockSkewMs: z.int().nullable(),
  /** Until when people may sign in here without the Hub. */
  offlineUntil: Instant.nullable(),
})
export type SyncStatus = z.output<typeof SyncStatus>

/** A person decides one after the other: what comes after so many is seen when some of them are decided. */
const workItemsAtMost = 200

const RowValues = z.record(z.string(), z.string().nullable())

/** Something that a person must decide, with both proposals. */
export const WorkItemView = z.object({
  id: z.uuid(),
  domain: z.string(),
  /** `conflict`, `parked`, `refused`, `review`, `contested`, or a kind of the domain's own notices. */
  kind: z.string(),
  words: z.string(),
  openedAt: Instant,
  /** What was pushed and is held back; null for something in the rows that stops nothing. */
  pushed: z
    .object({
      changeSetId: z.string(),
      actorId: z.string(),
      workstationId: z.string(),
      /** Null where this copy does not know it. */
      workstationName: z.string().nullable(),
      procedure: z.string(),
      recordedAt: Instant,
      reason: z.string().nullable(),
      changes: z.array(
        z.object({
          table: z.string(),
          id: z.string(),
          operation: z.string(),
          values: RowValues,
          before: RowValues,
        }),
      ),
    })
    .nullable(),
  /** Where the two do not go together: what both knew, what the Hub has, and what was pushed. */
  conflicts: z.array(
    z.object({
      table: z.string(),
      id: z.string(),
      column: z.string().nullable(),
      base: z.string().nullable(),
      hub: z.string().nullable(),
      pushed: z.string().nullable(),
      words: z.string(),
    }),
  ),
  /** Change sets that must be decided first. */
  behind: z.array(z.string()),
  /** Rows it is about, as `domain/table/id`. Of `contested` the first claims what the others hold. */
  rows: z.array(z.string()),
  /** What this copy has in those rows; a row that is not here is left out. */
  here: z.record(z.string(), RowValues),
})
export type WorkItemView = z.output<typeof WorkItemView>

/** What a person decides: what the Hub has, what was pushed, or something else. */
export const Choice = z.discriminatedUnion('take', [
  z.object({ take: z.literal('hub') }),
  z.object({ take: z.literal('pushed') }),
  z.object({
    take: z.literal('edits'),
    edits: z.array(z.object({ table: z.string(), id: z.uuid(), values: RowValues })),
  }),
])

export const Resolution = z.object({
  domain: requiredText(100),
  itemId: z.uuid(),
  choice: Choice,
  reason: Reason.nullable().default(null),
})
export type Resolution = z.output<typeof Resolution>

export const EnrolledWorkstation = z.object({
  id: z.string(),
  name: z.string(),
  fingerprint: z.string(),
  enrolledAt: Instant,
  lastSeenAt: Instant.nullable(),
  /** How far it follows the laboratory's log, and how many entries it is behind. */
  position: Count,
  lag: Count,
  clockSkewMs: z.int().nullable(),
  /** How its schemas stand to the Hub's; null before it was seen. */
  schema: z.enum(['same', 'behind', 'ahead']).nullable(),
  revokedAt: Instant.nullable(),
})

const BundleDirection = z.enum(['to-hub', 'to-workstation'])

/** A bundle that was made and waits to be saved. */
export const MadeBundle = z.object({
  id: z.uuid(),
  /** A name for the file. */
  name: z.string(),
  sizeBytes: Count,
  direction: BundleDirection,
  /** Who alone can open it. */
  partner: z.string(),
  /** Change sets that the recipient does not have, as far as is known here, and when they were made. */
  changes: Count,
  firstAt: Instant.nullable(),
  lastAt: Instant.nullable(),
  /** False where more waits than fits into one: the rest goes with the next, once the answer to this one has come. */
  isWhole: z.boolean(),
})
export type MadeBundle = z.output<typeof MadeBundle>

/** What became of a bundle that was brought. */
export const BroughtBundle = z.object({
  direction: BundleDirection,
  /** Who made it; at the Hub with the id of the workstation. */
  partner: z.string(),
  partnerId: z.string().nullable(),
  madeAt: Instant,
  /** Change sets that were not here before, and those that were. */
  taken: Count,
  known: Count,
  /** At a workstation: how many of its own waited for the Hub and wait no longer. */
  confirmed: Count,
  /** At the Hub: how many of the taken ones a person must look at. */
  toDecide: Count,
  isWhole: z.boolean(),
})
export type BroughtBundle = z.output<typeof BroughtBundle>

/** What came of fetching a file; `not-now` where the Hub could not be asked, or what it sent was not the file. */
const FileOutcome = z.enum(['here', 'not-at-hub', 'not-now', 'no-hub'])
export type FileOutcome = z.output<typeof FileOutcome>

const enrolment = z.object({
  /** Such as `https://hub.laboratory.example`. */
  hubUrl: requiredText(500),
  code: requiredText(100),
})
/** What lets one workstation in, shown this once. */
export const EnrolmentCode = z.object({ code: z.string(), expiresAt: Instant })
const enrolled = z.object({ laboratoryId: z.string(), role: z.enum(['founder', 'joiner']) })
const enrolmentMs = 10 * 60_000

const elsewhere = {
  AT_HUB_ONLY: { status: 422, message: 'This is done at the Hub' },
  AT_WORKSTATION_ONLY: { status: 422, message: 'This is done at a workstation' },
} as const
const enrolmentErrors = {
  ...elsewhere,
  CODE_REFUSED: { status: 422, message: 'This enrolment code is not right, used, or too old' },
  WRONG_HUB: { status: 422, message: 'The Hub at this address is not the one that made the code' },
  ALREADY_ENROLLED: { status: 409, message: 'This workstation is enrolled already' },
  OFFLINE: { status: 503, message: 'The Hub cannot be reached: nothing was changed' },
} as const

const bundleMs = 10 * 60_000
const bundleErrors = {
  ...elsewhere,
  BUNDLE_REFUSED: {
    status: 422,
    message: 'This bundle is not taken, or cannot be made',
    /** A `BundleFault`. */
    data: z.object({ why: z.string() }),
  },
} as const

/** Sync as screens and operators see it: at a workstation its own, at the Hub that of all workstations. */
export const sync = domainContract('sync', {
  status: query({ permission: 'signed-in', summary: 'Where this copy stands' }).output(SyncStatus),
  goNow: command({ permission: 'sync:read', summary: 'Speak with the Hub now, not when it is next due' })
    .input(z.object({}))
    .output(SyncStatus),
  pause: command({ permission: 'sync:manage', summary: 'Stop speaking with the Hub until resumed' })
    .input(z.object({}))
    .output(SyncStatus),
  resume: command({ permission: 'sync:manage', summary: 'Speak with the Hub again' })
    .input(z.object({}))
    .output(SyncStatus),
  enroll: command({
    permission: 'sync:manage',
    summary: 'Take this workstation with its data to a Hub, as the founder of its laboratory there',
    deadlineMs: enrolmentMs,
    long: true,
    secretAnswer: true,
  })
    .errors(enrolmentErrors)
    .input(enrolment)
    .output(enrolled),
  join: command({
    permission: 'public',
    summary: 'Take this workstation, while nothing is in it, into a laboratory of a Hub',
    deadlineMs: enrolmentMs,
    long: true,
    secretAnswer: true,
  })
    .errors(enrolmentErrors)
    .input(enrolment)
    .output(enrolled),
  workItems: query({ permission: 'sync:read', summary: 'What people must decide, oldest first' })
    .input(
      z.object({
        domain: text(100).optional(),
        limit: z.int().min(1).max(workItemsAtMost).default(workItemsAtMost),
      }),
    )
    .output(z.object({ items: z.array(WorkItemView), /** With those beyond the limit. */ total: Count })),
  resolve: command({ permission: 'sync:resolve', summary: 'Decide a work item', deadlineMs: 60_000 })
    .errors({
      OFFLINE: { status: 503, message: 'Decisions are made at the Hub, and it cannot be reached now' },
    })
    .input(Resolution)
    .output(z.object({})),
  workstations: query({ permission: 'sync:manage', summary: 'Workstations of the laboratory' })
    .errors(elsewhere)
    .output(z.object({ items: z.array(EnrolledWorkstation) })),
  refusals: query({
    permission: 'sync:manage',
    summary: 'What the Hub did not take from workstations of the laboratory, newest first',
  })
    .errors(elsewhere)
    .output(
      z.object({
        items: z.array(
          z.object({ at: Instant, workstationId: z.string(), code: z.string(), words: z.string() }),
        ),
      }),
    ),
  createEnrolmentCode: command({
    permission: 'sync:manage',
    summary: 'Make a code with which one empty workstation joins this laboratory',
    secretAnswer: true,
  })
    .errors(elsewhere)
    .input(
      z.object({
        /** Whether administrators may sign in there while the Hub is out of reach. */
        administratorsOffline: z.boolean().default(false),
      }),
    )
    .output(EnrolmentCode),
  revokeWorkstation: command({
    permission: 'sync:manage',
    summary: 'Take nothing from a workstation any more, and give it nothing',
  })
    .errors(elsewhere)
    .input(z.object({ id: text(100), reason: Reason }))
    .output(z.object({})),
  makeBundle: command({
    permission: 'sync:manage',
    path: '/bundles',
    summary: 'Put what the other side does not have into a file, sealed for it, to be carried by hand',
    deadlineMs: bundleMs,
    long: true,
  })
    .errors(bundleErrors)
    .input(
      z.object({
        /** Whom it is for; at a workstation that is the Hub, and this is left out. */
        workstationId: text(100).nullable().default(null),
      }),
    )
    .output(MadeBundle),
  bundle: query({
    permission: 'sync:manage',
    path: '/bundles/{id}',
    summary: 'A bundle as a file, for an hour after it was made',
    deadlineMs: bundleMs,
    long: true,
  })
    .input(z.object({ id: z.uuid() }))
    .output(z.file()),
  bringBundle: command({
    permission: 'sync:manage',
    path: '/bundles/brought',
    summary: 'Take what is in a bundle from the other side; a second time does nothing',
    deadlineMs: bundleMs,
    long: true,
  })
    .errors(bundleErrors)
    .input(z.object({ file: z.file().max(largestFileBytes, 'At most 50 MB') }))
    .output(BroughtBundle),

  /** A domain asks this about a file that one of its rows names and that is not here. */
  fetchFile: query({ permission: 'signed-in', internal: true, summary: 'Fetch a file from the Hub' })
    .input(z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .output(z.object({ outcome: FileOutcome })),

  /** Sign-in asks this about people whose password this workstation does not hold. */
  proveAtHub: command({
    permission: 'public',
    internal: true,
    secretAnswer: true,
    summary: 'Ask the Hub whether somebody is who they say',
  })
    .input(z.object({ userId: z.uuid(), password: text(200) }))
    .output(
      z.object({ outcome: z.enum(['right', 'wrong', 'locked_out', 'not_active', 'offline', 'no-hub']) }),
    ),
})

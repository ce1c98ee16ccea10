import { eventIterator } from '@orpc/contract'
import { z } from 'zod'
import { command, domainContract, query } from '../contract/procedure.ts'
import { Instant, listInput, page, requiredText, text } from '../contract/values.ts'
import { serviceStates } from './supervisor-states.ts'

const milliseconds = z.number().nonnegative()
const bytes = z.number().int().nonnegative()
const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'Not a SHA-256 hash in hexadecimal')

export const largestFileBytes = 50 * 1024 * 1024

export const ServiceReport = z.object({
  name: z.string(),
  state: z.enum(serviceStates),
  /** What is wrong, for people; null when nothing is. */
  words: z.string().nullable(),
  instances: z.number().int(),
  readyInstances: z.number().int(),
  breaker: z.enum(['closed', 'half-open', 'open']),
  inFlight: z.number().int(),
  restarts: z.number().int(),
  uptimeMs: milliseconds.nullable(),
  calls: z.number().int(),
  errors: z.number().int(),
  p50Ms: milliseconds.nullable(),
  p95Ms: milliseconds.nullable(),
  heapUsedBytes: bytes.nullable(),
  databaseBytes: bytes.nullable(),
})
export type ServiceReport = z.infer<typeof ServiceReport>

export const AuditItem = z.object({
  sequence: z.number().int(),
  kind: z.enum(['change', 'migration', 'gap', 'epoch']),
  domain: z.string(),
  domainSequence: z.number().int(),
  changeSetId: z.string(),
  origin: z.enum(['local', 'hub', 'migration', 'repair']),
  actorId: z.string(),
  workstationId: z.string(),
  hybridLogicalTime: z.string(),
  reason: z.string().nullable(),
  correlationId: z.string(),
  recordedAt: Instant,
  eventNames: z.array(z.string()),
  payloadHash: Hash,
  hash: Hash,
  payloadRemoved: z.boolean(),
  /** The command that made it, `samples.update`; null when no command did, or when a list leaves a long content unread. */
  procedure: z.string().nullable(),
})
export type AuditItem = z.infer<typeof AuditItem>

const JournalReport = z.object({
  writable: z.boolean(),
  /** Why nothing can be written; null when all is well. */
  why: z.string().nullable(),
  head: z.object({ sequence: z.number().int(), hash: Hash }).nullable(),
  domains: z.array(
    z.object({ name: z.string(), domainSequence: z.number().int(), sequence: z.number().int() }),
  ),
  epochs: z.array(
    z.object({
      number: z.number().int(),
      startedAtSequence: z.number().int(),
      startedAt: Instant,
      reason: z.string(),
      gaps: z.array(
        z.object({
          domain: z.string(),
          lostFrom: z.number().int(),
          lostTo: z.number().int(),
          sequence: z.number().int(),
        }),
      ),
    }),
  ),
  checkpoints: z.array(
    z.object({
      sequence: z.number().int(),
      hash: Hash,
      publicKey: z.string(),
      keyFingerprint: z.string(),
      signature: z.string(),
      signedAt: Instant,
    }),
  ),
})

const Span = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().nullable(),
  name: z.string(),
  /** Milliseconds since the epoch. */
  startedAt: z.number(),
  durationMs: milliseconds,
  ok: z.boolean(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})

/** What may be asked of the host itself: its health, its services, the journal, and files. */
export const system = domainContract('system', {
  health: query({ permission: 'public', summary: 'Whether the application runs' }).output(
    z.object({ status: z.literal('ok'), version: z.string(), uptimeMs: milliseconds }),
  ),
  services: query({ permission: 'system:read', summary: 'State, load and speed of every service' }).output(
    z.array(ServiceReport),
  ),
  wakeService: command({
    permission: 'system:operate',
    summary: 'Start a sleeping service, or try one again that failed or refused to open',
  })
    .input(z.object({ name: requiredText(100) }))
    .output(z.object({})),
  memory: query({ permission: 'system:read', summary: 'Memory of the whole process' }).output(
    z.object({
      rssBytes: bytes,
      /** Shared pages counted by share; null where the system does not tell. */
      pssBytes: bytes.nullable(),
      heapUsedBytes: bytes,
      externalBytes: bytes,
    }),
  ),
  journal: query({ permission: 'system:read', summary: 'State of the journal' }).output(JournalReport),
  verifyJournal: query({
    permission: 'audit:verify',
    summary: 'Prove the whole journal: chain, signatures, gaps',
    deadlineMs: 600_000,
    long: true,
  }).output(
    z.object({
      status: z.enum(['whole', 'broken', 'tail-short']),
      words: z.string(),
      entries: z.number().int(),
      firstBadSequence: z.number().int().nullable(),
      headHash: Hash.nullable(),
      /** Up to which entry the Hub with this fingerprint has countersigned it; null where no Hub has. */
      countersigned: z.object({ upTo: z.number().int(), by: z.string() }).nullable(),
      problems: z.array(z.string()),
    }),
  ),
  searchAudit: query({
    permission: 'audit:read',
    path: '/audit',
    summary: 'Search the audit trail, newest first',
  })
    .input(
      z.object({
        ...listInput,
        domain: text(100).optional(),
        actorId: text(100).optional(),
        from: Instant.optional(),
        to: Instant.optional(),
        /** Found in the reason, upper or lower case. */
        text: text(200).optional(),
        eventName: text(100).optional(),
        correlationId: text(200).optional(),
        changeSetId: text(100).optional(),
      }),
    )
    .output(page(AuditItem)),
  auditEntry: query({
    permission: 'audit:read',
    path: '/audit/{sequence}',
    summary: 'One entry with what it changed',
  })
    .input(z.object({ sequence: z.number().int().min(1) }))
    .output(z.object({ entry: AuditItem, payload: z.string().nullable() })),
  changes: query({
    permission: 'signed-in',
    summary:
      'Which domains of the laboratory changed, as it happens; the first hint says that the feed is open',
  }).output(eventIterator(z.object({ domains: z.array(z.string()) }))),
  trace: query({
    permission: 'system:read',
    path: '/traces/{id}',
    summary: 'The steps of a call, by its correlation id or trace id',
  })
    .input(z.object({ id: requiredText(200) }))
    .output(z.array(Span)),
  domainKey: query({
    permission: 'signed-in',
    internal: true,
    summary: 'A key of the calling service alone, to seal what must not lie open in its database',
  }).output(z.object({ key: z.base64() })),
  storeFile: command({
    permission: 'files:store',
    path: '/files',
    summary: 'Store a file under the hash of its content',
    deadlineMs: 60_000,
  })
    .input(z.object({ file: z.file().max(largestFileBytes, 'At most 50 MB') }))
    .output(z.object({ sha256: Hash, sizeBytes: bytes, name: z.string() })),
  metrics: query({ permission: 'system:read', summary: 'All metrics at this moment' }).output(
    z.array(
      z.object({
        name: z.string(),
        help: z.string(),
        values: z.array(
          z.object({
            labels: z.record(z.string(), z.union([z.string(), z.number()])),
            name: z.string(),
            value: z.number(),
          }),
        ),
      }),
    ),
  ),
})

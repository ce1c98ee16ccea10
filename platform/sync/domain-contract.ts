import { z } from 'zod'
import { command, domainContract, query } from '../contract/procedure.ts'
import type { ChangeSet } from './change-set.ts'
import { FileColumns } from './named-files.ts'

/*
 * What every domain offers its host for sync, beside its own contract. Only the host calls these: at a workstation the
 * one that follows the Hub's log, at the Hub the one that takes pushes and serves the log.
 */

/** A place in a laboratory's log: dense from 1, with the hash (hex) of the entry there. 0 stands before the first. */
export const LogPlace = z.object({ position: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/) })
export type LogPlace = z.output<typeof LogPlace>

/** An entry of the Hub's log as it travels: the payload's text is what the hash was made of. */
export const WireEntry = LogPlace.extend({ domain: z.string(), payload: z.string() })
export type WireEntry = z.output<typeof WireEntry>

const Outcome = z.enum(['applied', 'merged', 'conflict', 'parked', 'refused', 'review'])

/** What a change set is by now; see `Fate` of the engine. */
export const FateSchema = z.object({
  outcome: Outcome,
  status: z.enum(['taken', 'waiting', 'dropped']),
  resultId: z.uuid(),
  altered: z.array(z.string()),
})

/** What the Hub knows outside of a domain's own database and that a decision needs. */
const Known = z.object({
  /** Of change sets in other domains, by id; null for one that is not known anywhere. */
  fates: z.record(z.string(), FateSchema.nullable()),
  /** The change sets whose authors may do now what these did. */
  permitted: z.array(z.uuid()),
})

const Choice = z.discriminatedUnion('take', [
  z.object({ take: z.literal('hub') }),
  z.object({ take: z.literal('pushed') }),
  z.object({
    take: z.literal('edits'),
    edits: z.array(
      z.object({ table: z.string(), id: z.uuid(), values: z.record(z.string(), z.string().nullable()) }),
    ),
  }),
])

/** An open work item as its domain keeps it: `item` is the engine's `WorkItem`. */
const OpenItem = z.object({
  id: z.uuid(),
  laboratoryId: z.uuid(),
  domain: z.string(),
  openedAt: z.string(),
  item: z.unknown(),
})

const Decided = z.object({
  changeSetId: z.uuid(),
  outcome: z.union([Outcome, z.literal('resolved')]),
  status: z.enum(['taken', 'waiting', 'dropped']),
  resultId: z.uuid(),
})

/** A domain's rows of one laboratory in a file, and where in its history they stand. */
const DomainSnapshot = z.object({
  path: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  rows: z.int(),
  /** The last change set of the domain that is in it. */
  domainSequence: z.int(),
})

const internal = { permission: 'public', internal: true } as const
const long = { ...internal, long: true, deadlineMs: 10 * 60_000 } as const

/** The procedures every domain has for sync. */
export function domainSyncContract(domain: string) {
  return domainContract(domain, {
    syncState: query({ ...internal, summary: 'Where this domain stands in sync' }).output(
      z.object({
        /** Null while the workstation is not enrolled, and always at the Hub. */
        laboratoryId: z.uuid().nullable(),
        place: LogPlace,
        /** Change sets made here that the log has not confirmed. */
        pending: z.int(),
        /** The domain's change set the oldest of them is; null when none is pending. */
        oldestPending: z.int().nullable(),
        hasRows: z.boolean(),
        /** Names of its migrations, in order: the schema's version. */
        migrations: z.array(z.string()),
        fileColumns: FileColumns,
      }),
    ),
    syncFiles: query({ ...internal, summary: 'The files that rows of a laboratory name' })
      .input(z.object({ laboratoryId: z.uuid() }))
      .output(z.object({ sha256: z.array(z.string()) })),
    syncSnapshot: command({ ...long, summary: 'Write the rows of a laboratory into a file' })
      .input(z.object({ laboratoryId: z.uuid() }))
      .output(DomainSnapshot),
    syncWorkItems: query({ ...internal, summary: 'Open work items' })
      .input(
        z.object({
          laboratoryId: z.uuid(),
          /** With what is in the rows they are about. */
          withRows: z.boolean().default(false),
          kind: z.string().optional(),
          id: z.uuid().optional(),
          /** Those in which any of these ids stands. */
          about: z.array(z.uuid()).max(10_000).optional(),
          /** The oldest; all where it is left out. */
          limit: z.int().min(1).optional(),
        }),
      )
      .output(
        z.object({
          items: z.array(OpenItem),
          /** How many there are, with those beyond the limit. */
          total: z.int(),
          /** By address; empty unless asked for. */
          rows: z.record(z.string(), z.record(z.string(), z.string().nullable())),
        }),
      ),

    // At a workstation.
    syncEnroll: command({
      ...long,
      summary: 'From now on work waits for the Hub; rows that are here are written into a file',
    })
      .input(z.object({ laboratoryId: z.uuid() }))
      .output(DomainSnapshot),
    syncInstall: command({
      ...long,
      summary: "Take the Hub's snapshot in place of the Hub's rows that are here",
    })
      .input(z.object({ laboratoryId: z.uuid(), path: z.string(), place: LogPlace }))
      .output(z.object({ rows: z.int() })),
    syncFollow: command({ ...long, summary: "Follow entries of the Hub's log" })
      .input(
        z.object({
          /** Of this domain, in order; those that were followed before are passed over. */
          entries: z.array(WireEntry).max(1_000),
          /** Everything up to here is in `entries` or belongs to other domains. */
          upTo: LogPlace,
        }),
      )
      .output(z.object({ place: LogPlace, pending: z.int() })),

    // At the Hub.
    syncDecide: command({ ...long, summary: 'Decide pushed change sets in their order' })
      .input(
        z.object({
          /** They were parsed where they came in. */
          sets: z.array(z.custom<ChangeSet>()).min(1).max(1_000),
          known: Known,
          /** They waited as work items. */
          again: z.boolean().default(false),
        }),
      )
      .output(z.object({ decided: z.array(Decided) })),
    syncResolve: command({ ...long, summary: 'Settle a work item as a person chose' })
      .input(
        z.object({
          laboratoryId: z.uuid(),
          itemId: z.uuid(),
          choice: Choice,
          reason: z.string().nullable(),
          actorId: z.string(),
          known: Known,
        }),
      )
      .output(
        z.discriminatedUnion('done', [
          z.object({ done: z.literal(true), decided: z.array(Decided) }),
          z.object({ done: z.literal(false), words: z.string() }),
        ]),
      ),
    syncFates: query({ ...internal, largeInput: true, summary: 'What became of change sets' })
      .input(z.object({ laboratoryId: z.uuid(), changeSetIds: z.array(z.uuid()).max(1_000) }))
      .output(z.object({ fates: z.record(z.string(), FateSchema) })),
    syncOpenContested: command({
      ...internal,
      summary: 'Open a work item for every contested row that has none, as after the Hub itself wrote rows',
    })
      .input(z.object({ laboratoryId: z.uuid() }))
      .output(z.object({ opened: z.int() })),
    syncFound: command({ ...long, summary: "Take a founder's rows into an empty laboratory" })
      .input(z.object({ laboratoryId: z.uuid(), path: z.string() }))
      .output(z.object({ rows: z.int() })),
  })
}

/** The form of {@link domainSyncContract}, for whoever calls it. */
export type DomainSyncContract = ReturnType<typeof domainSyncContract>

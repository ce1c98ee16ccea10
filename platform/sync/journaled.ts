import { z } from 'zod'
import type { JournalEntry } from '../journal/entry.ts'
import { type AnnouncedEvent, type ChangeSet, type RowChange, RowImage } from './change-set.ts'
import type { LogEntryBody, Outcome } from './log.ts'
import type { Fate } from './view.ts'
import type { WorkItem } from './work-item.ts'

/** What an entry of the journal, or of the Hub's log, says about sync beside its changes. */
export type SyncNote =
  /** The workstation was enrolled: from here on local change sets are pending until the log confirms them. */
  | { readonly kind: 'enrolled'; readonly laboratoryId: string }
  /** The Hub's snapshot took the place of the rows that were here; the file with this hash had them. */
  | {
      readonly kind: 'installed'
      readonly sha256: string
      readonly position: number
      readonly hash: string
    }
  /** The workstation followed the Hub's log up to a position. */
  | {
      readonly kind: 'followed'
      readonly position: number
      readonly hash: string
      /** Pending change sets that are decided. */
      readonly confirmed: readonly string[]
      /** The Hub's images of rows with pending changes; `image` left out forgets one that has none any more. */
      readonly images: readonly {
        readonly table: string
        readonly id: string
        readonly image?: Readonly<Record<string, string | null>> | null
      }[]
      readonly opens: readonly WorkItem[]
      readonly closes: readonly string[]
      readonly acknowledges: readonly string[]
    }
  /** The Hub decided a change set. */
  | DecidedNote

export type DecidedNote = {
  readonly kind: 'decided'
} & Pick<
  LogEntryBody,
  'outcome' | 'parents' | 'decides' | 'resolvedBy' | 'opens' | 'closes' | 'acknowledges'
> & {
    readonly fates: readonly { readonly changeSetId: string; readonly fate: Fate }[]
  }

/** Without a look at the rows and events. */
const Body = z.object({
  laboratoryId: z.string().nullable(),
  command: z.object({ procedure: z.string() }),
  causedBy: z.string().nullable().default(null),
  shapedBy: z.array(z.string()).default([]),
  changes: z.array(z.custom<RowChange>()),
  events: z.array(z.custom<AnnouncedEvent>()),
  sync: z.custom<SyncNote | null>().default(null),
})
const WholeBody = Body.extend({
  changes: z.array(
    z.object({
      table: z.string(),
      operation: z.enum(['insert', 'update', 'withdraw']),
      key: z.object({ laboratory_id: z.string(), id: z.string() }),
      replaces: z.string().nullable(),
      values: RowImage,
      before: RowImage,
    }),
  ),
  events: z.array(z.object({ name: z.string(), data: z.unknown() })),
})

type EntryHead = Omit<JournalEntry, 'payload' | 'sequence' | 'hash' | 'payloadHash'>

/**
 * The change set that a journal entry holds, as it is pushed; null for entries that are not pushed: what came from the
 * Hub, migrations, gaps, and commands that wrote no row. `content` is the entry's payload, parsed. The rows of the set
 * are as they were found: whoever has it from somewhere else parses them.
 */
export function pushedSetOf(entry: EntryHead, content: unknown): ChangeSet | null {
  if (entry.kind !== 'change' || entry.origin !== 'local') return null
  const { body } = z.object({ body: Body }).parse(content)
  return body.changes.length === 0 ? null : setOf(entry, body)
}

/** Whether an entry of one's own journal holds work to push. */
export function isToPush(entry: JournalEntry): boolean {
  return entry.payload !== null && pushedSetOf(entry, JSON.parse(entry.payload)) !== null
}

/** An entry of the Hub's log as the engine reads it. `payload` was checked against its hash. */
export function logEntryOf(payload: string): LogEntryBody {
  const { entry, body } = z
    .object({
      entry: z.custom<EntryHead>((value) => typeof value === 'object' && value !== null),
      body: WholeBody,
    })
    .parse(JSON.parse(payload))
  const set = setOf(entry, body)
  const { id, ...said } = set
  const note = body.sync?.kind === 'decided' ? body.sync : null
  const outcome: Outcome | 'resolved' = note?.outcome ?? 'applied'
  return {
    ...said,
    id,
    outcome,
    parents: note?.parents ?? [],
    decides: note?.decides ?? id,
    resolvedBy: note?.resolvedBy ?? null,
    opens: note?.opens ?? [],
    closes: note?.closes ?? [],
    acknowledges: note?.acknowledges ?? [],
  }
}

function setOf(entry: EntryHead, body: z.output<typeof Body>): ChangeSet {
  const { domain, workstationId, actorId, hybridLogicalTime, recordedAt, reason, correlationId } = entry
  return {
    id: entry.changeSetId,
    laboratoryId: body.laboratoryId ?? '',
    ...{ domain, workstationId, actorId, hybridLogicalTime, recordedAt, reason, correlationId },
    procedure: body.command.procedure,
    causedBy: body.causedBy,
    shapedBy: body.shapedBy,
    changes: body.changes,
    events: body.events,
  }
}

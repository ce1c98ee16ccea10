import { createHash } from 'node:crypto'
import { type SQL, sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { EventDefinition } from '../contract/event.ts'
import { Refusal } from '../contract/refusal.ts'
import {
  describeIssue,
  type EntryMetadata,
  EntryMetadataSchema,
  type Origin,
  serialiseMetadata,
} from '../journal/entry.ts'
import type { SyncNote } from '../sync/journaled.ts'
import { rowsOf, type Transaction } from './transaction.ts'
import type { z } from 'zod'

/** Everything about a change that is known before it is made. */
export interface ChangeRequest {
  readonly laboratoryId: string
  readonly actorId: string
  readonly origin: Origin
  readonly workstationId: string
  readonly hybridLogicalTime: string
  /** The instant by the machine's clock, ISO 8601 UTC; that of this process when left out. */
  readonly now?: string
  readonly reason: string | null
  readonly correlationId: string
  readonly procedure: string
  /** Null for work nobody repeats (reactions have one of their own). */
  readonly idempotencyKey: string | null
  /** What was asked, so that a key used for something else is noticed. */
  readonly requestHash: string
  /** The answer is a secret and is not kept for repeats. */
  readonly secretAnswer: boolean
  /** After this instant nobody waits: the change is given up before BEGIN and before COMMIT. */
  readonly deadlineAt: number
  /** Set when an event caused this: the subscriber's cursor moves in the same transaction. */
  readonly reaction: CursorMove | null
  /** The change set whose event this reacts to. */
  readonly causedBy: string | null
}

/**
 * A subscriber has reacted to everything up to a journal entry. The entry's hash says in which history: a journal that
 * was lost and made anew counts from one again.
 */
export interface CursorMove {
  readonly subscriber: string
  readonly journalSequence: number
  readonly journalHash: string
}

/** What the work inside a change is given. */
export interface ChangeScope {
  readonly tx: Transaction
  readonly changeSetId: string
  /** The instant of the change, ISO 8601 UTC. */
  readonly now: string
  /** Adds an event; it becomes a fact together with the rows. */
  announce<Name extends string, Data extends z.ZodType>(
    definition: EventDefinition<Name, Data>,
    data: z.input<Data>,
  ): void
}

/** One committed change set on its way to the journal. */
export interface OutboxEntry {
  readonly sequence: number
  readonly payload: string
}

export interface Changed<T> {
  readonly answer: T
  /** Null when nothing was written. */
  readonly entry: OutboxEntry | null
  /** The same request was answered before; this is that answer. */
  readonly repeated: boolean
}

interface SeenRow {
  readonly seen: { readonly request_hash: string; readonly answer: string | null } | null
}
interface FinishedRow {
  readonly sequence: string
  readonly payload: string
}

/**
 * Runs `work` inside the given transaction as one change set: settings, the domain's rows, captured images, events,
 * the answer for repeats and the outbox row. The caller commits, and then waits for the journal.
 */
export async function makeChange<T>(
  tx: Transaction,
  request: ChangeRequest,
  work: (scope: ChangeScope) => Promise<T>,
): Promise<Changed<T>> {
  const changeSetId = uuidv7()
  const { now = new Date().toISOString() } = request
  const [opened] = await rowsOf<SeenRow>(
    tx,
    sql`select set_config('role', 'tracseq_service', true), ${settings(request, changeSetId)},
      pg_advisory_xact_lock_shared(${decidingLock}, hashtext(${request.laboratoryId})),
      (select json_build_object('request_hash', request_hash, 'answer', answer)
         from platform.idempotency where key = ${request.idempotencyKey}) as seen`,
  )
  if (opened?.seen != null)
    return { answer: repeatAnswer<T>(opened.seen, request), entry: null, repeated: true }

  const events: { name: string; data: unknown }[] = []
  const answer = await work({
    tx,
    changeSetId,
    now,
    announce(definition, data) {
      events.push({ name: definition.name, data: definition.data.parse(data) })
    },
  })
  if (request.reaction !== null) await moveCursor(tx, request.reaction)
  const metadata = {
    kind: 'change',
    domain: domainOf(request.procedure),
    changeSetId,
    origin: request.origin,
    actorId: request.actorId,
    workstationId: request.workstationId,
    hybridLogicalTime: request.hybridLogicalTime,
    reason: request.reason,
    correlationId: request.correlationId,
    recordedAt: now,
    eventNames: [...new Set(events.map((each) => each.name))],
  } as const
  if (Date.now() > request.deadlineAt) {
    throw new Refusal('NOT_STARTED', 'The deadline passed before the change could be committed', {
      why: 'deadline',
    })
  }
  const entry = await endChangeSet(tx, metadata, {
    ...request,
    answer: request.secretAnswer ? null : JSON.stringify(answer ?? null),
    events,
    sync: null,
  })
  return { answer, entry, repeated: false }
}

/**
 * At the Hub, commands of one laboratory run beside each other, and none beside the decision about pushed work, which
 * takes the same lock for itself alone.
 */
export const decidingLock = 7021121

/** What the triggers are told of a change set: whose rows it writes, under which id, and whether it waits for the Hub. */
function settings(of: Pick<ChangeRequest, 'laboratoryId' | 'origin'>, changeSetId: string): SQL {
  return sql`set_config('tracseq.laboratory_id', ${of.laboratoryId}, true),
    set_config('tracseq.change_set_id', ${changeSetId}, true),
    set_config('tracseq.origin', ${of.origin}, true),
    set_config('tracseq.is_pending', (select case when laboratory_id::text = ${of.laboratoryId}
      and ${of.origin} = 'local' then 'yes' else '' end from platform.sync_state), true)`
}

/**
 * Begins a change set whose rows the platform itself writes, as the database's owner; {@link endChangeSet} ends it. With the
 * word `revision` for its id, rows of several change sets come at once, and each row's revision says to which one it belongs.
 */
export async function beginChangeSet(
  tx: Transaction,
  of: Pick<ChangeRequest, 'laboratoryId' | 'origin'>,
  changeSetId: string,
): Promise<void> {
  await tx.execute(sql`select ${settings(of, changeSetId)}`)
}

/** Notes how far a subscriber has come. */
export async function moveCursor(tx: Transaction, move: CursorMove): Promise<void> {
  await tx.execute(sql`insert into platform.subscriber_cursor (subscriber, journal_sequence, journal_hash)
    values (${move.subscriber}, ${move.journalSequence}, ${move.journalHash})
    on conflict (subscriber) do update
    set journal_sequence = excluded.journal_sequence, journal_hash = excluded.journal_hash`)
}

/** The domain a procedure's full name (`samples.accession`) belongs to. */
function domainOf(procedure: string): string {
  return procedure.slice(0, procedure.indexOf('.'))
}

/** What belongs to a change set beside its rows and its metadata. */
export interface ChangeSetEnd extends Pick<
  ChangeRequest,
  'procedure' | 'idempotencyKey' | 'requestHash' | 'reaction' | 'causedBy'
> {
  /** JSON, for repeats; null keeps none. */
  readonly answer: string | null
  readonly events: readonly unknown[]
  /** What the entry says about sync, null for ordinary work. */
  readonly sync: SyncNote | null
}

/** Makes one outbox row of everything that was captured under a change set's id. Null when there is nothing to say. */
export async function endChangeSet(
  tx: Transaction,
  metadata: UnplacedMetadata,
  end: ChangeSetEnd,
): Promise<OutboxEntry | null> {
  refuseUnjournalable(metadata)
  const { head, tail } = splitPayloadBeginning(metadata)
  const [finished] = await rowsOf<FinishedRow>(
    tx,
    sql`select sequence::text, payload from platform.finish_change_set(
      ${metadata.changeSetId}::uuid, ${metadata.kind}, ${head}, ${tail},
      ${end.idempotencyKey}, ${end.procedure}, ${end.requestHash}, ${end.answer}, ${metadata.recordedAt}::timestamptz,
      ${jsonOrNull(end.reaction)}::json, ${JSON.stringify(end.events, refuseInexactNumber)}::json,
      ${end.causedBy}::uuid, ${jsonOrNull(end.sync)}::json)`,
  )
  return finished === undefined ? null : { sequence: Number(finished.sequence), payload: finished.payload }
}

/** Of an entry that has no place in its domain yet. */
type UnplacedMetadata = Omit<EntryMetadata, 'domainSequence'>

/** The same for many change sets in their order, each of which says something. */
export async function endChangeSets(
  tx: Transaction,
  ends: readonly { readonly metadata: UnplacedMetadata; readonly end: ChangeSetEnd }[],
): Promise<readonly OutboxEntry[]> {
  const rows = ends.map(({ metadata, end }) => {
    refuseUnjournalable(metadata)
    const { changeSetId, kind, recordedAt } = metadata
    const { procedure, idempotencyKey, requestHash, answer, reaction, causedBy, sync } = end
    const events = JSON.parse(JSON.stringify(end.events, refuseInexactNumber)) as unknown
    return {
      ...{ changeSetId, kind, recordedAt, procedure, idempotencyKey, requestHash, answer, causedBy },
      ...{ ...splitPayloadBeginning(metadata), reaction, events, sync },
    }
  })
  const finished = await rowsOf<FinishedRow>(
    tx,
    sql`select finished.sequence::text as sequence, finished.payload
      from rows from (json_to_recordset(${JSON.stringify(rows)}::json) as ("changeSetId" uuid, kind text, head text, tail text,
          "idempotencyKey" text, procedure text, "requestHash" text, answer text, "recordedAt" timestamptz, reaction json,
          events json, "causedBy" uuid, sync json)) with ordinality
        as each ("changeSetId", kind, head, tail, "idempotencyKey", procedure, "requestHash", answer, "recordedAt", reaction,
          events, "causedBy", sync, place),
        lateral platform.finish_change_set("changeSetId", kind, head, tail, "idempotencyKey", procedure, "requestHash",
          answer, "recordedAt", reaction, events, "causedBy", sync) as finished
      order by place`,
  )
  return finished.map(({ sequence, payload }) => ({ sequence: Number(sequence), payload }))
}

function jsonOrNull(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value)
}

/** What the journal would refuse must never be committed: its domain could not write anything any more. */
function refuseUnjournalable(metadata: Omit<EntryMetadata, 'domainSequence'>): void {
  const parsed = EntryMetadataSchema.safeParse({ ...metadata, domainSequence: 1 })
  if (parsed.success) return
  throw new Refusal('BAD_REQUEST', `This cannot be written into the journal: ${describeIssue(parsed.error)}`)
}

function refuseInexactNumber(key: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new Error(`The event's ${key} is ${value}: amounts travel as text, numbers are safe integers`)
  }
  return value
}

/**
 * The text before a payload's body, cut where the domain sequence goes: only the database knows it, inside the
 * transaction.
 */
export function splitPayloadBeginning(metadata: Omit<EntryMetadata, 'domainSequence'>): {
  readonly head: string
  readonly tail: string
} {
  const whole = serialiseMetadata({ ...metadata, domainSequence: 0 })
  const mark = '"domainSequence":0,'
  const at = whole.indexOf(mark) + mark.length - 2
  return { head: `{"entry":${whole.slice(0, at)}`, tail: `${whole.slice(at + 1)},"body":` }
}

function repeatAnswer<T>(seen: NonNullable<SeenRow['seen']>, request: ChangeRequest): T {
  if (seen.request_hash !== request.requestHash) {
    throw new Refusal('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used for a different request')
  }
  if (seen.answer === null) {
    throw new Refusal(
      'IDEMPOTENCY_KEY_REUSED',
      'This was done already, and its answer is a secret that is not kept',
    )
  }
  return JSON.parse(seen.answer) as T
}

/** A stable hash of what was asked and by whom. */
export function hashRequest(procedure: string, actorId: string, input: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([procedure, actorId, sortKeys(input)]))
    .digest('hex')
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  )
}

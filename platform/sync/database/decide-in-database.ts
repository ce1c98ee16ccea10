import { sql } from 'drizzle-orm'
import { beginChangeSet, decidingLock, endChangeSets, type OutboxEntry } from '../../database/change.ts'
import type { DomainDatabase } from '../../database/domain-database.ts'
import { sayBrokenRule } from '../../database/errors.ts'
import { keepDecided } from '../../database/sync-note.ts'
import { rowsOf, type Transaction } from '../../database/transaction.ts'
import { type ChangeSet, type RowImage, splitAddress } from '../change-set.ts'
import {
  decideChangeSet,
  type Decision,
  type HowToDecide,
  neededFor,
  refuseChangeSet,
  type Repeated,
} from '../decide.ts'
import type { DecidedNote } from '../journaled.ts'
import type { LogEntryBody } from '../log.ts'
import { type Choice, type Impossible, resolveItem, type Resolver } from '../resolve.ts'
import type { RowEdit, SyncRules } from '../rules.ts'
import { findUnknownShape, upcastItem, upcastSet } from '../upcast.ts'
import type { Fate, Needs } from '../view.ts'
import type { WorkItem } from '../work-item.ts'
import { BatchView, type Known } from './batch-view.ts'
import type { RowImages } from './row-images.ts'

/** What became of a change set: the answer to whoever pushed it, and a hint only. */
export interface DecidedSet {
  readonly changeSetId: string
  readonly outcome: LogEntryBody['outcome']
  readonly status: Fate['status']
  readonly resultId: string
}

/** A domain's database at the Hub, with what its decisions are made by. */
export interface DecidingDomain {
  readonly database: DomainDatabase
  readonly images: RowImages
  readonly rules: SyncRules
}

/** The engine asks at most twice for most sets; what it reads of rows it has just read may take more rounds. */
const roundsAtMost = 50

/**
 * Decides pushed change sets of one laboratory in their order. What the database itself refuses is found by deciding
 * fewer at once; the one set that it is about becomes a work item, the others go on.
 */
export async function decideSets(
  domain: DecidingDomain,
  sets: readonly ChangeSet[],
  known: Known,
  how: HowToDecide,
): Promise<readonly DecidedSet[]> {
  const [first] = sets
  if (first === undefined) return []
  try {
    return await decideTogether(domain, sets, known, (set, view) =>
      decideChangeSet(set, view, domain.rules, how),
    )
  } catch (error) {
    const words = sayBrokenRule(error)
    if (words === null) throw error
    if (sets.length === 1) {
      return decideTogether(domain, sets, known, (set, view) =>
        refuseChangeSet(set, view, domain.rules, words),
      )
    }
    const half = Math.ceil(sets.length / 2)
    return [
      ...(await decideSets(domain, sets.slice(0, half), known, how)),
      ...(await decideSets(domain, sets.slice(half), known, how)),
    ]
  }
}

/**
 * Decides in one transaction. Commands of the laboratory's people at the Hub wait meanwhile, so that nothing changes
 * between reading and writing.
 */
async function decideTogether(
  domain: DecidingDomain,
  pushed: readonly ChangeSet[],
  known: Known,
  decide: (set: ChangeSet, view: BatchView) => Decision | Repeated | Needs,
): Promise<readonly DecidedSet[]> {
  const laboratoryId = pushed[0]?.laboratoryId ?? ''
  return domain.database.changeAsPlatform(async (tx) => {
    const view = await openView(tx, domain, laboratoryId, known)
    const upcasts = await domain.images.upcasts(tx)
    const sets = pushed.map((set) => upcastSet(set, upcasts))
    await view.load(
      tx,
      domain.images,
      laboratoryId,
      sets.flatMap((set) => neededFor(set, domain.rules)),
    )
    const answer: DecidedSet[] = []
    const decisions: Decision[] = []
    for (const set of sets) {
      const unknown = await findUnknown(tx, domain, set)
      const decided = await attempt<Decision | Repeated>(tx, domain, laboratoryId, view, () =>
        unknown === null ? decide(set, view) : refuseChangeSet(set, view, domain.rules, unknown),
      )
      if (decided.kind === 'decision') {
        view.add(decided)
        decisions.push(decided)
      }
      answer.push(answerFor(set.id, decided))
    }
    return { answer, entries: await writeDecisions(tx, domain, laboratoryId, decisions) }
  })
}

/** What another version pushed and this one has no place for is for a person to see: taken, it would be gone. */
async function findUnknown(
  tx: Transaction,
  { images, rules }: DecidingDomain,
  set: ChangeSet,
): Promise<string | null> {
  const shape = findUnknownShape(set, await images.upcasts(tx))
  if (shape !== null) return `It was made by a newer version, after ${shape}: update the Hub first.`
  return findUnknownColumn(
    tx,
    images,
    set.changes.filter(({ table }) => rules[set.domain]?.[table] !== undefined),
  )
}

/** The same for what a person wants written instead. */
async function findUnknownEdit(
  tx: Transaction,
  { images, rules }: DecidingDomain,
  { domain }: WorkItem,
  edits: readonly RowEdit[],
): Promise<string | null> {
  const stranger = edits.find(({ table }) => rules[domain]?.[table] === undefined)
  if (stranger !== undefined) return `The table ${stranger.table} is not synced.`
  return findUnknownColumn(tx, images, edits)
}

async function findUnknownColumn(
  tx: Transaction,
  images: RowImages,
  writes: readonly { readonly table: string; readonly values: RowImage }[],
): Promise<string | null> {
  for (const { table, values } of writes) {
    const types = await images.typesOf(tx, table)
    const column = Object.keys(values).find((name) => !types.has(name))
    if (column !== undefined) return `The table ${table} has no column ${column} in this version.`
  }
  return null
}

/** Settles a work item as a person chose; `Impossible` when that would break a rule, and then nothing is written. */
export async function resolveInDatabase(
  domain: DecidingDomain,
  itemId: string,
  choice: Choice,
  resolver: Resolver,
  known: Known,
): Promise<readonly DecidedSet[] | Impossible> {
  const { laboratoryId } = resolver
  return domain.database.changeAsPlatform<readonly DecidedSet[] | Impossible>(async (tx) => {
    const view = await openView(tx, domain, laboratoryId, known)
    const [open] = await rowsOf<{ item: WorkItem }>(
      tx,
      sql`select item from platform.work_item
        where laboratory_id = ${laboratoryId}::uuid and id = ${itemId}::uuid and state = 'open'`,
    )
    if (open === undefined) {
      return { answer: { kind: 'impossible', words: 'It is settled already.' }, entries: [] }
    }
    const item = upcastItem(open.item, await domain.images.upcasts(tx))
    const unknown = choice.take === 'edits' ? await findUnknownEdit(tx, domain, item, choice.edits) : null
    if (unknown !== null) return { answer: { kind: 'impossible', words: unknown }, entries: [] }
    const decided = await attempt<Decision | Impossible>(tx, domain, laboratoryId, view, () =>
      resolveItem(item, choice, resolver, view, domain.rules),
    )
    if (decided.kind === 'impossible') return { answer: decided, entries: [] }
    const answer = decided.fates.map(({ changeSetId, fate }) => ({ changeSetId, ...fate }))
    return { answer, entries: await writeDecisions(tx, domain, laboratoryId, [decided]) }
  })
}

/** Nothing of a laboratory is decided or written by its people until the transaction ends. */
export async function waitForDecisions(tx: Transaction, laboratoryId: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(${decidingLock}, hashtext(${laboratoryId}))`)
}

async function openView(
  tx: Transaction,
  domain: DecidingDomain,
  laboratoryId: string,
  known: Known,
): Promise<BatchView> {
  await domain.images.prepare(tx)
  await waitForDecisions(tx, laboratoryId)
  // Rows that change places are judged when all of them are written.
  await tx.execute(sql`set constraints all deferred`)
  return new BatchView(known)
}

/** Asks the engine until the view holds all it reads. */
async function attempt<Result extends { readonly kind: string }>(
  tx: Transaction,
  domain: DecidingDomain,
  laboratoryId: string,
  view: BatchView,
  ask: () => Result | Needs,
): Promise<Result> {
  for (let round = 0; round < roundsAtMost; round += 1) {
    const result = ask()
    if (!isNeeds(result)) return result
    await view.load(tx, domain.images, laboratoryId, result.questions)
  }
  throw new Error('The engine goes on asking')
}

function isNeeds(result: { readonly kind: string }): result is Needs {
  return result.kind === 'needs'
}

function answerFor(changeSetId: string, decided: Decision | Repeated): DecidedSet {
  if (decided.kind === 'repeated') {
    const { outcome, status, resultId } = decided.fate
    return { changeSetId, outcome, status, resultId }
  }
  const fate = decided.fates.find((each) => each.changeSetId === changeSetId)?.fate
  if (fate === undefined) throw new Error(`The decision says nothing of ${changeSetId}`)
  return { changeSetId, outcome: decided.outcome, status: fate.status, resultId: fate.resultId }
}

/**
 * Each decision becomes one entry. Rows of many decisions are written together, as long as none writes a row that
 * another of them has written: then each version must be captured for itself.
 */
async function writeDecisions(
  tx: Transaction,
  { images }: DecidingDomain,
  laboratoryId: string,
  decisions: readonly Decision[],
): Promise<readonly OutboxEntry[]> {
  const entries: OutboxEntry[] = []
  for (const together of splitAtRepeatedRows(decisions)) {
    await beginChangeSet(tx, { laboratoryId, origin: 'hub' }, 'revision')
    for (const [table, rows] of groupByTable(together)) await images.write(tx, laboratoryId, table, rows)
    const notes = together.map(({ body, fates }) => noteOf(body, fates))
    const made = await endChangeSets(
      tx,
      together.map(({ body }, index) => ({
        metadata: metadataOf(body),
        end: {
          ...{
            procedure: body.procedure,
            idempotencyKey: null,
            requestHash: '',
            answer: null,
            reaction: null,
          },
          ...{ causedBy: body.causedBy, events: body.events, sync: notes[index] ?? null },
        },
      })),
    )
    if (made.length !== together.length) throw new Error('A decision is always worth an entry')
    await keepDecided(
      tx,
      laboratoryId,
      made.map(({ sequence }, index) => ({
        note: notes[index],
        domainSequence: sequence,
        recordedAt: together[index]?.body.recordedAt ?? '',
      })),
    )
    entries.push(...made)
  }
  await tx.execute(sql`set constraints all immediate`)
  return entries
}

function splitAtRepeatedRows(decisions: readonly Decision[]): readonly (readonly Decision[])[] {
  const groups: Decision[][] = []
  let written = new Set<string>()
  for (const decision of decisions) {
    const last = groups.at(-1)
    if (last === undefined || decision.rows.some(({ address }) => written.has(address))) {
      groups.push([decision])
      written = new Set()
    } else last.push(decision)
    for (const { address } of decision.rows) written.add(address)
  }
  return groups
}

function groupByTable(decisions: readonly Decision[]): ReadonlyMap<string, readonly RowImage[]> {
  const tables = new Map<string, RowImage[]>()
  for (const { address, image } of decisions.flatMap(({ rows }) => rows)) {
    const { table } = splitAddress(address)
    const rows = tables.get(table)
    if (rows === undefined) tables.set(table, [image])
    else rows.push(image)
  }
  return tables
}

function noteOf(body: LogEntryBody, fates: Decision['fates']): DecidedNote {
  const { outcome, parents, decides, resolvedBy, opens, closes, acknowledges } = body
  return { kind: 'decided', outcome, parents, decides, resolvedBy, opens, closes, acknowledges, fates }
}

function metadataOf(body: LogEntryBody) {
  return {
    kind: 'change',
    domain: body.domain,
    changeSetId: body.id,
    origin: 'hub',
    actorId: body.actorId,
    workstationId: body.workstationId,
    hybridLogicalTime: body.hybridLogicalTime,
    reason: body.reason,
    correlationId: body.correlationId,
    recordedAt: body.recordedAt,
    eventNames: [...new Set(body.events.map(({ name }) => name))],
  } as const
}

import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { beginChangeSet, endChangeSet, type OutboxEntry } from '../../database/change.ts'
import type { DomainDatabase } from '../../database/domain-database.ts'
import { applySyncNote } from '../../database/sync-note.ts'
import { writeRow } from '../../database/replay.ts'
import { replaceLaboratoryRows } from '../../database/snapshot.ts'
import { rowsOf, type Transaction } from '../../database/transaction.ts'
import {
  addressOf,
  type ChangeSet,
  type RowAddress,
  type RowChange,
  type RowImage,
  splitAddress,
} from '../change-set.ts'
import {
  foldAgain,
  followEntry,
  type FollowNeeds,
  type FollowPlan,
  type LocalRow,
  type LocalView,
  type PendingChange,
} from '../follow.ts'
import { logEntryOf, type SyncNote } from '../journaled.ts'
import type { LogEntryBody } from '../log.ts'
import type { SyncRules } from '../rules.ts'
import { upcastEntry } from '../upcast.ts'
import { type LookUp, matches, nameQuestion } from '../view.ts'
import type { RowImages } from './row-images.ts'

/** An entry of the Hub's log whose place in the chain was checked. */
export interface ReceivedEntry {
  readonly position: number
  readonly hash: string
  readonly payload: string
}

/** A domain's database at a workstation. */
export interface FollowingDomain {
  readonly name: string
  readonly database: DomainDatabase
  readonly images: RowImages
  readonly rules: SyncRules
  readonly workstationId: string
  readonly clock: {
    /** The next moment of hybrid logical time. */
    tick(): string
    /** The instant by the machine's clock. */
    now(): string
  }
}

interface Place {
  readonly position: number
  readonly hash: string
}

type FollowedNote = Extract<SyncNote, { kind: 'followed' }>

/**
 * Follows entries of the Hub's log in one transaction: what the Hub has, with what is pending folded on top. Entries
 * that were followed before are passed over. What an entry changed here is journaled under the entry's own author;
 * entries that only confirm what is here already share one.
 */
export async function followEntries(
  domain: FollowingDomain,
  entries: readonly ReceivedEntry[],
  upTo: Place,
): Promise<Place & { readonly laboratoryId: string; readonly pending: number }> {
  return domain.database.changeAsPlatform(async (tx) => {
    const before = await readPosition(tx)
    const { laboratoryId } = before
    if (laboratoryId === null) throw new Error(`${domain.name} is not enrolled: it follows no Hub`)
    const fresh = entries.filter(({ position }) => position > before.position)
    const made = fresh.length === 0 ? [] : await followFresh(tx, domain, laboratoryId, fresh)
    if (upTo.position > before.position) {
      // Positions of other domains' entries are not worth an entry of their own: followed again, they change nothing.
      await tx.execute(
        sql`update platform.sync_state set log_position = ${upTo.position}, log_hash = ${upTo.hash}`,
      )
    }
    const after = await readSyncState(tx)
    const { position, hash, pending } = after
    return { answer: { laboratoryId, position, hash, pending }, entries: made }
  })
}

/** A change set may hold 1,000 rows and 4 MB. */
const rowsPerEntry = 200

/**
 * Takes the Hub's snapshot in place of all rows that are here, with the work items that are open in it. What it shows to be
 * decided is pending no longer, and the rest is folded on top of it. The rows are in no entry of the journal: a snapshot of
 * our own must follow at once.
 */
export async function installSnapshot(
  domain: FollowingDomain,
  laboratoryId: string,
  file: { readonly path: string; readonly sha256: string },
  place: Place,
): Promise<number> {
  return domain.database.changeAsPlatform(async (tx) => {
    const rows = await replaceLaboratoryRows(tx, file.path, laboratoryId)
    await domain.images.prepare(tx)
    const note = {
      kind: 'installed',
      sha256: file.sha256,
      position: place.position,
      hash: place.hash,
    } as const
    const installed = await writeFollowed(tx, domain, laboratoryId, confirmation(domain), note, [])
    await orderWorkItems(tx, laboratoryId, installed.sequence)
    // Rows that change places are judged when all of them are written.
    await tx.execute(sql`set constraints all deferred`)
    const confirmed = await confirmDecided(tx, domain, laboratoryId, place)
    const folded = await foldPending(tx, domain, laboratoryId, place)
    await tx.execute(sql`set constraints all immediate`)
    return { answer: rows, entries: [installed, ...confirmed, ...folded] }
  })
}

/** The Hub counts its entries otherwise: here, the items came with this one, before all that are opened later. */
async function orderWorkItems(tx: Transaction, laboratoryId: string, sequence: number): Promise<void> {
  await tx.execute(sql`update platform.work_item as item
    set opened_sequence = ${sequence}, opened_ordinal = came.ordinal
    from (select id, row_number() over (order by opened_sequence, opened_ordinal) as ordinal
      from platform.work_item where laboratory_id = ${laboratoryId}::uuid) as came
    where item.laboratory_id = ${laboratoryId}::uuid and item.id = came.id`)
}

/** The entries that decided these lie before the snapshot, and nobody will ever follow them. */
async function confirmDecided(
  tx: Transaction,
  domain: FollowingDomain,
  laboratoryId: string,
  { position, hash }: Place,
): Promise<readonly OutboxEntry[]> {
  const changes = await rowsOf<{ set: string; table: string; id: string }>(
    tx,
    sql`with decided as (delete from platform.change_set_fate where laboratory_id = ${laboratoryId}::uuid
        returning change_set_id)
      select change_set_id::text as set, table_name as table, row_id::text as id
      from decided join platform.pending_change using (change_set_id) order by domain_sequence, ordinal`,
  )
  const entries: OutboxEntry[] = []
  for (let from = 0; from < changes.length; from += rowsPerEntry) {
    const some = changes.slice(from, from + rowsPerEntry)
    const note: FollowedNote = {
      ...{ kind: 'followed', position, hash, confirmed: [...new Set(some.map(({ set }) => set))] },
      // Of a row that still has something pending, folding keeps the Hub's image again.
      images: some.map(({ table, id }) => ({ table, id })),
      ...{ opens: [], closes: [], acknowledges: [] },
    }
    entries.push(await writeFollowed(tx, domain, laboratoryId, confirmation(domain), note, []))
  }
  return entries
}

async function foldPending(
  tx: Transaction,
  domain: FollowingDomain,
  laboratoryId: string,
  place: Place,
): Promise<readonly OutboxEntry[]> {
  const pending = await rowsOf<{ table: string; id: string }>(
    tx,
    sql`select distinct table_name as table, row_id::text as id from platform.pending_change`,
  )
  if (pending.length === 0) return []
  const addresses = pending.map(({ table, id }) => addressOf(domain.name, table, id))
  const view = WorkstationRows.over(tx, domain, laboratoryId)
  await view.takeRowsAsImages(addresses)
  const plan = await askUntilKnown(view, () => foldAgain(domain.name, addresses, view, domain.rules))
  const images = addresses.map((address) => {
    const { table, id } = splitAddress(address)
    return { table, id, image: view.row(address) }
  })
  const changes = plan.rows.map(({ address, image }) =>
    changeFrom(laboratoryId, address, view.row(address), image),
  )
  const entries: OutboxEntry[] = []
  for (let from = 0; from < Math.max(images.length, changes.length); from += rowsPerEntry) {
    const note: FollowedNote = {
      ...{ kind: 'followed', position: place.position, hash: place.hash, confirmed: [] },
      images: images.slice(from, from + rowsPerEntry),
      ...{ opens: [], closes: [], acknowledges: [] },
    }
    const some = changes.slice(from, from + rowsPerEntry)
    entries.push(await writeFollowed(tx, domain, laboratoryId, confirmation(domain), note, some))
  }
  return entries
}

/** Where a domain stands in the Hub's log, and how much of its own work the log has not confirmed. */
export async function readSyncState(tx: Pick<Transaction, 'execute'>): Promise<
  Place & {
    readonly laboratoryId: string | null
    readonly pending: number
    readonly oldestPending: number | null
  }
> {
  const [row] = await rowsOf<{
    laboratory: string | null
    position: string
    hash: string
    pending: string
    oldest: string | null
  }>(
    tx,
    sql`select laboratory_id::text as laboratory, log_position::text as position, log_hash as hash,
      (select count(*)::text from platform.pending_change where ordinal = 1) as pending,
      (select min(domain_sequence)::text from platform.pending_change) as oldest from platform.sync_state`,
  )
  return {
    laboratoryId: row?.laboratory ?? null,
    position: Number(row?.position ?? 0),
    hash: row?.hash ?? '',
    pending: Number(row?.pending ?? 0),
    oldestPending: row?.oldest == null ? null : Number(row.oldest),
  }
}

/** The same without what waits, which takes longer the more it is. */
async function readPosition(
  tx: Transaction,
): Promise<{ readonly laboratoryId: string | null; readonly position: number }> {
  const [row] = await rowsOf<{ laboratory: string | null; position: string }>(
    tx,
    sql`select laboratory_id::text as laboratory, log_position::text as position from platform.sync_state`,
  )
  return { laboratoryId: row?.laboratory ?? null, position: Number(row?.position ?? 0) }
}

async function followFresh(
  tx: Transaction,
  domain: FollowingDomain,
  laboratoryId: string,
  entries: readonly ReceivedEntry[],
): Promise<readonly OutboxEntry[]> {
  await domain.images.prepare(tx)
  await tx.execute(sql`set constraints all deferred`)
  const upcasts = await domain.images.upcasts(tx)
  const read = entries.map((entry) => ({ ...entry, body: upcastEntry(logEntryOf(entry.payload), upcasts) }))
  const view = await WorkstationRows.load(
    tx,
    domain,
    laboratoryId,
    read.map(({ body }) => body),
  )
  const made: OutboxEntry[] = []
  const quiet: Quiet = { confirmed: [], images: new Map(), last: null }

  const settle = async () => {
    const { last } = quiet
    if (last === null) return
    const [confirmed, images] = [quiet.confirmed.splice(0), [...quiet.images.values()]]
    quiet.images.clear()
    quiet.last = null
    const note: FollowedNote = {
      ...{ kind: 'followed', position: last.position, hash: last.hash, confirmed, images },
      ...{ opens: [], closes: [], acknowledges: [] },
    }
    made.push(await writeFollowed(tx, domain, laboratoryId, confirmation(domain), note, []))
  }

  for (const { body, ...entry } of read) {
    const decided = view.pendingSet(body.decides)
    const plan = await askUntilKnown(view, () =>
      followEntry({ ...body, position: entry.position, hash: entry.hash }, decided, view, domain.rules),
    )
    const confirmed = decided === null ? [] : [decided.id]
    const images = plan.hubImages.map(({ address, image }) => {
      const { table, id } = splitAddress(address)
      return image === undefined ? { table, id } : { table, id, image }
    })
    const changes = plan.rows.map(({ address, image }) =>
      changeFrom(laboratoryId, address, view.row(address), image),
    )
    view.apply(plan, decided)
    const says = changes.length + body.opens.length + body.closes.length > 0
    if (!says) {
      quiet.confirmed.push(...confirmed)
      for (const image of images) quiet.images.set(`${image.table}/${image.id}`, image)
      quiet.last = entry
      continue
    }
    await settle()
    const { opens, closes, acknowledges } = body
    const note: FollowedNote = {
      ...{ kind: 'followed', position: entry.position, hash: entry.hash, confirmed, images },
      ...{ opens, closes, acknowledges },
    }
    made.push(await writeFollowed(tx, domain, laboratoryId, body, note, changes))
  }
  await settle()
  await tx.execute(sql`set constraints all immediate`)
  return made
}

/** Entries that change no row here, gathered for one entry of the journal. */
interface Quiet {
  readonly confirmed: string[]
  /** The last one of each row counts. */
  readonly images: Map<string, FollowedNote['images'][number]>
  last: ReceivedEntry | null
}

/** The author of an entry, as far as it goes into the journal. */
type Author = Pick<
  LogEntryBody,
  | 'id'
  | 'actorId'
  | 'workstationId'
  | 'hybridLogicalTime'
  | 'reason'
  | 'correlationId'
  | 'recordedAt'
  | 'procedure'
  | 'causedBy'
  | 'events'
>

/** Many confirmations in one entry are nobody's doing but the workstation's. */
function confirmation({ workstationId, clock, name }: FollowingDomain): Author {
  const id = uuidv7()
  return {
    ...{
      id,
      actorId: 'tracseq',
      workstationId,
      hybridLogicalTime: clock.tick(),
      reason: null,
      correlationId: id,
    },
    ...{ recordedAt: clock.now(), procedure: `${name}.syncFollow`, causedBy: null, events: [] },
  }
}

async function writeFollowed(
  tx: Transaction,
  domain: FollowingDomain,
  laboratoryId: string,
  author: Author,
  note: SyncNote,
  changes: readonly RowChange[],
): Promise<OutboxEntry> {
  await beginChangeSet(tx, { laboratoryId, origin: 'hub' }, author.id)
  for (const change of changes) await writeRow(tx, change, await domain.images.typesOf(tx, change.table))
  const { recordedAt, procedure, causedBy, events, actorId, workstationId } = author
  const entry = await endChangeSet(
    tx,
    {
      ...{
        kind: 'change',
        domain: domain.name,
        changeSetId: author.id,
        origin: 'hub',
        actorId,
        workstationId,
      },
      ...{
        hybridLogicalTime: author.hybridLogicalTime,
        reason: author.reason,
        correlationId: author.correlationId,
      },
      recordedAt,
      eventNames: [...new Set(events.map(({ name }) => name))],
    },
    {
      ...{ procedure, idempotencyKey: null, requestHash: '', answer: null, reaction: null, causedBy, events },
      sync: note,
    },
  )
  if (entry === null) throw new Error('What was followed is always worth an entry')
  await applySyncNote(tx, note, { laboratoryId, domainSequence: entry.sequence, recordedAt })
  return entry
}

function changeFrom(
  laboratoryId: string,
  address: RowAddress,
  from: RowImage | null,
  to: RowImage | null,
): RowChange {
  const { table, id } = splitAddress(address)
  const key = { laboratory_id: laboratoryId, id }
  const replaces = from?.revision ?? null
  if (to === null) return { table, operation: 'withdraw', key, replaces, values: {}, before: from ?? {} }
  if (from === null) return { table, operation: 'insert', key, replaces: null, values: to, before: {} }
  const columns = Object.keys(to).filter((column) => to[column] !== from[column])
  return {
    ...{ table, operation: 'update', key, replaces },
    values: Object.fromEntries(columns.map((column) => [column, to[column] ?? null])),
    before: Object.fromEntries(columns.map((column) => [column, from[column] ?? null])),
  }
}

async function askUntilKnown(
  view: WorkstationRows,
  ask: () => FollowPlan | FollowNeeds,
): Promise<FollowPlan> {
  for (let round = 0; round < 50; round += 1) {
    const result = ask()
    if (result.kind === 'plan') return result
    await view.answer(result)
  }
  throw new Error('Following goes on asking')
}

/** The workstation's rows as the engine asks for them, with what has been followed in this transaction laid over. */
class WorkstationRows implements LocalView {
  readonly #tx: Transaction
  readonly #domain: FollowingDomain
  readonly #laboratoryId: string
  readonly #rows = new Map<RowAddress, RowImage | null>()
  readonly #images = new Map<RowAddress, RowImage | null>()
  readonly #pendingOn = new Map<RowAddress, readonly PendingChange[]>()
  readonly #lookUps = new Map<string, readonly RowImage[]>()
  readonly #sets = new Map<string, ChangeSet>()

  private constructor(tx: Transaction, domain: FollowingDomain, laboratoryId: string) {
    this.#tx = tx
    this.#domain = domain
    this.#laboratoryId = laboratoryId
  }

  static over(tx: Transaction, domain: FollowingDomain, laboratoryId: string): WorkstationRows {
    return new WorkstationRows(tx, domain, laboratoryId)
  }

  /** Loads what the entries touch at once; whatever else is asked for comes later. */
  static async load(
    tx: Transaction,
    domain: FollowingDomain,
    laboratoryId: string,
    bodies: readonly LogEntryBody[],
  ): Promise<WorkstationRows> {
    const view = new WorkstationRows(tx, domain, laboratoryId)
    await view.#loadSets(bodies.map(({ decides }) => decides))
    const touched = bodies.flatMap((body) => [
      ...body.changes.map(({ table, key }) => addressOf(domain.name, table, key.id)),
      ...(view.pendingSet(body.decides)?.changes ?? []).map(({ table, key }) =>
        addressOf(domain.name, table, key.id),
      ),
    ])
    await view.#loadAddresses(touched)
    return view
  }

  at(address: RowAddress): LocalRow | undefined {
    const row = this.#rows.get(address)
    if (row === undefined) return undefined
    return { row, hubImage: this.#images.get(address) ?? null, pending: this.#pendingOn.get(address) ?? [] }
  }

  rows(lookUp: LookUp): readonly RowImage[] | undefined {
    const loaded = this.#lookUps.get(nameQuestion({ ask: 'rows', lookUp }))
    if (loaded === undefined) return undefined
    const { domain, table } = lookUp
    const prefix = `${domain}/${table}/`
    const kept = loaded.filter((row) => !this.#rows.has(addressOf(domain, table, row.id ?? '')))
    const here = [...this.#rows].flatMap(([address, row]) =>
      row !== null && address.startsWith(prefix) && matches(row, lookUp) ? [row] : [],
    )
    return [...kept, ...here]
  }

  row(address: RowAddress): RowImage | null {
    return this.#rows.get(address) ?? null
  }

  /** A set that the log has not confirmed; its changes are all that counts. */
  pendingSet(changeSetId: string): ChangeSet | null {
    return this.#sets.get(changeSetId) ?? null
  }

  /** The rows that are there now are the Hub's own. */
  async takeRowsAsImages(addresses: readonly RowAddress[]): Promise<void> {
    await this.#loadAddresses(addresses)
    for (const address of addresses) this.#images.set(address, this.row(address))
  }

  async answer({ addresses, lookUps }: FollowNeeds): Promise<void> {
    await this.#loadAddresses(addresses)
    for (const lookUp of lookUps) {
      const [found] = await this.#domain.images.find(this.#tx, this.#laboratoryId, lookUp.table, [lookUp])
      this.#lookUps.set(nameQuestion({ ask: 'rows', lookUp }), found ?? [])
    }
  }

  apply(plan: FollowPlan, decided: ChangeSet | null): void {
    for (const { address, image } of plan.rows) this.#rows.set(address, image)
    for (const { address, image } of plan.hubImages) {
      if (image === undefined) this.#images.delete(address)
      else this.#images.set(address, image)
    }
    if (decided === null) return
    this.#sets.delete(decided.id)
    for (const { table, key } of decided.changes) {
      const address = addressOf(this.#domain.name, table, key.id)
      const rest = (this.#pendingOn.get(address) ?? []).filter(
        ({ changeSetId }) => changeSetId !== decided.id,
      )
      this.#pendingOn.set(address, rest)
    }
  }

  async #loadSets(changeSetIds: readonly string[]): Promise<void> {
    const rows = await rowsOf<{ id: string; change: RowChange }>(
      this.#tx,
      sql`select change_set_id::text as id, change from platform.pending_change
        where change_set_id = any (array(select each::uuid from json_array_elements_text(${JSON.stringify(changeSetIds)}::json) each))
        order by domain_sequence, ordinal`,
    )
    for (const { id, change } of rows) {
      const known = this.#sets.get(id)
      const set = known ?? ({ id, domain: this.#domain.name, changes: [] } as unknown as ChangeSet)
      this.#sets.set(id, { ...set, changes: [...set.changes, change] })
    }
  }

  async #loadAddresses(addresses: readonly RowAddress[]): Promise<void> {
    const missing = [...new Set(addresses)].filter((address) => !this.#rows.has(address))
    if (missing.length === 0) return
    const byTable = new Map<string, string[]>()
    for (const address of missing) {
      const { table, id } = splitAddress(address)
      byTable.set(table, [...(byTable.get(table) ?? []), id])
    }
    const { name } = this.#domain
    for (const [table, ids] of byTable) {
      const found = await this.#domain.images.read(this.#tx, this.#laboratoryId, table, ids)
      for (const id of ids) this.#rows.set(addressOf(name, table, id), found.get(id) ?? null)
    }
    const ids = JSON.stringify(missing.map((address) => splitAddress(address).id))
    const images = await rowsOf<{ table: string; id: string; image: RowImage | null }>(
      this.#tx,
      sql`select table_name as table, row_id::text as id, image from platform.hub_image
        where row_id = any (array(select each::uuid from json_array_elements_text(${ids}::json) each))`,
    )
    for (const { table, id, image } of images) this.#images.set(addressOf(name, table, id), image)
    const pending = await rowsOf<{ id: string; order: string; change: RowChange }>(
      this.#tx,
      sql`select change_set_id::text as id, domain_sequence::text as order, change from platform.pending_change
        where row_id = any (array(select each::uuid from json_array_elements_text(${ids}::json) each))
        order by domain_sequence, ordinal`,
    )
    for (const { id, order, change } of pending) {
      const address = addressOf(name, change.table, change.key.id)
      const here = this.#pendingOn.get(address) ?? []
      this.#pendingOn.set(address, [...here, { changeSetId: id, order: Number(order), change }])
    }
  }
}

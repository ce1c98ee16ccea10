import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { Refusal } from '../contract/refusal.ts'
import { beginChangeSet, endChangeSet, type OutboxEntry } from '../database/change.ts'
import { addLaboratoryRows, type LaboratorySnapshot, writeLaboratorySnapshot } from '../database/snapshot.ts'
import { applySyncNote } from '../database/sync-note.ts'
import { rowsOf, type Transaction } from '../database/transaction.ts'
import { countOpenItems, type Known, readFates, readOpenItems } from '../sync/database/batch-view.ts'
import { findUnopened } from '../sync/database/open-contested.ts'
import {
  decideSets,
  type DecidingDomain,
  resolveInDatabase,
  waitForDecisions,
} from '../sync/database/decide-in-database.ts'
import {
  followEntries,
  type FollowingDomain,
  installSnapshot,
  readSyncState,
} from '../sync/database/follow-in-database.ts'
import { RowImages } from '../sync/database/row-images.ts'
import type { DomainSyncContract } from '../sync/domain-contract.ts'
import { addressOf, type RowAddress, type RowImage, splitAddress } from '../sync/change-set.ts'
import type { DecidedNote } from '../sync/journaled.ts'
import { isFileName } from '../sync/named-files.ts'
import { upcastItem } from '../sync/upcast.ts'
import { rowsOfItem } from '../sync/work-item.ts'
import type { Fate } from '../sync/view.ts'
import type { HybridClock } from './hybrid-clock.ts'
import { type Implementation, orchestrates, reads, type ServiceDefinition } from './implementation.ts'
import type { Surroundings } from './start-service.ts'

/** What every domain does for sync, whatever it is about: its tables and its rules say the rest. */
export function syncProcedures(
  definition: ServiceDefinition,
  around: Pick<Surroundings, 'database' | 'home' | 'workstation' | 'report'>,
  clock: HybridClock,
): Implementation<DomainSyncContract> {
  const { name } = definition
  const { database, workstation } = around
  const images = new RowImages()
  const rules = { [name]: definition.syncRules }
  const deciding: DecidingDomain = { database, images, rules }
  const following: FollowingDomain = {
    ...{ name, database, images, rules, clock, workstationId: workstation.id },
  }
  /** Whoever shows the domain reads it again. */
  const tellChanged = (laboratoryId: string) => around.report({ type: 'changed', laboratoryId })
  const fileColumns: readonly (readonly [string, string[]])[] = definition.tables.tables.flatMap(
    ({ name: table, files = [] }) => (files.length === 0 ? [] : [[table, [...files]] as const]),
  )
  const folderOf = (laboratoryId: string) => join(around.home, 'sync', laboratoryId, name)

  /** Ends what the platform wrote itself, for nobody in particular, as an entry of the journal. */
  async function end(
    tx: Transaction,
    changeSetId: string,
    sync: Parameters<typeof endChangeSet>[2]['sync'],
  ): Promise<OutboxEntry | null> {
    return endChangeSet(
      tx,
      {
        ...{ kind: 'change', domain: name, changeSetId, origin: 'hub', actorId: 'tracseq' },
        ...{ workstationId: workstation.id, hybridLogicalTime: clock.tick(), reason: null },
        ...{ correlationId: changeSetId, recordedAt: clock.now(), eventNames: [] },
      },
      {
        ...{ procedure: `${name}.sync`, idempotencyKey: null, requestHash: '', answer: null, reaction: null },
        ...{ causedBy: null, events: [], sync },
      },
    )
  }

  return {
    syncState: reads((scope) =>
      scope.readAcrossLaboratories(async (tx) => {
        const { laboratoryId, position, hash, pending, oldestPending } = await readSyncState(tx)
        const migrations = await rowsOf<{ name: string }>(
          tx,
          sql`select name from platform.migration order by applied_at, name`,
        )
        return {
          ...{ laboratoryId, place: { position, hash }, pending, oldestPending },
          hasRows: await hasRows(tx, null),
          migrations: migrations.map((each) => each.name),
          fileColumns: Object.fromEntries(fileColumns),
        }
      }),
    ),

    syncFiles: reads((scope, { laboratoryId }) =>
      scope.readAcrossLaboratories(async (tx) => {
        const named = new Set<string>()
        for (const [table, columns] of fileColumns)
          for (const column of columns)
            for (const { sha256 } of await readColumn(tx, laboratoryId, table, column)) named.add(sha256)
        return { sha256: [...named].filter(isFileName) }
      }),
    ),

    syncSnapshot: orchestrates((scope, { laboratoryId }) =>
      scope.asOwner(async (tx) => {
        await tx.execute(sql`set transaction isolation level repeatable read, read only`)
        const folder = folderOf(laboratoryId)
        return describe(
          await writeLaboratorySnapshot(tx, name, laboratoryId, folder, { withDecisions: true }),
        )
      }),
    ),

    syncWorkItems: reads((scope, { laboratoryId, withRows, ...wanted }) =>
      scope.readAcrossLaboratories(async (tx) => {
        const upcasts = await images.upcasts(tx)
        const read = await readOpenItems(tx, laboratoryId, wanted)
        const open = read.map((each) => ({ ...each, item: upcastItem(each.item, upcasts) }))
        const about = withRows ? open.flatMap(({ item }) => rowsOfItem(item)) : []
        return {
          rows: await readRows(tx, laboratoryId, about),
          total: wanted.limit === undefined ? open.length : await countOpenItems(tx, laboratoryId, wanted),
          items: open.map(({ item, openedAt }) => ({
            id: item.id,
            laboratoryId,
            domain: name,
            openedAt,
            item,
          })),
        }
      }),
    ),

    syncEnroll: orchestrates((_scope, { laboratoryId }) =>
      database.changeAsPlatform(async (tx) => {
        const state = await readSyncState(tx)
        if (state.laboratoryId !== null && state.laboratoryId !== laboratoryId) {
          throw new Refusal('CONFLICT', 'This workstation is enrolled for another laboratory')
        }
        const entries: OutboxEntry[] = []
        if (state.laboratoryId === null) {
          const id = uuidv7()
          await beginChangeSet(tx, { laboratoryId, origin: 'hub' }, id)
          const note = { kind: 'enrolled', laboratoryId } as const
          const entry = await end(tx, id, note)
          if (entry === null) throw new Error('Being enrolled is always worth an entry')
          await applySyncNote(tx, note, { laboratoryId, domainSequence: entry.sequence, recordedAt: '' })
          entries.push(entry)
        }
        const folder = folderOf(laboratoryId)
        const written = await writeLaboratorySnapshot(tx, name, laboratoryId, folder, {
          withDecisions: false,
        })
        return { answer: await describe(written), entries }
      }),
    ),

    syncInstall: orchestrates(async (_scope, { laboratoryId, path, place }) => {
      const rows = await installSnapshot(following, laboratoryId, { path, sha256: await hashOf(path) }, place)
      // The rows are in no entry: the way back begins here.
      await database.snapshot()
      tellChanged(laboratoryId)
      return { rows }
    }),

    syncFollow: orchestrates(async (_scope, { entries, upTo }) => {
      const { laboratoryId, position, hash, pending } = await followEntries(following, entries, upTo)
      if (entries.length > 0) tellChanged(laboratoryId)
      return { place: { position, hash }, pending }
    }),

    syncDecide: orchestrates(async (_scope, { sets, known, again }) => {
      const decided = await decideSets(deciding, sets, toKnown(known), { from: 'workstation', again })
      for (const laboratoryId of new Set(sets.map((set) => set.laboratoryId))) tellChanged(laboratoryId)
      return { decided: [...decided] }
    }),

    syncResolve: orchestrates(async (_scope, { laboratoryId, itemId, choice, reason, actorId, known }) => {
      const id = uuidv7()
      const resolver = {
        ...{ id, laboratoryId, actorId, reason, workstationId: workstation.id, correlationId: id },
        ...{ hybridLogicalTime: clock.tick(), recordedAt: clock.now() },
      }
      const answer = await resolveInDatabase(deciding, itemId, choice, resolver, toKnown(known))
      tellChanged(laboratoryId)
      return 'kind' in answer ? { done: false, words: answer.words } : { done: true, decided: [...answer] }
    }),

    syncFates: reads(async (scope, { laboratoryId, changeSetIds }) => {
      const fates = await scope.readAcrossLaboratories((tx) => readFates(tx, laboratoryId, changeSetIds))
      // Other domains build on it.
      if (fates.size > 0) await database.untilConfirmed()
      return {
        fates: Object.fromEntries(
          [...fates].map(([id, fate]) => [id, { ...fate, altered: [...fate.altered] }]),
        ),
      }
    }),

    syncOpenContested: orchestrates(async (_scope, { laboratoryId }) => {
      const { opened } = await database.changeAsPlatform(async (tx) => {
        const id = uuidv7()
        await waitForDecisions(tx, laboratoryId)
        const opens = await findUnopened(tx, images, { name, rules: definition.syncRules }, laboratoryId, id)
        if (opens.length === 0) return { answer: { opened: 0 }, entries: [] }
        await beginChangeSet(tx, { laboratoryId, origin: 'hub' }, id)
        const note: DecidedNote = {
          ...{ kind: 'decided' as const, outcome: 'applied' as const },
          ...{ parents: [], decides: id, resolvedBy: null, opens, closes: [], acknowledges: [], fates: [] },
        }
        const entry = await end(tx, id, note)
        if (entry === null) throw new Error('A work item is always worth an entry')
        const recordedAt = clock.now()
        await applySyncNote(tx, note, { laboratoryId, domainSequence: entry.sequence, recordedAt })
        return { answer: { opened: opens.length }, entries: [entry] }
      })
      if (opened > 0) tellChanged(laboratoryId)
      return { opened }
    }),

    syncFound: orchestrates((_scope, { laboratoryId, path }) =>
      database.changeAsPlatform(async (tx) => {
        // It was done before, and the answer was lost.
        if (await hasRows(tx, laboratoryId)) return { answer: { rows: 0 }, entries: [] }
        const entries: OutboxEntry[] = []
        let id = ''
        const rows = await addLaboratoryRows(
          tx,
          path,
          laboratoryId,
          async () => {
            id = uuidv7()
            await beginChangeSet(tx, { laboratoryId, origin: 'hub' }, id)
          },
          async () => {
            const entry = await end(tx, id, null)
            if (entry !== null) entries.push(entry)
          },
        )
        return { answer: { rows }, entries }
      }),
    ),
  }

  /** Whether there are rows of a laboratory, or of any. */
  async function readRows(
    tx: Pick<Transaction, 'execute'>,
    laboratoryId: string,
    addresses: readonly RowAddress[],
  ): Promise<Record<string, RowImage>> {
    if (addresses.length === 0) return {}
    await images.prepare(tx)
    const read: Record<string, RowImage> = {}
    for (const [table, some] of Map.groupBy(new Set(addresses), (address) => splitAddress(address).table)) {
      const ids = some.map((address) => splitAddress(address).id)
      for (const [id, image] of await images.read(tx, laboratoryId, table, ids))
        read[addressOf(name, table, id)] = image
    }
    return read
  }

  async function hasRows(tx: Pick<Transaction, 'execute'>, laboratoryId: string | null): Promise<boolean> {
    for (const { name: table, policy } of definition.tables.tables) {
      if (policy === 'local' || policy === 'derived') continue
      const [found] = await rowsOf(
        tx,
        sql`select from ${sql.identifier(table)} where ${laboratoryId}::uuid is null or laboratory_id = ${laboratoryId}::uuid limit 1`,
      )
      if (found !== undefined) return true
    }
    return false
  }
}

/** What is in a column, each text once. */
function readColumn(
  tx: Pick<Transaction, 'execute'>,
  laboratoryId: string,
  table: string,
  column: string,
): Promise<readonly { sha256: string }[]> {
  const cell = sql.identifier(column)
  return rowsOf<{ sha256: string }>(
    tx,
    sql`select distinct ${cell} as sha256 from ${sql.identifier(table)}
        where laboratory_id = ${laboratoryId}::uuid and ${cell} is not null`,
  )
}

function toKnown(known: {
  readonly fates: Readonly<Record<string, unknown>>
  readonly permitted: readonly string[]
}): Known {
  return {
    fates: new Map(Object.entries(known.fates as Record<string, (Fate & { altered: RowAddress[] }) | null>)),
    permitted: new Set(known.permitted),
  }
}

async function describe(snapshot: LaboratorySnapshot | null) {
  if (snapshot === null) throw new Error('The domain has no schema yet')
  const { path, sequence, rows } = snapshot
  return { path, rows, domainSequence: sequence, sha256: await hashOf(path), bytes: (await stat(path)).size }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

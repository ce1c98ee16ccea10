import type { KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { v7 as newId } from 'uuid'
import { z } from 'zod'
import { notFound } from '../../platform/contract/refusal.ts'
import { describeIssue } from '../../platform/journal/entry.ts'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import {
  type Bundle,
  type BundleHeader,
  BundleProblem,
  BundleWriter,
  openBundle,
} from '../../platform/sync/bundle.ts'
import {
  type LogPart,
  ManifestToHub,
  type ManifestToWorkstation,
  Tally,
} from '../../platform/sync/bundle-content.ts'
import { BundleFolder, nameOfBundle } from '../../platform/sync/bundle-folder.ts'
import type { BroughtBundle, MadeBundle } from '../../platform/sync/contract.ts'
import type { LogPlace, WireEntry } from '../../platform/sync/domain-contract.ts'
import {
  beginsAnew,
  continueRun,
  countersign,
  type JournalPlace,
  PushRun,
  readSets,
  TamperedRun,
  verifyRun,
} from '../../platform/sync/push-run.ts'
import { sealingKeyFrom } from '../../platform/sync/sealing-key.ts'
import { compareVersions } from '../../platform/sync/versions.ts'
import { quietEntries } from '../../platform/sync/wire.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Domains } from './domains.ts'
import { Fates } from './fates.ts'
import type { Intake } from './intake.ts'
import { SyncProblem } from './sync-problem.ts'
import type { SyncStore, Workstation } from './sync-store.ts'

export interface HubBundlesOptions {
  readonly home: string
  readonly store: SyncStore
  readonly intake: Intake
  readonly reader: LogReader
  readonly domains: Domains
  readonly key: WorkstationKey
  readonly sealingKey: KeyObject
  readonly log: (words: string, fields: Readonly<Record<string, unknown>>) => void
}

/** As much as is known of a bundle by the time it is refused. */
interface Seen {
  header: BundleHeader | null
  sender: Workstation | null
}

const most = { entries: 1_000, bytes: 4 * 1024 * 1024 }
/** A push over the network may come between reading what is known and pushing what follows. */
const attempts = 3

/** Sync by hand: makes bundles for workstations, and takes those that workstations made. */
export class HubBundles {
  readonly #options: HubBundlesOptions
  readonly #folder: BundleFolder
  readonly #fates: Fates

  constructor(options: HubBundlesOptions) {
    this.#options = options
    this.#fates = new Fates(options.domains)
    this.#folder = new BundleFolder(options.home)
  }

  find(id: string, laboratoryId: string): Promise<File | null> {
    return this.#folder.find(id, laboratoryId)
  }

  /** Puts together what a workstation does not have of the laboratory's log, and how much of its journal is here. */
  async make(laboratoryId: string, workstationId: string): Promise<MadeBundle> {
    const { store, key, log } = this.#options
    const workstation = await store.workstationBy('id', workstationId)
    if (workstation?.laboratoryId !== laboratoryId) throw notFound('workstation', workstationId)
    const recipient = recipientOf(workstation)
    const id = newId()
    const path = await this.#folder.newPath()
    const madeAt = new Date().toISOString()
    const about = {
      id,
      direction: 'to-workstation',
      laboratoryId,
      from: key.fingerprint,
      to: workstation.fingerprint,
      madeAt,
    } as const
    const writer = await BundleWriter.create({ path, about, signer: key, recipient })
    try {
      const { sizeBytes, sum, isWhole } = await this.#write(writer, workstation)
      const name = nameOfBundle('hub', workstation.name, madeAt)
      await this.#folder.hold({ id, laboratoryId, name, path })
      log(`A bundle of ${sum.changes} changes was made for ${workstation.name}`, { bundle: id })
      const { direction } = about
      return { id, name, sizeBytes, direction, partner: workstation.name, ...sum, isWhole }
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await writer.close()
    }
  }

  async #write(writer: BundleWriter, { id, laboratoryId, position }: Workstation) {
    const { store, reader, domains, key } = this.#options
    const head = await reader.laboratoryHead(laboratoryId)
    const after = await this.#placeAt(
      laboratoryId,
      Math.max(0, Math.min(position, head.position) - quietEntries),
    )
    const tally = new Tally()
    let end = after
    let isWhole = true
    while (end.position < head.position) {
      const entries = await this.#entriesAfter(laboratoryId, end.position)
      isWhole = await writer.add({ entries } satisfies LogPart)
      if (!isWhole) break
      for (const entry of entries) if (entry.position > position) tally.add(recordedAtOf(entry))
      end = placeOf(entries.at(-1) ?? end)
    }
    const known = await store.workstationsOf(laboratoryId)
    const pushed = known.find((each) => each.id === id)?.pushed ?? null
    const { sum } = tally
    const manifest: ManifestToWorkstation = {
      ...sum,
      isWhole,
      migrations: copyMigrations(await domains.migrations()),
      after,
      head,
      pushed: pushed === null ? null : countersign(pushed, key),
      workstations: known.map((each) => ({ id: each.id, name: each.name })),
    }
    const sizeBytes = await writer.finish({ after: after.position, upTo: end.position }, manifest)
    return { sizeBytes, sum, isWhole }
  }

  async #placeAt(laboratoryId: string, position: number): Promise<LogPlace> {
    const hash = await this.#options.reader.hashAt(laboratoryId, position)
    if (hash === null) throw new Error(`The log of ${laboratoryId} has no entry ${position}`)
    return { position, hash }
  }

  async #entriesAfter(laboratoryId: string, after: number): Promise<WireEntry[]> {
    const rows = await this.#options.reader.laboratoryEntries(laboratoryId, after, most)
    return rows.map(({ payload, ...entry }) => {
      if (payload !== null) return { ...entry, payload }
      throw new BundleProblem(
        'GONE',
        `Entry ${entry.position} of the log is served no longer: this workstation must speak with the Hub over the network once`,
      )
    })
  }

  /** Takes a bundle of a workstation of this laboratory. What cannot be taken is refused and recorded, as over the network. */
  bring(laboratoryId: string, content: Blob): Promise<BroughtBundle> {
    return this.#folder.withContent(content, async (path) => {
      const seen: Seen = { header: null, sender: null }
      try {
        const bundle = await openBundle(path, async (header) => {
          seen.header = header
          seen.sender = await this.#options.store.workstationBy('fingerprint', header.from)
          return this.#require(header, seen.sender, laboratoryId).publicKey
        })
        try {
          return await this.#take(bundle, this.#require(bundle.header, seen.sender, laboratoryId))
        } finally {
          await bundle.close()
        }
      } catch (error) {
        const problem = problemOf(error)
        // The way of the network has recorded what it refuses.
        if (problem instanceof BundleProblem && !(error instanceof SyncProblem))
          await this.#record(problem, laboratoryId, seen)
        throw problem
      }
    })
  }

  /** The sender of a bundle for this Hub. */
  #require(header: BundleHeader, sender: Workstation | null, laboratoryId: string): Workstation {
    const { key } = this.#options
    if (header.direction !== 'to-hub')
      throw new BundleProblem('WRONG_DIRECTION', 'This bundle is for a workstation: bring it there')
    if (header.to !== key.fingerprint)
      throw new BundleProblem('WRONG_RECIPIENT', 'This bundle was made for another Hub')
    if (sender === null || sender.laboratoryId !== laboratoryId || header.laboratoryId !== laboratoryId)
      throw new BundleProblem('FOREIGN', 'This bundle is of no workstation of this laboratory')
    if (sender.revokedAt !== null)
      throw new BundleProblem('REVOKED', `${sender.name} was revoked: the Hub takes nothing from it any more`)
    return sender
  }

  async #take(bundle: Bundle, sender: Workstation): Promise<BroughtBundle> {
    const { store, reader, domains, sealingKey, log } = this.#options
    const manifest = await bundle.manifest(ManifestToHub, sealingKey)
    if (compareVersions(manifest.migrations, await domains.migrations()) === 'ahead')
      throw new BundleProblem(
        'TOO_OLD_HERE',
        `${sender.name} has a newer version: the Hub must be updated first`,
      )
    const counts = { taken: 0, known: 0, toDecide: 0 }
    for (let index = 0; index < bundle.parts; index += 1) {
      const run = await bundle.part(index, PushRun, sealingKey)
      if (index === 0) await this.#checkBeginning(sender.id, run, manifest)
      const decided = await this.#push(sender, run)
      const sets = readSets(run).length
      counts.taken += decided.length
      counts.known += sets - decided.length
      counts.toDecide += decided.filter(({ status }) => status === 'waiting').length
    }
    const { followed } = manifest
    if ((await reader.hashAt(sender.laboratoryId, followed.position)) === followed.hash)
      await store.notePosition(sender.id, followed.position)
    const { id, direction, madeAt } = bundle.header
    log(`A bundle of ${sender.name} was brought: ${counts.taken} changes were taken`, {
      bundle: id,
      ...counts,
    })
    return {
      direction,
      partner: sender.name,
      partnerId: sender.id,
      madeAt,
      ...counts,
      confirmed: 0,
      isWhole: manifest.isWhole,
    }
  }

  /** A Hub that has nothing of a journal yet takes it from its enrolment on, and not from the middle. */
  async #checkBeginning(id: string, run: PushRun, { enrolledAt }: ManifestToHub): Promise<void> {
    const pushed = (await this.#options.store.workstationBy('id', id))?.pushed ?? null
    if (pushed !== null || beginsAnew(run) || isSame(run.after, enrolledAt)) return
    throw outOfTurn(run, enrolledAt)
  }

  /** Pushes what is not here yet of a run, in the way of the network. */
  async #push(sender: Workstation, run: PushRun) {
    const { store, intake } = this.#options
    for (let attempt = 1; ; attempt += 1) {
      const current = (await store.workstationBy('id', sender.id)) ?? sender
      const rest = await this.#restOf(run, current)
      if (rest === null) return []
      try {
        return (await intake.push(current, rest)).decided
      } catch (error) {
        const isLate = error instanceof SyncProblem && error.code === 'OUT_OF_TURN'
        if (!isLate || attempt === attempts) throw error
      }
    }
  }

  /** What of a run is not here yet; null when all of it is. */
  async #restOf(run: PushRun, { laboratoryId, pushed, publicKey }: Workstation): Promise<PushRun | null> {
    if (pushed === null) return run
    const end = verifyRun(run, publicKey)
    if (isSame(end, pushed)) return null
    const isAnew = beginsAnew(run)
    const isLater = run.after.sequence > pushed.sequence
    if (isLater && !isAnew) throw outOfTurn(run, pushed)
    const isBefore = end.sequence <= pushed.sequence
    const rest = isLater || isBefore ? null : continueRun(run, pushed)
    if (rest !== null) return rest
    // Numbers count within one history only. Beyond it, what became of the sets tells whether they are here.
    const ids = readSets(run).map(({ set }) => set.id)
    const fates = await this.#fates.of(laboratoryId, ids)
    const isKnown = ids.every((id) => (fates[id] ?? null) !== null)
    if (isKnown && (ids.length > 0 || (isBefore && !isAnew))) return null
    if (isAnew) return run
    throw anotherHistory(pushed)
  }

  async #record(
    { fault, message }: BundleProblem,
    laboratoryId: string,
    { header, sender }: Seen,
  ): Promise<void> {
    const { store, log } = this.#options
    log(`A bundle was refused: ${message}`, { fault, bundle: header?.id ?? null })
    // What does not even say whose it is, or only comes too early, is no attempt at anything.
    if (header === null || fault === 'OUT_OF_TURN' || fault === 'TOO_OLD_HERE') return
    // Whose it is in another laboratory is nobody's business in this one.
    const isOurs = sender !== null && sender.laboratoryId === laboratoryId
    const id = isOurs ? sender.id : `unknown ${header.from.slice(0, 16)}`
    await store.recordRefusal({ code: `BUNDLE_${fault}`, words: message, workstation: { id, laboratoryId } })
  }
}

function recipientOf({ sealingKey, revokedAt, name }: Workstation): KeyObject {
  if (revokedAt !== null)
    throw new BundleProblem('REVOKED', `${name} was revoked: the Hub gives it nothing any more`)
  if (sealingKey !== null) return sealingKeyFrom(sealingKey)
  throw new BundleProblem(
    'OTHER_KEY',
    `The Hub does not know yet how to seal something for ${name}: it is told when they next speak over the network`,
  )
}

function anotherHistory({ sequence }: JournalPlace): BundleProblem {
  return new BundleProblem(
    'ANOTHER_HISTORY',
    `The bundle does not go on from what the Hub has of this journal up to entry ${sequence}: it is of a copy of the workstation`,
  )
}

function outOfTurn({ after }: PushRun, { sequence }: JournalPlace): BundleProblem {
  return new BundleProblem(
    'OUT_OF_TURN',
    `The Hub has the journal up to entry ${sequence}, and this bundle begins after ${after.sequence}: bring the one before it first`,
  )
}

/** What the way of the network refuses, as a problem of the bundle; it was recorded there. */
function problemOf(error: unknown): unknown {
  if (error instanceof z.ZodError) return new BundleProblem('ALTERED', describeIssue(error))
  if (error instanceof TamperedRun) return new BundleProblem('ALTERED', error.message)
  if (!(error instanceof SyncProblem)) return error
  switch (error.code) {
    case 'FOREIGN_SET':
      return new BundleProblem('FOREIGN', error.message)
    case 'ANOTHER_JOURNAL':
      return new BundleProblem('ANOTHER_HISTORY', error.message)
    case 'OUT_OF_TURN':
      return new BundleProblem('OUT_OF_TURN', error.message)
    case 'REVOKED':
      return new BundleProblem('REVOKED', error.message)
    case 'TAMPERED':
      return new BundleProblem('ALTERED', error.message)
    default:
      return error
  }
}

const Recorded = z.object({ entry: z.object({ recordedAt: z.string() }) })

function recordedAtOf({ payload }: WireEntry): string {
  return Recorded.parse(JSON.parse(payload)).entry.recordedAt
}

function placeOf({ position, hash }: LogPlace): LogPlace {
  return { position, hash }
}

function isSame(left: JournalPlace, right: JournalPlace): boolean {
  return left.sequence === right.sequence && left.hash === right.hash
}

/** The manifest's types have no `readonly`. */
function copyMigrations(migrations: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(migrations).map(([domain, names]) => [domain, [...names]]))
}

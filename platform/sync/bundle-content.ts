import { z } from 'zod'
import { LogPlace, WireEntry } from './domain-contract.ts'
import { CountersignedPlace, JournalPlace } from './push-run.ts'

/* What is in a bundle: the messages of the network in the same form (`wire.ts`), and what surrounds them there. */

const Count = z.int().min(0)
const Migrations = z.record(z.string(), z.array(z.string()))

/** How much is in a bundle, for people. */
const summary = {
  changes: Count,
  /** When the first and the last of them were made; null when there are none. */
  firstAt: z.iso.datetime().nullable(),
  lastAt: z.iso.datetime().nullable(),
  /** False where more waited than fits into one bundle. */
  isWhole: z.boolean(),
}

/** From a workstation; its parts are `PushRun`s that follow each other. */
export const ManifestToHub = z.strictObject({
  ...summary,
  migrations: Migrations,
  /** Where its journal was when it was enrolled: there begins what a Hub gets that has nothing of it. */
  enrolledAt: JournalPlace,
  /** Where the first run begins. */
  after: JournalPlace,
  /** How far the workstation follows the Hub's log. */
  followed: LogPlace,
})
export type ManifestToHub = z.output<typeof ManifestToHub>

/** From the Hub; its parts are {@link LogPart}s that follow each other. */
export const ManifestToWorkstation = z.strictObject({
  ...summary,
  migrations: Migrations,
  /** Where the first part begins. */
  after: LogPlace,
  head: LogPlace,
  /** The end of what the Hub has of the workstation's journal. */
  pushed: CountersignedPlace.nullable(),
  /** Of the laboratory, so that a person reads where something was done. */
  workstations: z.array(z.strictObject({ id: z.string(), name: z.string() })),
})
export type ManifestToWorkstation = z.output<typeof ManifestToWorkstation>

export const LogPart = z.strictObject({ entries: z.array(WireEntry).min(1).max(1_000) })
export type LogPart = z.output<typeof LogPart>

/** Counts what goes into a bundle. */
export class Tally {
  #changes = 0
  #firstAt: string | null = null
  #lastAt: string | null = null

  add(recordedAt: string): void {
    this.#changes += 1
    if (this.#firstAt === null || recordedAt < this.#firstAt) this.#firstAt = recordedAt
    if (this.#lastAt === null || recordedAt > this.#lastAt) this.#lastAt = recordedAt
  }

  get sum() {
    return { changes: this.#changes, firstAt: this.#firstAt, lastAt: this.#lastAt }
  }
}

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from '../../platform/journal/durable-files.ts'
import { LogPlace } from '../../platform/sync/domain-contract.ts'
import { JournalPlace } from '../../platform/sync/push-run.ts'

/** One domain on its way into sync. */
const DomainStep = z.object({
  /** Its change sets up to this number are in the file below and never pushed. */
  enrolledAt: z.int().min(0),
  /** Its rows as they were then. */
  sha256: z.string(),
  path: z.string(),
  /** Where it stands in the Hub's log, once that is known to the domain as well. */
  place: LogPlace.nullable(),
})

export type DomainStep = z.output<typeof DomainStep>

const Enrolment = z.object({
  hubUrl: z.url(),
  /** The key the Hub proves itself by; SPKI, base64. */
  hubKey: z.string(),
  laboratoryId: z.uuid(),
  role: z.enum(['founder', 'joiner']),
  /** False until the workstation and the Hub have the same; whatever cut it off is gone on with at the next start. */
  isComplete: z.boolean(),
  /** The journal when it began: what was made before is not pushed. */
  journal: JournalPlace,
  domains: z.record(z.string(), DomainStep),
  /** The end of what the Hub has of the journal, by its own word; null before it said so. */
  pushed: JournalPlace.nullable().default(null),
  /** The key for which bundles to the Hub are sealed; SPKI, base64. Null until the Hub has told it. */
  hubSealingKey: z.string().nullable().default(null),
  isPaused: z.boolean(),
  offlineUntil: z.string().nullable(),
})
export type Enrolment = z.output<typeof Enrolment>

/** How a workstation is enrolled: a file in its home, without secrets, that outlives a power cut at any moment. */
export class EnrolmentFile {
  readonly #path: string
  #enrolment: Enrolment | null

  constructor(home: string) {
    this.#path = join(home, 'sync.json')
    this.#enrolment = existsSync(this.#path)
      ? Enrolment.parse(JSON.parse(readFileSync(this.#path, 'utf8')))
      : null
  }

  /** Null while the workstation is not enrolled. */
  get current(): Enrolment | null {
    return this.#enrolment
  }

  /** The enrolment of a workstation that has one. */
  require(): Enrolment {
    if (this.#enrolment === null) throw new Error('This workstation is not enrolled')
    return this.#enrolment
  }

  write(enrolment: Enrolment): void {
    writeWhole(this.#path, JSON.stringify(enrolment, null, 2))
    this.#enrolment = enrolment
  }

  change(change: Partial<Enrolment>): void {
    this.write({ ...this.require(), ...change })
  }

  changeDomain(domain: string, step: DomainStep): void {
    const { domains } = this.require()
    this.change({ domains: { ...domains, [domain]: step } })
  }
}

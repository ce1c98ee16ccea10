import type { z } from 'zod'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import type { ChangeSet } from '../../platform/sync/change-set.ts'
import {
  beginsAnew,
  countersign,
  hashWithin,
  type JournalPlace,
  type PushedSet,
  type PushRun,
  readSets,
  TamperedRun,
  verifyRun,
} from '../../platform/sync/push-run.ts'
import type { PushAnswer } from '../../platform/sync/wire.ts'
import type { Decisions } from './decisions.ts'
import type { Domains } from './domains.ts'
import { revoked, SyncProblem } from './sync-problem.ts'
import type { SyncStore, Workstation } from './sync-store.ts'
import type { Trust } from './trust.ts'

export interface IntakeOptions {
  readonly store: SyncStore
  readonly trust: Trust
  readonly decisions: Decisions
  readonly domains: Domains
  readonly key: WorkstationKey
  readonly now?: () => number
}

type Answer = z.output<typeof PushAnswer>

/** A run that waits for its laboratory's turn. */
interface WaitingRun {
  readonly workstation: Workstation
  readonly run: PushRun
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** A run that is proven, with the sets that are to be decided. */
interface AdmittedRun extends WaitingRun {
  readonly end: JournalPlace
  readonly sets: readonly ChangeSet[]
}

/** Entries of several runs; a single run may have more. */
const decidedTogether = 200
/** How far a clock may run ahead before it is noticed. */
const clockToleranceMs = 5_000
const millisecondDigits = 13

/** Takes what workstations push: proves the run, has its sets decided, and notes how far it came. */
export class Intake {
  readonly #options: IntakeOptions
  readonly #waiting = new Map<string, readonly WaitingRun[]>()

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /**
   * Takes one run. It may be sent again at any time: sets that were decided answer as before, and a run that was
   * cut off in the middle goes on where it was.
   */
  push(workstation: Workstation, run: PushRun): Promise<Answer> {
    const { laboratoryId } = workstation
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const waiting = this.#waiting.get(laboratoryId) ?? []
    this.#waiting.set(laboratoryId, [...waiting, { workstation, run, resolve, reject }])
    // Runs that came meanwhile are taken with this one, and their own turn finds nothing left.
    const turn = this.#options.decisions.inTurn(laboratoryId, () => this.#takeWaiting(laboratoryId))
    turn.catch(reject)
    return promise
  }

  /**
   * Deciding costs as much for a run as for some dozens of sets, so what many workstations push is decided together. When
   * that fails, each has its own answer: nobody's run hinders another's.
   */
  async #takeWaiting(laboratoryId: string): Promise<void> {
    const admitted: AdmittedRun[] = []
    for (const waiting of this.#takeOfEach(laboratoryId)) {
      try {
        admitted.push(await this.#admit(waiting))
      } catch (error) {
        waiting.reject(error)
      }
    }
    if (admitted.length === 0) return
    try {
      await this.#decide(laboratoryId, admitted)
    } catch (error) {
      if (admitted.length === 1) admitted[0]?.reject(error)
      else for (const one of admitted) await this.#decide(laboratoryId, [one]).catch(one.reject)
    }
  }

  /** The first run of each workstation, as many as may be decided together: a second one follows from what the first leaves. */
  #takeOfEach(laboratoryId: string): readonly WaitingRun[] {
    const taken = new Map<string, WaitingRun>()
    const left: WaitingRun[] = []
    let entries = 0
    for (const waiting of this.#waiting.get(laboratoryId) ?? []) {
      const { workstation, run } = waiting
      const fits = taken.size === 0 || entries + run.entries.length <= decidedTogether
      if (!fits || left.length > 0 || taken.has(workstation.id)) {
        left.push(waiting)
        continue
      }
      taken.set(workstation.id, waiting)
      entries += run.entries.length
    }
    if (left.length > 0) this.#waiting.set(laboratoryId, left)
    else this.#waiting.delete(laboratoryId)
    return [...taken.values()]
  }

  async #admit(waiting: WaitingRun): Promise<AdmittedRun> {
    const { run } = waiting
    // Meanwhile another run of the same workstation may have been taken, or the workstation revoked.
    const current = await this.#options.store.workstationBy('id', waiting.workstation.id)
    const workstation = current ?? waiting.workstation
    if (workstation.revokedAt !== null) await this.#options.trust.refuse(revoked(), workstation)
    const end = await this.#prove(workstation, run)
    const sets = readSets(run)
    for (const pushed of sets) await this.#checkAuthor(workstation, pushed)
    await this.#checkPlace(workstation, run)
    return { ...waiting, workstation, end, sets: sets.map(({ set }) => set) }
  }

  async #decide(laboratoryId: string, admitted: readonly AdmittedRun[]): Promise<void> {
    const { store, decisions, key } = this.#options
    const now = (this.#options.now ?? Date.now)()
    const all = admitted.flatMap(({ sets }) => sets.map((set) => capClock(set, now)))
    const decided = [...(await decisions.decide(laboratoryId, all))]
    for (const { workstation, end, sets, resolve } of admitted) {
      await store.notePushed(workstation.id, end)
      resolve({
        pushed: countersign(end, key),
        decided: decided
          .splice(0, sets.length)
          .map(({ changeSetId, outcome, status }) => ({ changeSetId, outcome, status })),
        clockAheadMs: Math.max(0, ...sets.map((set) => aheadMs(set, now))),
      })
    }
  }

  async #prove(workstation: Workstation, run: PushRun) {
    try {
      return verifyRun(run, workstation.publicKey)
    } catch (error) {
      if (!(error instanceof TamperedRun)) throw error
      return this.#options.trust.refuse(new SyncProblem(422, 'TAMPERED', error.message), workstation)
    }
  }

  /**
   * The run must follow from the one before it: what the Hub knows of a workstation's journal has no second version. A
   * journal that was lost begins anew with an entry that says so, and that is recorded here too.
   */
  async #checkPlace(workstation: Workstation, run: PushRun): Promise<void> {
    const { pushed } = workstation
    const { after } = run
    if (pushed === null || (pushed.sequence === after.sequence && pushed.hash === after.hash)) return
    if (beginsAnew(run)) {
      const words = `Its journal was begun anew after entry ${after.sequence}; ${pushed.sequence} was known here`
      await this.#options.store.recordRefusal({ code: 'JOURNAL_BEGUN_ANEW', words, workstation })
      return
    }
    // What is sent once more has the same entry there: it only overlaps what an answer that was lost had taken.
    const again = after.sequence === pushed.sequence ? after.hash : hashWithin(run, pushed.sequence)
    if (again !== null && again !== pushed.hash) {
      const words = `The journal does not go on from what was pushed up to entry ${pushed.sequence}: it is another one`
      await this.#options.trust.refuse(
        new SyncProblem(409, 'ANOTHER_JOURNAL', words, { pushed }),
        workstation,
      )
    }
    throw new SyncProblem(409, 'OUT_OF_TURN', `The Hub has journal entries up to ${pushed.sequence}`, {
      pushed: countersign(pushed, this.#options.key),
    })
  }

  async #checkAuthor(workstation: Workstation, { sequence, set }: PushedSet): Promise<void> {
    const { trust, domains } = this.#options
    const refuse = (words: string) =>
      trust.refuse(new SyncProblem(403, 'FOREIGN_SET', `Journal entry ${sequence}: ${words}`), workstation)
    if (set.laboratoryId !== workstation.laboratoryId) await refuse('it belongs to another laboratory')
    if (set.workstationId !== workstation.id) await refuse('it was made at another workstation')
    if (!domains.has(set.domain)) await refuse(`the Hub has no domain ${set.domain}`)
  }
}

/** A clock that runs ahead must not put its work before everything others do for the rest of the day. */
function capClock(set: ChangeSet, now: number): ChangeSet {
  if (aheadMs(set, now) === 0) return set
  const capped = String(now).padStart(millisecondDigits, '0')
  return { ...set, hybridLogicalTime: `${capped}${set.hybridLogicalTime.slice(millisecondDigits)}` }
}

function aheadMs({ hybridLogicalTime }: ChangeSet, now: number): number {
  const milliseconds = Number(hybridLogicalTime.slice(0, millisecondDigits))
  if (!Number.isSafeInteger(milliseconds)) return 0
  const ahead = milliseconds - now
  return ahead > clockToleranceMs ? ahead : 0
}

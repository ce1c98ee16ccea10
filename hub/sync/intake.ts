import type { z } from 'zod'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import type { ChangeSet } from '../../platform/sync/change-set.ts'
import {
  beginsAnew,
  endBytes,
  type PushedSet,
  type PushRun,
  readSets,
  TamperedRun,
  verifyRun,
} from '../../platform/sync/push-run.ts'
import type { PushAnswer } from '../../platform/sync/wire.ts'
import type { Decisions } from './decisions.ts'
import type { Domains } from './domains.ts'
import { SyncProblem } from './sync-problem.ts'
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

/** How far a clock may run ahead before it is noticed. */
const clockToleranceMs = 5_000
const millisecondDigits = 13

/** Takes what workstations push: proves the run, has its sets decided, and notes how far it came. */
export class Intake {
  readonly #options: IntakeOptions

  constructor(options: IntakeOptions) {
    this.#options = options
  }

  /**
   * Takes one run. It may be sent again at any time: sets that were decided answer as before, and a run that was
   * cut off in the middle goes on where it was.
   */
  push(workstation: Workstation, run: PushRun): Promise<z.output<typeof PushAnswer>> {
    return this.#options.decisions.inTurn(workstation.laboratoryId, async () => {
      // Another run of the same workstation may have been taken meanwhile.
      const current = (await this.#options.store.workstationBy('id', workstation.id)) ?? workstation
      return this.#take(current, run)
    })
  }

  async #take(workstation: Workstation, run: PushRun): Promise<z.output<typeof PushAnswer>> {
    const { store, decisions, key } = this.#options
    const end = await this.#prove(workstation, run)
    const sets = readSets(run)
    for (const pushed of sets) await this.#checkAuthor(workstation, pushed)
    await this.#checkPlace(workstation, run)
    const now = (this.#options.now ?? Date.now)()
    const decided = await decisions.decide(
      workstation.laboratoryId,
      sets.map(({ set }) => capClock(set, now)),
    )
    await store.notePushed(workstation.id, end)
    return {
      pushed: end,
      countersignature: key.sign('hub-countersignature', endBytes(end)),
      decided: decided.map(({ changeSetId, outcome, status }) => ({ changeSetId, outcome, status })),
      clockAheadMs: Math.max(0, ...sets.map(({ set }) => aheadMs(set, now))),
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
    if (pushed.sequence === after.sequence) {
      const words = `The journal does not go on from what was pushed up to entry ${after.sequence}`
      await this.#options.trust.refuse(
        new SyncProblem(409, 'ANOTHER_JOURNAL', words, { pushed }),
        workstation,
      )
    }
    throw new SyncProblem(409, 'OUT_OF_TURN', `The Hub has journal entries up to ${pushed.sequence}`, {
      pushed,
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

import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { openWorkstationKey, type WorkstationKey } from '../../../platform/journal/workstation-key.ts'
import { parseEnrolmentCode } from '../../../platform/sync/enrolment-code.ts'
import { isToPush } from '../../../platform/sync/journaled.ts'
import { emptyLog } from '../../../platform/sync/log.ts'
import {
  composeRun,
  CountersignedPlace,
  type JournalPlace,
  PushRun,
} from '../../../platform/sync/push-run.ts'
import { challengeBytes, enrolmentBytes, TokenRequest } from '../../../platform/sync/wire.ts'
import { SyncProblem } from '../sync-problem.ts'
import type { HubMachine } from './hub-machine.ts'
import type { Machine } from './laboratory-machine.ts'
import { migrationsHere } from './wire-workstation.ts'

const beginning: JournalPlace = { sequence: 0, hash: emptyLog.hash }
const entriesAtOnce = 400
const OutOfTurn = z.object({ pushed: CountersignedPlace })

/**
 * What a workstation sends to the Hub: signed runs of its journal, which the Hub proves and decides like all others. Only HTTP is
 * not between them.
 */
export class Sender {
  readonly #machine: Machine
  readonly #hub: HubMachine
  readonly #key: WorkstationKey
  /** The end of what it has sent, whether or not that has arrived. */
  #sentUpTo = beginning
  #mostAheadMs = 0

  private constructor(machine: Machine, hub: HubMachine, key: WorkstationKey) {
    this.#machine = machine
    this.#hub = hub
    this.#key = key
  }

  /** Has the Hub let a workstation in. */
  static async enrol(machine: Machine, hub: HubMachine): Promise<Sender> {
    const { trust } = hub.sync
    const key = openWorkstationKey(machine.bench.home)
    const made = { laboratoryId: hub.laboratoryId, administratorsOffline: false, createdBy: 'a test' }
    const secret = parseEnrolmentCode((await trust.createCode(made)).code)?.secret ?? ''
    const { challenge, hubKey } = await trust.challenge({ nonce: randomBytes(32).toString('base64') })
    await trust.enrol({
      ...{ secret, challenge, laboratory: null },
      workstation: { id: machine.id, name: machine.id, publicKey: key.publicKey },
      signature: key.sign('enrolment', enrolmentBytes(challenge, hubKey, secret)),
    })
    return new Sender(machine, hub, key)
  }

  /** How far its clock ran ahead at most, as the Hub told it. */
  get mostAheadMs(): number {
    return this.#mostAheadMs
  }

  /** Asks the Hub how much of the journal it has, and goes on from there. */
  async begin(): Promise<void> {
    const { answer } = await this.#signIn()
    this.#sentUpTo = answer.pushed ?? beginning
  }

  /** The next run, which counts as sent; null where nothing is left that the Hub must decide. */
  async nextRun(): Promise<PushRun | null> {
    const { journal } = this.#machine.bench
    const entries = await journal.read({ afterSequence: this.#sentUpTo.sequence, limit: entriesAtOnce })
    // Entries of the Hub alone are sent only where work may stand behind them.
    if (!entries.some(isToPush) && entries.length < entriesAtOnce) return null
    const { run, end } = composeRun(this.#sentUpTo, entries, isToPush, this.#key)
    this.#sentUpTo = end
    return run
  }

  /** A run arrives at the Hub. One that does not follow from what the Hub has is refused, and the sender hears from where to go on. */
  async give(run: PushRun): Promise<void> {
    const { workstation } = await this.#signIn()
    try {
      const { intake } = this.#hub.sync
      const { clockAheadMs } = await intake.push(workstation, PushRun.parse(JSON.parse(JSON.stringify(run))))
      this.#mostAheadMs = Math.max(this.#mostAheadMs, clockAheadMs)
    } catch (error) {
      if (!(error instanceof SyncProblem) || error.code !== 'OUT_OF_TURN') throw error
      this.#sentUpTo = OutOfTurn.parse(error.data).pushed
    }
  }

  /** Lets the Hub forget that it has the last run, as when it stopped between deciding it and noting that. */
  async forgetLastRun(): Promise<void> {
    const { store } = this.#hub.sync
    const known = (await store.workstationBy('id', this.#machine.id))?.pushed ?? beginning
    const before = await this.#machine.bench.journal.entry(known.sequence - entriesAtOnce)
    await store.notePushed(this.#machine.id, before ?? beginning)
  }

  async #signIn() {
    const { trust } = this.#hub.sync
    const { challenge, hubKey } = await trust.challenge({ nonce: randomBytes(32).toString('base64') })
    const request = {
      ...{ fingerprint: this.#key.fingerprint, challenge, migrations: migrationsHere() },
      signature: this.#key.sign('hub-challenge', challengeBytes(challenge, hubKey)),
      clock: new Date(Date.now() + this.#machine.clock.aheadMs).toISOString(),
    }
    return trust.token(TokenRequest.parse(request))
  }
}

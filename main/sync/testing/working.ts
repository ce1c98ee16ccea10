import { setTimeout as delay } from 'node:timers/promises'
import { HttpProblem } from '../../testing/http-client.ts'
import { type Bench, benchOf, type Technician } from '../../testing/laboratory-load.ts'
import type { Command, Ledger, Outcome } from '../../testing/ledger.ts'
import { type Machine, NotRunning } from './sync-network.ts'

const againAfterMs = 100
/** A quick person. What is done faster than the Hub decides it only makes everybody wait in the end. */
const paceMs = 600
/** A machine that was killed is back long before. */
const settlesWithinMs = 120_000
/** What a machine says that is opening and cannot sign anybody in yet. */
const notYet: ReadonlySet<string> = new Set(['NOT_STARTED', 'OUTCOME_UNKNOWN'])

/** Somebody who does one thing after the other at a machine, and asks again under the same key until it is answered. */
export interface Working {
  /** Lets the last thing be answered. Throws what no machine should ever have said. */
  stop(): Promise<void>
}

export function keepWorking(machine: Machine, technician: Technician, ledger: Ledger<Bench>): Working {
  const stopping = new AbortController()
  const working = (async () => {
    while (!stopping.signal.aborted) {
      await settle(technician.next())
      await delay(paceMs)
    }
  })()
  // Told to whoever stops it.
  working.catch(() => undefined)
  return {
    stop() {
      stopping.abort()
      return working
    },
  }

  async function settle(command: Command<Bench>): Promise<void> {
    const until = Date.now() + settlesWithinMs
    while ((await ask(command)) === 'unknown') {
      if (Date.now() > until) throw new Error(`Nobody tells what became of ${command.label} ${command.key}`)
      await delay(againAfterMs)
    }
  }

  async function ask(command: Command<Bench>): Promise<Outcome> {
    let bench: Bench
    try {
      bench = benchOf(await machine.admin())
    } catch (error) {
      if (isExpected(error)) return 'unknown'
      throw error
    }
    return ledger.run(command, bench)
  }
}

/** The machine is dead or dies: nobody is there, the line breaks, or it says that it cannot tell. */
function isExpected(error: unknown): boolean {
  if (error instanceof HttpProblem) return notYet.has(error.code)
  // What `fetch` throws when nobody listens or the line ends in the middle of the answer.
  return error instanceof NotRunning || (error instanceof TypeError && error.cause !== undefined)
}

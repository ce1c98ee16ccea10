import { setTimeout as delay } from 'node:timers/promises'
import { samples } from '../../../services/samples/contract.ts'
import { HttpProblem } from '../../testing/http-client.ts'
import { type Machine, NotRunning } from './sync-network.ts'

const againAfterMs = 100
/** A quick person. What is received faster than the Hub decides it only makes everybody wait in the end. */
const paceMs = 500
/** A machine that was killed is back long before. */
const settlesWithinMs = 120_000
/** What a machine says that cannot do it now, or does not know whether it did: the same key asks again. */
const unsettled: ReadonlySet<string> = new Set(['NOT_STARTED', 'OUTCOME_UNKNOWN'])

/** Somebody who receives one tube after the other at a bench, and asks again under the same key until it is answered. */
export interface Receiving {
  /** Names of the tubes that were answered, by their ids. */
  readonly acknowledged: ReadonlyMap<string, string>
  /** Lets the last tube be answered. Throws what no bench should ever have said. */
  stop(): Promise<void>
}

export function keepReceiving(machine: Machine, label: string): Receiving {
  const acknowledged = new Map<string, string>()
  const stopping = new AbortController()
  const working = (async () => {
    for (let number = 1; !stopping.signal.aborted; number += 1) {
      const name = `${label}-${number}`
      acknowledged.set(await receive(name), name)
      await delay(paceMs)
    }
  })()
  // Told to whoever stops it.
  working.catch(() => undefined)
  return {
    acknowledged,
    stop() {
      stopping.abort()
      return working
    },
  }

  async function receive(name: string): Promise<string> {
    const until = Date.now() + settlesWithinMs
    for (;;) {
      try {
        const client = (await machine.admin()).client(samples)
        const tube = { sample: { name, type: 'DNA' }, containerKind: 'tube' } as const
        return (await client.receive(tube, { context: { key: name } })).sample.id
      } catch (error) {
        if (!isExpected(error) || Date.now() > until) throw error
        await delay(againAfterMs)
      }
    }
  }
}

/** The machine is dead or dies: nobody is there, the line breaks, or it says that it cannot tell. */
function isExpected(error: unknown): boolean {
  if (error instanceof HttpProblem) return unsettled.has(error.code)
  // What `fetch` throws when nobody listens or the line ends in the middle of the answer.
  return error instanceof NotRunning || (error instanceof TypeError && error.cause !== undefined)
}

import { setTimeout as delay } from 'node:timers/promises'
import { HttpProblem } from './http-client.ts'

/** One command as its caller sees it: it can be sent again with the same key, also to a later life of the workstation. */
export interface Command<Place> {
  readonly key: string
  /** `samples.receive`, for messages. */
  readonly label: string
  readonly send: (place: Place) => Promise<unknown>
  /** Takes note of what is true once the command is done. */
  readonly onDone: (answer: unknown) => void
}

export type Outcome = 'acknowledged' | 'refused' | 'unknown'

/** What a caller may hold against the workstation: what was confirmed, what was refused, and what nobody told. */
export class Ledger<Place> {
  readonly acknowledged = new Map<string, { readonly command: Command<Place>; readonly answer: unknown }>()
  readonly refused = new Map<string, { readonly command: Command<Place>; readonly code: string }>()
  readonly unknown = new Map<string, Command<Place>>()
  /** Answers that no workstation should ever give: errors it has no name for. */
  readonly defects: string[] = []

  /** Sends a command and writes down what came of it. */
  async run(command: Command<Place>, place: Place): Promise<Outcome> {
    this.unknown.set(command.key, command)
    let answer: unknown
    try {
      answer = await command.send(place)
    } catch (error) {
      if (!(error instanceof HttpProblem) || isUnsettled(error)) return 'unknown'
      this.unknown.delete(command.key)
      this.refused.set(command.key, { command, code: error.code })
      if (error.status >= 500) this.defects.push(`${command.label} ${command.key}: ${error.message}`)
      return 'refused'
    }
    this.unknown.delete(command.key)
    this.acknowledged.set(command.key, { command, answer })
    command.onDone(answer)
    return 'acknowledged'
  }

  /** Asks again, with the same keys, for everything nobody told the outcome of; throws when it stays unknown. */
  async settle(place: Place, withinMs: number): Promise<void> {
    const until = Date.now() + withinMs
    while (this.unknown.size > 0) {
      for (const command of [...this.unknown.values()]) await this.run(command, place)
      if (Date.now() > until)
        throw new Error(`Still unknown: ${[...this.unknown.values()].map(({ label }) => label).join(', ')}`)
    }
  }
}

/** Repeats a command, or a query, until its outcome is known; a command must bring a key of its own. */
export async function insist<Answer>(call: () => Promise<Answer>, withinMs = 60_000): Promise<Answer> {
  const until = Date.now() + withinMs
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof HttpProblem) || !isUnsettled(error) || Date.now() > until) throw error
      await delay(50)
    }
  }
}

/** The workstation was away, closing, busy or died: the same key gets the answer later. */
function isUnsettled(error: HttpProblem): boolean {
  return ['NOT_STARTED', 'OUTCOME_UNKNOWN', 'BUSY', 'TOO_MANY_REQUESTS'].includes(error.code)
}

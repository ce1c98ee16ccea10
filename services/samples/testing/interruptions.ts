import { Refusal } from '../../../platform/contract/refusal.ts'
import {
  type Implementation,
  orchestrates,
  type ServiceDefinition,
  type Writes,
} from '../../../platform/service/implementation.ts'
import type { OrchestrationScope } from '../../../platform/service/scopes.ts'

/** Cuts the line to one procedure: before it did anything, or after it did all and before it could say so. */
export interface Cut {
  readonly procedure: `${string}.${string}`
  readonly when: 'before' | 'after'
}

/**
 * A switch in front of services. While it is cut, a procedure ends as it does when its process is killed: the caller
 * learns that it was not started, or does not learn the outcome.
 */
export class Interruptions {
  #cut: Cut | null = null
  /** How often the cut was met. */
  met = 0

  cut(at: Cut): void {
    this.#cut = at
    this.met = 0
  }

  mend(): void {
    this.#cut = null
  }

  /** The same service behind the switch. Commands that are one change are committed before an answer is lost. */
  around(definition: ServiceDefinition): ServiceDefinition {
    const implementation = Object.fromEntries(
      Object.entries(definition.implementation).map(([name, handler]) => [
        name,
        handler.does === 'writes'
          ? orchestrates((scope, input) =>
              this.#interrupted(scope, `${definition.name}.${name}`, handler, input),
            )
          : handler,
      ]),
    )
    return { ...definition, implementation: implementation as Implementation<ServiceDefinition['contract']> }
  }

  async #interrupted(
    scope: OrchestrationScope,
    procedure: string,
    handler: Writes<never, unknown>,
    input: unknown,
  ): Promise<unknown> {
    this.#meet(procedure, 'before')
    const answer = await scope.change('whole', (write) => handler.run(write, input as never))
    this.#meet(procedure, 'after')
    return answer
  }

  #meet(procedure: string, when: Cut['when']): void {
    if (this.#cut?.procedure !== procedure || this.#cut.when !== when) return
    this.met += 1
    if (when === 'before') throw new Refusal('NOT_STARTED', `${procedure} is away`, { why: 'test' })
    throw new Refusal('OUTCOME_UNKNOWN', `${procedure} did not answer`, { why: 'test' })
  }
}

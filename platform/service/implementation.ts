import type {
  AnyContractProcedure,
  ContractProcedure,
  InferSchemaInput,
  InferSchemaOutput,
} from '@orpc/contract'
import type { EventDefinition, RunsAt } from '../contract/event.ts'
import type { ProcedureMeta } from '../contract/procedure.ts'
import type { DomainTables } from '../database/policy.ts'
import type { SagaDefinition } from '../saga/saga.ts'
import type { DomainRules } from '../sync/rules.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from './scopes.ts'
import type { z } from 'zod'

export type Reads<Input, Output> = {
  readonly does: 'reads'
  readonly run: (scope: ReadScope, input: Input) => Promise<Output>
}
export type Writes<Input, Output> = {
  readonly does: 'writes'
  readonly run: (scope: WriteScope, input: Input) => Promise<Output>
}
export type Orchestrates<Input, Output> = {
  readonly does: 'orchestrates'
  readonly run: (scope: OrchestrationScope, input: Input) => Promise<Output>
}

/** A query: reads its own database, may ask other domains. */
export function reads<Input, Output>(
  run: (scope: ReadScope, input: Input) => Promise<Output>,
): Reads<Input, Output> {
  return { does: 'reads', run }
}

/** A command that is one change set: its transaction, answer and journal entry are made around it. */
export function writes<Input, Output>(
  run: (scope: WriteScope, input: Input) => Promise<Output>,
): Writes<Input, Output> {
  return { does: 'writes', run }
}

/** A command that makes several change sets, asks other domains or runs a saga. */
export function orchestrates<Input, Output>(
  run: (scope: OrchestrationScope, input: Input) => Promise<Output>,
): Orchestrates<Input, Output> {
  return { does: 'orchestrates', run }
}

type ImplementationOf<Procedure> =
  Procedure extends ContractProcedure<infer Input, infer Output, infer _Errors, infer Meta>
    ? Meta extends ProcedureMeta<'query'>
      ? Reads<InferSchemaOutput<Input>, InferSchemaInput<Output>>
      : | Writes<InferSchemaOutput<Input>, InferSchemaInput<Output>>
        | Orchestrates<InferSchemaOutput<Input>, InferSchemaInput<Output>>
    : never

export type Contract = Readonly<Record<string, AnyContractProcedure>>
export type Implementation<C extends Contract> = { readonly [Name in keyof C]: ImplementationOf<C[Name]> }

/** What a domain does when another one announces an event. */
export interface Subscription {
  readonly event: EventDefinition
  readonly runsAt: RunsAt
  readonly react: (
    scope: WriteScope,
    data: unknown,
    cause: { readonly at: string; readonly actorId: string },
  ) => Promise<void>
}

/** Declares a subscription; the data is parsed with the event's own schema. */
export function on<Name extends string, Data extends z.ZodType>(
  event: EventDefinition<Name, Data>,
  runsAt: RunsAt,
  react: (
    scope: WriteScope,
    data: z.output<Data>,
    cause: { readonly at: string; readonly actorId: string },
  ) => Promise<void>,
): Subscription {
  return { event, runsAt, react: (scope, data, cause) => react(scope, event.data.parse(data), cause) }
}

/** A domain as the host starts it. */
export interface ServiceDefinition<C extends Contract = Contract> {
  readonly name: string
  readonly contract: C
  readonly tables: DomainTables
  readonly implementation: Implementation<C>
  readonly subscriptions: readonly Subscription[]
  readonly sagas: readonly SagaDefinition[]
  /** How its rows come together when several workstations wrote to them. */
  readonly syncRules: DomainRules
  /** Runs once per start, after recovery and before the first call. */
  readonly onOpen?: (scope: OrchestrationScope) => Promise<void>
}

/** Puts a domain's parts together; the compiler checks that every procedure of the contract is there. */
export function defineService<C extends Contract>(
  definition: Omit<ServiceDefinition<C>, 'subscriptions' | 'sagas' | 'syncRules'> &
    Partial<Pick<ServiceDefinition<C>, 'subscriptions' | 'sagas' | 'syncRules'>>,
): ServiceDefinition<C> {
  return { subscriptions: [], sagas: [], syncRules: {}, ...definition }
}

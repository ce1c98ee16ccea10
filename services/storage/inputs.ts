import type { InferSchemaOutput } from '@orpc/contract'
import type { storage } from './contract.ts'

type Procedures = typeof storage

/** What a procedure is given, once its contract has parsed it. */
export type InputOf<Name extends keyof Procedures> = InferSchemaOutput<
  NonNullable<Procedures[Name]['~orpc']['inputSchema']>
>

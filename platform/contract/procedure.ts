import { type AnyContractProcedure, oc } from '@orpc/contract'
import { commonErrors } from './errors.ts'

/** What a caller must hold: `resource:action`, or one of the two words for procedures without a resource. */
export type Permission = `${string}:${string}` | 'public' | 'signed-in'

/** What every procedure says of itself. Gateway, HTTP front door and tests read this and nothing else. */
export interface ProcedureMeta<Kind extends 'query' | 'command' = 'query' | 'command'> {
  readonly kind: Kind
  readonly permission: Permission
  /** Milliseconds until the gateway answers for a silent service; a caller may ask for less. */
  readonly deadlineMs: number
  /** A declared long operation: the supervisor does not take its silence for a hang. */
  readonly long: boolean
  /** Calls caused by a scan are never rate limited. */
  readonly scan: boolean
  /** Reached by other services and the host only, through no front door. */
  readonly internal: boolean
  /** A secret could be guessed here by asking often enough, so a front door may limit it strictly. */
  readonly guessable: boolean
  /** The answer holds a secret (a token), so it is neither stored for repeats nor journaled. */
  readonly secretAnswer: boolean
}

interface ProcedureOptions {
  readonly permission: Permission
  /** Path below `/v1/<domain>`; the procedure's own name when it is left out. */
  readonly path?: `/${string}`
  readonly summary: string
  readonly deadlineMs?: number
  readonly long?: boolean
  readonly scan?: boolean
  readonly internal?: boolean
}

interface QueryOptions extends ProcedureOptions {
  /** Served by POST, for inputs that do not fit into a URL. */
  readonly largeInput?: boolean
}

interface CommandOptions extends ProcedureOptions {
  readonly guessable?: boolean
  readonly secretAnswer?: boolean
}

const defaultDeadlineMs = 10_000

/** A read: served by GET, handed a read-only database, so it cannot write. */
export function query(options: QueryOptions) {
  return procedure('query', options, options.largeInput === true ? 'POST' : 'GET')
}

/**
 * A write: served by POST. It runs with an actor, an idempotency key and a deadline, and is acknowledged only when
 * its change sets are in the journal.
 */
export function command(options: CommandOptions) {
  return procedure('command', options, 'POST')
}

function procedure<Kind extends 'query' | 'command'>(
  kind: Kind,
  options: CommandOptions,
  method: 'GET' | 'POST',
) {
  const meta: ProcedureMeta<Kind> = {
    kind,
    permission: options.permission,
    deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
    long: options.long ?? false,
    scan: options.scan ?? false,
    internal: options.internal ?? false,
    guessable: options.guessable ?? false,
    secretAnswer: options.secretAnswer ?? false,
  }
  return oc
    .$meta<ProcedureMeta<Kind>>(meta)
    .route({
      method,
      summary: options.summary,
      ...(options.path === undefined ? {} : { path: options.path }),
    })
    .errors(commonErrors)
}

type Procedures = Parameters<ReturnType<typeof oc.tag>['router']>[0] &
  Readonly<Record<string, AnyContractProcedure>>

/** Puts a domain's procedures under `/v1/<name>/…`; call it once, in the domain's `contract.ts`. */
export function domainContract<T extends Procedures>(name: string, procedures: T) {
  for (const [key, { '~orpc': definition }] of Object.entries(procedures)) {
    const below = definition.route.path ?? `/${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    // A definition is a plain object of our own making at this point; nobody else has seen it yet.
    definition.route.path = below === '/' ? `/v1/${name}` : `/v1/${name}${below}`
  }
  return oc.tag(name).router(procedures)
}

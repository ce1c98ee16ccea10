import { createORPCClient } from '@orpc/client'
import type { AnyContractProcedure, AnyContractRouter, ContractRouterClient } from '@orpc/contract'
import { callHeaders } from '../../platform/contract/envelope.ts'

/** What one call may say about itself. */
export interface HttpCall {
  readonly key?: string
  readonly correlationId?: string
  /** Another token than the client's own; null calls as nobody. */
  readonly token?: string | null
}

export interface HttpRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: BodyInit
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  /** Parsed when it is JSON, else the text. */
  readonly body: unknown
}

/** An error as the workstation words it. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly status: number
  readonly code: string
  readonly data: unknown

  constructor(
    status: number,
    body: { readonly code: string; readonly message: string; readonly data: unknown },
  ) {
    super(body.message)
    this.status = status
    this.code = body.code
    this.data = body.data
  }
}

const answerWithinMs = 60_000

/** Sends a request and reads the whole answer. Rejects only when the connection breaks or nothing comes back. */
export async function send({ url, ...request }: HttpRequest): Promise<HttpAnswer> {
  const response = await fetch(url, { ...request, signal: AbortSignal.timeout(answerWithinMs) })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

/** A typed client of one domain; the address of each procedure is read from its contract. */
export function createHttpClient<Contract extends AnyContractRouter>(
  url: string,
  contract: Contract,
  token: string | null,
): ContractRouterClient<Contract, HttpCall> {
  const procedures = new Map<string, AnyContractProcedure>(Object.entries(contract))
  const client: unknown = createORPCClient<ContractRouterClient<AnyContractRouter, HttpCall>>({
    async call(path, input, { context }) {
      const procedure = procedures.get(path.join('.'))
      if (procedure === undefined) throw new Error(`The contract has no procedure ${path.join('.')}`)
      const answer = await send(requestOf(url, procedure, input, { token, ...context }))
      if (answer.status < 400) return answer.body
      throw problemOf(answer)
    },
  })
  return client as ContractRouterClient<Contract, HttpCall>
}

/** The HTTP request that a call of a procedure is: fields named in the path go there, others into query or body. */
export function requestOf(
  url: string,
  procedure: AnyContractProcedure,
  input: unknown,
  { key, correlationId, token }: HttpCall,
): HttpRequest {
  const { path = '/', method = 'POST' } = procedure['~orpc'].route
  const fields = new Map(Object.entries((input ?? {}) as Record<string, unknown>))
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = fields.get(name)
    fields.delete(name)
    return encodeURIComponent(String(value))
  })
  const headers = {
    ...(token == null ? {} : { [callHeaders.authorization]: `Bearer ${token}` }),
    ...(key === undefined ? {} : { [callHeaders.idempotencyKey]: key }),
    ...(correlationId === undefined ? {} : { [callHeaders.correlationId]: correlationId }),
  }
  if (method === 'GET') return { url: `${url}${filled}${queryOf(fields)}`, method, headers }
  return {
    url: `${url}${filled}`,
    method,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(fields)),
  }
}

function queryOf(fields: ReadonlyMap<string, unknown>): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of fields)
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined && each !== null) parameters.append(name, String(each))
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

function problemOf({ status, body }: HttpAnswer): HttpProblem {
  const { code, message, data } = (typeof body === 'object' ? body : null) as {
    readonly code?: string
    readonly message?: string
    readonly data?: unknown
  }
  return new HttpProblem(status, { code: code ?? 'NO_CODE', message: message ?? String(body), data })
}

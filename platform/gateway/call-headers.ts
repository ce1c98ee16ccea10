import { v7 as newId } from 'uuid'
import { z } from 'zod'
import { callHeaders } from '../contract/envelope.ts'
import { commonError } from './faults.ts'

/** Headers as HTTP servers and ports hand them over. */
export type RawHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** What a client may say beside the input of a call. */
export interface ClientHeaders {
  readonly token: string | null
  readonly idempotencyKey: string | null
  readonly deadlineMs: number | null
  readonly traceParent: string | null
}

const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable characters without blanks')
const DeadlineMs = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'must be a whole number of milliseconds')
  .transform(Number)

/** Reads the headers of a call. Throws BAD_REQUEST that names the header and its rule. */
export function readClientHeaders(headers: RawHeaders): ClientHeaders {
  return {
    token: readBearer(readHeader(headers, callHeaders.authorization)),
    idempotencyKey: parse(headers, callHeaders.idempotencyKey, IdempotencyKey),
    deadlineMs: parse(headers, callHeaders.deadlineMs, DeadlineMs),
    traceParent: readHeader(headers, callHeaders.traceParent),
  }
}

/** The caller's correlation id when it is a sensible one, else a new one. */
export function readCorrelationId(headers: RawHeaders): string {
  const given = readHeader(headers, callHeaders.correlationId)
  return given !== null && /^[\w.:-]{1,100}$/.test(given) ? given : newId()
}

function readHeader(headers: RawHeaders, name: string): string | null {
  const value = headers[name]
  return (typeof value === 'string' ? value : value?.[0]) ?? null
}

function readBearer(authorization: string | null): string | null {
  return /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? null
}

function parse<T>(headers: RawHeaders, name: string, schema: z.ZodType<T>): T | null {
  const value = readHeader(headers, name)
  if (value === null) return null
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const message = `The header ${name} ${parsed.error.issues[0]?.message ?? 'is not valid'}`
  throw commonError('BAD_REQUEST', { message })
}

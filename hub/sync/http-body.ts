import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { digestHeader, digestOf } from '../../platform/sync/wire.ts'
import { SyncProblem } from './sync-problem.ts'

const unzip = promisify(gunzip)
const zip = promisify(gzip)
const worthZipping = 1_024

/** Reads a JSON body, gzip or plain, of at most so many bytes before and after unzipping. */
export async function readJson<Schema extends z.ZodType>(
  request: FastifyRequest,
  schema: Schema,
  mostBytes: number,
): Promise<z.output<Schema>> {
  const sent = await readBytes(request, mostBytes)
  const bytes = request.headers['content-encoding'] === 'gzip' ? await unzipped(sent, mostBytes) : sent
  const digest = request.headers[digestHeader]
  if (digest !== undefined && digest !== digestOf(bytes))
    throw new SyncProblem(400, 'BAD_REQUEST', 'The body was changed on the way: send it again')
  const parsed = schema.safeParse(parse(bytes))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new SyncProblem(
    400,
    'BAD_REQUEST',
    `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`,
  )
}

/** Sends JSON, zipped for whoever takes it so. */
export async function sendJson(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: object,
): Promise<FastifyReply> {
  const bytes = Buffer.from(JSON.stringify(answer), 'utf8')
  const typed = reply.type('application/json; charset=utf-8').header(digestHeader, digestOf(bytes))
  const takesZip = request.headers['accept-encoding']?.includes('gzip') === true
  if (!takesZip || bytes.length < worthZipping) return typed.send(bytes)
  return typed.header('content-encoding', 'gzip').send(await zip(bytes))
}

/** The body of a request as it comes in. */
export function streamOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  return request.body === undefined || request.body === null
    ? request.raw
    : (request.body as AsyncIterable<Uint8Array>)
}

async function readBytes(request: FastifyRequest, mostBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of streamOf(request)) {
    bytes += chunk.length
    if (bytes > mostBytes) throw tooLarge(mostBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function unzipped(bytes: Buffer, mostBytes: number): Promise<Buffer> {
  try {
    return await unzip(bytes, { maxOutputLength: mostBytes })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(mostBytes)
    throw new SyncProblem(400, 'BAD_REQUEST', 'The body is not gzip')
  }
}

function tooLarge(mostBytes: number): SyncProblem {
  return new SyncProblem(413, 'PAYLOAD_TOO_LARGE', `The body is larger than ${mostBytes} bytes`)
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new SyncProblem(400, 'BAD_REQUEST', 'The body is not JSON')
  }
}

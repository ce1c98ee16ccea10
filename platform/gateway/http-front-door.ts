import type { AddressInfo } from 'node:net'
import { ORPCError } from '@orpc/client'
import { getEventIteratorSchemaDetails, type OpenAPI } from '@orpc/contract'
import { OpenAPIHandler } from '@orpc/openapi/fastify'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { z } from 'zod'
import { callHeaders } from '../contract/envelope.ts'
import { type RawHeaders, readClientHeaders, readCorrelationId } from './call-headers.ts'
import { addDrain, type Drain } from './drain.ts'
import { commonError } from './faults.ts'
import { renderDocsPage } from './docs-page.ts'
import type { Gateway } from './gateway.ts'
import { decideLoopback } from './loopback.ts'
import { describeApi } from './open-api.ts'
import { routeProcedures } from './procedure-router.ts'
import { coerceQuery } from './query-coercion.ts'

export interface HttpFrontDoorOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly title: string
  readonly version: string
  /** Whether the host has done what it must before it can take calls. */
  readonly isReady: () => boolean
  /** Check Host and Origin, as is right for an address on loopback. */
  readonly loopbackOnly: boolean
  /** Serves HTTPS with this certificate and its key, PEM. */
  readonly tls?: { readonly certificate: Buffer; readonly key: Buffer }
  readonly largestJsonBytes?: number
  /** Largest body of any other kind: files. */
  readonly largestBodyBytes?: number
  /** Addresses of proxies whose word on a client's address and protocol is taken (`X-Forwarded-…`). */
  readonly trustedProxies?: readonly string[]
  /** How long running requests may take to end after `close`; then they are cut off. */
  readonly closeWithinMs?: number
  /** Further routes of the host, such as its web pages. They pass the same checks. */
  readonly addRoutes?: (app: FastifyInstance) => void | Promise<void>
  /** Stands around every call of a procedure: what goes in, what comes out, and the headers of both. */
  readonly aroundCall?: AroundCall
}

/** A call of a procedure as it came over HTTP. */
export interface DoorCall {
  /** Domain, then procedure. */
  readonly path: readonly string[]
  readonly input: unknown
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export type AroundCall = (call: DoorCall, next: (input: unknown) => Promise<unknown>) => Promise<unknown>

export interface HttpFrontDoor {
  readonly url: string
  /** Refuses new requests with 503, lets running ones end for a while, closes. */
  readonly close: () => Promise<void>
}

const defaultCloseWithinMs = 10_000
const defaultLargestJsonBytes = 8 * 1024 * 1024
const defaultLargestBodyBytes = 51 * 1024 * 1024

interface DoorContext {
  headers: RawHeaders
  correlationId: string
  client: string
  request: FastifyRequest
  reply: FastifyReply
}

/** Serves all public contracts as JSON over HTTP, with health, metrics and a description of itself. */
export async function openHttpFrontDoor(
  gateway: Gateway,
  options: HttpFrontDoorOptions,
): Promise<HttpFrontDoor> {
  const app = Fastify({
    logger: false,
    bodyLimit: options.largestJsonBytes ?? defaultLargestJsonBytes,
    forceCloseConnections: 'idle',
    requestTimeout: 120_000,
    ...(options.trustedProxies === undefined ? {} : { trustProxy: [...options.trustedProxies] }),
    ...(options.tls === undefined ? {} : { https: { cert: options.tls.certificate, key: options.tls.key } }),
  })
  guard(app, options)
  const drain = addDrain(app, sendClosing)
  // Before the other routes: what it registers (security headers) is meant for all of them.
  await options.addRoutes?.(app)
  acceptBodies(app, options.largestBodyBytes ?? defaultLargestBodyBytes)
  serveHealth(app, gateway, options)
  serveDescription(app, gateway, options)
  serveProcedures(app, gateway, { drain, aroundCall: options.aroundCall ?? passThrough })
  answerProblems(app, gateway, options.largestJsonBytes ?? defaultLargestJsonBytes)
  await app.listen({ host: options.host, port: options.port })
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${printHost(options.host)}:${portOf(app)}`,
    async close() {
      await drain.finish(options.closeWithinMs ?? defaultCloseWithinMs)
      await closeGently(app)
    },
  }
}

/** Nothing runs any more, or it has had its time: answers are let out, then the connections are cut. */
async function closeGently(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 20)
  const enough = setTimeout(() => app.server.closeAllConnections(), 200)
  try {
    await app.close()
  } finally {
    clearInterval(sweep)
    clearTimeout(enough)
  }
}

function guard(app: FastifyInstance, options: HttpFrontDoorOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header(callHeaders.correlationId, readCorrelationId(request.headers))
    reply.header('x-content-type-options', 'nosniff')
    reply.header('cache-control', 'no-store')
    if (!options.loopbackOnly) return
    const decision = decideLoopback(request.headers.host, request.headers.origin, portOf(app))
    if (!decision.allowed) return sendProblem(reply, 403, 'FORBIDDEN', decision.why)
  })
}

/** JSON is read by Fastify; everything else is read by oRPC straight from the request, so its length is checked first. */
function acceptBodies(app: FastifyInstance, largestBodyBytes: number): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {})
    else void parseJson(request, String(body), done)
  })
  app.addContentTypeParser('*', (request, _payload, done) => {
    const length = Number(request.headers['content-length'] ?? Number.NaN)
    if (Number.isNaN(length)) done(httpProblem(411, 'The length of the body must be given (Content-Length)'))
    else if (length > largestBodyBytes) done(new BodyTooLarge(largestBodyBytes))
    else done(null, undefined)
  })
}

function serveHealth(app: FastifyInstance, gateway: Gateway, options: HttpFrontDoorOptions): void {
  app.get('/health', () => ({ status: 'ok', version: options.version }))
  app.get('/health/ready', (_request, reply) => {
    const services = gateway.services()
    const ready =
      options.isReady() && services.every(({ state }) => state !== 'failing' && state !== 'refused')
    return reply.status(ready ? 200 : 503).send({
      status: ready ? 'ready' : 'not ready',
      version: options.version,
      services: Object.fromEntries(services.map(({ name, state, words }) => [name, { state, words }])),
    })
  })
  app.get('/metrics', async (_request, reply) => {
    const { registry } = gateway.metrics
    return reply.type(registry.contentType).send(await registry.metrics())
  })
}

function serveDescription(app: FastifyInstance, gateway: Gateway, options: HttpFrontDoorOptions): void {
  // Made when first asked for: it takes long enough to be felt at the start.
  let document: Promise<OpenAPI.Document> | undefined
  const describe = () => (document ??= describeApi(gateway.catalogue, options))
  app.get('/openapi.json', describe)
  app.get('/docs', async (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .send(renderDocsPage(await describe())),
  )
}

function passThrough({ input }: DoorCall, next: (input: unknown) => Promise<unknown>): Promise<unknown> {
  return next(input)
}

function serveProcedures(
  app: FastifyInstance,
  gateway: Gateway,
  { drain, aroundCall }: { readonly drain: Drain; readonly aroundCall: AroundCall },
): void {
  const handler = new OpenAPIHandler<DoorContext>(routeProcedures(gateway.catalogue, { internal: false }), {
    customErrorResponseBodyEncoder: ({ code, message, data }: ORPCError<string, unknown>) =>
      problemBody(code, message, data),
    clientInterceptors: [
      async ({ path, input, procedure, context, signal }) => {
        const { inputSchema, outputSchema, route } = procedure['~orpc']
        // Feeds have no end of their own; everything else is let end.
        const isFeed = getEventIteratorSchemaDetails(outputSchema) !== undefined
        const signals = [...(signal === undefined ? [] : [signal]), ...(isFeed ? [drain.signal] : [])]
        const { request, reply, headers, client, correlationId } = context
        // A request without a body means the same as one with an empty object.
        const given = route.method === 'GET' ? coerceQuery(inputSchema, input) : (input ?? {})
        try {
          return await aroundCall({ path, input: given, request, reply }, (parsed) =>
            gateway.call({
              path,
              input: parsed,
              correlationId,
              origin: { from: 'door', client, headers: readClientHeaders(headers) },
              ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
            }),
          )
        } catch (error) {
          noteRetryAfter(reply, error)
          throw error
        }
      },
    ],
  })
  app.all('/v1/*', async (request, reply) => {
    const { matched } = await handler.handle(request, reply, { context: contextOf(request, reply) })
    if (!matched) sendUnknownRoute(request, reply)
    return reply
  })
}

const RetryAfter = z.object({ retryAfterMs: z.number() })

/** Says in seconds when it is worth asking again, to whoever was turned away for the moment. */
export function noteRetryAfter(reply: FastifyReply, error: unknown): void {
  if (!(error instanceof ORPCError) || (error.status !== 429 && error.status !== 503)) return
  const { data } = RetryAfter.safeParse(error.data)
  reply.header('retry-after', Math.max(1, Math.ceil((data?.retryAfterMs ?? 0) / 1_000)))
}

function contextOf(request: FastifyRequest, reply: FastifyReply): DoorContext {
  return {
    headers: request.headers,
    correlationId: String(reply.getHeader(callHeaders.correlationId)),
    client: request.ip,
    request,
    reply,
  }
}

function answerProblems(app: FastifyInstance, gateway: Gateway, largestJsonBytes: number): void {
  app.setNotFoundHandler(sendUnknownRoute)
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof ORPCError && error.status !== 500) {
      const { status, code, message, data } = error as ORPCError<string, unknown>
      noteRetryAfter(reply, error)
      return sendProblem(reply, status, code, message, data)
    }
    const status = error.statusCode ?? 500
    if (status === 413)
      return sendTooLarge(reply, error instanceof BodyTooLarge ? error.largestBytes : largestJsonBytes)
    if (status < 500) return sendProblem(reply, status, codeOfStatus(status), error.message)
    const { correlationId } = contextOf(request, reply)
    gateway.log.write('error', `A defect at ${request.method} ${request.url}`, { correlationId, error })
    const message = `Something is wrong here. The log explains it under ${correlationId}`
    return sendProblem(reply, 500, 'INTERNAL_SERVER_ERROR', message, { correlationId })
  })
}

function sendUnknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const id = `${request.method} ${request.url.split('?')[0] ?? ''}`
  return sendProblem(reply, 404, 'NOT_FOUND', 'Nothing is served at this address', { kind: 'route', id })
}

function sendProblem(
  reply: FastifyReply,
  status: number,
  code: string,
  message: string,
  data: unknown = null,
): FastifyReply {
  return reply.status(status).send(problemBody(code, message, data))
}

function problemBody(code: string, message: string, data: unknown) {
  return { code, message, data: data ?? null }
}

function codeOfStatus(status: number): string {
  switch (status) {
    case 404:
      return 'NOT_FOUND'
    case 411:
      return 'LENGTH_REQUIRED'
    case 413:
      return 'PAYLOAD_TOO_LARGE'
    case 415:
      return 'UNSUPPORTED_MEDIA_TYPE'
    default:
      return 'BAD_REQUEST'
  }
}

/** A body beyond what is taken, told by its declared length. */
class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge'
  readonly statusCode = 413
  readonly largestBytes: number

  constructor(largestBytes: number) {
    super(`The body is larger than ${largestBytes} bytes`)
    this.largestBytes = largestBytes
  }
}

function sendTooLarge(reply: FastifyReply, largestBytes: number): FastifyReply {
  const { message } = new BodyTooLarge(largestBytes)
  return sendProblem(reply, 413, 'PAYLOAD_TOO_LARGE', message, { largestBytes })
}

/** The answer to whatever comes while the host ends. Nothing was done with it. */
function sendClosing(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, code, message } = commonError('NOT_STARTED')
  return sendProblem(reply.header('retry-after', 1), status, code, message, { why: 'TracSeq is closing' })
}

function httpProblem(statusCode: number, message: string): Error {
  return Object.assign(new Error(message), { statusCode })
}

function portOf(app: FastifyInstance): number {
  const address: AddressInfo | string | null = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function printHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

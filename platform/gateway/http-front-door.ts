import type { AddressInfo } from 'node:net'
import { ORPCError } from '@orpc/client'
import type { OpenAPI } from '@orpc/contract'
import { OpenAPIHandler } from '@orpc/openapi/fastify'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { callHeaders } from '../contract/envelope.ts'
import { type RawHeaders, readClientHeaders, readCorrelationId } from './call-headers.ts'
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
  /** Further routes of the host, such as its web pages. They pass the same checks. */
  readonly addRoutes?: (app: FastifyInstance) => void | Promise<void>
}

export interface HttpFrontDoor {
  readonly url: string
  /** Takes no new connections, lets running requests end, closes. */
  readonly close: () => Promise<void>
}

const closeWithinMs = 10_000

interface DoorContext {
  headers: RawHeaders
  correlationId: string
  client: string
}

/** Serves all public contracts as JSON over HTTP, with health, metrics and a description of itself. */
export async function openHttpFrontDoor(
  gateway: Gateway,
  options: HttpFrontDoorOptions,
): Promise<HttpFrontDoor> {
  const app = Fastify({
    logger: false,
    bodyLimit: options.largestJsonBytes ?? 8 * 1024 * 1024,
    forceCloseConnections: 'idle',
    requestTimeout: 120_000,
    ...(options.tls === undefined ? {} : { https: { cert: options.tls.certificate, key: options.tls.key } }),
  })
  guard(app, options)
  // Before the other routes: what it registers (security headers) is meant for all of them.
  await options.addRoutes?.(app)
  acceptBodies(app, options.largestBodyBytes ?? 51 * 1024 * 1024)
  serveHealth(app, gateway, options)
  serveDescription(app, gateway, options)
  serveProcedures(app, gateway)
  answerProblems(app, gateway)
  await app.listen({ host: options.host, port: options.port })
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${printHost(options.host)}:${portOf(app)}`,
    close: () => closeGently(app),
  }
}

/** Fastify closes connections that are idle now; one that becomes idle later would keep it waiting for its client. */
async function closeGently(app: FastifyInstance): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 20)
  const enough = setTimeout(() => app.server.closeAllConnections(), closeWithinMs)
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
    else if (length > largestBodyBytes)
      done(httpProblem(413, `The body is larger than ${largestBodyBytes} bytes`))
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

function serveProcedures(app: FastifyInstance, gateway: Gateway): void {
  const handler = new OpenAPIHandler<DoorContext>(routeProcedures(gateway.catalogue, { internal: false }), {
    customErrorResponseBodyEncoder: ({ code, message, data }: ORPCError<string, unknown>) =>
      problemBody(code, message, data),
    clientInterceptors: [
      async ({ path, input, procedure, context, signal }) => {
        const { inputSchema, route } = procedure['~orpc']
        return gateway.call({
          path,
          // A request without a body means the same as one with an empty object.
          input: route.method === 'GET' ? coerceQuery(inputSchema, input) : (input ?? {}),
          correlationId: context.correlationId,
          origin: { from: 'door', client: context.client, headers: readClientHeaders(context.headers) },
          ...(signal === undefined ? {} : { signal }),
        })
      },
    ],
  })
  app.all('/v1/*', async (request, reply) => {
    const { matched } = await handler.handle(request, reply, { context: contextOf(request, reply) })
    if (!matched) sendUnknownRoute(request, reply)
    return reply
  })
}

function contextOf(request: FastifyRequest, reply: FastifyReply): DoorContext {
  return {
    headers: request.headers,
    correlationId: String(reply.getHeader(callHeaders.correlationId)),
    client: request.ip,
  }
}

function answerProblems(app: FastifyInstance, gateway: Gateway): void {
  app.setNotFoundHandler(sendUnknownRoute)
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const status = error instanceof ORPCError ? error.status : (error.statusCode ?? 500)
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

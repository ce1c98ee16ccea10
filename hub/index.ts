import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ORPCError } from '@orpc/client'
import { z } from 'zod'
import { type HttpFrontDoor, openHttpFrontDoor } from '../platform/gateway/http-front-door.ts'
import type { LogLevel } from '../platform/gateway/log.ts'
import { type OtlpSettings, readOtlpSettings } from '../platform/gateway/otlp-export.ts'
import { defaultHome, HomeUnusable } from '../platform/host/home.ts'
import { keepRefreshTokenInCookie } from './browser-session.ts'
import { askForFounderCode } from './first-laboratory.ts'
import { type Hub, startHub } from './hub.ts'
import { serveKeySet } from './key-set.ts'
import { PassedOn } from './sync/passed-on.ts'
import { serveSync } from './sync/sync-routes.ts'
import { limitSync } from './sync-limits.ts'
import { serveWebUi } from './web-ui.ts'

const root = resolve(import.meta.dirname, '..')
const defaultPort = 8089
/** From the signal to the end: running requests, then services, log and server. */
const endsWithinMs = 45_000
const Package = z.object({ version: z.string() })

await main().catch((error: unknown) => {
  process.stderr.write(`${describe(error)}\n`)
  // Threads of a half-started Hub would keep the process alive for ever.
  process.exit(1)
})

/** TracSeq Hub: the services on PostgreSQL, with the contracts and the web UI over HTTP. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      home: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      certificate: { type: 'string' },
      key: { type: 'string' },
      'trusted-proxy': { type: 'string', multiple: true },
    },
  })
  const { version } = Package.parse(JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')))
  const hub = await startHub({
    home: values.home ?? `${defaultHome()}-hub`,
    root,
    version,
    logLevel: readLogLevel(process.env['TRACSEQ_LOG']),
    databaseUrl: process.env['DATABASE_URL'],
    ...readNumber('TRACSEQ_HUB_INSTANCES', 'instances', 16),
    ...readNumber('TRACSEQ_HUB_GUESSES_PER_MINUTE', 'guessesPerMinute', 1_000_000),
    ...readTraces(),
  })
  const door = await openDoor(hub, version, values).catch(async (error: unknown) => {
    await hub.close()
    throw error
  })
  process.stdout.write(`${JSON.stringify({ url: door.url, home: hub.home })}\n`)

  let closing = false
  const close = () => {
    if (closing) return
    closing = true
    setTimeout(() => {
      process.stderr.write('TracSeq Hub did not end in time. What it confirmed is kept.\n')
      process.exit(1)
    }, endsWithinMs).unref()
    hub.sync.feed.endAll()
    door
      .close()
      .then(() => hub.close())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`${describe(error)}\n`)
          process.exit(1)
        },
      )
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, close)
}

async function openDoor(
  hub: Hub,
  version: string,
  values: {
    readonly port?: string | undefined
    readonly host?: string | undefined
    readonly certificate?: string | undefined
    readonly key?: string | undefined
    readonly 'trusted-proxy'?: readonly string[] | undefined
  },
): Promise<HttpFrontDoor> {
  const email = process.env['TRACSEQ_ADMIN_EMAIL']
  const password = process.env['TRACSEQ_ADMIN_PASSWORD']
  if (email !== undefined && password !== undefined) await hub.setUpFrom({ email, password })
  const { certificate, key, host = '127.0.0.1', 'trusted-proxy': trustedProxies } = values
  if ((certificate === undefined) !== (key === undefined))
    throw new Error('TLS needs both: --certificate FILE and --key FILE')
  const needsCode = askForFounderCode({
    trust: hub.sync.trust,
    admit: (address) => hub.gateway.admitClient(address, { scan: false, guessable: true }),
    isSetUp: () => hub.sync.people.isSetUp(),
  })
  return openHttpFrontDoor(hub.gateway, {
    host,
    port: Number(values.port ?? process.env['TRACSEQ_PORT'] ?? defaultPort),
    title: 'TracSeq Hub',
    version,
    isReady: () => hub.isReady(),
    loopbackOnly: false,
    ...(certificate === undefined || key === undefined
      ? {}
      : { tls: { certificate: readFileSync(certificate), key: readFileSync(key) } }),
    ...(trustedProxies === undefined ? {} : { trustedProxies }),
    aroundCall: (call, next) =>
      needsCode(call, (input) => keepRefreshTokenInCookie({ ...call, input }, next)),
    async addRoutes(app) {
      await serveWebUi(app, resolve(root, 'out/renderer'))
      serveKeySet(app, hub.gateway)
      limitSync(app, hub.gateway)
      await serveSync(app, hub.sync, new PassedOn(hub.gateway, hub.sync.people))
    },
  })
}

function readLogLevel(text: string | undefined): LogLevel {
  return text === 'debug' || text === 'warn' || text === 'error' ? text : 'info'
}

function readNumber<Name extends string>(
  variable: string,
  name: Name,
  greatest: number,
): Partial<Record<Name, number>> {
  const text = process.env[variable]
  if (text === undefined) return {}
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1 || number > greatest)
    throw new Error(`${variable} is a whole number from 1 to ${greatest}`)
  const given: Partial<Record<Name, number>> = {}
  given[name] = number
  return given
}

function readTraces(): { readonly traces?: OtlpSettings } {
  const traces = readOtlpSettings(process.env, 'tracseq-hub')
  return traces === null ? {} : { traces }
}

/** What a person can put right is said in its own words; anything else comes with where it happened. */
function describe(error: unknown): string {
  if (error instanceof HomeUnusable || error instanceof ORPCError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

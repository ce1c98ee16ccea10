import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ORPCError } from '@orpc/client'
import { z } from 'zod'
import { type HttpFrontDoor, openHttpFrontDoor } from '../platform/gateway/http-front-door.ts'
import type { LogLevel } from '../platform/gateway/log.ts'
import { defaultHome, HomeUnusable } from '../platform/host/home.ts'
import { type Hub, startHub } from './hub.ts'
import { serveWebUi } from './web-ui.ts'

const root = resolve(import.meta.dirname, '..')
const defaultPort = 8089
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
    },
  })
  const { version } = Package.parse(JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')))
  const hub = await startHub({
    home: values.home ?? `${defaultHome()}-hub`,
    root,
    version,
    logLevel: readLogLevel(process.env['TRACSEQ_LOG']),
    databaseUrl: process.env['DATABASE_URL'],
    ...readInstances(process.env['TRACSEQ_HUB_INSTANCES']),
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
  process.on('SIGTERM', close)
  process.on('SIGINT', close)
}

async function openDoor(
  hub: Hub,
  version: string,
  values: {
    readonly port?: string | undefined
    readonly host?: string | undefined
    readonly certificate?: string | undefined
    readonly key?: string | undefined
  },
): Promise<HttpFrontDoor> {
  const email = process.env['TRACSEQ_ADMIN_EMAIL']
  const password = process.env['TRACSEQ_ADMIN_PASSWORD']
  if (email !== undefined && password !== undefined) await hub.setUpFrom({ email, password })
  const { certificate, key, host = '127.0.0.1' } = values
  if ((certificate === undefined) !== (key === undefined))
    throw new Error('TLS needs both: --certificate FILE and --key FILE')
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
    addRoutes: (app) => serveWebUi(app, resolve(root, 'out/renderer')),
  })
}

function readLogLevel(text: string | undefined): LogLevel {
  return text === 'debug' || text === 'warn' || text === 'error' ? text : 'info'
}

function readInstances(text: string | undefined): { readonly instances?: number } {
  if (text === undefined) return {}
  const instances = Number(text)
  if (!Number.isInteger(instances) || instances < 1 || instances > 16)
    throw new Error('TRACSEQ_HUB_INSTANCES is a whole number from 1 to 16')
  return { instances }
}

/** What a person can put right is said in its own words; anything else comes with where it happened. */
function describe(error: unknown): string {
  if (error instanceof HomeUnusable || error instanceof ORPCError) return error.message
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ORPCError } from '@orpc/client'
import { type HttpFrontDoor, openHttpFrontDoor } from '../../platform/gateway/http-front-door.ts'
import type { LogLevel } from '../../platform/gateway/log.ts'
import { forkDeviceProcess } from '../devices/forked-device-process.ts'
import { defaultHome, HomeUnusable } from '../../platform/host/home.ts'
import { readHubUrl, readVersion, startWorkstation, type Workstation } from '../workstation.ts'

const root = resolve(import.meta.dirname, '../..')

await main().catch((error: unknown) => {
  process.stderr.write(`${describe(error)}\n`)
  // Threads of a half-started workstation would keep the process alive for ever.
  process.exit(1)
})

/** A workstation without windows: the same services, journal and devices, with the contracts on loopback HTTP. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { home: { type: 'string' }, port: { type: 'string' } } })
  const workstation = await startWorkstation({
    home: values.home ?? defaultHome(),
    root,
    version: readVersion(root),
    logLevel: readLogLevel(process.env['TRACSEQ_LOG']),
    logToStderr: false,
    spawnDeviceProcess: forkDeviceProcess,
    ...readReserve(process.env['TRACSEQ_RESERVE_BYTES']),
    ...readHubUrl(process.env['TRACSEQ_HUB_URL']),
  })
  const door = await openDoor(workstation, values.port ?? process.env['TRACSEQ_PORT']).catch(
    async (error: unknown) => {
      await workstation.close()
      throw error
    },
  )
  process.stdout.write(`${JSON.stringify({ url: door.url, home: workstation.home })}\n`)

  let closing = false
  const close = () => {
    if (closing) return
    closing = true
    door
      .close()
      .then(() => workstation.close())
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

/** Opens the HTTP front door once there is a laboratory, if somebody said who its first administrator is. */
async function openDoor(workstation: Workstation, port: string | undefined): Promise<HttpFrontDoor> {
  await setUpFirstAdministrator(workstation)
  return openHttpFrontDoor(workstation.gateway, {
    host: '127.0.0.1',
    port: Number(port ?? 0),
    title: 'TracSeq Bench',
    version: readVersion(root),
    isReady: () => true,
    loopbackOnly: true,
  })
}

async function setUpFirstAdministrator(workstation: Workstation): Promise<void> {
  const email = process.env['TRACSEQ_ADMIN_EMAIL']
  const password = process.env['TRACSEQ_ADMIN_PASSWORD']
  if (email !== undefined && password !== undefined) await workstation.setUpFrom({ email, password })
}

function readLogLevel(text: string | undefined): LogLevel {
  return text === 'debug' || text === 'warn' || text === 'error' ? text : 'info'
}

function readReserve(text: string | undefined): { readonly reserveBytes?: number } {
  return text === undefined ? {} : { reserveBytes: Number(text) }
}

/** What a person can put right is said in its own words; anything else comes with where it happened. */
function describe(error: unknown): string {
  if (error instanceof HomeUnusable) return error.message
  if (error instanceof ORPCError) return `${error.message}${whyOf(error.data)}`
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** What is known beyond the words for everybody. */
function whyOf(data: unknown): string {
  const isTold = typeof data === 'object' && data !== null && 'why' in data
  return isTold ? ` (${String(data.why)})` : ''
}

import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { ORPCError } from '@orpc/client'
import { z } from 'zod'
import { services } from '../../services/registry.ts'
import { forkDeviceProcess } from '../devices/forked-device-process.ts'
import { startWorkstation, type Workstation } from '../workstation.ts'
import { prepareDatabaseTemplate } from './database-template.ts'
import { administrator, makeHome } from './workstation-process.ts'

const root = resolve(import.meta.dirname, '../..')

/** A whole workstation in the test's own process, on a home of its own, with its laboratory set up. */
export interface WorkstationHere {
  readonly workstation: Workstation
  /** Calls as a window or program does: through all gates, with this access token. */
  call(path: string, input: unknown, more?: DoorCall): Promise<unknown>
  signIn(person?: { readonly email: string; readonly password: string }): Promise<string>
  /** Starts all services and waits until they are ready, so that no call of a test waits for a start. */
  wakeAll(): Promise<void>
  close(): Promise<void>
}

export interface DoorCall {
  readonly token?: string | null
  readonly key?: string
  readonly deadlineMs?: number
}

const readyWithinMs = 90_000

const Tokens = z.object({ accessToken: z.string() })

export async function startWorkstationHere(): Promise<WorkstationHere> {
  await prepareDatabaseTemplate()
  const home = makeHome()
  const workstation = await startWorkstation({
    home,
    root,
    version: '0.0.0-test',
    logLevel: 'info',
    logToStderr: false,
    spawnDeviceProcess: forkDeviceProcess,
  })
  await workstation.setUpFrom(administrator).catch(async (error: unknown) => {
    await workstation.close()
    throw error
  })

  const call: WorkstationHere['call'] = (path, input, { token = null, key, deadlineMs } = {}) =>
    workstation.gateway.call({
      path: path.split('.'),
      input,
      origin: {
        from: 'door',
        client: 'test',
        headers: {
          token,
          idempotencyKey: key ?? null,
          deadlineMs: deadlineMs ?? null,
          traceParent: null,
        },
      },
    })
  return {
    workstation,
    call,
    signIn: async (person = administrator) =>
      Tokens.parse(await call('auth.login', { email: person.email, password: person.password })).accessToken,
    async wakeAll() {
      for (const { name } of services) workstation.gateway.wake(name)
      const until = Date.now() + readyWithinMs
      for (;;) {
        const waking = workstation.gateway.services().filter(({ state }) => state !== 'ready')
        if (waking.length === 0) return
        if (Date.now() > until)
          throw new Error(
            `Not ready: ${waking.map(({ name, words }) => `${name} (${words ?? ''})`).join(', ')}`,
          )
        await new Promise((resume) => setTimeout(resume, 50))
      }
    },
    async close() {
      await workstation.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** What is left of an outcome when only its code matters: `OK`, or the error's code. */
export async function codeOf(outcome: Promise<unknown>): Promise<string> {
  return outcome.then(
    () => 'OK',
    (error: unknown) => (error instanceof ORPCError ? String(error.code) : `unexpected: ${String(error)}`),
  )
}

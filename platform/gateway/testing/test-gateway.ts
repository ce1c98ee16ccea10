import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { ContractRouterClient } from '@orpc/contract'
import type { Actor } from '../../contract/envelope.ts'
import type { ClientHeaders } from '../call-headers.ts'
import type { system } from '../contract.ts'
import { Gateway, type GatewayOptions } from '../gateway.ts'
import { type Log, openLog } from '../log.ts'
import { openPortFrontDoor } from '../port-front-door.ts'
import type { ServiceDefinition } from '../registry.ts'
import type { ResolvedSession } from '../session.ts'
import { alpha, beta } from './test-contract.ts'

const workerUrl = new URL('./test.worker.ts', import.meta.url)
/** The smallest module there is: the boot data wants one, the test worker does not. */
const wasmModule = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))

export const technician: Actor = {
  userId: 'technician',
  name: 'Tessa Technician',
  sessionId: 'session-1',
  laboratoryId: 'laboratory',
  permissions: ['test:write', 'system:read'],
  service: null,
}
export const guest: Actor = { ...technician, userId: 'guest', name: 'Guy Guest', permissions: [] }

export interface TestGateway {
  readonly gateway: Gateway
  readonly home: string
  readonly log: Log
  /** Parsed lines of the log. */
  readonly logLines: () => readonly Record<string, unknown>[]
  readonly stop: () => Promise<void>
}

interface TestGatewayOptions extends Partial<GatewayOptions> {
  readonly definition?: Partial<ServiceDefinition>
}

/** A gateway with the services alpha and beta in real workers, impatient enough for tests. */
export function startTestGateway(options: TestGatewayOptions = {}): TestGateway {
  const home = mkdtempSync(join(tmpdir(), 'tracseq-gateway-'))
  const log = openLog({ home, level: 'debug', stderr: false })
  const { definition, ...others } = options
  const gateway = new Gateway({
    services: [
      { name: 'alpha', contract: alpha, workerUrl, subscriptions: ['ThingHappened'], ...definition },
      { name: 'beta', contract: beta, workerUrl },
    ],
    bootData: (domain) => ({
      home,
      database: { kind: 'pglite', directory: join(home, 'databases', domain), template: null, wasmModule },
      migrations: home,
      resources: home,
      workstation: { id: 'workstation', name: 'Bench 1' },
      logLevel: 'info',
    }),
    openJournalPort: () => new MessageChannel().port1,
    resolveSession: resolveTestSession,
    log,
    ...others,
    timing: {
      heartbeatEveryMs: 50,
      heartbeatsMissing: 3,
      firstBackOffMs: 50,
      closeWithinMs: 1_000,
      ...others.timing,
    },
    breaker: { firstWaitMs: 200, ...others.breaker },
  })
  return {
    gateway,
    home,
    log,
    logLines: () => {
      log.flush()
      const lines = readFileSync(join(home, 'logs', 'tracseq.log'), 'utf8')
        .trim()
        .split('\n')
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    },
    stop: async () => {
      await gateway.close(200)
      log.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

async function resolveTestSession(token: string): Promise<ResolvedSession> {
  switch (token) {
    case 'technician':
      return { actor: technician }
    case 'guest':
      return { actor: guest }
    case 'stranger':
      return { actor: { ...technician, userId: 'stranger', laboratoryId: 'another laboratory' } }
    case 'locked':
      return { problem: 'SESSION_LOCKED' }
    default:
      return { problem: 'UNAUTHORIZED' }
  }
}

/** A call as a front door makes it. */
export function callFromDoor(
  gateway: Gateway,
  path: string,
  input: unknown = {},
  headers: Partial<ClientHeaders> = {},
): Promise<unknown> {
  return gateway.call({
    path: path.split('.'),
    input,
    origin: {
      from: 'door',
      client: 'test',
      headers: { token: 'technician', idempotencyKey: null, deadlineMs: null, traceParent: null, ...headers },
    },
  })
}

/** What is left of an outcome when only its code matters: `OK`, or the error's code. */
export async function codeOf(outcome: Promise<unknown>): Promise<string> {
  return outcome.then(
    () => 'OK',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  )
}

/** Waits until something is so; fails in words when it takes too long. */
export async function eventually(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  withinMs = 8_000,
): Promise<void> {
  const until = Date.now() + withinMs
  while (!(await isSo())) {
    if (Date.now() > until) throw new Error(`It never came to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

interface TestClientContext {
  readonly headers?: Readonly<Record<string, string>>
}

/** A typed client on the other end of a port front door, as the renderer has one. */
export function openTestClient(gateway: Gateway, name = 'window-1') {
  const { port1, port2 } = new MessageChannel()
  openPortFrontDoor(gateway, port1, name)
  const answers: Readonly<Record<string, unknown>>[] = []
  const link = new RPCLink<TestClientContext>({
    port: port2,
    headers: ({ context }) => ({ ...context.headers }),
    clientInterceptors: [
      async (call) => {
        const response = await call.next()
        answers.push(response.headers)
        return response
      },
    ],
  })
  port2.start()
  const client: {
    readonly alpha: ContractRouterClient<typeof alpha, TestClientContext>
    readonly beta: ContractRouterClient<typeof beta, TestClientContext>
    /** Only where a test has added the host's own domain. */
    readonly system: ContractRouterClient<typeof system, TestClientContext>
  } = createORPCClient(link)
  return { client, port: port2, answers, close: () => port2.close() }
}

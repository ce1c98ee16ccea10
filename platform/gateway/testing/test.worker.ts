import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import type { ContractRouterClient } from '@orpc/contract'
import { implement } from '@orpc/server'
import { RPCHandler } from '@orpc/server/message-port'
import { Envelope, envelopeHeader } from '../../contract/envelope.ts'
import type { FromService, ServiceBoot, ToService } from '../../service/boot.ts'
import { testContract } from './test-contract.ts'

/** The boot data is what the gateway under test handed over; its type is the contract between the two. */
const boot = workerData as ServiceBoot
const contract = testContract(boot.domain)
const os = implement(contract).$context<{ envelope: Envelope }>()

const others = new RPCLink<{ envelope: Envelope }>({
  port: boot.gatewayPort,
  headers: ({ context }) => ({ [envelopeHeader]: JSON.stringify(context.envelope) }),
})

const router = os.router({
  echo: os.echo.handler(({ input }) => input),
  whoAmI: os.whoAmI.handler(({ context: { envelope } }) => ({
    userId: envelope.actor?.userId ?? null,
    service: envelope.actor?.service ?? null,
    correlationId: envelope.correlationId,
    idempotencyKey: envelope.idempotencyKey,
    traceParent: envelope.traceParent,
  })),
  write: os.write.handler(({ input, context: { envelope } }) => {
    tellSpan(envelope)
    tell({ type: 'changed', laboratoryId: envelope.actor?.laboratoryId ?? '' })
    return { note: input.note, idempotencyKey: envelope.idempotencyKey ?? 'none' }
  }),
  limited: os.limited.handler(() => ({})),
  guess: os.guess.handler(() => ({})),
  search: os.search.handler(({ input }) => input),
  fail: os.fail.handler(({ input, errors }) => {
    if (input.how === 'defect') throw new Error('something nobody thought of, password=hunter2')
    throw errors.RULE_BROKEN({ message: 'Such a thing is not done', data: { rule: 'manners', field: 'how' } })
  }),
  hang: os.hang.handler(({ input }) => keepBusy(input.ms)),
  hangLong: os.hangLong.handler(({ input }) => keepBusy(input.ms)),
  slow: os.slow.handler(({ input }) => wait(input.ms)),
  slowWrite: os.slowWrite.handler(({ input }) => wait(input.ms)),
  leave: os.leave.handler(() => process.exit(7)),
  leaveWriting: os.leaveWriting.handler(() => process.exit(7)),
  hidden: os.hidden.handler(({ context: { envelope } }) => ({ caller: envelope.actor?.service ?? 'nobody' })),
  askOther: os.askOther.handler(({ input, context: { envelope } }) => {
    const client: Record<
      string,
      ContractRouterClient<typeof contract, { envelope: Envelope }>
    > = createORPCClient(others)
    const other = client[input.domain]
    if (other === undefined) throw new Error('no such domain')
    const actor = {
      userId: 'service',
      name: 'Alpha',
      sessionId: null,
      laboratoryId: 'laboratory',
      permissions: [],
      service: 'somebody else',
    }
    return other.hidden(undefined, { context: { envelope: { ...envelope, actor } } })
  }),
})

const nobody: Envelope = {
  actor: null,
  correlationId: 'none',
  idempotencyKey: null,
  deadlineAt: 0,
  traceParent: null,
}

function keepBusy(milliseconds: number) {
  const until = Date.now() + milliseconds
  while (Date.now() < until);
  return {}
}

async function wait(milliseconds: number) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds))
  return {}
}

function tell(message: FromService): void {
  parentPort?.postMessage(message)
}

function tellSpan(envelope: Envelope): void {
  const [, traceId = '', parentSpanId = ''] = envelope.traceParent?.split('-') ?? []
  tell({
    type: 'span',
    span: {
      traceId,
      spanId: 'abcdabcdabcdabcd',
      parentSpanId,
      name: `${boot.domain}.write service`,
      startedAt: Date.now(),
      durationMs: 1,
      ok: true,
      attributes: { correlationId: envelope.correlationId },
    },
  })
}

parentPort?.on('message', (message: ToService) => {
  if (message.type === 'close') tell({ type: 'closed' })
  else
    tell({
      type: 'pong',
      ping: message.ping,
      inFlight: 0,
      longRunning: 0,
      heapUsedBytes: process.memoryUsage().heapUsed,
      databaseBytes: 0,
      confirmedSequence: readHead(),
    })
})

/** What its database knows of the journal, told by a file as well. */
function readHead(): number | null {
  const file = join(boot.home, `${boot.domain}-head`)
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : null
}

/** How a start goes is told by files in the home, so that a test can change its mind between two starts. */
async function start(): Promise<void> {
  writeFileSync(join(boot.home, `${boot.domain}-started-${Date.now()}`), '')
  if (existsSync(join(boot.home, `${boot.domain}-crash`))) throw new Error('The database is on fire')
  if (existsSync(join(boot.home, `${boot.domain}-refuse`))) {
    tell({ type: 'refused', code: 'FORK', words: 'The journal tells another story' })
    return
  }
  if (existsSync(join(boot.home, `${boot.domain}-recovers`))) await recover()
  if (existsSync(join(boot.home, `${boot.domain}-hangs`))) await wait(60_000)
  const handler = new RPCHandler<{ envelope: Envelope }>(router, {
    rootInterceptors: [
      (call) => {
        const envelope = Envelope.parse(JSON.parse(String(call.request.headers[envelopeHeader])))
        return call.next({ ...call, context: { envelope } })
      },
    ],
  })
  handler.upgrade(boot.servicePort, { context: { envelope: nobody } })
  boot.servicePort.start()
  boot.gatewayPort.start()
  tell({ type: 'ready', openedInMs: 1, recovery: [] })
}

/** Takes longer than a service may be silent: parts that tell of themselves, and a long one that cannot. */
async function recover(): Promise<void> {
  for (let part = 1; part <= 5; part += 1) {
    tell({ type: 'opening', words: `${part} of 5 parts are replayed`, long: false })
    await wait(500)
  }
  tell({ type: 'opening', words: 'a migration runs', long: true })
  await wait(2_300)
}

await start()

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { RPCLink } from '@orpc/client/message-port'
import { v7 as uuidv7 } from 'uuid'
import { type Envelope, envelopeHeader } from '../platform/contract/envelope.ts'
import { prepareLaunch } from '../platform/gateway/worker-launch.ts'
import { startJournal } from '../platform/journal/start-journal.ts'
import type { FromService } from '../platform/service/boot.ts'
import { type BenchmarkOptions, makeRow, type Row, timed } from './benchmark.ts'
import { type Laboratory, openLaboratory } from './laboratory.ts'
import { median, percentile } from './statistics.ts'

const root = resolve(import.meta.dirname, '..')
const calls = 1_500
const warmUps = 300
const budgetMs = 0.3

/**
 * One query that reads nothing (what does this text mean?) through the gateway, with session, permission, rate limit,
 * breaker, deadline, trace, metrics and log, against the same query put to a second worker of the same service straight
 * on its port. They take turns, and the gateway's share is the difference of their medians.
 */
export async function measureGatewayShare({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  const laboratory = await openLaboratory()
  const direct = await openDirectService(laboratory)
  try {
    say(`${calls} calls each way`)
    const input = { text: 'TS-7K2M-0004-X' }
    const [through, straight]: [number[], number[]] = [[], []]
    for (let turn = 0; turn < warmUps + calls; turn += 1) {
      const throughMs = await timed(() => laboratory.barcodes.validate(input))
      const straightMs = await timed(() => direct.call('validate', input))
      if (turn < warmUps) continue
      through.push(throughMs)
      straight.push(straightMs)
    }
    const share = median(through) - median(straight)
    return [
      makeRow({
        measure: `a call through the gateway, p50 (its share: ${share.toFixed(2)} ms)`,
        unit: 'ms',
        baseline: { what: 'the same call straight on a worker’s port', value: median(straight) },
        ours: median(through),
        budget: { words: `share p50 ≤ ${budgetMs} ms`, held: share <= budgetMs },
      }),
      makeRow({
        measure: 'a call through the gateway, p95',
        unit: 'ms',
        baseline: { what: 'the same call straight on a worker’s port', value: percentile(straight, 0.95) },
        ours: percentile(through, 0.95),
        budget: null,
      }),
    ]
  } finally {
    await direct.close()
    await laboratory.close()
  }
}

/** A worker of barcodes beside the laboratory's own, on a home of its own, with nothing between it and the caller. */
async function openDirectService({ actor }: Laboratory) {
  const domain = 'barcodes'
  const home = mkdtempSync(join(tmpdir(), 'tracseq-direct-'))
  const workstation = { id: 'direct', name: 'Direct' }
  const journal = await startJournal({
    home,
    author: { actorId: 'bench', workstationId: workstation.id, hybridLogicalTime: () => '' },
  })
  const engine = dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite'))
  const launch = prepareLaunch({
    domain,
    url: new URL('../services/barcodes/barcodes.worker.ts', import.meta.url),
    bootData: {
      home,
      database: {
        kind: 'pglite',
        directory: join(home, 'databases', domain),
        template: join(root, 'build/database-template'),
        wasmModule: await WebAssembly.compile(readFileSync(join(engine, 'pglite.wasm'))),
      },
      migrations: join(root, 'drizzle'),
      resources: join(root, 'resources'),
      workstation,
      logLevel: 'info',
    },
    follows: true,
    journalPort: journal.createPort(),
    serveGatewayPort: () => () => undefined,
  })
  const worker = new Worker(launch.url, { workerData: launch.boot, transferList: [...launch.transfer] })
  await new Promise<void>((ready, fail) => {
    worker.once('error', fail)
    worker.on('message', (message: FromService) => {
      if (message.type === 'ready') ready()
      if (message.type === 'refused') fail(new Error(message.words))
    })
  })
  const link = new RPCLink<{ readonly envelope: Envelope }>({
    port: launch.servicePort,
    headers: ({ context }) => ({ [envelopeHeader]: JSON.stringify(context.envelope) }),
  })
  launch.servicePort.start()
  return {
    call: (procedure: string, input: unknown): Promise<unknown> =>
      link.call([procedure], input, {
        context: {
          envelope: {
            actor,
            correlationId: uuidv7(),
            idempotencyKey: null,
            deadlineAt: Date.now() + 10_000,
            traceParent: null,
          },
        },
      }),
    async close() {
      await worker.terminate()
      launch.dispose()
      await journal.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

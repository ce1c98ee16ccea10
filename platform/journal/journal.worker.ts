import { parentPort, Worker, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { JournalError } from './journal-error.ts'
import type { JournalAnswer, PortFromWorker, PortToWorker, VerifyCall } from './journal-protocol.ts'
import { JournalService, refusal } from './journal-service.ts'
import type { HostMessage, WorkerMessage, WorkerSetup } from './journal-worker-setup.ts'
import { journalPath } from './open-journal.ts'
import { verifyJournal } from './verify-journal.ts'
import { openWorkstationKey } from './workstation-key.ts'

/**
 * Wiring of the journal's thread: it owns the file, each domain worker and the host talk to it over a port of their own.
 * Verifying reads the whole file, so it runs in a thread beside, started from this same module.
 */
const setup: WorkerSetup = workerData
const host = parentPort
if (host === null) throw new Error('journal.worker must be started as a worker thread')

if (setup.role === 'verify') host.postMessage(verifyJournal(setup.path, setup.request))
else serve(host, setup)

function serve(host: MessagePort, setup: Extract<WorkerSetup, { role: 'journal' }>): void {
  const ports = new Set<MessagePort>()
  const watching = new Set<MessagePort>()
  const say = (message: WorkerMessage) => host.postMessage(message)

  let service: JournalService
  try {
    service = new JournalService({
      home: setup.home,
      reserveBytes: setup.reserveBytes,
      checkpointEvery: setup.checkpointEvery,
      key: openWorkstationKey(setup.home),
      now: () => new Date().toISOString(),
      onState: (state) => broadcast(ports, { type: 'state', state }),
      onAppended: (head) => broadcast(watching, { type: 'appended', head }),
    })
  } catch (error) {
    const failed = error instanceof JournalError ? error : new JournalError('DEFECT', String(error))
    say({ type: 'failed', code: failed.code, message: failed.message })
    host.close()
    return
  }

  host.on('message', (message: HostMessage) => {
    if (message.type === 'attach') attach(message.port)
    else close()
  })
  say({ type: 'opened', result: service.opened, epochDue: service.epochDue() })

  function attach(port: MessagePort): void {
    ports.add(port)
    port.on('close', () => {
      ports.delete(port)
      watching.delete(port)
    })
    port.on('message', (message: PortToWorker) => {
      if (message.type === 'watch') watching.add(port)
      else handle(port, message)
    })
    port.postMessage({ type: 'state', state: service.state } satisfies PortFromWorker)
  }

  function handle(port: MessagePort, { request }: Extract<PortToWorker, { type: 'call' }>): void {
    const answer = (value: JournalAnswer) =>
      port.postMessage({ type: 'answer', id: request.id, answer: value } satisfies PortFromWorker)
    switch (request.method) {
      case 'append':
      case 'startEpoch':
      case 'signCheckpoint':
      case 'removePayload':
      case 'recordScan':
      case 'settleScan':
        return service.write(request, answer)
      case 'verify':
        return verifyBeside(setup.home, request, answer)
      default:
        return answer(service.read(request))
    }
  }

  function close(): void {
    let problem: string | null = null
    try {
      service.close()
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
    }
    for (const port of ports) port.close()
    say({ type: 'closed', problem })
    host.close()
  }
}

function broadcast(ports: ReadonlySet<MessagePort>, message: PortFromWorker): void {
  for (const port of ports) port.postMessage(message)
}

function verifyBeside(home: string, call: VerifyCall, answer: (value: JournalAnswer) => void): void {
  const beside: WorkerSetup = { role: 'verify', path: journalPath(home), request: call.input }
  const worker = new Worker(new URL(import.meta.url), { workerData: beside, name: 'journal-verify' })
  worker.once('message', (value: unknown) => answer({ ok: true, value }))
  worker.once('error', (error) => answer(refusal(error)))
}

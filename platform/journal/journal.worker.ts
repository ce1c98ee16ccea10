import { parentPort, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { JournalError } from './journal-error.ts'
import type { JournalAnswer, PortFromWorker, PortToWorker, VerifyCall } from './journal-protocol.ts'
import { JournalService, refusal } from './journal-service.ts'
import type { HostMessage, WorkerMessage, WorkerSetup } from './journal-worker-setup.ts'
import { journalPath } from './open-journal.ts'
import { verifyJournal } from './verify-journal.ts'
import { workstationKeyFrom } from './workstation-key.ts'

/**
 * Wiring of the journal's thread: it owns the file, each domain worker and the host talk to it over a port of their own.
 * Verifying reads the whole file, so it runs in a thread beside, started from this same module.
 */
const setup = workerData as WorkerSetup
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
      key: setup.privateKey === null ? null : workstationKeyFrom(setup.privateKey),
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
    port.on('message', (message: PortToWorker) => receive(port, message))
    port.postMessage({ type: 'state', state: service.state } satisfies PortFromWorker)
  }

  function receive(port: MessagePort, message: PortToWorker): void {
    if (message.type === 'watch') watching.add(port)
    else handle(port, message)
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
        service.write(request, answer)
        return
      case 'verify':
        verifyBeside(setup.home, request, answer)
        return
      default:
        answer(service.read(request))
    }
  }

  function close(): void {
    // What was sent before the end was asked for may still lie in the ports: each has a queue of its own.
    for (const port of ports)
      for (let left = takeFrom(port); left !== undefined; left = takeFrom(port)) receive(port, left)
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

function takeFrom(port: MessagePort): PortToWorker | undefined {
  const taken: { readonly message: PortToWorker } | undefined = receiveMessageOnPort(port)
  return taken?.message
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

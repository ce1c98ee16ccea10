import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract'
import { z } from 'zod'
import { auth } from '../../services/auth/contract.ts'
import { prepareDatabaseTemplate } from './database-template.ts'
import { createHttpClient, type HttpCall } from './http-client.ts'

const workstationProgram = resolve(import.meta.dirname, '../headless/index.ts')

export const administrator = { email: 'ada@example.org', password: 'seven-blue-centrifuges' } as const

/** A workstation without windows in a process of its own, as a person would start it. */
export interface WorkstationProcess {
  readonly home: string
  readonly url: string
  readonly pid: number
  /** From the start of the process to its first line. */
  readonly readyInMs: number
  /** What it has written to stderr. */
  readonly words: () => string
  /** Pulls the plug: SIGKILL for it and all its children. */
  kill(): Promise<void>
  /** Asks it to end; throws when it does not end cleanly, in time and without a word. */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Another program with the same first line and manners: the Hub. */
  readonly program?: string
  /** What stands on its command line besides home and port. */
  readonly arguments?: readonly string[]
  /** Without a laboratory and its administrator, as one that will join a Hub's. */
  readonly isEmpty?: boolean
  /** Stops waiting for the first line; the process goes on or is killed by whoever aborts. */
  readonly onSpawned?: (kill: () => Promise<void>) => void
}

/** The workstation ended before it was ready. */
export class EndedEarly extends Error {
  override readonly name = 'EndedEarly'
  readonly exitStatus: number | null
  readonly words: string

  constructor(exitStatus: number | null, signal: string | null, words: string) {
    super(`The workstation ended before it was ready (${signal ?? `status ${String(exitStatus)}`}): ${words}`)
    this.exitStatus = exitStatus
    this.words = words
  }
}

const FirstLine = z.object({ url: z.url(), home: z.string() })
const readyWithinMs = 90_000
const endsWithinMs = 25_000

/** Process groups that still run, each with what ends it. */
const running = new Map<number, () => Promise<void>>()

/** Kills what a failed test left running; call it after each test that starts workstations. */
export async function killLeftOvers(): Promise<void> {
  await Promise.all([...running.values()].map((kill) => kill()))
}

/** A watcher outside of this process: when this one ends in whatever way, the pipe closes and the group is killed. */
function killWithThisProcess(group: number): () => void {
  const watcher = spawn('sh', ['-c', 'read -r _; kill -9 -- "-$0"', String(group)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.unref()
  return () => watcher.kill('SIGKILL')
}

export function makeHome(): string {
  return mkdtempSync(join(tmpdir(), 'tracseq-workstation-'))
}

/** Starts the workstation on a home and waits for its first line. The first administrator is made when there is none. */
export async function startWorkstationProcess(
  home: string,
  options: StartOptions = {},
): Promise<WorkstationProcess> {
  await prepareDatabaseTemplate()
  const startedAt = performance.now()
  const program = options.program ?? workstationProgram
  const commandLine = [program, '--home', home, '--port', '0', ...(options.arguments ?? [])]
  const child = spawn(process.execPath, commandLine, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TMPDIR: process.env['TMPDIR'],
      // Starting is mostly compiling: each start may use what those before it compiled.
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'tracseq-compiled'),
      ...(options.isEmpty === true
        ? {}
        : { TRACSEQ_ADMIN_EMAIL: administrator.email, TRACSEQ_ADMIN_PASSWORD: administrator.password }),
      ...options.environment,
    },
  })
  const { pid } = child
  if (pid === undefined) throw new Error('The workstation could not be started')
  const stopWatching = killWithThisProcess(pid)
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words += text))
  const exit = once(child, 'close').then(([status, signal]) => {
    running.delete(pid)
    stopWatching()
    return { status: status as number | null, signal: signal as string | null }
  })
  const kill = async () => {
    signalGroup(pid, 'SIGKILL')
    await exit
  }
  running.set(pid, kill)
  options.onSpawned?.(kill)
  const ended = exit.then(({ status, signal }) => {
    throw new EndedEarly(status, signal, words)
  })
  ended.catch(() => undefined)
  const late = delayedFailure(readyWithinMs, () => `It was not ready within ${readyWithinMs} ms: ${words}`)
  try {
    const line = await Promise.race([readFirstLine(child), ended, late.failure])
    const { url } = FirstLine.parse(JSON.parse(line))
    return {
      home,
      url,
      pid,
      readyInMs: performance.now() - startedAt,
      words: () => words,
      kill,
      stop: () => stop(child, exit, () => words),
    }
  } catch (error) {
    await kill()
    throw error
  } finally {
    late.cancel()
  }
}

/** Signs in and gives the access token. */
export async function signIn(
  url: string,
  person: { readonly email: string; readonly password: string } = administrator,
): Promise<string> {
  const { accessToken } = await createHttpClient(url, auth, null).login(person)
  return accessToken
}

/** Typed clients of a workstation for one signed-in person, the administrator unless told otherwise. */
export interface SignedIn {
  readonly url: string
  readonly token: string
  client<Contract extends AnyContractRouter>(contract: Contract): ContractRouterClient<Contract, HttpCall>
}

export async function signInTo(
  { url }: Pick<WorkstationProcess, 'url'>,
  person?: { readonly email: string; readonly password: string },
): Promise<SignedIn> {
  const token = await signIn(url, person)
  return { url, token, client: (contract) => createHttpClient(url, contract, token) }
}

async function stop(
  child: ChildProcess,
  exit: Promise<{ readonly status: number | null; readonly signal: string | null }>,
  words: () => string,
): Promise<void> {
  child.kill('SIGTERM')
  const late = delayedFailure(endsWithinMs, () => `It did not end within ${endsWithinMs} ms of SIGTERM`)
  try {
    const { status, signal } = await Promise.race([exit, late.failure])
    if (status !== 0 || words() !== '')
      throw new Error(`It did not end cleanly (${signal ?? `status ${String(status)}`}): ${words()}`)
  } finally {
    late.cancel()
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
  }
}

function readFirstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part
      const end = text.indexOf('\n')
      if (end !== -1) resolve(text.slice(0, end))
    })
  })
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch (error) {
    // ESRCH: it has ended already, which is what a kill is for.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

function delayedFailure(afterMs: number, words: () => string) {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new Error(words()))
  }, afterMs)
  return { failure: promise, cancel: () => clearTimeout(timer) }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from 'zod'

const root = resolve(import.meta.dirname, '..')
const withinMs = 90_000

/** An Electron application in a process of its own, observed from outside. */
export interface ElectronProcess {
  readonly pid: number
  /** Milliseconds from the start of the process until its page had this. */
  readonly shownAfterMs: number
  /** Milliseconds from the start of the process until its page has something else as well. */
  showsAfterMs(selector: string): Promise<number>
  close(): Promise<void>
}

export interface ApplicationToStart {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** What the page must have, as a CSS selector. */
  readonly shows: string
}

/** TracSeq Bench as it was built, up to its sign-in. */
export function benchApplication(home: string): ApplicationToStart {
  return {
    folder: root,
    environment: { TRACSEQ_HOME: home, TRACSEQ_NO_DIALOG: '1' },
    shows: 'input[type=password]',
  }
}

/** The least there can be: Electron with one window and one line of text in it. */
export function makeEmptyApplication(): ApplicationToStart & { remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-empty-app-'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty', main: 'main.cjs' }))
  writeFileSync(
    join(folder, 'main.cjs'),
    `const { app, BrowserWindow } = require('electron')
app.setPath('userData', ${JSON.stringify(join(folder, 'window'))})
app.on('window-all-closed', () => app.quit())
app.whenReady().then(() => new BrowserWindow({ width: 1280, height: 800 }).loadFile('page.html'))
`,
  )
  writeFileSync(join(folder, 'page.html'), '<!doctype html><title>Empty</title><p>An empty page</p>')
  mkdirSync(join(folder, 'window'))
  return {
    folder,
    environment: {},
    shows: 'p',
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** Starts an application and waits until its page shows what it should. */
export async function startElectron(application: ApplicationToStart): Promise<ElectronProcess> {
  const electron = createRequire(import.meta.url)('electron') as string
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const startedAt = performance.now()
  const child = spawn(electron, [application.folder, ...sandbox, '--remote-debugging-port=0'], {
    env: { ...process.env, ...application.environment },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const { pid } = child
  if (pid === undefined) throw new Error('Electron could not be started')
  const close = async () => {
    const ended = child.exitCode === null ? once(child, 'exit') : null
    signalGroup(pid, 'SIGTERM')
    const lastResort = setTimeout(() => signalGroup(pid, 'SIGKILL'), 15_000)
    await ended
    clearTimeout(lastResort)
    signalGroup(pid, 'SIGKILL')
  }
  try {
    const port = await readDebuggingPort(child)
    const showsAfterMs = async (selector: string) => {
      await waitForElement(port, selector, startedAt + withinMs)
      return performance.now() - startedAt
    }
    return { pid, shownAfterMs: await showsAfterMs(application.shows), showsAfterMs, close }
  } catch (error) {
    await close()
    throw error
  }
}

function readDebuggingPort(child: ChildProcess): Promise<number> {
  return new Promise((found, fail) => {
    let words = ''
    const timer = setTimeout(() => fail(new Error(`Electron opened no page: ${words}`)), withinMs)
    child.once('exit', () => fail(new Error(`Electron ended: ${words}`)))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4_000)
      const port = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(words)?.[1]
      if (port === undefined) return
      clearTimeout(timer)
      found(Number(port))
    })
  })
}

const Pages = z.array(z.object({ type: z.string(), webSocketDebuggerUrl: z.string() }))
const Evaluated = z.object({
  id: z.number(),
  result: z.object({ result: z.object({ value: z.unknown() }) }).optional(),
})

/** Asks the page's debugger again and again; a page that is being replaced by the next one does not answer. */
async function waitForElement(port: number, selector: string, until: number): Promise<void> {
  const expression = `document.querySelector(${JSON.stringify(selector)})?.checkVisibility() === true`
  for (;;) {
    const pages = await fetch(`http://127.0.0.1:${port}/json`)
      .then(async (answer) => Pages.parse(await answer.json()))
      .catch(() => [])
    const page = pages.find(({ type }) => type === 'page')
    if (page !== undefined && (await isTrueInPage(page.webSocketDebuggerUrl, expression, until))) return
    if (performance.now() > until) throw new Error(`The page never had ${selector}`)
    await pause(10)
  }
}

async function isTrueInPage(url: string, expression: string, until: number): Promise<boolean> {
  const socket = new WebSocket(url)
  try {
    await once(socket, 'open')
    for (let id = 1; performance.now() < until; id += 1) {
      const answer = once(socket, 'message', { signal: AbortSignal.timeout(1_000) })
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression } }))
      const [event] = (await answer) as [MessageEvent<string>]
      if (Evaluated.parse(JSON.parse(event.data)).result?.result.value === true) return true
      await pause(10)
    }
    return false
  } catch {
    return false
  } finally {
    socket.close()
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, milliseconds))
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

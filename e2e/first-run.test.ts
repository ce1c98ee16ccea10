import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { expect, test } from '@playwright/test'
import { z } from 'zod'
import {
  administrator,
  type BenchApp,
  expectAccessible,
  goToScreen,
  makeHome,
  openBench,
  setUpLaboratory,
} from './bench-app.ts'

// One application through the whole file: each test goes on where the one before ended.
test.describe.configure({ mode: 'serial' })

let bench: BenchApp
const home = makeHome()

test.beforeAll(async () => {
  bench = await openBench({ home })
})
test.afterAll(async () => {
  await bench.close()
  rmSync(home, { recursive: true, force: true })
})

test('a new laboratory is set up, and every screen of it is accessible in light and dark', async () => {
  const { page } = bench
  await expect(page.getByRole('heading', { name: 'Set up this laboratory' })).toBeVisible({ timeout: 60_000 })
  await expectAccessible(page)
  await setUpLaboratory(page)
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme })
    for (const name of [
      'Bench',
      'Samples',
      'Storage',
      'Receive',
      'Shipments',
      'Devices',
      'Sync',
      'Audit',
      'System',
      'People',
    ]) {
      await goToScreen(page, name)
      await expectAccessible(page)
    }
  }
})

test('what was clicked is followed in the log to the journal by its correlation id', async () => {
  const Line = z.looseObject({
    correlationId: z.string().nullable(),
    step: z.string().optional(),
    msg: z.string(),
  })
  const read = () =>
    readFileSync(join(home, 'logs', 'tracseq.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Line.parse(JSON.parse(line)))
  await expect
    .poll(() => {
      const lines = read()
      const clicked = lines.find(({ msg }) => msg === 'auth.setUp transaction')?.correlationId
      return lines
        .filter(({ correlationId }) => clicked != null && correlationId === clicked)
        .map(({ step, msg }) => `${step ?? ''}: ${msg}`)
    })
    .toEqual(
      expect.arrayContaining([
        'service: auth.setUp transaction',
        'service: auth.setUp journal',
        'service: auth.setUp service',
        expect.stringMatching(/^gateway: .*auth\.setUp/),
      ]),
    )
})

test('a wrong password is refused in words, the sixth locks, and nothing of it is lost', async () => {
  const { page } = bench
  await page.getByRole('button', { name: /Ada Rivera/ }).click()
  await page.getByText('Sign out', { exact: true }).click()
  const password = page.getByLabel('Password', { exact: true })
  await page.getByLabel('E-mail address').fill(administrator.email)
  for (let attempt = 1; attempt <= 6; attempt += 1) {
    await password.fill(`not the password ${attempt}`)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(page.getByRole('alert')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Sign in' })).toBeEnabled()
  }
  await expect(page.getByRole('alert')).toContainText(/locked|wrong passwords/i)
  await expectAccessible(page)
})

test('a second start on the same home shows the first window and says so', async () => {
  const electron = createRequire(import.meta.url)('electron') as string
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const second = spawn(electron, [resolve(import.meta.dirname, '..'), ...sandbox], {
    env: { ...process.env, TRACSEQ_HOME: home, TRACSEQ_NO_DIALOG: '1' },
  })
  let words = ''
  second.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  await once(second, 'exit')
  expect(words).toContain('already running')
  await expect(bench.page.getByLabel('E-mail address')).toBeVisible()
})

test('a page that is not its own is not listened to', async () => {
  const preload = resolve(import.meta.dirname, '../out/preload/index.cjs')
  const answer = await bench.app.evaluate(async ({ BrowserWindow }, path) => {
    const stranger = new BrowserWindow({ show: false, webPreferences: { preload: path, sandbox: true } })
    await stranger.loadURL('data:text/html,<p>A stranger</p>')
    const said: unknown = await stranger.webContents.executeJavaScript(`new Promise((say) => {
      window.addEventListener('message', ({ ports }) => say('given ' + ports.length + ' ports'))
      window.tracseq.requestPort()
      window.tracseq.openDemo().then(() => say('opened'), (error) => setTimeout(() => say(error.message), 500))
    })`)
    stranger.destroy()
    return said
  }, preload)
  expect(answer).toContain('Not from a page of this application')
})

// The last one: Playwright waits for ever for a navigation that was refused.
test('its page reaches nothing of the machine and of the network, and goes nowhere else', async () => {
  const { page, app } = bench
  const preferences = await app.evaluate(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents
    // What the window was really made with; Electron does not document how to ask.
    const asked = contents as unknown as { getLastWebPreferences(): Electron.WebPreferences } | undefined
    const { sandbox, contextIsolation, nodeIntegration, webviewTag } = asked?.getLastWebPreferences() ?? {}
    return { sandbox, contextIsolation, nodeIntegration, webviewTag }
  })
  expect(preferences).toEqual({
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    webviewTag: false,
  })
  expect(await page.evaluate(() => [typeof require, typeof process, typeof module])).toEqual(
    Array(3).fill('undefined'),
  )

  let reached = 0
  const elsewhere = createServer((_request, answer) => {
    reached += 1
    answer.writeHead(200, { 'access-control-allow-origin': '*' }).end('<p>Elsewhere</p>')
  })
  await once(elsewhere.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`
  try {
    const here = page.url()
    const tried = await page.evaluate(async (address) => {
      const script = document.createElement('script')
      script.textContent = 'window.ranInline = true'
      document.head.append(script)
      const fetched = await fetch(address).then(
        () => 'reached',
        () => 'refused',
      )
      const opened = window.open(address) === null ? 'refused' : 'opened'
      window.location.href = address
      return { fetched, opened, inline: 'ranInline' in window }
    }, url)
    expect(tried).toEqual({ fetched: 'refused', opened: 'refused', inline: false })
    await page.waitForTimeout(500)
    expect(page.url()).toBe(here)
    expect(app.windows()).toHaveLength(1)
    expect(reached).toBe(0)
  } finally {
    elsewhere.close()
  }
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from '@playwright/test'
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

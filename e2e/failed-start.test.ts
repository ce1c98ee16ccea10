import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { test } from '@playwright/test'
import { administrator, killLeftOvers, startWorkstationProcess } from '../main/testing/workstation-process.ts'
import { expect, expectAccessible, makeHome, openBench, signIn } from './bench-app.ts'

const home = makeHome()
test.afterAll(async () => {
  await killLeftOvers()
  rmSync(home, { recursive: true, force: true })
})

test('a home that another process holds: the window says so, and opens when it is free', async () => {
  test.setTimeout(240_000)
  const other = await startWorkstationProcess(home)
  const bench = await openBench({ home, staysOpen: true })
  const { page } = bench
  await expect(page.getByRole('heading', { name: 'TracSeq could not start' })).toBeVisible({
    timeout: 60_000,
  })
  await expect(page.getByRole('alert')).toContainText(`TracSeq is already running on ${home}. Close it first`)
  const again = page.getByRole('button', { name: 'Try again' })
  await expect(again).toBeFocused()
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme })
    await expectAccessible(page)
    await page.screenshot({ path: `test-results/failed-start-${colorScheme}.png` })
  }

  await again.click()
  await expect(page.getByRole('alert')).toContainText('is already running')
  await other.stop()
  await again.click()
  await signIn(page, administrator)
  await bench.close()

  // The sign-in of a laboratory that is known may be typed into while the next start opens it.
  const next = await openBench({ home })
  await signIn(next.page, administrator)
  expect(await next.page.evaluate(() => localStorage.getItem('tracseq:laboratory'))).toContain('"setUp":true')
  await next.close()
})

test('a home that is a file ends the start with a reason and no window', async () => {
  const file = join(home, 'file')
  writeFileSync(file, '')
  const electron = createRequire(import.meta.url)('electron') as string
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const started = spawn(electron, [resolve(import.meta.dirname, '..'), ...sandbox], {
    env: { ...process.env, TRACSEQ_HOME: file, TRACSEQ_NO_DIALOG: '1' },
  })
  let words = ''
  started.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()))
  const [status] = (await once(started, 'exit')) as [number | null]
  expect(status).toBe(1)
  expect(words).toContain(`${file} cannot be used as TracSeq's folder`)
})

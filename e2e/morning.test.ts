import { rmSync } from 'node:fs'
import { expect, test } from '@playwright/test'
import { openPseudoTerminal, type PseudoTerminal } from '../main/devices/testing/pseudo-terminal.ts'
import {
  addScanner,
  type BenchApp,
  demoPerson,
  expectAccessible,
  goToScreen,
  lastResult,
  makeHome,
  openBench,
  positionLabel,
  signIn,
} from './bench-app.ts'

// One application through the whole file: each test goes on where the one before ended.
test.describe.configure({ mode: 'serial' })

let bench: BenchApp
let scanner: PseudoTerminal
const home = makeHome()

test.beforeAll(async () => {
  scanner = await openPseudoTerminal()
  bench = await openBench({ home, demo: true })
  await signIn(bench.page, demoPerson)
})
test.afterAll(async () => {
  await bench.close()
  await scanner.hangUp()
  for (const path of [home, `${home}-demo`]) rmSync(path, { recursive: true, force: true })
})

/** The tubes of the first box, from the samples list. */
async function codesInStorage(count: number): Promise<readonly string[]> {
  const { page } = bench
  await goToScreen(page, 'Samples')
  const cells = page.getByRole('row').filter({ hasText: 'In storage' }).locator('.code')
  await expect.poll(() => cells.count(), { timeout: 90_000 }).toBeGreaterThanOrEqual(count)
  return (await cells.allTextContents()).slice(0, count)
}

test('a serial scanner finds a tube from any screen', async () => {
  const { page } = bench
  await addScanner(page, scanner.path)
  const [code = ''] = await codesInStorage(1)
  await goToScreen(page, 'System')
  await scanner.send(`${code}\r\n`)
  await expect(page.getByRole('heading', { name: 'Sample', level: 1 })).toBeVisible()
  await expect(lastResult(page)).toContainText(code)
  await expectAccessible(page)
})

test('a keyboard scanner does the same, and never writes into a field or presses a button', async () => {
  const { page } = bench
  const [, code = ''] = await codesInStorage(2)
  const field = page.getByRole('textbox', { name: 'Name, code, donor, project' })
  await field.fill('P-02')
  await field.focus()
  await page.keyboard.type(code, { delay: 4 })
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Sample', level: 1 })).toBeVisible()
  await expect(lastResult(page)).toContainText(code)
  await page.goBack()
  await expect(page.getByRole('textbox', { name: 'Name, code, donor, project' })).not.toHaveValue(
    new RegExp(code),
  )
})

test('a tube is checked out, returned, moved by scanning a position, and its life tells it all', async () => {
  const { page } = bench
  const [code = ''] = await codesInStorage(1)
  await scanner.send(`${code}\r\n`)
  await expect(page.getByRole('button', { name: 'Check out' })).toBeVisible()
  await page.getByRole('button', { name: 'Check out' }).click()
  await expect(page.getByText(/In hand/).first()).toBeVisible()
  await page.getByRole('button', { name: 'Return' }).click()
  await expect(page.getByRole('button', { name: 'Check out' })).toBeVisible()

  const boxCode = await codeOfBox('Urine, day')
  await goToScreen(page, 'Samples')
  await scanner.send(`${code}\r\n`)
  await expect(page.getByText('Scan a position to move this tube')).toBeVisible()
  // Plasma may not lie at 4 °C: refused in words, and the tube stays where it was.
  await scanner.send(`${positionLabel(boxCode, 8, 12)}\r`)
  await expect(lastResult(page)).toHaveClass(/bad/)
  await expect(page.getByText('Scan a position to move this tube')).toBeVisible()

  const stock = await codeOfBox('Plasma ONC-14')
  await goToScreen(page, 'Samples')
  await scanner.send(`${code}\r\n`)
  await expect(page.getByText('Scan a position to move this tube')).toBeVisible()
  await scanner.send(`${positionLabel(stock, 10, 10)}\r`)
  await expect(lastResult(page)).toContainText('J10')
  const life = page.getByRole('list', { name: 'Life' })
  for (const verb of ['Moved', 'Returned', 'Checked out', 'Placed', 'Received']) {
    await expect(life.getByText(verb, { exact: true }).first()).toBeVisible()
  }
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme })
    await expectAccessible(page)
  }
})

/** A box's printed code, as its map shows it. */
async function codeOfBox(name: string): Promise<string> {
  const { page } = bench
  await page.keyboard.press('Control+k')
  await page.getByRole('dialog').getByRole('textbox').fill(name)
  await page.getByRole('dialog').getByText(name).first().click()
  const code = page.locator('main .code').filter({ hasText: /^BX-/ }).first()
  await expect(code).toBeVisible()
  return ((await code.textContent()) ?? '').trim()
}

test('an unknown code asks what to do and eats no scan that follows', async () => {
  const { page } = bench
  const [code = ''] = await codesInStorage(1)
  await goToScreen(page, 'Bench')
  await scanner.send(`NOT-KNOWN-4711\r\n${code}\r\n`)
  await expect(page.getByRole('heading', { name: 'Sample', level: 1 })).toBeVisible()
  await goToScreen(page, 'Bench')
  await expect(page.getByText('NOT-KNOWN-4711').first()).toBeVisible()
  await expect(page.getByRole('button', { name: 'Receive it' }).first()).toBeVisible()
  await expectAccessible(page)
})

test('a killed application comes back with everything that was confirmed', async () => {
  const [code = ''] = await codesInStorage(1)
  await scanner.send(`${code}\r\n`)
  await bench.page.getByRole('button', { name: 'Check out' }).click()
  await expect(bench.page.getByText(/In hand/).first()).toBeVisible()
  await bench.kill()
  bench = await openBench({ home, demo: true })
  await signIn(bench.page, demoPerson)
  await expect(bench.page.getByText(code).first()).toBeVisible()
  await goToScreen(bench.page, 'Audit')
  await bench.page.getByRole('button', { name: /Verify/ }).click()
  await expect(bench.page.getByText(/are whole/)).toBeVisible({ timeout: 60_000 })
})

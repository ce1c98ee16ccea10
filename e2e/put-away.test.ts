import { rmSync } from 'node:fs'
import { test } from '@playwright/test'
import {
  type BenchApp,
  expect,
  expectAccessible,
  goToScreen,
  lastResult,
  makeHome,
  openBench,
  setUpLaboratory,
} from './bench-app.ts'

let bench: BenchApp
const home = makeHome()

test.beforeAll(async () => {
  bench = await openBench({ home })
})
test.afterAll(async () => {
  await bench.close()
  rmSync(home, { recursive: true, force: true })
})

test('received tubes are in hand when they are to be put away, and go into a box at once', async () => {
  const { page } = bench
  await setUpLaboratory(page)
  await goToScreen(page, 'Storage')
  await page.getByRole('button', { name: 'Add the first freezer' }).click()
  await page.getByRole('dialog').getByRole('button', { name: /^Add / }).click()
  const box = page.getByRole('treeitem', { name: /Box 1/ }).first()
  await expect(page.getByRole('dialog')).toBeHidden({ timeout: 60_000 })

  await goToScreen(page, 'Receive')
  await page.getByRole('button', { name: 'Start scanning' }).click()
  await page.getByRole('combobox', { name: 'Type' }).click()
  await page.getByRole('option', { name: 'DNA', exact: true }).click()
  for (const code of ['KIT-4711', 'KIT-4712', 'KIT-4713']) {
    await page.getByLabel('Code typed by hand').fill(code)
    await page.getByRole('button', { name: 'Receive', exact: true }).click()
    await expect(page.getByRole('region', { name: 'Received now' }).getByText(code)).toBeVisible()
  }
  await page.getByRole('button', { name: 'Put the tubes away' }).click()
  await expect(page.getByRole('heading', { name: 'Storage', level: 1 })).toBeVisible()
  await expect(lastResult(page)).toContainText('3 tubes in hand')
  await expect(page.getByRole('complementary', { name: /position/i })).toContainText('KIT-4711')

  await box.click()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Place 3 from A1 on' }).click()
  await expect(lastResult(page)).toContainText('3 tubes placed at A1 to A3')
  await page.screenshot({ path: 'test-results/put-away.png' })
})

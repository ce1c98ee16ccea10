import { rmSync } from 'node:fs'
import { test } from '@playwright/test'
import {
  type BenchApp,
  expect,
  expectAccessible,
  goToScreen,
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

test('what a role may do is changed with the keyboard alone, and only whole', async () => {
  const { page } = bench
  await setUpLaboratory(page)
  await goToScreen(page, 'People')
  const roles = page.getByRole('button', { name: 'Roles', exact: true })
  await roles.focus()
  await page.keyboard.press('Enter')
  await expect(roles).toBeFocused()
  const guest = page.getByRole('row', { name: /Guest/ })
  await guest.click()
  await expect(page.getByRole('heading', { name: 'Guest' })).toBeVisible()
  await expectAccessible(page)

  const receive = page.getByRole('checkbox', { name: /Receive samples/ })
  await receive.focus()
  await page.keyboard.press('Space')
  await expect(receive).toBeChecked()
  await expect(guest).toContainText('Not saved')
  await page.getByRole('button', { name: 'Save' }).focus()
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await expect(dialog).toContainText('New: Receive samples.')
  // Slowly, as a hand does: keys as fast as a scanner's are a scan.
  await page.keyboard.type('Door', { delay: 120 })
  await dialog.getByRole('button', { name: 'Save' }).focus()
  await page.keyboard.press('Enter')
  await expect(dialog.getByRole('alert')).toContainText('storage:place')
  await expectAccessible(page)
  await page.keyboard.press('Escape')

  for (const name of [/Give codes to things/, /Put tubes away/]) {
    await page.getByRole('checkbox', { name }).focus()
    await page.keyboard.press('Space')
  }
  await page.getByRole('button', { name: 'Save' }).click()
  await dialog.getByLabel('Reason').fill('Guests help at the door')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog).toBeHidden()
  await expect(guest).toContainText('7 of')
  await expect(guest).not.toContainText('Not saved')

  await page.getByRole('row', { name: /Lab administrator/ }).click()
  await expect(page.getByText('The administrator may do everything, always')).toBeVisible()
  await expect(page.getByRole('checkbox', { name: /Receive samples/ })).toBeDisabled()
  await expectAccessible(page)
})

import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Page, test } from '@playwright/test'
import { type FaultyProxy, startFaultyProxy } from '../main/sync/testing/faulty-proxy.ts'
import { founderCode, Machine } from '../main/sync/testing/sync-network.ts'
import { sync } from '../platform/sync/contract.ts'
import { type SampleId, samples } from '../services/samples/contract.ts'
import {
  administrator,
  type BenchApp,
  expect,
  expectAccessible,
  goToScreen,
  makeHome,
  openBench,
  setUpLaboratory,
  signIn,
} from './bench-app.ts'

// Two benches and their Hub: one works without the network, both change the same sample, and a person decides.
test.describe.configure({ mode: 'serial' })

const sizes = [
  { width: 1440, height: 900 },
  { width: 1280, height: 720 },
] as const
const pictures = 'test-results/two-benches'
const homes = [makeHome(), makeHome()] as const
const hub = new Machine({ program: resolve(import.meta.dirname, '../hub/index.ts'), isEmpty: true })
let network: FaultyProxy
let one: BenchApp
let two: BenchApp
const opened: BenchApp[] = []
let sampleId: SampleId

test.beforeAll(async () => {
  test.setTimeout(180_000)
  mkdirSync(pictures, { recursive: true })
  await hub.start()
  network = await startFaultyProxy(hub.url, Math.random)
})
test.afterAll(async () => {
  test.setTimeout(60_000)
  await Promise.all(opened.map((bench) => bench.close()))
  await network.close()
  await hub.remove()
  for (const home of homes) rmSync(home, { recursive: true, force: true })
})

test('a workstation takes its laboratory to the Hub', async () => {
  one = await openBench({ home: homes[0] })
  opened.push(one)
  await setUpLaboratory(one.page)
  await expect(state(one.page)).toHaveText('This workstation only')
  await goToScreen(one.page, 'Sync')
  await look(one.page, 'alone')
  await one.page.getByLabel('Address of the Hub').fill(hub.url)
  await one.page.getByLabel('Enrolment code').fill(await founderCode(hub))
  await one.page.getByRole('button', { name: 'Take it to the Hub' }).click()
  await one.page.getByRole('dialog').getByRole('button', { name: 'Take it to the Hub' }).click()
  await expect(state(one.page)).toHaveText('In sync', { timeout: 60_000 })
  await look(one.page, 'in-sync')
})

test('an empty one joins from its first page, and has what the other has', async () => {
  await hub.signInAs(administrator)
  const admin = await hub.admin()
  const sample = await admin.client(samples).accession({
    sample: { name: 'P-01 day 8', type: 'dna', project: 'ONC-14' },
  })
  sampleId = sample.id
  const { code } = await admin.client(sync).createEnrolmentCode({ administratorsOffline: true })
  two = await openBench({ home: homes[1] })
  opened.push(two)
  await two.page.getByRole('button', { name: 'Join it through its Hub' }).click()
  await look(two.page, 'join')
  await two.page.getByLabel('Address of the Hub').fill(network.url)
  await two.page.getByLabel('Enrolment code').fill(code)
  await two.page.getByRole('button', { name: 'Join the laboratory' }).click()
  await signIn(two.page, administrator)
  await openSample(two.page)
  await expect(two.page.getByText('ONC-14').first()).toBeVisible()
})

test('both change the same, one of them without the network', async () => {
  network.leadTo(null)
  await expect(state(two.page)).toContainText('Offline since', { timeout: 45_000 })
  await changeProject(two.page, 'ONC-15')
  await expect(state(two.page)).toContainText('waiting')
  await goToScreen(two.page, 'Sync')
  await look(two.page, 'offline')
  await openSample(one.page)
  await changeProject(one.page, 'ONC-16')
  await expect(state(one.page)).toHaveText('In sync')
})

test('the two proposals stand side by side, and a person chooses one', async () => {
  network.leadTo(hub.url)
  await two.page.getByRole('button', { name: 'Go now' }).click()
  await expect(one.page.getByRole('navigation').getByRole('link', { name: 'Sync 1 waiting' })).toBeVisible({
    timeout: 45_000,
  })
  await goToScreen(one.page, 'Sync')
  await one.page.getByRole('button', { name: /^To decide/ }).click()
  const line = one.page.getByRole('row', { name: /Project/ })
  await expect(line).toContainText('ONC-14')
  await expect(line).toContainText('ONC-16')
  await expect(line).toContainText('ONC-15')
  await expect(one.page.getByText('another workstation')).toHaveCount(0)
  await look(one.page, 'conflict')
  await one.page.getByRole('button', { name: 'Take what was pushed' }).press('Enter')
  const dialog = one.page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('The form says ONC-15')
  await look(one.page, 'decide')
  await dialog.getByRole('button', { name: 'Take what was pushed' }).click()
  await expect(one.page.getByText('Nothing to decide')).toBeVisible({ timeout: 30_000 })
})

test('and everybody has what was decided', async () => {
  await expect(state(two.page)).toHaveText('In sync', { timeout: 30_000 })
  for (const { page } of [one, two]) {
    await openSample(page)
    await expect(page.getByText('ONC-15').first()).toBeVisible({ timeout: 30_000 })
    await expect(page.getByText('ONC-16')).toHaveCount(0)
  }
  const there = await (await hub.admin()).client(samples).get({ id: sampleId })
  expect(there.project).toBe('ONC-15')
  const known = (await hub.admin()).client(sync).workstations()
  expect((await known).items).toMatchObject([
    { schema: 'same', revokedAt: null },
    { schema: 'same', revokedAt: null },
  ])
})

test('without any network a change goes to the Hub on a stick, and its answer back', async ({ browser }) => {
  test.setTimeout(180_000)
  network.leadTo(null)
  await expect(state(two.page)).toContainText('Offline since', { timeout: 45_000 })
  await openSample(two.page)
  await changeProject(two.page, 'ONC-17')
  await goToScreen(two.page, 'Sync')
  await two.page.getByRole('button', { name: 'Take on a stick' }).press('Enter')
  const dialog = two.page.getByRole('dialog')
  await expect(dialog.getByText('1 change', { exact: true })).toBeVisible()
  const carried = join(homes[1], 'carried.tracseq-bundle')
  await two.app.evaluate(({ session }, path) => {
    session.defaultSession.once('will-download', (_event, item) => item.setSavePath(path))
  }, carried)
  await dialog.getByRole('button', { name: 'Save the file' }).press('Enter')
  await expect(dialog.getByText('The file was handed over')).toBeVisible()
  await look(two.page, 'stick-saved')
  await dialog.getByRole('button', { name: 'Close' }).last().click()

  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(hub.url)
  await signIn(page, administrator)
  await goToScreen(page, 'Sync')
  await page.getByRole('button', { name: 'Workstations' }).click()
  await look(page, 'stick-hub')
  await page.getByRole('button', { name: 'Bring from a stick' }).press('Enter')
  const atHub = page.getByRole('dialog')
  await atHub.getByLabel('Choose the file').setInputFiles(carried)
  await expect(atHub.getByText('1 change was taken')).toBeVisible()
  await look(page, 'stick-brought-hub')
  await atHub.getByRole('button', { name: /^Take the answer to/ }).press('Enter')
  const download = page.waitForEvent('download')
  await atHub.getByRole('button', { name: 'Save the file' }).press('Enter')
  const answer = join(homes[1], 'answer.tracseq-bundle')
  await (await download).saveAs(answer)
  await context.close()

  await two.page.getByRole('button', { name: 'Bring from a stick' }).press('Enter')
  await dialog.getByLabel('Choose the file').setInputFiles(carried)
  await expect(dialog.getByText('This bundle is for the Hub: bring it there')).toBeVisible()
  await look(two.page, 'stick-wrong')
  await dialog.getByLabel('Choose the file').setInputFiles(answer)
  await expect(dialog.getByText('1 change that was made here: the Hub has it')).toBeVisible()
  await look(two.page, 'stick-brought')
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await expect(state(two.page)).not.toContainText('waiting')
  await openSample(one.page)
  await expect(one.page.getByText('ONC-17').first()).toBeVisible({ timeout: 30_000 })
})

/** What the bar says of sync. */
function state(page: Page) {
  return page.getByRole('region', { name: 'Page' }).locator('.sync-state')
}

async function openSample(page: Page): Promise<void> {
  await goToScreen(page, 'Samples')
  await page.getByText('P-01 day 8').first().dblclick()
  await expect(page.getByRole('heading', { name: 'Sample', level: 1 })).toBeVisible()
}

async function changeProject(page: Page, project: string): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Change', exact: true }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Project').fill(project)
  await dialog.getByRole('button', { name: 'Save' }).click()
  await expect(dialog).toHaveCount(0)
  await expect(page.getByText(project).first()).toBeVisible()
}

/** Accessible, and pictures in both sizes, light and dark. */
async function look(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    await expectAccessible(page)
    for (const size of sizes) {
      await page.setViewportSize(size)
      await page.screenshot({ path: `${pictures}/${name}-${colorScheme}-${String(size.width)}.png` })
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Page, test } from '@playwright/test'
import {
  administrator,
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
  type WorkstationProcess,
} from '../main/testing/workstation-process.ts'
import { attemptToSignIn, enrolOnWire } from '../hub/sync/testing/wire-workstation.ts'
import { sync } from '../platform/sync/contract.ts'
import { auth } from '../services/auth/contract.ts'
import { samples } from '../services/samples/contract.ts'
import { storage } from '../services/storage/contract.ts'
import {
  expect,
  expectAccessible,
  goToScreen,
  lastResult,
  positionLabel,
  typeAsScanner,
} from './bench-app.ts'

// A person at a desk, with nothing but a browser, on the Hub of the laboratory. One page through the whole file.
test.describe.configure({ mode: 'serial' })

let hub: WorkstationProcess
let admin: SignedIn
let page: Page
let tube: { readonly id: string; readonly code: string }
let boxCode: string
const home = makeHome()
const failures: string[] = []

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000)
  hub = await startWorkstationProcess(home, { program: resolve(import.meta.dirname, '../hub/index.ts') })
  admin = await signInTo(hub)
  const places = admin.client(storage)
  const freezer = await places.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
  const box = await places.createNode({
    kind: 'box',
    name: 'Box 1',
    parentId: freezer.id,
    rows: 9,
    columns: 9,
  })
  boxCode = box.code ?? ''
  const received = await admin.client(samples).receive({
    sample: { name: 'P-01 day 8', type: 'dna', volumeUl: '50' },
    placement: { boxId: box.id },
  })
  tube = { id: received.sample.id, code: received.code }
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  page = await context.newPage()
  page.on('pageerror', (error) => failures.push(error.message))
})
test.afterAll(async () => {
  await hub.stop()
  rmSync(home, { recursive: true, force: true })
})

test('signing in: the Hub says what it is, a wrong password what is wrong', async () => {
  await page.goto(hub.url)
  await expect(page.getByText('TracSeq Hub')).toBeVisible({ timeout: 60_000 })
  await expectAccessible(page)
  await page.getByLabel('E-mail address').fill(administrator.email)
  await page.getByLabel('Password', { exact: true }).fill('seven-red-centrifuges')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByText('E-mail or password is not right')).toBeVisible()
  await page.getByLabel('Password', { exact: true }).fill(administrator.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Bench', level: 1 })).toBeVisible({ timeout: 60_000 })
  await look('bench')
})

test('a browser has no scanners of its own, and does not offer them', async () => {
  const rail = page.getByRole('navigation')
  await expect(rail.getByRole('link', { name: 'Samples' })).toBeVisible()
  await expect(rail.getByRole('link', { name: 'Devices' })).toHaveCount(0)
  await page.goto(`${hub.url}/#/devices`)
  await expect(page.getByRole('heading', { name: 'Bench', level: 1 })).toBeVisible()
  await expect(page.getByText('Keyboard scanner')).toBeVisible()
})

test('a typed code finds its sample, as a keyboard scanner does from any screen', async () => {
  await page.getByRole('button', { name: /Search or command/ }).click()
  await page.getByPlaceholder('Type or scan a code').fill(tube.code)
  await page.getByRole('button', { name: `Use “${tube.code}” as a scan` }).click()
  await expectSample()
  await look('sample')
  await goToScreen(page, 'Samples')
  await look('samples')
  const search = page.getByRole('textbox', { name: 'Name, code, donor, project' })
  await search.fill('heron')
  await expect(page.getByRole('row', { name: /P-01 day 8/ })).toHaveCount(0)
  await search.fill('day 8')
  await expect(page.getByRole('row', { name: /P-01 day 8/ })).toBeVisible()
  await typeAsScanner(page, tube.code)
  await expectSample()
})

test('a tube is moved by scanning a position, and the Hub has it there', async () => {
  await expect(page.getByText('Scan a position to move this tube')).toBeVisible()
  await typeAsScanner(page, positionLabel(boxCode, 3, 3))
  await expect(lastResult(page)).toContainText(`${tube.code} placed at C3`)
  const places = await admin.client(storage).locate({ sampleIds: [tube.id] })
  expect(places.map(({ position }) => position)).toEqual(['C3'])
  await look('placed')
})

test('what somebody else does is seen without touching the page', async () => {
  await goToScreen(page, 'Samples')
  await admin.client(samples).accession({ sample: { name: 'Made elsewhere', type: 'dna' } })
  await expect(page.getByText('Made elsewhere')).toBeVisible()
})

test('a reload goes on as the same person, without a password and without a token in reach of scripts', async () => {
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Samples', level: 1 })).toBeVisible()
  const reach = await page.evaluate(
    () => document.cookie + JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }),
  )
  expect(reach).not.toContain('eyJ')
  expect(reach).not.toContain('tracseq_refresh')
  const [cookie] = await page.context().cookies(`${hub.url}/v1/auth/refresh`)
  expect(cookie).toMatchObject({
    name: 'tracseq_refresh',
    httpOnly: true,
    sameSite: 'Strict',
    path: '/v1/auth',
  })
})

test('a workstation is let in by a code that is shown once', async () => {
  await goToScreen(page, 'Sync')
  await expect(page.getByText('TracSeq Hub').first()).toBeVisible()
  await look('sync')
  await page.getByRole('button', { name: 'To decide' }).click()
  await expect(page.getByText('Nothing to decide')).toBeVisible()
  await page.getByRole('button', { name: 'Workstations' }).click()
  await expect(page.getByText('No workstation takes part yet')).toBeVisible()
  await look('workstations')
  await page.getByRole('button', { name: 'Let a workstation in' }).click()
  const dialog = page.getByRole('dialog')
  await look('make-code')
  await dialog.getByRole('button', { name: 'Make the code' }).click()
  await expect(dialog.getByLabel('Enrolment code')).toHaveText(/^([0-9A-Z]{5}-){6}[0-9A-Z]{5}$/)
  await look('code')
  await dialog.getByRole('button', { name: 'Close' }).last().click()
  await expect(dialog).toHaveCount(0)
})

test('what a workstation and the Hub changed differently is decided here, side by side', async () => {
  const { user, laboratory } = await admin.client(auth).me()
  const { revision } = await admin.client(samples).get({ id: tube.id })
  const change = { id: tube.id, revision, fields: { project: 'ONC-16' }, reason: 'from the form' }
  await admin.client(samples).update(change)
  // A workstation that was offline meanwhile pushes another project for the same sample.
  const { code } = await admin.client(sync).createEnrolmentCode({})
  const workstation = await enrolOnWire(hub.url, code)
  const pushed = {
    ...{ domain: 'samples', procedure: 'samples.update', actorId: user.id, laboratoryId: laboratory.id },
    changes: [
      {
        ...{ table: 'sample', operation: 'update', replaces: revision },
        key: { laboratory_id: laboratory.id, id: tube.id },
        values: { project: 'ONC-15' },
        before: { project: null },
      },
    ],
  }
  const { decided } = await workstation.push(workstation.runOf([pushed]))
  expect(decided).toMatchObject([{ outcome: 'conflict', status: 'waiting' }])

  await goToScreen(page, 'Sync')
  await page.getByRole('button', { name: /^To decide/ }).click()
  const line = page.getByRole('row', { name: /Project/ })
  await expect(line).toContainText('ONC-16')
  await expect(line).toContainText('ONC-15')
  await look('conflict')
  await page.getByRole('button', { name: 'Take what was pushed' }).press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('The form says ONC-15')
  await dialog.getByRole('button', { name: 'Take what was pushed' }).click()
  await expect(page.getByText('Nothing to decide')).toBeVisible()
  expect(await admin.client(samples).get({ id: tube.id })).toMatchObject({ project: 'ONC-15' })
})

test('what was refused is listed, and a workstation is shut out', async () => {
  const { user, laboratory } = await admin.client(auth).me()
  const { code } = await admin.client(sync).createEnrolmentCode({})
  const workstation = await enrolOnWire(hub.url, code)
  const run = workstation.runOf([attemptToSignIn({ laboratoryId: laboratory.id, actorId: user.id })])
  const changed = { ...run, entries: run.entries.map((entry) => ({ ...entry, payload: '{}' })) }
  await expect(workstation.push(changed)).rejects.toThrow(/not the one that was hashed/)
  await goToScreen(page, 'Sync')
  await page.getByRole('button', { name: 'Workstations' }).click()
  await expect(page.getByRole('heading', { name: 'Not taken' })).toBeVisible()
  await expect(page.getByText(/payload of journal entry 1 is not the one that was hashed/)).toBeVisible()
  const line = page.getByRole('row').filter({ hasText: workstation.key.fingerprint.slice(0, 12) })
  await line.getByRole('button', { name: 'Shut out' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Reason').fill('It was taken away')
  await dialog.getByRole('button', { name: 'Shut out' }).click()
  await expect(line.getByText(/^Shut out /)).toBeVisible()
  await look('refused')
  await expect(workstation.push(run)).rejects.toThrow()
})

test('of very much that waits the oldest is shown, and how much there is', async () => {
  const { user, laboratory } = await admin.client(auth).me()
  const { code } = await admin.client(sync).createEnrolmentCode({})
  const workstation = await enrolOnWire(hub.url, code)
  // What only hosts call is nobody's work: each is held for a person.
  const held = Array.from({ length: 215 }, () =>
    attemptToSignIn({ laboratoryId: laboratory.id, actorId: user.id }, { procedure: 'auth.takeCredentials' }),
  )
  for (let from = 0; from < held.length; from += 50)
    await workstation.push(workstation.runOf(held.slice(from, from + 50)))
  await goToScreen(page, 'Sync')
  await page.getByRole('button', { name: /^To decide/ }).click()
  await expect(page.getByText('15 more come when some of these are decided')).toBeVisible()
  await page.getByText('15 more come when some of these are decided').scrollIntoViewIfNeeded()
  await look('many-to-decide')
})

test('every screen is accessible and shows no defect', async () => {
  for (const screen of ['Storage', 'Receive', 'Shipments', 'Audit', 'System', 'People']) {
    await goToScreen(page, screen)
    await look(screen.toLowerCase())
    await expect(page.getByText('Something went wrong')).toHaveCount(0)
  }
  expect(failures).toEqual([])
})

test('who signs out is out, also after a reload', async () => {
  await page.getByRole('button', { name: /account and appearance/ }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByLabel('E-mail address')).toBeVisible()
  await page.reload()
  await expect(page.getByLabel('E-mail address')).toBeVisible()
})

async function expectSample(): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Sample', level: 1 })).toBeVisible()
  await expect(page.locator('.sample-head').getByText(tube.code)).toBeVisible()
}

/** Accessible, with pictures as on a small screen and on a large one. */
async function look(name: string): Promise<void> {
  for (const [width, height] of [
    [1920, 1080],
    [1280, 800],
  ] as const) {
    await page.setViewportSize({ width, height })
    await expectAccessible(page)
    await page.screenshot({ path: `test-results/hub-web/${name}-${width}.png` })
  }
}

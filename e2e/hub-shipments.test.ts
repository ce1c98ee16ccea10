import { type BrowserContext, type Page, test } from '@playwright/test'
import { openTwoLaboratories, type TwoLaboratories } from '../hub/testing/two-laboratories-on-a-hub.ts'
import { administrator, type SignedIn } from '../main/testing/workstation-process.ts'
import { samples } from '../services/samples/contract.ts'
import { storage } from '../services/storage/contract.ts'
import { expect, expectAccessible, goToScreen, lastResult, signIn, typeAsScanner } from './bench-app.ts'

// A parcel goes from one laboratory of a Hub to another one, in two browsers, by scanning.
test.describe.configure({ mode: 'serial' })

const grace = { email: 'grace@osprey.example', password: 'twelve grey gulls 7' }
const failures: string[] = []
let laboratories: TwoLaboratories
let sender: Page
let receiver: Page
let one: Tube
let two: Tube
let stays: Tube
let ofReceiver: Tube

interface Tube {
  readonly id: string
  readonly code: string
}

test.beforeAll(async ({ browser }) => {
  test.setTimeout(180_000)
  laboratories = await openTwoLaboratories(grace)
  const { first, second } = laboratories
  const freezer = await first.client(storage).createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
  const box = { kind: 'box', name: 'Box 1', parentId: freezer.id, rows: 9, columns: 9 } as const
  const { id: boxId } = await first.client(storage).createNode(box)
  one = await receive(first, 'P-01 day 8', boxId)
  two = await receive(first, 'P-02 day 8', boxId)
  stays = await receive(first, 'P-03 in hand', boxId)
  ofReceiver = await receive(second, 'O-1')
  const { items } = await first.client(storage).listContainers({ search: stays.code })
  const tube = items.find(({ sampleId }) => sampleId === stays.id)
  if (tube !== undefined) await first.client(storage).checkOut({ containerId: tube.id })
  sender = await open(await browser.newContext({ viewport: { width: 1280, height: 800 } }))
  receiver = await open(
    await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }),
  )
})
test.afterAll(() => laboratories.close())

test('packing: scanned tubes go into the parcel, what may not leave is said at once', async () => {
  await signIn(sender, administrator)
  await goToScreen(sender, 'Shipments')
  await expect(sender.getByText('Nothing was shipped yet')).toBeVisible()
  await look(sender, 'empty')
  await sender.getByRole('button', { name: 'Ship samples' }).first().click()
  await expect(sender.getByText('Scan a tube to pack it')).toBeVisible()
  await look(sender, 'pack-empty')
  await typeAsScanner(sender, one.code)
  await expect(lastResult(sender)).toContainText(`${one.code} packed`)
  await typeAsScanner(sender, stays.code)
  await expect(lastResult(sender)).toContainText(`${stays.code} stays here`)
  await expect(lastResult(sender)).toContainText('checked out')
  await typeAsScanner(sender, 'NOT-A-TUBE-OF-OURS')
  await expect(lastResult(sender)).toContainText('is not known here')
  await typeAsScanner(sender, two.code)
  await expect(sender.getByText('Goes along')).toHaveCount(2)
  await sender.getByLabel('Why').fill('Sequencing on their instrument')
  await sender.getByLabel('Carrier').fill('Courier')
  await look(sender, 'pack')
})

test('a look elsewhere and a reload unpack nothing; it is sent', async () => {
  await goToScreen(sender, 'Samples')
  await sender.reload()
  await goToScreen(sender, 'Shipments')
  await sender.getByRole('button', { name: 'Go on packing, 2 in the parcel' }).click()
  await sender.getByRole('button', { name: 'Send 2 samples' }).click()
  await expect(sender.getByRole('heading', { name: /To Osprey Labs/ })).toBeVisible()
  await expect(sender.getByText('On its way')).toHaveCount(3)
  await look(sender, 'sent')
  await sender.getByRole('button', { name: one.code }).click()
  await expect(sender.locator('.sample-head')).toContainText('Shipped to Osprey Labs')
  await look(sender, 'stub')
})

test('receiving: the first tube opens its shipment, a wrong one is said loudly, missing ones by name', async () => {
  await signIn(receiver, grace)
  await expect(receiver.getByRole('link', { name: /Shipments 1 waiting/ })).toBeVisible()
  await goToScreen(receiver, 'Shipments')
  await look(receiver, 'list-incoming')
  await typeAsScanner(receiver, one.code)
  await expect(lastResult(receiver)).toContainText(`${one.code} is here: P-01 day 8`)
  await expect(receiver.getByText('1 of 2')).toBeVisible()
  await typeAsScanner(receiver, ofReceiver.code)
  await expect(lastResult(receiver)).toContainText('is not in shipment 1')
  await expect(lastResult(receiver)).toHaveClass(/bad/)
  await look(receiver, 'receiving')
  await receiver.getByRole('button', { name: 'Take in' }).click()
  const dialog = receiver.getByRole('dialog')
  await expect(dialog.getByText('One sample has not been found')).toBeVisible()
  await expect(dialog.getByRole('listitem')).toHaveText(`${two.code} P-02 day 8`)
  await look(receiver, 'missing')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await typeAsScanner(receiver, two.code)
  await expect(lastResult(receiver)).toContainText('All are found')
  await receiver.getByRole('button', { name: 'Take in' }).click()
  await dialog.getByRole('button', { name: 'Take in 2' }).click()
  await expect(receiver.locator('.ship-head').getByText('Received')).toBeVisible()
  await look(receiver, 'received')
  await receiver.getByRole('button', { name: 'Put away' }).click()
  await expect(receiver.getByRole('heading', { name: 'Storage', level: 1 })).toBeVisible()
  await expect(lastResult(receiver)).toContainText('2 tubes in hand')
})

test('shipped back, turned back at the door, and taken back by who sent it', async () => {
  await goToScreen(receiver, 'Shipments')
  await receiver.getByRole('row', { name: /No. 1/ }).click()
  await receiver.getByRole('button', { name: 'Ship back' }).click()
  const dialog = receiver.getByRole('dialog')
  await dialog.getByLabel('Why').fill('Done')
  await look(receiver, 'ship-back')
  await dialog.getByRole('button', { name: 'Ship back' }).click()
  await expect(receiver.getByRole('heading', { name: /^To / })).toBeVisible()
  await goToScreen(sender, 'Shipments')
  await look(sender, 'list')
  await sender.getByRole('row', { name: /No. 2/ }).click()
  await sender.locator('.ship-head').getByRole('button', { name: 'Turn back' }).click()
  await sender.getByRole('dialog').getByLabel('Reason').fill('Arrived thawed')
  await sender.getByRole('dialog').getByRole('button', { name: 'Turn back' }).click()
  await expect(sender.getByText('2 samples are turned back')).toBeVisible()
  await look(sender, 'turned-back')
  await expect(receiver.getByText('does not take 2 samples')).toBeVisible({ timeout: 20_000 })
  await look(receiver, 'turned-back-there')
  await receiver.getByRole('button', { name: 'Take back' }).click()
  await dialog.getByLabel('Reason').fill('It is here again')
  await dialog.getByRole('button', { name: 'Take back' }).click()
  await expect(receiver.locator('.ship-head').getByText('Taken back')).toBeVisible()
  await look(receiver, 'taken-back')
  const { items } = await laboratories.second.client(samples).list({})
  expect(items.map(({ name, shippedTo }) => [name, shippedTo]).toSorted()).toEqual([
    ['O-1', null],
    ['P-01 day 8', null],
    ['P-02 day 8', null],
  ])
  expect(failures).toEqual([])
})

async function receive({ client }: SignedIn, name: string, boxId?: string): Promise<Tube> {
  const sample = { name, type: 'DNA', volumeUl: '50' }
  const place = boxId === undefined ? {} : { placement: { boxId } }
  const received = await client(samples).receive({ sample, containerKind: 'tube', ...place })
  return { id: received.sample.id, code: received.code }
}

async function open(context: BrowserContext): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => failures.push(error.message))
  await page.goto(laboratories.hub.url)
  await expect(page.getByText('TracSeq Hub')).toBeVisible({ timeout: 60_000 })
  return page
}

/** Accessible, with pictures as on a small screen and on a large one. */
async function look(page: Page, name: string): Promise<void> {
  for (const [width, height] of [
    [1920, 1080],
    [1280, 800],
  ] as const) {
    await page.setViewportSize({ width, height })
    await expectAccessible(page)
    await page.screenshot({ path: `test-results/hub-shipments/${name}-${width}.png` })
  }
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Page } from '@playwright/test'
import {
  addScanner,
  administrator,
  expect,
  goToScreen,
  openBench,
  positionLabel,
  setUpLaboratory,
  signIn,
} from '../e2e/bench-app.ts'
import { openPseudoTerminal } from '../main/devices/testing/pseudo-terminal.ts'
import { prepareManifests } from './demo/manifests.ts'
import {
  confirmedPlacement,
  lastPlaces,
  type Placement,
  readBoxMap,
  readSamplesList,
} from './demo/placements.ts'
import { proveJournal, readDatabases, readPlacementsInJournal } from './demo/proof.ts'
import { readCodesOfImport, receiveManifest } from './demo/receiving.ts'
import { openReport, StepFailed } from './demo/report.ts'
import { scanEach, type ScanResults, watchScanLine } from './demo/scan-results.ts'

// The main job without a person: real manifests, a real serial line, a kill in the middle, and proof that nothing that
// was confirmed is missing or doubled. One line per step; the first step that does not hold ends it.

const batchSize = 30
const killAfter = 10
const columnsOfBox = 9

const work = mkdtempSync(join(tmpdir(), 'tracseq-demo-'))
const home = join(work, 'home')
mkdirSync(home)
const report = openReport(resolve(import.meta.dirname, '../demo-report'), (line) => console.log(line))
const scanner = await openPseudoTerminal()
let bench = await openBench({ home })

try {
  await runDemo()
} catch (error) {
  if (!(error instanceof StepFailed)) throw error
  await report.picture(bench.page, 'failed').catch(() => undefined)
} finally {
  await bench.close().catch(() => undefined)
  await scanner.hangUp()
  rmSync(work, { recursive: true, force: true })
}
const held = report.end()
console.log(held ? 'Every step held: demo-report/report.md' : 'A step did not hold: demo-report/report.md')
process.exit(held ? 0 : 1)

async function runDemo(): Promise<void> {
  const { page } = bench
  await report.step('A laboratory is set up', async () => {
    await expect(page.getByRole('heading', { name: 'Set up this laboratory' })).toBeVisible({
      timeout: 60_000,
    })
    await report.picture(page, 'first-run')
    await setUpLaboratory(page)
    return `${administrator.laboratory}, administrator ${administrator.name}`
  })

  const codes: string[][] = []
  for (const manifest of await prepareManifests(work)) {
    const received = await receiveManifest(report, page, manifest)
    codes.push([...(await readCodesOfImport(page, received.saved))].reverse())
  }
  const [fromWorkbook = [], fromText = []] = codes
  const allCodes = codes.flat()

  let boxCode = ''
  await report.step('A freezer with a box is made', async () => {
    boxCode = await makeFreezer(page)
    return `box ${boxCode}, 81 positions at −80 °C`
  })

  const confirmed: Placement[] = []
  const addConfirmed = (sentences: readonly string[]) =>
    confirmed.push(...sentences.flatMap((each) => confirmedPlacement(each) ?? []))

  let line = await watchScanLine(page)
  await report.step('A serial scanner is added', async () => {
    await addScanner(page, scanner.path)
    await report.picture(page, 'devices')
    return `the serial driver reads ${scanner.path}, a terminal of the kernel`
  })
  await report.step('Tubes are placed by scans', async () => {
    await openBox(page, line, boxCode)
    const scans = fromWorkbook.flatMap((code, index) => [code, labelAt(boxCode, index)])
    const startedAt = performance.now()
    const told = await scanEach(scanner, line, scans)
    const seconds = (performance.now() - startedAt) / 1_000
    addConfirmed(told)
    if (confirmed.length !== fromWorkbook.length)
      throw new Error(
        `${String(confirmed.length)} of ${String(fromWorkbook.length)} tubes placed: ${told.join('; ')}`,
      )
    await report.picture(page, 'box-map')
    const perScan = Math.round((seconds * 1_000) / scans.length)
    return `${String(confirmed.length)} tubes by ${String(scans.length)} scans, ${String(perScan)} ms each; the last: ${told.at(-1) ?? ''}`
  })

  const [star = ''] = fromWorkbook
  await report.step('One is found by scan, from a screen about something else', async () => {
    await goToScreen(page, 'System')
    const [told] = await scanEach(scanner, line, [star])
    await expect(page.getByRole('heading', { name: 'Sample', level: 1 })).toBeVisible()
    await expect(page.locator('.sample-head').getByText(star)).toBeVisible()
    return told ?? ''
  })
  await report.step('It is moved, checked out and returned', async () => {
    await expect(page.getByText('Scan a position to move this tube')).toBeVisible()
    const told = [...(await scanEach(scanner, line, [positionLabel(boxCode, 9, 9)]))]
    addConfirmed(told)
    for (const act of ['Check out', 'Return']) {
      const count = line.seen.length
      await page.getByRole('button', { name: act, exact: true }).click()
      await line.reach(count + 1)
      told.push(...line.seen.slice(count))
    }
    await expect(page.getByRole('button', { name: 'Check out', exact: true })).toBeVisible()
    return told.join('; ')
  })
  await report.step('Its timeline tells it all', async () => {
    const life = page.getByRole('list', { name: 'Life' })
    const wanted = ['Received', 'Placed', 'Moved', 'Checked out', 'Returned']
    for (const word of wanted) await expect(life.getByText(word, { exact: true }).first()).toBeVisible()
    await report.picture(page, 'timeline')
    return `${String(await life.getByRole('listitem').count())} events, among them ${wanted.join(', ')}`
  })

  // Every tube of the text manifest, then tubes that lie there already and are moved on.
  const moving = fromWorkbook.slice(1, 1 + Math.ceil(batchSize / 2) - fromText.length)
  const batch: readonly Placement[] = [...fromText, ...moving].map((code, index) => ({
    code,
    position: labelOf(fromWorkbook.length + index),
  }))
  const scans = batch.flatMap(({ code }, index) => [code, labelAt(boxCode, fromWorkbook.length + index)])
  let told: readonly string[] = []
  let queued = 0
  let waiting = 0
  await report.step('The app is killed in the middle of a batch of scans', async () => {
    await openBox(page, line, boxCode)
    const from = line.seen.length
    await scanner.send(scans.map((code) => `${code}\r\n`).join(''))
    await line.reach(from + killAfter)
    queued = Number(/\d+/.exec(await page.locator('.scan-dev').innerText())?.[0] ?? 0)
    await bench.kill()
    told = line.seen.slice(from)
    addConfirmed(told)
    if (told.length + 1 >= scans.length) throw new Error('The batch was over before the kill')
    return `kill -9 of all its processes after ${String(told.length)} of ${String(scans.length)} scans, ${String(queued)} in the queue; the last confirmed: ${told.at(-1) ?? ''}`
  })

  await report.step('After the restart, scans not acted on wait for review', async () => {
    const startedAt = performance.now()
    bench = await openBench({ home })
    await signIn(bench.page, administrator)
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    const review = bench.page.locator('#waiting-scans')
    await expect(review).toBeVisible()
    const count = Number(/\d+/.exec((await review.getAttribute('aria-label')) ?? '')?.[0])
    const listed = await review.locator('.waiting-list .code').allInnerTexts()
    await report.picture(bench.page, 'waiting-scans')
    const notTold = scans.length - told.length
    // One more when the kill came after the result was shown and before it was noted as acted on.
    if (count !== notTold && count !== notTold + 1)
      throw new Error(`${String(notTold)} scans had no result, and ${String(count)} are listed`)
    const unacted = scans.slice(scans.length - count)
    if (listed.length === 0 || listed.some((code, index) => code !== unacted[index]))
      throw new Error(`Listed are ${listed.join(', ')}, expected were ${unacted.join(', ')}`)
    waiting = count
    return `${String(count)} of ${String(scans.length)} are listed, from ${listed[0] ?? ''} on; the app was ready after ${String(seconds)} s`
  })

  await report.step('Nothing confirmed is missing, nothing is doubled: on the screens', async () => {
    const samples = await readSamplesList(bench.page)
    await report.picture(bench.page, 'samples')
    line = await watchScanLine(bench.page)
    await openBox(bench.page, line, boxCode)
    const inBox = await readBoxMap(bench.page, allCodes, confirmed)
    await report.picture(bench.page, 'box-after-restart')
    const inFlight = batch.find(({ code, position }) => lastPlaces(confirmed).get(code) !== position)
    const extra = compare(inBox, confirmed, inFlight)
    sameTubes(
      samples.map(({ code }) => code),
      allCodes,
    )
    compare(
      samples.filter(({ position }) => position !== ''),
      confirmed,
      inFlight,
    )
    return `${String(samples.length)} samples, each once; ${String(inBox.length)} tubes in the box, each where its last confirmation says${extra}`
  })

  await report.step(
    'The waiting scans are acted on, and what was left between two scans is scanned again',
    async () => {
      const acted = line.seen.length
      await bench.page.getByRole('button', { name: 'Act on them now' }).click()
      await line.reach(acted + waiting)
      addConfirmed(line.seen.slice(acted))
      const inBox = lastPlaces(await readBoxMap(bench.page, allCodes, confirmed))
      const rest = batch.flatMap(({ code, position }, index) =>
        inBox.get(code) === position ? [] : [code, labelAt(boxCode, fromWorkbook.length + index)],
      )
      const again = await scanEach(scanner, line, rest)
      addConfirmed(again)
      const atLast = lastPlaces(await readBoxMap(bench.page, allCodes, confirmed))
      const open = batch.filter(({ code, position }) => atLast.get(code) !== position)
      if (open.length > 0) throw new Error(`Not placed: ${open.map(({ code }) => code).join(', ')}`)
      await report.picture(bench.page, 'box-map-full')
      return `${String(waiting)} acted on, ${String(rest.length)} scanned again; all ${String(batch.length)} tubes of the batch lie where they belong`
    },
  )

  await report.step('The app says that its audit trail is whole', async () => {
    await goToScreen(bench.page, 'Audit')
    await bench.page.getByRole('button', { name: /Verify/ }).click()
    const verdict = bench.page.getByText(/is whole/).first()
    await expect(verdict).toBeVisible({ timeout: 60_000 })
    await report.picture(bench.page, 'audit')
    const words = await verdict.innerText()
    await bench.close()
    return words
  })

  await report.step('Nothing confirmed is missing, nothing is doubled: in databases and journal', () => {
    const kept = readDatabases(home, join(work, 'export'))
    sameTubes(kept.codes, allCodes)
    if (kept.samples !== allCodes.length)
      throw new Error(`${String(kept.samples)} samples for ${String(allCodes.length)} tubes`)
    compare(kept.placements, confirmed, undefined)
    const journal = readPlacementsInJournal(home)
    const spelled = (each: Placement) => `${each.code} at ${each.position}`
    const twice = journal.map(spelled).filter((each, index, all) => all.indexOf(each) !== index)
    const missing = confirmed.map(spelled).filter((each) => !journal.map(spelled).includes(each))
    if (twice.length > 0 || missing.length > 0)
      throw new Error(
        `Journal: doubled ${twice.join(', ') || 'none'}, missing ${missing.join(', ') || 'none'}`,
      )
    return Promise.resolve(
      `${String(confirmed.length)} placements were confirmed and ${String(journal.length)} are in the journal, each once; ${String(kept.samples)} samples, ${String(kept.placements.length)} tubes in their last place`,
    )
  })
  await report.step('The journal verifies, by two programs that share no code', () =>
    Promise.resolve(proveJournal(home, report.folder)),
  )
}

/** A freezer with one shelf, one rack and a 9 × 9 box, by the dialog; gives the code of the box. */
async function makeFreezer(page: Page): Promise<string> {
  await goToScreen(page, 'Storage')
  await page.getByRole('button', { name: 'Add the first freezer' }).click()
  const dialog = page.getByRole('dialog')
  for (const label of ['Shelves', 'Racks on each shelf', 'Boxes in each rack'])
    await dialog.getByLabel(label).fill('1')
  await report.picture(page, 'add-freezer')
  await dialog.getByRole('button', { name: /^Add/ }).click()
  const code = page.locator('.boxv .code').first()
  await expect(code).toHaveText(/^BX-/)
  return (await code.innerText()).trim()
}

/** Opens the box as a person does who has its label in view: by scanning it. */
async function openBox(page: Page, results: ScanResults, boxCode: string): Promise<void> {
  await goToScreen(page, 'Storage')
  await expect(page.getByText('Scanner ready')).toBeVisible()
  await scanEach(scanner, results, [boxCode])
  await expect(page.locator('.boxv .code').first()).toHaveText(boxCode)
}

function labelAt(boxCode: string, index: number): string {
  return positionLabel(boxCode, 1 + Math.floor(index / columnsOfBox), 1 + (index % columnsOfBox))
}

function labelOf(index: number): string {
  return `${String.fromCharCode(65 + Math.floor(index / columnsOfBox))}${String(1 + (index % columnsOfBox))}`
}

function sameTubes(found: readonly string[], expected: readonly string[]): void {
  const twice = found.filter((code, index) => found.indexOf(code) !== index)
  const missing = expected.filter((code) => !found.includes(code))
  if (twice.length > 0 || missing.length > 0 || found.length !== expected.length)
    throw new Error(`Tubes: doubled ${twice.join(', ') || 'none'}, missing ${missing.join(', ') || 'none'}`)
}

/**
 * Holds what was found against what was confirmed. The one scan that was being worked on at the kill may be done or
 * not: nobody was told. The answer says so when it was.
 */
function compare(
  found: readonly Placement[],
  confirmed: readonly Placement[],
  inFlight: Placement | undefined,
): string {
  const wanted = lastPlaces(confirmed)
  const seen = new Set<string>()
  let extra = ''
  for (const { code, position } of found) {
    if (seen.has(code)) throw new Error(`${code} lies in two places`)
    seen.add(code)
    if (wanted.get(code) === position) continue
    if (code !== inFlight?.code || position !== inFlight.position)
      throw new Error(`${code} lies at ${position}; confirmed was ${wanted.get(code) ?? 'no place'}`)
    extra = `; ${code} was placed too, and its confirmation was cut off`
  }
  const missing = [...wanted].filter(([code]) => !seen.has(code))
  if (missing.length > 0)
    throw new Error(`Not found: ${missing.map(([code, at]) => `${code} at ${at}`).join(', ')}`)
  return extra
}

import type { Page } from '@playwright/test'
import { ReadlineParser, SerialPort } from 'serialport'
import { addScanner, goToScreen, openBench, signIn } from '../e2e/bench-app.ts'
import { openPseudoTerminal, type PseudoTerminal } from '../main/devices/testing/pseudo-terminal.ts'
import { administrator } from '../main/testing/workstation-process.ts'
import { type BenchmarkOptions, makeRow, type Row } from './benchmark.ts'
import { prepareHome } from './prepared-home.ts'
import { median, percentile } from './statistics.ts'

const scans = 40
const warmUps = 5
const budgetMs = 50
/** Longer than two results stay apart for a person's eyes, and than the same code counts as one scan. */
const betweenScansMs = 700
const answersWithinMs = 10_000

/**
 * From the last byte a scanner sends on a serial line until the scan line of the real application shows the tube that was
 * found, against a bare `serialport` parser in this process that gets the same frame on a line of the same kind. In
 * between lie: framing, the durable store of scans, the window's queue, finding the code, and finding where the tube is.
 */
export async function measureScanToScreen({ say }: BenchmarkOptions): Promise<readonly Row[]> {
  say('preparing a laboratory')
  const home = await prepareHome(warmUps + scans)
  const [scanner, bare] = [await openPseudoTerminal(), await openPseudoTerminal()]
  const bench = await openBench({ home: home.path })
  const reader = await openBareReader(bare)
  try {
    const { page } = bench
    await signIn(page, administrator)
    await addScanner(page, scanner.path)
    await goToScreen(page, 'Bench')
    say(`${scans} scans`)
    const [ours, baseline]: [number[], number[]] = [[], []]
    for (const [turn, code] of home.codes.entries()) {
      const bareMs = await reader.measure(code)
      const oursMs = await scanAndWait(page, scanner, code)
      await page.waitForTimeout(betweenScansMs)
      if (turn < warmUps) continue
      ours.push(oursMs)
      baseline.push(bareMs)
    }
    const p95 = percentile(ours, 0.95)
    const what = 'the same frame at a bare serialport parser'
    return [
      makeRow({
        measure: 'serial frame to result on the screen, p95',
        unit: 'ms',
        baseline: { what, value: percentile(baseline, 0.95) },
        ours: p95,
        budget: { words: `p95 ≤ ${budgetMs} ms`, held: p95 <= budgetMs },
      }),
      makeRow({
        measure: 'serial frame to result on the screen, p50',
        unit: 'ms',
        baseline: { what, value: median(baseline) },
        ours: median(ours),
        budget: null,
      }),
    ]
  } finally {
    await reader.close()
    await bench.close()
    await scanner.hangUp()
    await bare.hangUp()
    home.remove()
  }
}

/** Both clocks are the machine's, so the page's moment and ours can be compared. */
async function scanAndWait(page: Page, scanner: PseudoTerminal, code: string): Promise<number> {
  const shown = page.evaluate(
    ([text, patienceMs]) =>
      new Promise<number>((resolve, reject) => {
        const isThere = () => document.querySelector('.scan-last')?.textContent.includes(text) === true
        const observer = new MutationObserver(() => {
          if (!isThere()) return
          observer.disconnect()
          resolve(performance.timeOrigin + performance.now())
        })
        observer.observe(document.body, { subtree: true, childList: true, characterData: true })
        setTimeout(() => {
          observer.disconnect()
          reject(new Error(`The scan line did not show ${text}`))
        }, patienceMs)
      }),
    [code, answersWithinMs] as const,
  )
  // The page must be listening before the scan is made.
  await page.evaluate(() => document.title)
  const sentAt = performance.timeOrigin + performance.now()
  await scanner.send(`${code}\r`)
  return (await shown) - sentAt
}

async function openBareReader(line: PseudoTerminal) {
  const port = new SerialPort({ path: line.path, baudRate: 9_600, autoOpen: false })
  await new Promise<void>((ready, fail) => {
    port.open((error) => {
      if (error) fail(error)
      else ready()
    })
  })
  const parser = port.pipe(new ReadlineParser({ delimiter: '\r' }))
  return {
    async measure(code: string): Promise<number> {
      const read = new Promise<void>((done) => {
        parser.once('data', () => done())
      })
      const sentAt = performance.now()
      await line.send(`${code}\r`)
      await read
      return performance.now() - sentAt
    },
    close: () =>
      new Promise<void>((done) => {
        port.close(() => done())
      }),
  }
}

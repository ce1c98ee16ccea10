import type { Page } from '@playwright/test'
import type { PseudoTerminal } from '../../main/devices/testing/pseudo-terminal.ts'

/** Everything the scan line told the person, in order, as it stood on the screen. */
export interface ScanResults {
  readonly seen: readonly string[]
  /** Resolves when that many results were seen. */
  reach(count: number): Promise<void>
}

const withinMs = 30_000

/** Watches the scan line of a window. What it has seen outlives the window, like the memory of who stands before it. */
export async function watchScanLine(page: Page): Promise<ScanResults> {
  const seen: string[] = []
  const waiting = new Set<() => void>()
  await page.exposeFunction('reportScanResult', (sentence: string) => {
    seen.push(sentence)
    for (const look of waiting) look()
  })
  await page.evaluate(() => {
    const report = (window as unknown as { reportScanResult: (sentence: string) => void }).reportScanResult
    let before = ''
    const look = () => {
      const sentence = document.querySelector('.scan-last p')?.textContent ?? ''
      if (sentence === '' || sentence === before) return
      before = sentence
      report(sentence)
    }
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
    look()
  })
  return {
    seen,
    reach: (count) =>
      new Promise((resolve, reject) => {
        const end = () => {
          clearTimeout(deadline)
          waiting.delete(look)
        }
        const look = () => {
          if (seen.length < count) return
          end()
          resolve()
        }
        const deadline = setTimeout(() => {
          end()
          reject(
            new Error(
              `Of ${String(count)} results ${String(seen.length)} came. The last: ${seen.at(-1) ?? 'none'}`,
            ),
          )
        }, withinMs)
        waiting.add(look)
        look()
      }),
  }
}

/** Scans one code after the other, each when the one before has its result; gives the results. */
export async function scanEach(
  scanner: PseudoTerminal,
  results: ScanResults,
  codes: readonly string[],
): Promise<readonly string[]> {
  const from = results.seen.length
  for (const [index, code] of codes.entries()) {
    await scanner.send(`${code}\r\n`)
    await results.reach(from + index + 1)
  }
  return results.seen.slice(from)
}

import type { Page } from '@playwright/test'
import { expect, goToScreen } from '../../e2e/bench-app.ts'

const drawnWithinMs = 10_000

/** A tube at a position, as somebody says it: the scan line, a screen, a database or the journal. */
export interface Placement {
  readonly code: string
  readonly position: string
}

/** What a result of the scan line confirms: "TS-7K2M-0004-X placed at A1", also with the name of the box. */
export function confirmedPlacement(sentence: string): Placement | null {
  const [, code, position] = /^(\S+) placed at ([A-Z]+\d+)\b/.exec(sentence) ?? []
  return code === undefined || position === undefined ? null : { code, position }
}

/** Where each tube is by the last that was said of it. */
export function lastPlaces(placements: readonly Placement[]): ReadonlyMap<string, string> {
  return new Map(placements.map(({ code, position }) => [code, position]))
}

/** The tubes in the box map that is shown, once it shows what was confirmed; its contradictions stay to be found. */
export async function readBoxMap(
  page: Page,
  codes: readonly string[],
  confirmed: readonly Placement[],
): Promise<readonly Placement[]> {
  const wanted = lastPlaces(confirmed)
  let found: readonly Placement[] = []
  const deadline = Date.now() + drawnWithinMs
  do {
    const cells = await page.locator('[role=gridcell][data-position]').evaluateAll((all) =>
      all.map((cell) => ({
        position: cell.getAttribute('data-position') ?? '',
        words: cell.getAttribute('aria-label') ?? '',
      })),
    )
    found = cells.flatMap(({ position, words }) => {
      const parts = words.split(', ')
      return codes.filter((code) => parts.includes(code)).map((code) => ({ code, position }))
    })
    const shown = lastPlaces(found)
    if ([...wanted].every(([code, position]) => shown.get(code) === position)) break
    await page.waitForTimeout(200)
  } while (Date.now() < deadline)
  return found
}

/** Code and location of every sample in the list; an empty position for those without a place. */
export async function readSamplesList(page: Page): Promise<readonly Placement[]> {
  await goToScreen(page, 'Samples')
  const grid = page.getByRole('grid', { name: 'Samples' })
  await expect(grid.locator('.grid-row').first()).toBeVisible()
  const total = Number(await grid.getAttribute('aria-rowcount')) - 1
  const found = new Map<string, Placement>()
  // The list draws what is in sight and a little more: page down until all have been seen.
  await grid.focus()
  for (let turn = 0; found.size < total && turn < 50; turn += 1) {
    const rows = await grid.locator('.grid-row').evaluateAll((all) =>
      all.map((row) => ({
        index: row.getAttribute('aria-rowindex') ?? '',
        code: row.querySelector('.code')?.textContent ?? '',
        text: [...row.querySelectorAll('[role=gridcell]')].map((cell) => cell.textContent).join('\t'),
      })),
    )
    for (const { index, code, text } of rows)
      found.set(index, { code, position: /, ([A-Z]+\d+)(?=\t|$)/.exec(text)?.[1] ?? '' })
    await page.keyboard.press('PageDown')
  }
  if (found.size !== total)
    throw new Error(`Of ${String(total)} samples the list shows ${String(found.size)}`)
  return [...found.values()]
}

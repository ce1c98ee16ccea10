import { basename } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, goToScreen } from '../../e2e/bench-app.ts'
import type { DemoManifest } from './manifests.ts'
import type { Report } from './report.ts'

/** What the Receive screen said of one manifest. */
export interface Received {
  readonly fileName: string
  readonly rows: number
  readonly saved: number
  /** Rows that were not saved, each with the screen's reason. */
  readonly listed: readonly { readonly row: number; readonly why: string }[]
}

const readingMs = 90_000

/** Imports a manifest as a technician does: names its columns, repairs what one click repairs, saves the good rows. */
export async function receiveManifest(report: Report, page: Page, manifest: DemoManifest): Promise<Received> {
  const fileName = basename(manifest.path)
  const short = fileName.replace(/\..*$/, '')
  let rows = 0

  await report.step(`${fileName} is read and its columns are found`, async () => {
    await goToScreen(page, 'Receive')
    await page.locator('input[type=file]').setInputFiles(manifest.path)
    const goOn = page.getByRole('button', { name: /^Check \d+ rows?$/ })
    const back = page.getByRole('button', { name: 'Back to columns' })
    await expect(goOn.or(back).first()).toBeVisible({ timeout: readingMs })
    if (await back.isVisible()) await back.click()
    for (const { heading, field } of manifest.columns) {
      const use = page.getByRole('combobox', { name: new RegExp(`^What column [A-Z]+, ${heading}, is$`) })
      await use.click()
      await page.getByRole('option', { name: new RegExp(`^${field}\\b`) }).click()
      await expect(use).toHaveValue(new RegExp(`^${field}\\b`))
    }
    for (const { field, value } of manifest.given) {
      const same = page.getByRole('region', { name: 'The same for all rows' })
      const given = same.getByRole('combobox', { name: field, exact: true })
      await given.click()
      await page.getByRole('option', { name: value, exact: true }).click()
      await expect(given).toHaveValue(value)
    }
    await expect(goOn).toBeEnabled({ timeout: readingMs })
    rows = Number(/\d+/.exec((await goOn.textContent()) ?? '')?.[0])
    await report.picture(page, `${short}-columns`)
    await goOn.click()
    await expect(back).toBeVisible({ timeout: readingMs })
    const told = [
      ...manifest.columns.map(({ heading, field }) => `“${heading}” is named ${field}`),
      ...manifest.given.map(({ field, value }) => `${field} is ${value} for all rows`),
    ]
    return `${String(rows)} rows${told.length === 0 ? '' : `; ${told.join(', ')}`} (${manifest.origin})`
  })

  await report.step(`${fileName} is checked, its problems stand at their cells`, async () => {
    const problems = page.getByRole('region', { name: 'Problems' })
    await report.picture(page, `${short}-check`)
    for (const { word, value } of manifest.repairs) {
      const problem = problems.getByRole('listitem').filter({ hasText: word })
      await problem.getByRole('combobox').click()
      await page.getByRole('option', { name: value, exact: true }).click()
      await expect(problem).toHaveCount(0)
    }
    const summary = page.getByRole('region', { name: 'Result of the check' })
    const words = (await summary.locator('.fig').allInnerTexts()).map((each) => each.replaceAll('\n', ' '))
    const repaired = manifest.repairs.map(({ word, value }) => `; “${word}” set to ${value}`).join('')
    return `${words.join(', ')}${repaired}`
  })

  let saved = 0
  let listed: Received['listed'] = []
  await report.step(`${fileName}: good rows are saved, faulty ones are listed`, async () => {
    const save = page.getByRole('button', { name: /^Save \d+ good rows?/ })
    await save.click()
    await expect(page.getByRole('button', { name: 'Back to the check' })).toBeVisible()
    const wanted = Number(/\d+/.exec((await save.textContent()) ?? '')?.[0])
    await save.click()
    const title = page.getByRole('heading', { name: /samples? (is|are) saved$/ })
    await expect(title).toBeVisible({ timeout: readingMs })
    saved = Number(/\d+/.exec((await title.textContent()) ?? '')?.[0])
    const left = page.getByRole('region', { name: 'What stays for repair' }).locator('tbody tr')
    await expect(left).toHaveCount(rows - saved)
    listed = await left.evaluateAll((lines) =>
      lines.map((line) => {
        const [row, why] = [...line.querySelectorAll('td')].map((cell) => cell.textContent)
        return { row: Number(row), why: why ?? '' }
      }),
    )
    await report.picture(page, `${short}-done`)
    if (saved !== wanted) throw new Error(`${String(wanted)} rows were good and ${String(saved)} are saved`)
    for (const { row, heading } of manifest.faulty) {
      const found = listed.find((each) => each.row === row)
      if (found === undefined) throw new Error(`Row ${String(row)} is faulty and not listed`)
      if (!found.why.includes(heading))
        throw new Error(`Row ${String(row)}: “${found.why}” does not name ${heading}`)
    }
    if (listed.length !== manifest.faulty.length)
      throw new Error(`Listed are the rows ${listed.map(({ row }) => row).join(', ')}`)
    const words = `${String(saved)} of ${String(rows)} saved, ${String(listed.length)} listed`
    return [words, ...listed.map(({ why }) => why)].join('\n')
  })
  return { fileName, rows, saved, listed }
}

/** The codes of the tubes that the import just shown has made, from the samples list. */
export async function readCodesOfImport(page: Page, count: number): Promise<readonly string[]> {
  await page.getByRole('button', { name: 'Show the samples' }).click()
  await expect(page.getByRole('heading', { name: 'Samples', level: 1 })).toBeVisible()
  const rows = page.getByRole('grid', { name: 'Samples' }).locator('.grid-row')
  await expect(rows).toHaveCount(count)
  return rows.locator('.code').allInnerTexts()
}

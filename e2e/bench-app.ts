import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { _electron, type ElectronApplication, expect as expectNow, type Page } from '@playwright/test'
import { formatPositionLabel, parseOwnCode } from '../services/barcodes/domain/own-code.ts'

const root = resolve(import.meta.dirname, '..')

/** Waits as long as a busy machine may need, under the test runner and without it. */
export const expect = expectNow.configure({ timeout: 15_000 })

export const administrator = {
  laboratory: 'Sequencing Core B07',
  name: 'Ada Rivera',
  email: 'ada@core.example',
  password: 'seven blue centrifuges',
} as const

export const demoPerson = { email: 'demo@tracseq.example', password: 'a laboratory to play in' } as const

/** The real application with its window, and what a person does in it. */
export interface BenchApp {
  readonly app: ElectronApplication
  readonly page: Page
  readonly home: string
  /** Pulls the plug on all of its processes. */
  kill(): Promise<void>
  close(): Promise<void>
}

export function makeHome(): string {
  return mkdtempSync(join(tmpdir(), 'tracseq-e2e-'))
}

/** Starts TracSeq Bench as it was built, on a home of its own. */
export async function openBench(options: {
  readonly home: string
  readonly demo?: boolean
  /** The window of a start that fails is looked at; otherwise the application ends at once. */
  readonly staysOpen?: boolean
}): Promise<BenchApp> {
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const app = await _electron.launch({
    args: [root, ...sandbox, ...(options.demo === true ? ['--demo'] : [])],
    env: {
      ...environment(),
      TRACSEQ_HOME: options.home,
      ...(options.staysOpen === true ? {} : { TRACSEQ_NO_DIALOG: '1' }),
    },
    timeout: 90_000,
  })
  const page = await app.firstWindow({ timeout: 90_000 })
  await page.setViewportSize({ width: 1280, height: 800 })
  const child = app.process()
  return {
    app,
    page,
    home: options.home,
    async kill() {
      const ended = new Promise((done) => child.once('exit', done))
      // Playwright starts it as the leader of a group: windows, services and drivers end in the same instant.
      if (process.platform === 'win32' || child.pid === undefined) child.kill('SIGKILL')
      else process.kill(-child.pid, 'SIGKILL')
      await ended
    },
    close: () => app.close(),
  }
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
}

/** The first screen of a new home: names the laboratory and makes the first administrator. */
export async function setUpLaboratory(page: Page): Promise<void> {
  await page.getByLabel('Name of the laboratory').fill(administrator.laboratory)
  await page.getByLabel('Your name').fill(administrator.name)
  await page.getByLabel('Your e-mail address').fill(administrator.email)
  await page.getByLabel('Password', { exact: true }).fill(administrator.password)
  await page.getByLabel('Password once more').fill(administrator.password)
  await page.getByRole('button', { name: 'Set up the laboratory' }).click()
  await expect(page.getByRole('heading', { name: 'Bench' })).toBeVisible({ timeout: 60_000 })
}

export async function signIn(
  page: Page,
  person: { readonly email: string; readonly password: string },
): Promise<void> {
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'Bench' })).toBeVisible({ timeout: 60_000 })
}

/** Opens a screen by the rail. */
export async function goToScreen(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name }).click()
  await expect(page.getByRole('heading', { name, level: 1 })).toBeVisible()
}

/** Adds a serial scanner by typing its port, as for a device that the list does not show. */
export async function addScanner(page: Page, path: string): Promise<void> {
  await goToScreen(page, 'Devices')
  await page.getByRole('button', { name: 'Add a scanner' }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Bench scanner')
  await dialog.getByLabel('Port').fill(path)
  await dialog.getByRole('button', { name: /^(Save|Add)/ }).click()
  await expect(page.getByText('Ready').first()).toBeVisible()
}

/**
 * Types a code as a keyboard scanner does, with Enter at its end. The keys carry their own times, so that a busy
 * machine cannot turn the scanner into a person.
 */
export async function typeAsScanner(page: Page, code: string): Promise<void> {
  const keyboard = await page.context().newCDPSession(page)
  let seconds = Date.now() / 1_000
  for (const character of `${code}\r`) {
    const key = keyOf(character)
    await keyboard.send('Input.dispatchKeyEvent', { type: 'keyDown', ...key, timestamp: seconds })
    await keyboard.send('Input.dispatchKeyEvent', {
      ...key,
      type: 'keyUp',
      text: '',
      timestamp: seconds + 0.002,
    })
    seconds += 0.008
  }
  await keyboard.detach()
}

/** The key of a US keyboard that types a character; 8 is Shift. */
function keyOf(character: string) {
  const shared = { key: character, text: character, modifiers: 0 }
  if (character === '\r') return { ...shared, key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13 }
  if (character === '-') return { ...shared, code: 'Minus', windowsVirtualKeyCode: 189 }
  if (character === '/') return { ...shared, code: 'Slash', windowsVirtualKeyCode: 191 }
  const windowsVirtualKeyCode = character.charCodeAt(0)
  if (/[0-9]/.test(character)) return { ...shared, code: `Digit${character}`, windowsVirtualKeyCode }
  if (/[A-Z]/.test(character))
    return { ...shared, code: `Key${character}`, windowsVirtualKeyCode, modifiers: 8 }
  throw new Error(`No key types ${JSON.stringify(character)}`)
}

/** The scan line's last result. */
export function lastResult(page: Page) {
  return page.locator('.scan-last')
}

/** The label that is glued beside a position of a box, as a scanner reads it. */
export function positionLabel(boxCode: string, row: number, column: number): string {
  const code = parseOwnCode(boxCode)
  if (!code.ok) throw new Error(`${boxCode} is no code of ours`)
  return formatPositionLabel(code.value, row, column).text
}

/** Fails with axe's own words when the page has an accessibility violation. */
export async function expectAccessible(page: Page): Promise<void> {
  // Flashes and dialogs fade in: contrast is judged when they stand.
  await page.waitForTimeout(700)
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze()
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`),
  ).toEqual([])
}

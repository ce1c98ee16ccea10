import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, type CDPSession, chromium, type Page } from '@playwright/test'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WedgePage } from './testing/wedge-page.tsx'

const browserPath = [chromium.executablePath(), '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  existsSync,
)

/** The place, the character and the key code of a key of the US layout. */
function keyOf(character: string): {
  code: string
  key: string
  keyCode: number
  modifiers: number
  text: string
} {
  if (character === '\r') return { code: 'Enter', key: 'Enter', keyCode: 13, modifiers: 0, text: '\r' }
  if (character === '\u001d') return { code: 'BracketRight', key: ']', keyCode: 221, modifiers: 2, text: '' }
  if (character === '-') return { code: 'Minus', key: '-', keyCode: 189, modifiers: 0, text: '-' }
  if (character === ' ') return { code: 'Space', key: ' ', keyCode: 32, modifiers: 0, text: ' ' }
  const upper = character.toUpperCase()
  const digit = /\d/.test(character)
  const shift = !digit && character === upper
  return {
    code: digit ? `Digit${character}` : `Key${upper}`,
    key: character,
    keyCode: upper.charCodeAt(0),
    modifiers: shift ? 8 : 0,
    text: character,
  }
}

describe.runIf(browserPath !== undefined)('in a real browser', () => {
  let browser: Browser
  let page: Page
  let keyboard: CDPSession
  /** Seconds; the keys carry their own times, so a busy machine cannot turn a scanner into a person. */
  let clock = 0
  let script = ''
  const pageErrors: string[] = []

  beforeAll(async () => {
    const built = await build({
      configFile: false,
      logLevel: 'error',
      define: { 'process.env.NODE_ENV': '"development"' },
      build: {
        write: false,
        minify: false,
        lib: {
          entry: join(import.meta.dirname, 'testing', 'wedge-page.tsx'),
          formats: ['iife'],
          name: 'wedge',
        },
      },
    })
    const output = Array.isArray(built) ? built[0] : built
    if (!output || !('output' in output)) throw new Error('The page was not built')
    script = output.output[0].code
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox'] })
    page = await browser.newPage()
    page.on('pageerror', (error) => pageErrors.push(error.message))
    keyboard = await page.context().newCDPSession(page)
  })

  afterEach(() => expect(pageErrors).toEqual([]))

  afterAll(() => browser.close())

  beforeEach(async () => {
    await page.goto('about:blank')
    await page.addScriptTag({ content: script })
    await page.waitForSelector('#name')
    clock = Date.now() / 1_000
  })

  async function press(
    key: Partial<ReturnType<typeof keyOf>> & { code: string; key: string },
  ): Promise<void> {
    const { code, key: name, keyCode = 0, modifiers = 0, text = '' } = key
    const shared = { code, key: name, windowsVirtualKeyCode: keyCode, modifiers }
    await keyboard.send('Input.dispatchKeyEvent', { type: 'keyDown', ...shared, text, timestamp: clock })
    await keyboard.send('Input.dispatchKeyEvent', { type: 'keyUp', ...shared, timestamp: clock + 0.001 })
  }

  async function type(content: string, gapMs: number): Promise<void> {
    for (const character of content) {
      await press(keyOf(character))
      clock += gapMs / 1_000
    }
  }

  function seen(): Promise<WedgePage> {
    return page.evaluate(() => (window as unknown as { seen: WedgePage }).seen)
  }

  function fieldState(selector: string) {
    return page.locator(selector).evaluate((element) => {
      const field = element as HTMLInputElement
      return { value: field.value, start: field.selectionStart, end: field.selectionEnd }
    })
  }

  test('a person types into a controlled field and submits it', async () => {
    await page.focus('#name')
    await type('Blood 7\r', 120)
    expect(await seen()).toMatchObject({ scans: [], reactValue: 'Blood 7', submitted: ['Blood 7'] })
  })

  test('a scan into a controlled field is taken out again, value, selection and React state', async () => {
    await page.focus('#name')
    await type('Blood 7', 120)
    await page.locator('#name').evaluate((element) => (element as HTMLInputElement).setSelectionRange(2, 4))
    clock += 1
    await type('S-26-000123\r', 5)
    expect(await seen()).toMatchObject({ scans: ['S-26-000123'], reactValue: 'Blood 7', submitted: [] })
    expect(await fieldState('#name')).toEqual({ value: 'Blood 7', start: 2, end: 4 })
    clock += 1
    await type('x', 120)
    expect(await seen()).toMatchObject({ reactValue: 'Blxd 7' })
  })

  test.each(['#amount', '#notes'])('a scan into %s leaves it as it was', async (selector) => {
    const before = await page.locator(selector).inputValue()
    await page.focus(selector)
    await type('26-000123\r', 5)
    await type('26-000124\r', 5)
    expect((await seen()).scans).toEqual(['26-000123', '26-000124'])
    expect(await page.locator(selector).inputValue()).toBe(before)
  })

  test('a scan into a list does not choose from it', async () => {
    await page.focus('#unit')
    await type('S-26-000123\r', 5)
    expect((await seen()).scans).toEqual(['S-26-000123'])
    expect(await page.locator('#unit').inputValue()).toBe('ul')
  })

  test('the Enter of a scan presses no button, the Enter of a person does', async () => {
    await page.focus('#delete')
    await type('S-26-000123\r\r', 5)
    expect(await seen()).toMatchObject({ scans: ['S-26-000123'], clicks: [] })
    clock += 1
    await type('\r', 5)
    expect((await seen()).clicks).toEqual(['delete'])
  })

  test('with the prefix nothing reaches the page: no character, no blank on a button, no submit', async () => {
    await page.focus('#name')
    await press({ code: 'F13', key: 'F13', keyCode: 124 })
    await type('Plate A7\u001d1\r', 90)
    await page.focus('#delete')
    clock += 1
    await press({ code: 'F13', key: 'F13', keyCode: 124 })
    await type('Plate A8 \r', 5)
    expect(await seen()).toEqual({
      scans: ['Plate A7\u001d1', 'Plate A8 '],
      brokenOff: [],
      clicks: [],
      submitted: [],
      reactValue: '',
    })
  })

  test('a code that lost its end is told without another key', async () => {
    await press({ code: 'F13', key: 'F13', keyCode: 124 })
    await type('S-26', 5)
    await vi.waitFor(async () => expect((await seen()).brokenOff).toEqual(['S-26']), { timeout: 10_000 })
  })

  test('a password typed by a program is no scan and stays where it is', async () => {
    await page.focus('#password')
    await type('correct-horse\r', 5)
    expect((await seen()).scans).toEqual([])
    expect(await page.locator('#password').inputValue()).toBe('correct-horse')
  })
})

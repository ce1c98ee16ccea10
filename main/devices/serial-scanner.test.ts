import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ScannerSettings, type ScannerSettingsInput } from './scanner-settings.ts'
import { openSerialPort } from './serial-port.ts'
import { type ScannedCode, type SerialScanner, startSerialScanner } from './serial-scanner.ts'
import { openPseudoTerminal, type PseudoTerminal } from './testing/pseudo-terminal.ts'

const opened: (SerialScanner | { close: () => Promise<void> })[] = []
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tracseq-scanner-'))
})

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close()
  await rm(folder, { recursive: true })
})

async function plugIn(link?: string): Promise<PseudoTerminal> {
  const terminal = await openPseudoTerminal(link)
  opened.push({ close: () => terminal.hangUp() })
  return terminal
}

function watchScanner(path: string, settings: Partial<ScannerSettingsInput> = {}) {
  const codes: ScannedCode[] = []
  const states: string[] = []
  const words: string[] = []
  const dropped: string[] = []
  const scanner = startSerialScanner(
    ScannerSettings.parse({ id: 'bench', name: 'Bench', path, ...settings }),
    {
      onCode: (code) => codes.push(code),
      onState: (state, why) => {
        if (states.at(-1) !== state) states.push(state)
        words.push(why)
      },
      onDropped: (why) => dropped.push(why),
    },
  )
  opened.unshift(scanner)
  return {
    scanner,
    codes,
    states,
    words,
    dropped,
    texts: () => codes.map((code) => code.text),
    async untilState(state: string) {
      await vi.waitFor(() => expect(states.at(-1)).toBe(state), { timeout: 15_000, interval: 10 })
    },
    async untilCodes(count: number) {
      await vi.waitFor(() => expect(codes.length).toBeGreaterThanOrEqual(count), {
        timeout: 15_000,
        interval: 5,
      })
    },
  }
}

async function processorMsWithin(milliseconds: number): Promise<number> {
  const before = process.cpuUsage()
  await delay(milliseconds)
  const used = process.cpuUsage(before)
  return (used.user + used.system) / 1_000
}

describe('reading', () => {
  test('a typed terminal path, UTF-8, group separators and the time of the last byte', async () => {
    const terminal = await plugIn()
    const watched = watchScanner(terminal.path)
    await watched.untilState('ready')
    const before = Number(process.hrtime.bigint() / 1_000n)
    await terminal.send(']d20109506000134352\u001d21SN1\rPräparat 5 µl\r\n')
    await terminal.send(Buffer.from('Präparat\n', 'latin1'))
    await watched.untilCodes(3)
    const after = Number(process.hrtime.bigint() / 1_000n)
    expect(watched.texts()).toEqual([']d20109506000134352\u001d21SN1', 'Präparat 5 µl', 'Präparat'])
    const [first] = watched.codes
    expect(first?.lastByteMonotonicUs).toBeGreaterThan(before)
    expect(first?.lastByteMonotonicUs).toBeLessThan(after)
    expect(Math.abs(Date.parse(first?.receivedAt ?? '') - Date.now())).toBeLessThan(5_000)
  })

  test.each(['\r', '\n', '\r\n', '##'])('2,000 codes ending in %j at full speed', async (end) => {
    const terminal = await plugIn()
    const watched = watchScanner(terminal.path, { suffix: '##' })
    await watched.untilState('ready')
    const sent = Array.from({ length: 2_000 }, (_, index) => `]C1S-26-${String(index).padStart(6, '0')}`)
    await terminal.send(sent.map((code) => code + end).join(''))
    await watched.untilCodes(2_000)
    await delay(50)
    expect(watched.texts()).toEqual(sent)
    expect(watched.dropped).toEqual([])
  })

  test('codes that arrive byte by byte', async () => {
    const terminal = await plugIn()
    const watched = watchScanner(terminal.path)
    await watched.untilState('ready')
    for (const byte of Buffer.from('S-26-1\r\nS-26-2\r')) {
      await terminal.send(Uint8Array.of(byte))
      await delay(3)
    }
    await watched.untilCodes(2)
    expect(watched.texts()).toEqual(['S-26-1', 'S-26-2'])
  })

  test('a lone CR delivers without waiting for a LF', async () => {
    const terminal = await plugIn()
    const watched = watchScanner(terminal.path)
    await watched.untilState('ready')
    await terminal.send('S-26-1\r')
    await watched.untilCodes(1)
    await terminal.send('\nS-26-2\r')
    await watched.untilCodes(2)
    expect(watched.texts()).toEqual(['S-26-1', 'S-26-2'])
  })

  test('silence ends a code only when that is set', async () => {
    const [strict, lenient] = [await plugIn(), await plugIn()]
    const waiting = watchScanner(strict.path)
    const flushing = watchScanner(lenient.path, { idleFlushMs: 60 })
    await waiting.untilState('ready')
    await flushing.untilState('ready')
    await strict.send('S-26-1')
    await lenient.send('S-26-1')
    await flushing.untilCodes(1)
    expect(waiting.codes).toEqual([])
    await strict.send('\r')
    await waiting.untilCodes(1)
    expect(waiting.texts()).toEqual(['S-26-1'])
  })

  test('over-long garbage is dropped and said', async () => {
    const terminal = await plugIn()
    const watched = watchScanner(terminal.path, { maximumFrameBytes: 100 })
    await watched.untilState('ready')
    await terminal.send(`${'?'.repeat(20_000)}\rS-26-1\r`)
    await watched.untilCodes(1)
    expect(watched.texts()).toEqual(['S-26-1'])
    expect(watched.dropped).toEqual([expect.stringContaining('more than 100 bytes without an end of code')])
  })
})

describe('coming and going', () => {
  test('waits for a path that is not there, and reads again each time it comes back', async () => {
    const path = join(folder, 'scanner')
    const watched = watchScanner(path)
    await watched.untilState('waiting')
    expect(watched.words).toContain(`Waiting for ${path} to be plugged in`)
    for (const code of ['S-26-1', 'S-26-2', 'S-26-3']) {
      const terminal = await plugIn(path)
      await watched.untilState('ready')
      await terminal.send(`${code}\r`)
      await vi.waitFor(() => expect(watched.texts()).toContain(code), { timeout: 15_000 })
      await terminal.hangUp()
      await watched.untilState('waiting')
    }
    expect(watched.texts()).toEqual(['S-26-1', 'S-26-2', 'S-26-3'])
  })

  test('half a code before the plug was pulled is said, and not glued to the next code', async () => {
    const path = join(folder, 'scanner')
    const terminal = await plugIn(path)
    const watched = watchScanner(path)
    await watched.untilState('ready')
    await terminal.send('HALF')
    await delay(50)
    await terminal.hangUp()
    await watched.untilState('waiting')
    const again = await plugIn(path)
    await watched.untilState('ready')
    await again.send('S-26-1\r')
    await watched.untilCodes(1)
    expect(watched.texts()).toEqual(['S-26-1'])
    expect(watched.dropped).toEqual(['Bench: a code broke off after 4 bytes. Scan it again'])
  })

  test('a peer that disappears in mid-stream costs no processor time', async () => {
    for (let round = 0; round < 6; round += 1) {
      const terminal = await plugIn()
      const watched = watchScanner(terminal.path)
      await watched.untilState('ready')
      void terminal.send('S-26-000123\r'.repeat(3_000)).catch(() => undefined)
      await delay(3 + round)
      await terminal.hangUp()
      await watched.untilState('waiting')
      expect(await processorMsWithin(400)).toBeLessThan(150)
      await watched.scanner.close()
    }
  })

  test('a line that was hung up unseen is closed at the next read instead of being read for ever', async () => {
    const terminal = await plugIn()
    const port = await openSerialPort(
      ScannerSettings.parse({ id: 'bench', name: 'Bench', path: terminal.path }),
    )
    await terminal.hangUp()
    const closed = new Promise<string>((resolve) =>
      port.once('close', (error?: Error) => resolve(String(error?.message))),
    )
    port.on('data', () => undefined)
    expect(await closed).toBe('the line was hung up')
    expect(await processorMsWithin(300)).toBeLessThan(100)
  })

  test('closing hands over what was read and frees the port', async () => {
    const terminal = await plugIn()
    const first = watchScanner(terminal.path)
    await first.untilState('ready')
    await terminal.send('S-26-1\r')
    await first.untilCodes(1)
    await first.scanner.close()
    expect(first.states).toEqual(['starting', 'ready', 'stopped'])
    const second = watchScanner(terminal.path)
    await second.untilState('ready')
    await terminal.send('S-26-2\r')
    await second.untilCodes(1)
    expect(first.texts()).toEqual(['S-26-1'])
  })
})

describe('what cannot be opened is said in words', () => {
  test('a port that another program holds, until it lets go', async () => {
    const terminal = await plugIn()
    const holder = watchScanner(terminal.path)
    await holder.untilState('ready')
    const other = watchScanner(terminal.path)
    await other.untilState('failed')
    expect(other.words.at(-1)).toBe(`Another program is using ${terminal.path}`)
    await holder.scanner.close()
    await other.untilState('ready')
  })

  test('a file that is no serial port', async () => {
    const watched = watchScanner(import.meta.filename)
    await watched.untilState('failed')
    expect(watched.words.at(-1)).toBe(`${import.meta.filename} is not a serial port`)
    const device = watchScanner('/dev/null')
    await device.untilState('failed')
    expect(device.words.at(-1)).toBe('/dev/null is not a serial port')
  })
})

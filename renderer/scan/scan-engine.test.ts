import { expect, test } from 'vitest'
import type { Scan } from '../../main/devices/contract.ts'
import { createScanEngine, type Resolved, type ScanEngineParts } from './scan-engine.ts'

function scanOf(text: string, change: Partial<Scan> = {}): Scan {
  return {
    scanId: `id-${text}`,
    text,
    source: 'wedge',
    deviceId: 'keyboard',
    receivedAt: '2026-11-20T10:42:07.000Z',
    repeat: false,
    state: 'waiting',
    summary: null,
    ...change,
  }
}

function resolvedAs(readable: string): Resolved {
  return {
    meaning: {
      kind: 'external',
      readable,
      symbology: null,
      lookupKeys: [],
      elements: [],
      ownKind: null,
      position: null,
      remark: null,
    },
    matches: [],
  }
}

function setUp(change: Partial<ScanEngineParts> = {}) {
  let nowMs = 1_000
  const settled: string[] = []
  const played: string[] = []
  const waits: number[] = []
  const engine = createScanEngine({
    now: () => nowMs,
    wait: async (milliseconds) => {
      waits.push(milliseconds)
      nowMs += milliseconds
    },
    resolve: async (text) => resolvedAs(text),
    findAndOpen: async (scan) => ({ tone: 'ok', sentence: `\`${scan.text}\` opened` }),
    settle: async (scanId, state, summary) => void settled.push(`${scanId} ${state}: ${summary}`),
    play: (tone) => played.push(tone),
    words: {
      repeat: 'counted once',
      failed: (code) => `${code} waits`,
      undone: (what) => `undone: ${what}`,
      undoFailed: () => 'not undone',
      screenLeft: (code) => `${code} was meant for another screen`,
      actNow: 'act now',
      tryAgain: 'try again',
    },
    ...change,
  })
  const rest = () => new Promise((resolve) => setTimeout(resolve, 5))
  return { engine, settled, played, waits, rest, tick: (milliseconds: number) => (nowMs += milliseconds) }
}

test('scans that come at once are acted on one by one, in order, each with its own flash 250 ms apart', async () => {
  const { engine, settled, played, waits, rest } = setUp()
  for (const text of ['A', 'B', 'C']) engine.receive(scanOf(text))
  expect(engine.read().queued).toBe(3)
  await rest()
  expect(engine.read()).toMatchObject({ queued: 0, working: null, flash: { count: 3, tone: 'ok' } })
  expect(engine.read().feed.map(({ sentence }) => sentence)).toEqual([
    '`C` opened',
    '`B` opened',
    '`A` opened',
  ])
  expect(waits).toEqual([250, 250])
  expect(played).toEqual(['ok', 'ok', 'ok'])
  expect(settled).toEqual(['id-A acted: A opened', 'id-B acted: B opened', 'id-C acted: C opened'])
})

test('a repeat is one line of the feed, settled, without flash; the same scan twice is one', async () => {
  const { engine, settled, rest } = setUp()
  engine.receive(scanOf('A'))
  engine.receive(scanOf('A'))
  engine.receive(scanOf('A', { scanId: 'again', repeat: true }))
  await rest()
  expect(engine.read().flash.count).toBe(1)
  expect(engine.read().feed).toHaveLength(2)
  expect(settled).toContain('again acted: counted once')
})

test('the newest meaning counts, null leaves the scan to find and open, and leaving a screen takes its meaning back', async () => {
  const { engine, rest } = setUp()
  const leave = engine.mean({
    sentence: 'Scan a position',
    elseSentence: 'a tube opens',
    handle: ({ text }) => (text === 'F8' ? { tone: 'ok', sentence: 'placed' } : null),
  })
  expect(engine.read().sentence).toBe('Scan a position')
  engine.receive(scanOf('F8'))
  engine.receive(scanOf('TUBE'))
  await rest()
  expect(engine.read().feed.map(({ sentence }) => sentence)).toEqual(['`TUBE` opened', 'placed'])
  leave()
  expect(engine.read().sentence).toBeNull()
})

test('a scan whose handling fails stays waiting in the store, says so, and does not stop the next', async () => {
  const { engine, settled, rest } = setUp({
    resolve: async (text) => {
      if (text === 'A') throw new Error('no answer')
      return resolvedAs(text)
    },
  })
  engine.receive(scanOf('A'))
  engine.receive(scanOf('B'))
  await rest()
  expect(engine.read().feed.map(({ tone, sentence }) => [tone, sentence])).toEqual([
    ['ok', '`B` opened'],
    ['bad', 'A waits'],
  ])
  expect(settled).toEqual(['id-B acted: B opened'])
})

test('an unknown code waits for a person; its decision settles it', async () => {
  const { engine, settled, rest } = setUp({
    findAndOpen: async () => ({ tone: 'warn', sentence: 'Not known here', unknown: true }),
  })
  engine.receive(scanOf('X'))
  await rest()
  expect(settled).toEqual([])
  const [item] = engine.read().feed
  expect(item).toMatchObject({ unknown: true, text: 'X' })
  await engine.decide(item?.id ?? '', 'dismissed', 'Ignored')
  expect(settled).toEqual(['id-X dismissed: Ignored'])
  expect(engine.read().feed[0]).toMatchObject({ unknown: false, tone: 'idle', sentence: 'Ignored' })
})

test('an act can be taken back once, while its ten seconds run', async () => {
  const { engine, tick } = setUp()
  let undone = 0
  const undo = async () => void (undone += 1)
  engine.announce({ tone: 'ok', sentence: 'placed', undo })
  const first = engine.newestUndo()
  await engine.undo(first?.id ?? '')
  await engine.undo(first?.id ?? '')
  expect(undone).toBe(1)
  expect(engine.read().last?.sentence).toBe('undone: placed')
  engine.announce({ tone: 'ok', sentence: 'moved', undo })
  tick(10_001)
  expect(engine.newestUndo()).toBeNull()
  await engine.undo(engine.read().feed[0]?.id ?? '')
  expect(undone).toBe(1)
})

test('while the workstation is locked scans are kept, and acted on after it is unlocked', async () => {
  const { engine, rest } = setUp()
  engine.pause(true)
  engine.receive(scanOf('A'))
  await rest()
  expect(engine.read()).toMatchObject({ queued: 1, last: null, paused: true })
  engine.pause(false)
  await rest()
  expect(engine.read()).toMatchObject({ queued: 0, paused: false })
  expect(engine.read().last?.sentence).toBe('`A` opened')
})

test('another person signing in while a scan is in work costs no scan made after that', async () => {
  const acted: string[] = []
  const { engine, rest } = setUp({
    findAndOpen: async (scan) => {
      await new Promise((resolve) => setTimeout(resolve, 2))
      acted.push(scan.text)
      return { tone: 'ok', sentence: scan.text }
    },
  })
  engine.receive(scanOf('A'))
  engine.forget()
  engine.receive(scanOf('B'))
  await rest()
  await rest()
  expect(acted).toEqual(['A', 'B'])
})

test('a machine without sound acts on each scan once', async () => {
  const acted: string[] = []
  const { engine, rest } = setUp({
    findAndOpen: async (scan) => {
      acted.push(scan.text)
      return { tone: 'ok', sentence: scan.text }
    },
    play: () => {
      throw new Error('no audio device')
    },
  })
  engine.receive(scanOf('A'))
  engine.receive(scanOf('B'))
  await rest()
  expect(acted).toEqual(['A', 'B'])
})

test('a scan made on a screen that was left is never applied to the next one, and can be acted on there by hand', async () => {
  const acted: string[] = []
  const { engine, settled, rest } = setUp()
  const screen = (name: string) =>
    engine.mean({
      sentence: name,
      elseSentence: '',
      handle: ({ text }) => {
        acted.push(`${name}: ${text}`)
        if (text === 'A') leaveStorage()
        return { tone: 'ok', sentence: text }
      },
    })
  const leaveStorage = screen('storage')
  engine.receive(scanOf('A'))
  engine.receive(scanOf('B'))
  await rest()
  screen('receive')
  expect(acted).toEqual(['storage: A'])
  expect(engine.read().last?.sentence).toBe('B was meant for another screen')
  expect(settled).toEqual(['id-A acted: A'])
  engine.read().last?.action?.run()
  await rest()
  expect(acted).toEqual(['storage: A', 'receive: B'])
})

test('a page that changes its words stays behind its open dialog', () => {
  const { engine } = setUp()
  const page = Symbol('page')
  const meaning = (sentence: string) => ({ sentence, elseSentence: '', handle: () => null })
  engine.mean(meaning('page'), page)
  const closeDialog = engine.mean(meaning('dialog'))
  engine.mean(meaning('page, changed'), page)
  expect(engine.read().sentence).toBe('dialog')
  closeDialog()
  expect(engine.read().sentence).toBe('page, changed')
})

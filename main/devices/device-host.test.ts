import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  createDeviceHost,
  type DeviceHealth,
  type DeviceHost,
  type DeviceHostOptions,
  type DeviceProcess,
  type DeviceScan,
} from './device-host.ts'
import { forkDeviceProcess } from './forked-device-process.ts'
import { openPseudoTerminal, type PseudoTerminal } from './testing/pseudo-terminal.ts'

/** Other tests may keep both cores busy meanwhile. */
const slowly = { timeout: 15_000, interval: 5 }

const opened: (() => Promise<void>)[] = []
let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tracseq-devices-'))
})

afterEach(async () => {
  for (const close of opened.splice(0)) await close()
  await rm(folder, { recursive: true })
})

async function plugIn(link?: string): Promise<PseudoTerminal> {
  const terminal = await openPseudoTerminal(link)
  opened.push(() => terminal.hangUp())
  return terminal
}

interface HostUnderTest {
  readonly host: DeviceHost
  readonly scans: DeviceScan[]
  readonly health: (readonly DeviceHealth[])[]
  readonly logged: string[]
  readonly processes: DeviceProcess[]
  untilState(...states: string[]): Promise<void>
  untilScans(count: number): Promise<void>
}

function startHost(options: Partial<DeviceHostOptions> = {}): HostUnderTest {
  const scans: DeviceScan[] = []
  const health: (readonly DeviceHealth[])[] = []
  const logged: string[] = []
  const processes: DeviceProcess[] = []
  const host = createDeviceHost({
    spawn() {
      const started = forkDeviceProcess((words) => logged.push(words))
      processes.push(started)
      return started
    },
    onScan: (scan) => scans.push(scan),
    onHealth: (now) => health.push(now),
    log: (_level, words) => logged.push(words),
    ...options,
  })
  opened.unshift(() => host.close())
  return {
    host,
    scans,
    health,
    logged,
    processes,
    async untilState(...states) {
      await vi.waitFor(() => expect(host.health().map((one) => one.state)).toEqual(states), slowly)
    },
    async untilScans(count) {
      await vi.waitFor(() => expect(scans.length).toBeGreaterThanOrEqual(count), {
        timeout: 15_000,
        interval: 5,
      })
    },
  }
}

function scannerAt(path: string, id = 'bench') {
  return { id, name: `Scanner ${id}`, path }
}

describe('scans', () => {
  test('2,000 codes at full speed come in order, each with an id of its own', async () => {
    const terminal = await plugIn()
    const tested = startHost()
    await tested.host.configure([scannerAt(terminal.path)])
    await tested.untilState('ready')
    const sent = Array.from({ length: 2_000 }, (_, index) => `S-26-${String(index).padStart(6, '0')}`)
    await terminal.send(sent.map((code) => `${code}\r\n`).join(''))
    await tested.untilScans(2_000)
    expect(tested.scans.map((scan) => scan.text)).toEqual(sent)
    expect(new Set(tested.scans.map((scan) => scan.scanId)).size).toBe(2_000)
    expect(tested.scans.some((scan) => scan.repeat)).toBe(false)
    expect(tested.host.health()).toMatchObject([{ scans: 2_000, repeats: 0, dropped: 0, connections: 1 }])
  })

  test('a scan tells what, where and when, on the clock of this process too', async () => {
    const terminal = await plugIn()
    const tested = startHost()
    await tested.host.configure([scannerAt(terminal.path)])
    await tested.untilState('ready')
    const before = Number(process.hrtime.bigint() / 1_000n)
    await terminal.send(']C1S-26-1\r')
    await tested.untilScans(1)
    const [scan] = tested.scans
    expect(scan).toEqual({
      scanId: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      text: ']C1S-26-1',
      deviceId: 'bench',
      receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      lastByteMonotonicUs: expect.any(Number),
      repeat: false,
    })
    expect(scan?.lastByteMonotonicUs).toBeGreaterThan(before)
    expect(scan?.lastByteMonotonicUs).toBeLessThan(Number(process.hrtime.bigint() / 1_000n))
    expect(tested.host.health()).toMatchObject([{ lastScanAt: scan?.receivedAt }])
  })

  test('the same code again within 500 ms is marked, on another scanner or later it is not', async () => {
    const [left, right] = [await plugIn(), await plugIn()]
    const tested = startHost()
    await tested.host.configure([scannerAt(left.path, 'left'), scannerAt(right.path, 'right')])
    await tested.untilState('ready', 'ready')
    await left.send('A\rA\r')
    await tested.untilScans(2)
    await right.send('A\r')
    await tested.untilScans(3)
    await delay(600)
    await left.send('A\r')
    await tested.untilScans(4)
    expect(tested.scans.map((scan) => [scan.deviceId, scan.repeat])).toEqual([
      ['left', false],
      ['left', true],
      ['right', false],
      ['left', false],
    ])
  })

  test('a scan that its taker refuses is logged, and the next one is handed over', async () => {
    const terminal = await plugIn()
    const taken: string[] = []
    const tested = startHost({
      onScan(scan) {
        if (scan.text === 'BAD') throw new Error('the disk is full')
        taken.push(scan.text)
      },
    })
    await tested.host.configure([scannerAt(terminal.path)])
    await tested.untilState('ready')
    await terminal.send('BAD\rGOOD\r')
    await vi.waitFor(() => expect(taken).toEqual(['GOOD']), slowly)
    expect(tested.logged).toContain('The scan "BAD" of bench was not taken: Error: the disk is full')
  })
})

describe('scanners come and go', () => {
  test('unplugged and plugged in again', async () => {
    const path = join(folder, 'scanner')
    const tested = startHost()
    await tested.host.configure([scannerAt(path)])
    await tested.untilState('waiting')
    const terminal = await plugIn(path)
    await tested.untilState('ready')
    await terminal.hangUp()
    await tested.untilState('waiting')
    const again = await plugIn(path)
    await tested.untilState('ready')
    await again.send('S-26-1\r')
    await tested.untilScans(1)
    expect(tested.host.health()).toMatchObject([{ connections: 2, scans: 1 }])
    expect(tested.health.at(-1)).toMatchObject([{ state: 'ready', words: `Reading ${path} at 9600 baud` }])
  })

  test('a change of the list leaves an unchanged scanner alone, and a removed one frees its port', async () => {
    const [left, right] = [await plugIn(), await plugIn()]
    const tested = startHost()
    await tested.host.configure([scannerAt(left.path, 'left'), scannerAt(right.path, 'right')])
    await tested.untilState('ready', 'ready')
    await tested.host.configure([
      scannerAt(left.path, 'left'),
      { ...scannerAt(right.path, 'other'), suffix: '##' },
    ])
    await tested.untilState('ready', 'ready')
    await right.send('S-26-1##')
    await left.send('S-26-2\r')
    await tested.untilScans(2)
    expect(tested.scans.map((scan) => scan.deviceId).sort()).toEqual(['left', 'other'])
    expect(tested.host.health().map((one) => [one.deviceId, one.connections])).toEqual([
      ['left', 1],
      ['other', 1],
    ])
    expect(tested.processes.length).toBe(1)
  })

  test('bad settings are refused and the list in force stays', async () => {
    const terminal = await plugIn()
    const tested = startHost()
    await tested.host.configure([scannerAt(terminal.path)])
    await expect(tested.host.configure([{ ...scannerAt('/dev/x'), suffix: '\r#' }])).rejects.toThrow(
      'The suffix may hold CR and LF only at its end',
    )
    await expect(tested.host.configure([scannerAt('/dev/x', 'a'), scannerAt('/dev/x', 'b')])).rejects.toThrow(
      'Two scanners have the same path "/dev/x"',
    )
    expect(tested.host.health().map((one) => one.settings.path)).toEqual([terminal.path])
  })
})

describe('the device process', () => {
  test('starts only when there is something to do', async () => {
    const tested = startHost()
    await tested.host.configure([])
    expect(tested.processes.length).toBe(0)
    const terminal = await plugIn()
    await tested.host.configure([scannerAt(terminal.path)])
    expect(tested.processes.length).toBe(1)
  })

  test('is started again when it dies, with the same scanners, and nothing of the host is lost', async () => {
    const terminal = await plugIn()
    const tested = startHost({ firstRestartMs: 20 })
    await tested.host.configure([scannerAt(terminal.path)])
    await tested.untilState('ready')
    await terminal.send('S-26-1\r')
    await tested.untilScans(1)
    tested.processes[0]?.kill()
    await tested.untilState('starting')
    await tested.untilState('ready')
    await terminal.send('S-26-2\r')
    await tested.untilScans(2)
    expect(tested.scans.map((scan) => scan.text)).toEqual(['S-26-1', 'S-26-2'])
    expect(tested.host.health()).toMatchObject([{ scans: 2, connections: 2 }])
    expect(tested.processes.length).toBe(2)
  })

  test('that dies at once is started again ever more slowly', async () => {
    const starts: number[] = []
    const entry = join(import.meta.dirname, 'testing', 'no-such-entry.ts')
    const tested = startHost({
      firstRestartMs: 200,
      requestDeadlineMs: 5_000,
      spawn() {
        starts.push(performance.now())
        return forkDeviceProcess(() => undefined, entry)
      },
    })
    await expect(tested.host.configure([scannerAt('/dev/pts/none')])).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
    })
    await vi.waitFor(() => expect(starts.length).toBe(4), slowly)
    const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0))
    expect(gaps[1]).toBeGreaterThan(400)
    expect(gaps[2]).toBeGreaterThan(800)
    expect(tested.host.health()).toMatchObject([{ state: 'starting' }])
  })

  test('that does not answer fails the call at its deadline', async () => {
    const tested = startHost({
      requestDeadlineMs: 100,
      spawn: () => ({
        send: () => undefined,
        onMessage: (listener) => listener({ type: 'started' }),
        onExit: (listener) => void setTimeout(() => listener('killed'), 300),
        kill: () => undefined,
      }),
    })
    await expect(tested.host.listPorts()).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      message: 'The device process did not answer "list-ports" within 100 ms',
    })
  })

  test('lists ports: those of the system, and the typed paths it can never show', async () => {
    const terminal = await plugIn()
    const tested = startHost()
    await tested.host.configure([scannerAt(terminal.path)])
    const ports = await tested.host.listPorts()
    expect(ports.filter((port) => port.origin === 'typed').map((port) => port.path)).toEqual([terminal.path])
  })

  test('closes in order: the port is free, the process is gone, later calls are refused', async () => {
    const terminal = await plugIn()
    const ended: string[] = []
    const tested = startHost({
      spawn() {
        const started = forkDeviceProcess(() => undefined)
        started.onExit((reason) => ended.push(reason))
        return started
      },
    })
    await tested.host.configure([scannerAt(terminal.path)])
    await tested.untilState('ready')
    await terminal.send('S-26-1\r')
    await tested.untilScans(1)
    await tested.host.close()
    expect(tested.host.health()).toMatchObject([{ state: 'stopped' }])
    expect(ended.length).toBe(1)
    await expect(tested.host.listPorts()).rejects.toMatchObject({ code: 'NOT_STARTED' })
    const next = startHost()
    await next.host.configure([scannerAt(terminal.path)])
    await next.untilState('ready')
  })

  test('ends with its host: a workstation that is killed leaves no process holding the port', async () => {
    const terminal = await plugIn()
    const script = join(import.meta.dirname, 'testing', 'host-to-kill.ts')
    const host = fork(script, [terminal.path], {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    await new Promise((resolve) => host.once('message', resolve))
    host.kill('SIGKILL')
    const next = startHost()
    await next.host.configure([scannerAt(terminal.path)])
    await next.untilState('ready')
  })
})

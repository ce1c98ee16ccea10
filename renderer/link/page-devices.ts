import { type ClientLink, ORPCError } from '@orpc/client'
import { z } from 'zod'
import { Scan } from '../../main/devices/contract.ts'
import type { WireContext } from './call-link.ts'

/** Where a page keeps its scans: a tab has its own, and they outlive a reload. */
export type PageStorage = Pick<Storage, 'getItem' | 'setItem'>

const storageKey = 'tracseq:scans'
const keptScans = 200
const Kept = z.array(Scan)
const NewScan = z.object({ scanId: z.string(), text: z.string(), source: z.enum(['wedge', 'typed']) })
const Settlement = z.object({
  scanId: z.string(),
  state: z.enum(['acted', 'dismissed']),
  summary: z.string(),
})

interface DevicesEvent {
  readonly type: 'scan' | 'devices'
  readonly scan?: Scan
  readonly devices?: readonly never[]
}

/**
 * Answers what belongs to the machine in the page itself, since a browser has no host beside it: scans of keyboard
 * scanners and typed codes are kept by the tab until they are settled. There are no other scanners. Everything else goes
 * over the wire.
 */
export function withPageDevices(
  wire: ClientLink<WireContext>,
  storage: PageStorage,
): ClientLink<WireContext> {
  const followers = new Set<(event: DevicesEvent) => void>()

  function read(): readonly Scan[] {
    const parsed = Kept.safeParse(readJson(storage.getItem(storageKey)))
    return parsed.success ? parsed.data : []
  }

  function write(scans: readonly Scan[]): void {
    storage.setItem(storageKey, JSON.stringify(scans.slice(-keptScans)))
  }

  function record(input: unknown): Scan {
    const given = NewScan.parse(input)
    const scans = read()
    const known = scans.find(({ scanId }) => scanId === given.scanId)
    if (known !== undefined) return known
    const scan: Scan = {
      ...given,
      deviceId: 'browser',
      receivedAt: new Date().toISOString(),
      repeat: false,
      state: 'waiting',
      summary: null,
    }
    write([...scans, scan])
    for (const tell of followers) tell({ type: 'scan', scan })
    return scan
  }

  function settle(input: unknown): Record<string, never> {
    const { scanId, state, summary } = Settlement.parse(input)
    write(read().map((scan) => (scan.scanId === scanId ? { ...scan, state, summary } : scan)))
    return {}
  }

  async function* feed(signal: AbortSignal | undefined): AsyncGenerator<DevicesEvent, void, void> {
    const waiting: DevicesEvent[] = [{ type: 'devices', devices: [] }]
    let wake: () => void = () => undefined
    const tell = (event: DevicesEvent) => {
      waiting.push(event)
      wake()
    }
    const stop = () => wake()
    followers.add(tell)
    signal?.addEventListener('abort', stop)
    try {
      while (signal?.aborted !== true) {
        const next = waiting.shift()
        if (next === undefined) await new Promise<void>((resolve) => (wake = resolve))
        else yield next
      }
    } finally {
      followers.delete(tell)
      signal?.removeEventListener('abort', stop)
    }
  }

  return {
    call: async (path, input, options) => {
      const [domain, procedure] = path
      if (domain !== 'devices') return wire.call(path, input, options)
      switch (procedure) {
        case 'list':
        case 'ports':
          return []
        case 'recordScan':
          return record(input)
        case 'settleScan':
          return settle(input)
        case 'waitingScans':
          return read().filter(({ state }) => state === 'waiting')
        case 'recentScans':
          return [...read()].reverse()
        case 'scanFeed':
          return feed(options.signal)
        default:
          throw new ORPCError('NOT_FOUND', {
            message: 'A browser has no devices of its own: add scanners at a workstation',
            data: { kind: 'procedure', id: path.join('.') },
          })
      }
    },
  }
}

function readJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '[]')
  } catch {
    return null
  }
}

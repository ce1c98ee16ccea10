import type { ClientLink } from '@orpc/client'
import { expect, test } from 'vitest'
import type { Scan } from '../../main/devices/contract.ts'
import type { WireContext } from './call-link.ts'
import { type PageStorage, withPageDevices } from './page-devices.ts'

function memory(): PageStorage {
  const kept = new Map<string, string>()
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => void kept.set(key, text) }
}

function open(storage = memory()) {
  const wired: string[] = []
  const wire: ClientLink<WireContext> = {
    call: async (path) => {
      wired.push(path.join('.'))
      return 'from the Hub'
    },
  }
  const link = withPageDevices(wire, storage)
  const ask = (procedure: string, input?: unknown, signal?: AbortSignal) =>
    link.call(['devices', procedure], input, {
      context: { headers: {} },
      ...(signal === undefined ? {} : { signal }),
    })
  return { link, ask, wired, storage }
}

const first = { scanId: '01890a5d-ac96-774b-bcce-b302099a8057', text: 'TS-7K2M-0004-X', source: 'typed' }

test('a scan comes by the feed, waits until it is settled, and outlives a reload', async () => {
  const { ask, storage } = open()
  const stop = new AbortController()
  const feed = (await ask('scanFeed', undefined, stop.signal)) as AsyncGenerator
  expect((await feed.next()).value).toEqual({ type: 'devices', devices: [] })
  await ask('recordScan', first)
  expect((await feed.next()).value).toMatchObject({ type: 'scan', scan: { text: first.text } })
  await ask('recordScan', first)

  const reloaded = open(storage)
  expect(await reloaded.ask('waitingScans')).toMatchObject([{ ...first, state: 'waiting' }])
  await reloaded.ask('settleScan', { scanId: first.scanId, state: 'acted', summary: 'opened' })
  expect(await reloaded.ask('waitingScans')).toEqual([])
  expect(await reloaded.ask('recentScans')).toMatchObject([{ state: 'acted', summary: 'opened' }])

  stop.abort()
  expect(await feed.next()).toEqual({ done: true, value: undefined })
})

test('a browser has no scanners to list or add; all else goes to the Hub', async () => {
  const { ask, link, wired } = open()
  expect([await ask('list'), await ask('ports')]).toEqual([[], []])
  await expect(ask('saveScanner', {})).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await link.call(['samples', 'list'], {}, { context: { headers: {} } })).toBe('from the Hub')
  expect(wired).toEqual(['samples.list'])
})

test('what another program left in the storage is no scan', async () => {
  for (const text of ['{', '{"a":1}', '[{"scanId":1}]']) {
    const storage = memory()
    storage.setItem('tracseq:scans', text)
    const { ask } = open(storage)
    expect(await ask('waitingScans')).toEqual([])
    const stored = (await ask('recordScan', first)) as Scan
    expect(stored.state).toBe('waiting')
  }
})

import { describe, expect, it } from 'vitest'
import type { SyncStatus } from '../../platform/sync/contract.ts'
import { standingOf } from './sync-standing.ts'

const status: SyncStatus = {
  state: 'online',
  words: 'The Hub is reached, and has all that was made here.',
  hubUrl: 'https://hub.example',
  laboratoryId: 'a',
  lastContactAt: '2026-11-20T10:42:00.000Z',
  lastPushAt: null,
  lastPullAt: null,
  pending: [
    { domain: 'samples', sets: 0 },
    { domain: 'storage', sets: 0 },
  ],
  position: 12,
  lag: 0,
  clockSkewMs: 4,
  offlineUntil: null,
}
const waiting = [
  { domain: 'samples', sets: 2 },
  { domain: 'storage', sets: 1 },
]

describe('what the bar says of sync', () => {
  it('is in sync only when nothing waits and nothing is to come', () => {
    expect(standingOf(status).words).toBe('inSync')
    expect(standingOf({ ...status, pending: waiting })).toMatchObject({ words: 'waiting', count: 3 })
    expect(standingOf({ ...status, lag: 7 })).toMatchObject({ words: 'coming', count: 7 })
  })

  it('says since when the Hub is away, if it was ever reached', () => {
    const offline = { ...status, state: 'offline', pending: waiting } as const
    expect(standingOf(offline)).toMatchObject({
      words: 'offlineSince',
      count: 3,
      since: status.lastContactAt,
    })
    expect(standingOf({ ...offline, lastContactAt: null }).words).toBe('offline')
  })

  it('never says the same of two states', () => {
    const states = ['hub', 'not-enrolled', 'enrolling', 'online', 'offline', 'paused', 'stopped'] as const
    const standings = states.map((state) => standingOf({ ...status, state }))
    expect(new Set(standings.map(({ words }) => words)).size).toBe(states.length)
    expect(new Set(standings.map(({ icon, tone }) => `${icon} ${tone}`)).size).toBe(states.length)
  })
})

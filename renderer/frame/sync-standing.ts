import type { SyncStatus } from '../../platform/sync/contract.ts'
import type { IconName } from '../components/drawings.tsx'
import type { StatusTone } from '../components/status.tsx'

/** What the bar says of sync: a tone, a drawing, and the words with what stands in them. */
export interface SyncStanding {
  readonly tone: StatusTone
  readonly icon: IconName
  readonly words:
    | 'alone'
    | 'hub'
    | 'enrolling'
    | 'inSync'
    | 'waiting'
    | 'coming'
    | 'offline'
    | 'offlineSince'
    | 'paused'
    | 'trouble'
  /** Change sets that wait, or entries that are still to come. */
  readonly count: number
  readonly since: string | null
}

/** Reduces where this copy stands to what is seen in half a second: the worst of it first. */
export function standingOf(status: SyncStatus): SyncStanding {
  const waiting = status.pending.reduce((sum, { sets }) => sum + sets, 0)
  const said = { count: waiting, since: status.lastContactAt }
  switch (status.state) {
    case 'hub':
      return { ...said, tone: 'ok', icon: 'laptop', words: 'hub' }
    case 'not-enrolled':
      return { ...said, tone: 'idle', icon: 'laptop', words: 'alone' }
    case 'enrolling':
      return { ...said, tone: 'now', icon: 'half', words: 'enrolling' }
    case 'paused':
      return { ...said, tone: 'warn', icon: 'pause', words: 'paused' }
    case 'stopped':
      return { ...said, tone: 'bad', icon: 'bad', words: 'trouble' }
    case 'offline':
      return {
        ...said,
        ...{ tone: 'warn', icon: 'minus' },
        words: status.lastContactAt === null ? 'offline' : 'offlineSince',
      }
    case 'online':
      if (waiting > 0) return { ...said, tone: 'now', icon: 'up', words: 'waiting' }
      if (status.lag > 0) return { ...said, tone: 'now', icon: 'down', words: 'coming', count: status.lag }
      return { ...said, tone: 'ok', icon: 'ok', words: 'inSync' }
  }
}

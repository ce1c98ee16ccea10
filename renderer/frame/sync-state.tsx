import { Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { TFunction } from 'i18next'
import { useTranslation } from 'react-i18next'
import { isInBrowser } from '../bridge.ts'
import { api } from '../client.ts'
import { Icon } from '../components/icon.tsx'
import { countText, shortMoment } from '../moments.ts'
import { type SyncStanding, standingOf } from './sync-standing.ts'

/** A Hub that comes or goes is no change of the laboratory's data, so no feed tells of it. */
const everyMs = 4_000
const hubEveryMs = 60_000

/** Where this copy stands, asked again every few seconds. */
export function useSyncStatus() {
  return useQuery(api.sync.status.queryOptions({ refetchInterval: isInBrowser() ? hubEveryMs : everyMs }))
}

/** The state of sync in the bar, by drawing and words; leads to all there is to say of it. */
export function SyncState() {
  const { t } = useTranslation('sync')
  const { data } = useSyncStatus()
  if (data === undefined) return null
  const standing = standingOf(data)
  const hint =
    standing.words === 'alone' || standing.words === 'hub' ? t(`hint.${standing.words}`) : data.words
  return (
    <Tooltip label={hint} multiline maw={360}>
      <Link
        className={`tool sync-state ${standing.tone}`}
        to="/sync"
        activeOptions={{ includeSearch: false }}
      >
        <Icon name={standing.icon} size={16} />
        <span aria-live="polite">{standingWords(standing, t)}</span>
      </Link>
    </Tooltip>
  )
}

/** `Offline since 10:42, 3 waiting`. */
export function standingWords({ words, count, since }: SyncStanding, t: TFunction<'sync'>): string {
  const said = t(`standing.${words}`, {
    count,
    shown: countText(count),
    time: since === null ? '' : shortMoment(since),
  })
  const alsoWaits = count > 0 && ['offline', 'offlineSince', 'paused', 'trouble'].includes(words)
  return alsoWaits ? t('standing.andWaiting', { said, shown: countText(count) }) : said
}

import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api } from '../client.ts'
import { fillPercent } from '../components/meter.tsx'
import { countText } from '../moments.ts'
import { useMay } from '../session/session-store.ts'

export interface Alert {
  readonly id: string
  readonly tone: 'warn' | 'bad'
  readonly sentence: string
  readonly detail: string
  readonly link:
    { readonly to: '/system' | '/audit' } | { readonly to: '/storage/$boxId'; readonly boxId: string } | null
}

const everyMs = 30_000

/** What a person should know before anything else: worst first. */
export function useAlerts(): readonly Alert[] {
  const { t } = useTranslation('bench')
  const maySystem = useMay('system:read')
  const mayStorage = useMay('storage:read')
  const services = useQuery(
    api.system.services.queryOptions({ enabled: maySystem, refetchInterval: everyMs }),
  )
  const journal = useQuery(api.system.journal.queryOptions({ enabled: maySystem, refetchInterval: everyMs }))
  const tree = useQuery(
    api.storage.tree.queryOptions({ input: {}, enabled: mayStorage, refetchInterval: everyMs }),
  )

  const alerts: Alert[] = []
  if (journal.data !== undefined && !journal.data.writable) {
    alerts.push({
      id: 'journal',
      tone: 'bad',
      sentence: t('alert.journal'),
      detail: journal.data.why ?? '',
      link: { to: '/system' },
    })
  }
  for (const { name, state, words } of services.data ?? []) {
    if (state !== 'failing' && state !== 'refused') continue
    alerts.push({
      id: `service-${name}`,
      tone: 'bad',
      sentence: t('alert.service', { name }),
      detail: words ?? '',
      link: { to: '/system' },
    })
  }
  for (const { number, gaps } of journal.data?.epochs ?? []) {
    for (const gap of gaps) {
      alerts.push({
        id: `gap-${String(number)}-${gap.domain}`,
        tone: 'warn',
        sentence: t('alert.gap'),
        detail: t('alert.gapDetail', { domain: gap.domain, from: gap.lostFrom, to: gap.lostTo }),
        link: { to: '/audit' },
      })
    }
  }
  for (const { id, name, kind, capacity } of tree.data ?? []) {
    if (kind !== 'box' || capacity.level === 'normal') continue
    alerts.push({
      id: `full-${id}`,
      tone: capacity.level === 'critical' ? 'bad' : 'warn',
      sentence: t('alert.full', { name, percent: fillPercent(capacity) }),
      detail: t('alert.fullDetail', {
        available: countText(capacity.available),
        positions: countText(capacity.positions),
      }),
      link: { to: '/storage/$boxId', boxId: id },
    })
  }
  return alerts.sort((a, b) => Number(a.tone === 'warn') - Number(b.tone === 'warn'))
}

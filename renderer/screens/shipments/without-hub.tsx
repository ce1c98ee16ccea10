import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { EmptyState } from '../../components/empty-state.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { useSyncStatus } from '../../frame/sync-state.tsx'
import { problemCode } from '../../problem.ts'

/** Shipping is done at the Hub: what stands here says what is to be done while there is none, or it is not reached. */
export function WithoutHub({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  const { t } = useTranslation(['shipments', 'common'])
  if (problemCode(error) !== 'OFFLINE')
    return <ProblemNotice what={t('title')} error={error} onRetry={onRetry} />
  return (
    <EmptyState icon="truck" title={t('offline')} hint={t('offlineHint')}>
      <button type="button" className="btn" onClick={onRetry}>
        {t('common:retry')}
      </button>
      <Link className="btn" to="/sync">
        {t('toSync')}
      </Link>
    </EmptyState>
  )
}

/** Shows its children where there is a Hub to ship by. */
export function WithHub({ children }: { readonly children: ReactNode }) {
  const { data } = useSyncStatus()
  return data?.state === 'not-enrolled' ? <NoHub /> : children
}

function NoHub() {
  const { t } = useTranslation('shipments')
  usePageSubject(t('title'))
  return (
    <EmptyState icon="truck" title={t('noHub')} hint={t('noHubHint')}>
      <Link className="btn" to="/sync">
        {t('toSync')}
      </Link>
    </EmptyState>
  )
}

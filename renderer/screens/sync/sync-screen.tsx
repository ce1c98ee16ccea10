import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { isInBrowser } from '../../bridge.ts'
import { api } from '../../client.ts'
import { Segmented } from '../../components/segmented.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { useSyncStatus } from '../../frame/sync-state.tsx'
import { countText } from '../../moments.ts'
import { useMay } from '../../session/session-store.ts'
import { ConflictsView } from './conflicts-view.tsx'
import { StandingView } from './standing-view.tsx'
import type { SyncSearch } from './sync-search.ts'
import { WorkstationsView } from './workstations-view.tsx'
import './sync.css'

/** How this copy and the others stay together: where it stands, what people must decide, and who takes part. */
export function SyncScreen() {
  const { t } = useTranslation(['sync', 'frame'])
  const navigate = useNavigate()
  const search = useSearch({ from: '/sync' })
  const mayManage = useMay('sync:manage')
  const status = useSyncStatus()
  const open = useQuery(api.sync.workItems.queryOptions({ input: {}, refetchInterval: 10_000 }))
  usePageSubject(
    t('frame:screens.sync'),
    status.data?.hubUrl == null ? '' : t('withHub', { hub: status.data.hubUrl }),
  )
  const change = (next: Partial<SyncSearch>) =>
    void navigate({ to: '/sync', search: { ...search, ...next }, replace: true })
  const waiting = open.data?.total ?? 0
  const options = [
    { value: 'standing', label: t(isInBrowser() ? 'view.hub' : 'view.standing') },
    {
      value: 'conflicts',
      label: waiting === 0 ? t('view.conflicts') : t('view.conflictsCount', { shown: countText(waiting) }),
    },
    ...(mayManage ? [{ value: 'workstations', label: t('view.workstations') } as const] : []),
  ] as const
  return (
    <div className="sync">
      <div className="views">
        <Segmented
          label={t('view.label')}
          options={options}
          value={search.view ?? 'standing'}
          onChange={(view) => change({ view: view === 'standing' ? undefined : view, item: undefined })}
        />
      </div>
      {search.view === 'conflicts' ? (
        <ConflictsView openId={search.item ?? null} onOpen={(item) => change({ item: item ?? undefined })} />
      ) : search.view === 'workstations' && mayManage ? (
        <WorkstationsView />
      ) : (
        <StandingView onConflicts={() => change({ view: 'conflicts' })} />
      )}
    </div>
  )
}

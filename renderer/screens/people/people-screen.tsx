import { Switch, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { User } from '../../../services/auth/contract.ts'
import { api } from '../../client.ts'
import { DataGrid, type GridColumn } from '../../components/data-grid.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { Status, type StatusTone } from '../../components/status.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { shortMoment } from '../../moments.ts'
import { useMay, useMe } from '../../session/session-store.ts'
import { PersonDetail } from './person-detail.tsx'
import { PersonDialog } from './person-dialog.tsx'
import type { PeopleSearch } from './people-search.ts'
import { RolesView } from './roles-view.tsx'
import './people.css'

const tones: Readonly<Record<User['status'], StatusTone>> = {
  active: 'ok',
  inactive: 'idle',
  suspended: 'warn',
  deleted: 'idle',
}

/** People of the laboratory, what they may do, and when they signed in; and the roles they have. */
export function PeopleScreen() {
  const { t } = useTranslation('people')
  const navigate = useNavigate()
  const search = useSearch({ from: '/people' })
  const change = (next: Partial<PeopleSearch>) =>
    void navigate({ to: '/people', search: { ...search, ...next }, replace: true })
  return (
    <div className="people">
      <div className="views">
        <Segmented
          label={t('views')}
          options={[
            { value: 'people', label: t('people') },
            { value: 'roles', label: t('roles') },
          ]}
          value={search.view ?? 'people'}
          onChange={(view) => change({ view: view === 'roles' ? view : undefined })}
        />
      </div>
      {search.view === 'roles' ? (
        <RolesView open={search.role ?? null} onOpen={(role) => change({ role })} />
      ) : (
        <PeopleView filters={search} change={change} />
      )}
    </div>
  )
}

interface PeopleViewProps {
  readonly filters: PeopleSearch
  readonly change: (next: Partial<PeopleSearch>) => void
}

function PeopleView({ filters, change }: PeopleViewProps) {
  const { t } = useTranslation(['people', 'session', 'frame'])
  const may = useMay('users:manage')
  const { user: me } = useMe()
  const [adding, setAdding] = useState(false)
  const search = useDebouncedCallback(
    (text: string) => change({ search: text === '' ? undefined : text }),
    200,
  )
  const list = useQuery({
    ...api.auth.listUsers.queryOptions({
      input: {
        limit: 500,
        ...(filters.search === undefined ? {} : { search: filters.search }),
        ...(filters.all === true ? {} : { status: 'active' as const }),
      },
    }),
    placeholderData: keepPreviousData,
  })
  const people = list.data?.items ?? []
  const open = people.find(({ id }) => id === filters.person)
  usePageSubject(t('frame:screens.people'), list.isSuccess ? t('context', { count: people.length }) : '')

  const columns: readonly GridColumn<User>[] = [
    {
      key: 'name',
      head: t('name'),
      width: 'minmax(150px, 1.2fr)',
      cell: ({ id, name }) => (
        <>
          <span className="medium">{name}</span>
          {id === me.id && <span className="t3"> · {t('you')}</span>}
        </>
      ),
    },
    { key: 'email', head: t('email'), width: 'minmax(150px, 1.2fr)', cell: ({ email }) => email },
    {
      key: 'roles',
      head: t('roles'),
      width: 'minmax(140px, 1fr)',
      cell: ({ roles }) => roles.map((role) => t(`session:role.${role}`)).join(', '),
    },
    {
      key: 'status',
      head: t('status'),
      width: '160px',
      cell: ({ status, lockedUntil }) =>
        lockedUntil !== null && Date.parse(lockedUntil) > Date.now() ? (
          <Status tone="warn" icon="lock" word={t('lockedUntil', { time: shortMoment(lockedUntil) })} />
        ) : (
          <Status tone={tones[status]} word={t(`statuses.${status}`)} />
        ),
    },
    {
      key: 'last',
      head: t('lastSignIn'),
      width: '124px',
      cell: ({ lastSignInAt }) => (lastSignInAt === null ? t('never') : shortMoment(lastSignInAt)),
    },
  ]

  return (
    <>
      <div className="filters" role="search">
        <TextInput
          aria-label={t('search')}
          placeholder={t('search')}
          defaultValue={filters.search ?? ''}
          w={260}
          onChange={(event) => search(event.target.value.trim())}
        />
        <Switch
          size="sm"
          label={t('all')}
          checked={filters.all === true}
          onChange={(event) => change({ all: event.currentTarget.checked ? true : undefined })}
        />
        {may && (
          <button className="btn btn-1 end" type="button" onClick={() => setAdding(true)}>
            <Icon name="plus" size={16} />
            {t('add')}
          </button>
        )}
      </div>
      <div className="grow list">
        {list.isError ? (
          <ProblemNotice what={t('people')} error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <DataGrid
            label={t('people')}
            columns={columns}
            rows={people}
            rowKey={({ id }) => id}
            openKey={filters.person ?? null}
            onOpen={({ id }) => change({ person: id })}
            empty={
              list.isSuccess ? (
                <EmptyState icon="people" title={t('empty')} hint={t('emptyHint')} />
              ) : undefined
            }
          />
        )}
      </div>
      <aside className="side scroll" aria-label={t('people')} tabIndex={0}>
        {open === undefined ? (
          <p className="quiet-line choose">{t('choose')}</p>
        ) : (
          <PersonDetail key={open.id} person={open} />
        )}
      </aside>
      {adding && (
        <PersonDialog
          person={null}
          onClose={() => setAdding(false)}
          onSaved={({ id }) => change({ person: id })}
        />
      )}
    </>
  )
}

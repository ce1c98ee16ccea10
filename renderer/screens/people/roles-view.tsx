import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Role, RoleName } from '../../../services/auth/contract.ts'
import { api } from '../../client.ts'
import { DataGrid, type GridColumn } from '../../components/data-grid.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { Status } from '../../components/status.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { RoleEditor } from './role-editor.tsx'

interface RolesViewProps {
  readonly open: RoleName | null
  readonly onOpen: (role: RoleName) => void
}

/** The laboratory's roles, and what each may do. Changes not saved yet stay while another role is looked at. */
export function RolesView({ open, onOpen }: RolesViewProps) {
  const { t } = useTranslation(['people', 'session', 'frame'])
  const [drafts, setDrafts] = useState<Readonly<Partial<Record<RoleName, readonly string[] | null>>>>({})
  const roles = useQuery(api.auth.listRoles.queryOptions())
  const people = useQuery(api.auth.listUsers.queryOptions({ input: { limit: 500, status: 'active' } }))
  usePageSubject(t('frame:screens.people'), t('roles'))
  const all = roles.data?.find(({ name }) => name === 'lab_administrator')?.permissions ?? []
  const chosen = roles.data?.find(({ name }) => name === open)
  const holders = (role: RoleName) =>
    people.data?.items.filter((each) => each.roles.includes(role)).length ?? 0

  const columns: readonly GridColumn<Role>[] = [
    {
      key: 'name',
      head: t('role'),
      width: 'minmax(170px, 1fr)',
      cell: ({ name }) => <span className="medium">{t(`session:role.${name}`)}</span>,
    },
    { key: 'people', head: t('people'), width: '90px', align: 'end', cell: ({ name }) => holders(name) },
    {
      key: 'permissions',
      head: t('mayDo'),
      width: '140px',
      cell: ({ permissions }) => t('ofAll', { count: permissions.length, all: all.length }),
    },
    {
      key: 'draft',
      head: t('status'),
      width: 'minmax(120px, 1fr)',
      cell: ({ name }) =>
        (drafts[name] ?? null) === null ? '' : <Status tone="warn" word={t('notSaved')} />,
    },
  ]

  return (
    <>
      <div className="filters" />
      <div className="grow list">
        {roles.isError ? (
          <ProblemNotice what={t('roles')} error={roles.error} onRetry={() => void roles.refetch()} />
        ) : (
          <DataGrid
            label={t('roles')}
            columns={columns}
            rows={roles.data ?? []}
            rowKey={({ name }) => name}
            openKey={open}
            onOpen={({ name }) => onOpen(name)}
          />
        )}
      </div>
      <aside className="side scroll" aria-label={t('roles')} tabIndex={0}>
        {chosen === undefined ? (
          <p className="quiet-line choose">{t('chooseRole')}</p>
        ) : (
          <RoleEditor
            key={chosen.name}
            role={chosen}
            all={all}
            holders={holders(chosen.name)}
            draft={drafts[chosen.name] ?? null}
            onDraft={(draft) => setDrafts((now) => ({ ...now, [chosen.name]: draft }))}
          />
        )}
      </aside>
    </>
  )
}

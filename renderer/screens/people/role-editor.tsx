import { Checkbox } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Role } from '../../../services/auth/contract.ts'
import { client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { useMay } from '../../session/session-store.ts'

interface RoleEditorProps {
  readonly role: Role
  /** Every permission there is. */
  readonly all: readonly string[]
  /** How many active people have this role. */
  readonly holders: number
  /** What is ticked and not saved; null when nothing was changed. */
  readonly draft: readonly string[] | null
  readonly onDraft: (draft: readonly string[] | null) => void
}

/** What one role may do in this laboratory, by kind of thing. The administrator's is shown and cannot be changed. */
export function RoleEditor({ role, all, holders, draft, onDraft }: RoleEditorProps) {
  const { t } = useTranslation(['people', 'session', 'common'])
  const [asking, setAsking] = useState(false)
  const isAdministrator = role.name === 'lab_administrator'
  const may = useMay('users:manage') && !isAdministrator
  const ticked = draft ?? role.permissions
  const name = t(`session:role.${role.name}`)
  const nameOf = (permission: string) =>
    t(`permission.${permission.replace(':', '.')}`, { defaultValue: permission })
  const added = ticked.filter((each) => !role.permissions.includes(each))
  const taken = role.permissions.filter((each) => !ticked.includes(each))

  function tick(permission: string, on: boolean): void {
    const next = all.filter((each) => (each === permission ? on : ticked.includes(each)))
    const isAsBefore =
      next.length === role.permissions.length && next.every((each) => role.permissions.includes(each))
    onDraft(isAsBefore ? null : next)
  }

  return (
    <article className="person">
      <h2>{name}</h2>
      <p className="t2 md">
        {isAdministrator ? t('administratorHoldsAll') : t('holders', { count: holders })}
      </p>
      {[...groupByResource(all)].map(([resource, permissions]) => (
        <fieldset key={resource} className="permissions">
          <legend>{t(`resource.${resource}`, { defaultValue: resource })}</legend>
          {permissions.map((permission) => (
            <Checkbox
              key={permission}
              size="sm"
              label={
                <>
                  {nameOf(permission)} <code className="t3 sm">{permission}</code>
                </>
              }
              checked={ticked.includes(permission)}
              disabled={!may}
              onChange={(event) => tick(permission, event.currentTarget.checked)}
            />
          ))}
        </fieldset>
      ))}
      {draft !== null && (
        <div className="save-role">
          <button className="btn" type="button" onClick={() => onDraft(null)}>
            {t('asBefore')}
          </button>
          <button className="btn btn-1" type="button" onClick={() => setAsking(true)}>
            {t('common:save')}
          </button>
        </div>
      )}
      {asking && (
        <ConfirmDialog
          title={t('saveRoleTitle', { role: name })}
          words={[
            t('holders', { count: holders }),
            ...(added.length === 0 ? [] : [t('given', { list: added.map(nameOf).join(', ') })]),
            ...(taken.length === 0 ? [] : [t('taken', { list: taken.map(nameOf).join(', ') })]),
          ].join(' ')}
          confirmLabel={t('common:save')}
          withReason
          onConfirm={async (reason) => {
            const { revision } = role
            await client.auth.updateRole({ name: role.name, revision, permissions: [...ticked], reason })
            onDraft(null)
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </article>
  )
}

/** Permissions by the kind of thing they are about, in the order in which they come. */
function groupByResource(permissions: readonly string[]): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(permissions, (permission) => permission.split(':')[0] ?? permission)
}

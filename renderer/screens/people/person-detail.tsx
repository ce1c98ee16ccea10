import { Modal, PasswordInput, Textarea } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { NewPassword, type User } from '../../../services/auth/contract.ts'
import { api, client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status } from '../../components/status.tsx'
import { shortMoment } from '../../moments.ts'
import { problemWords } from '../../problem.ts'
import { useMay, useMe } from '../../session/session-store.ts'
import { PersonDialog } from './person-dialog.tsx'

type Open = 'edit' | 'password' | 'suspend' | 'activate' | 'delete' | null

const good: ReadonlySet<string> = new Set([
  'signed_in',
  'unlocked',
  'signed_out',
  'password_changed',
  'password_reset',
])

/** One person: roles and what they allow, badge, sign-ins, and what an administrator can do. */
export function PersonDetail({ person }: { readonly person: User }) {
  const { t } = useTranslation(['people', 'session'])
  const may = useMay('users:manage')
  const mayAudit = useMay('audit:read')
  const { user: me } = useMe()
  const [open, setOpen] = useState<Open>(null)
  const roles = useQuery(api.auth.listRoles.queryOptions({ staleTime: 60_000 }))
  const signIns = useQuery(
    api.auth.signIns.queryOptions({ input: { userId: person.id, limit: 30 }, enabled: mayAudit }),
  )
  const allowed = new Set(
    roles.data?.filter(({ name }) => person.roles.includes(name)).flatMap(({ permissions }) => permissions) ??
      [],
  )
  const isOther = person.id !== me.id && person.status !== 'deleted'

  return (
    <article className="person">
      <h2>{person.name}</h2>
      <p className="t2 md">{person.email}</p>
      {may && (
        <div className="acts">
          <button className="btn btn-sm" type="button" onClick={() => setOpen('edit')}>
            {t('edit')}
          </button>
          <button className="btn btn-sm" type="button" onClick={() => setOpen('password')}>
            {t('resetPassword')}
          </button>
          {isOther && person.status === 'active' && (
            <button className="btn btn-sm" type="button" onClick={() => setOpen('suspend')}>
              {t('suspend')}
            </button>
          )}
          {isOther && person.status !== 'active' && (
            <button className="btn btn-sm" type="button" onClick={() => setOpen('activate')}>
              {t('activate')}
            </button>
          )}
          {isOther && (
            <button className="btn btn-sm" type="button" onClick={() => setOpen('delete')}>
              {t('delete')}
            </button>
          )}
        </div>
      )}
      <dl className="kv">
        <dt>{t('roles')}</dt>
        <dd>{person.roles.map((role) => t(`session:role.${role}`)).join(', ')}</dd>
        <dt>{t('badge')}</dt>
        <dd>{person.badgeCode === null ? '–' : <CodeText>{person.badgeCode}</CodeText>}</dd>
      </dl>
      <h3>{t('mayDo')}</h3>
      <PermissionList permissions={[...allowed]} />
      {mayAudit && (
        <>
          <h3>{t('signIns')}</h3>
          {signIns.data?.items.length === 0 && <p className="t2 md">{t('noSignIns')}</p>}
          <ul className="sign-ins">
            {signIns.data?.items.map(({ id, at, outcome, workstation }) => (
              <li key={id}>
                <time dateTime={at}>{shortMoment(at)}</time>
                <Status tone={good.has(outcome) ? 'ok' : 'warn'} word={t(`outcome.${outcome}`)} />
                <span className="t3 ell">{workstation}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {open === 'edit' && <PersonDialog person={person} onClose={() => setOpen(null)} />}
      {open === 'password' && <PasswordDialog person={person} onClose={() => setOpen(null)} />}
      {(open === 'suspend' || open === 'activate' || open === 'delete') && (
        <ConfirmDialog
          title={t(`${open}Title`, { name: person.name })}
          words={t(`${open}Words`)}
          confirmLabel={t(open)}
          withReason
          onConfirm={async (reason) => {
            const status = open === 'suspend' ? 'suspended' : open === 'activate' ? 'active' : 'deleted'
            await client.auth.setUserStatus({ id: person.id, status, reason })
          }}
          onClose={() => setOpen(null)}
        />
      )}
    </article>
  )
}

/** `Samples: see samples, change samples` – one line for each kind of thing. */
function PermissionList({ permissions }: { readonly permissions: readonly string[] }) {
  const { t } = useTranslation('people')
  const byResource = new Map<string, string[]>()
  for (const permission of [...permissions].sort()) {
    const [resource = '', action = ''] = permission.split(':')
    byResource.set(resource, [...(byResource.get(resource) ?? []), action])
  }
  return (
    <dl className="kv">
      {[...byResource].map(([resource, actions]) => (
        <div key={resource} style={{ display: 'contents' }}>
          <dt>{t(`resource.${resource}`, { defaultValue: resource })}</dt>
          <dd>
            {actions
              .map((action) => t(`permission.${resource}.${action}`, { defaultValue: action }))
              .join(', ')}
          </dd>
        </div>
      ))}
    </dl>
  )
}

function PasswordDialog({ person, onClose }: { readonly person: User; readonly onClose: () => void }) {
  const { t } = useTranslation(['people', 'common'])
  const [password, setPassword] = useState('')
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    const rule = NewPassword.safeParse(password).error?.issues[0]?.message
    if (rule !== undefined) {
      setProblem(rule)
      return
    }
    setBusy(true)
    setProblem(null)
    try {
      await client.auth.resetPassword({ id: person.id, newPassword: password, reason: reason.trim() })
      onClose()
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={`${t('resetPassword')}: ${person.name}`}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <PasswordInput
          label={t('newPassword')}
          description={t('passwordHint')}
          autoComplete="new-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          data-autofocus
        />
        <Textarea
          label={t('common:reason')}
          description={t('common:reasonHint')}
          value={reason}
          maxLength={1_000}
          autosize
          minRows={2}
          onChange={(event) => setReason(event.target.value)}
        />
        <DialogFoot
          problem={problem}
          actLabel={t('common:save')}
          disabled={busy || password === '' || reason.trim() === ''}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}

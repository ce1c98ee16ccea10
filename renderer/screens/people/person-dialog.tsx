import { Checkbox, Modal, PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Email, NewPassword, RoleName, type User } from '../../../services/auth/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { problemWords } from '../../problem.ts'
import { useScanMeaning } from '../../scan/scanning.ts'

interface PersonDialogProps {
  /** Null adds a new person. */
  readonly person: User | null
  readonly onClose: () => void
  readonly onSaved?: (person: User) => void
}

/** Name, roles and badge of a person; for a new one e-mail and first password too. */
export function PersonDialog({ person, onClose, onSaved }: PersonDialogProps) {
  const { t } = useTranslation(['people', 'session', 'common'])
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [roles, setRoles] = useState<readonly string[]>(person?.roles ?? ['lab_technician'])
  const form = useForm({
    initialValues: {
      name: person?.name ?? '',
      email: person?.email ?? '',
      password: '',
      badgeCode: person?.badgeCode ?? '',
    },
    validate: {
      name: (value) => (value.trim() === '' ? t('session:required') : null),
      email: (value) =>
        person === null ? (Email.safeParse(value.trim()).error?.issues[0]?.message ?? null) : null,
      password: (value) =>
        person === null ? (NewPassword.safeParse(value).error?.issues[0]?.message ?? null) : null,
    },
  })
  // The one thing a scan is meant for here is offered, and a person takes it over: a scan changes no field.
  const [scanned, setScanned] = useState<string | null>(null)
  useScanMeaning({
    sentence: t('scanBadge'),
    elseSentence: t('scanBadgeElse'),
    handle: (_scan, { meaning }) => {
      setScanned(meaning.readable)
      return { tone: 'ok', sentence: t('badgeRead', { code: meaning.readable }) }
    },
  })

  async function save({ name, email, password, badgeCode }: typeof form.values): Promise<void> {
    const chosen = RoleName.array().parse(roles)
    const badge = badgeCode.trim() === '' ? null : badgeCode.trim()
    setBusy(true)
    setProblem(null)
    try {
      const saved =
        person === null
          ? await client.auth.createUser({
              name: name.trim(),
              email: email.trim(),
              password,
              roles: chosen,
              badgeCode: badge,
            })
          : await client.auth.updateUser({
              id: person.id,
              revision: person.revision,
              name: name.trim(),
              roles: chosen,
              badgeCode: badge,
            })
      onSaved?.(saved)
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
      title={person === null ? t('add') : person.name}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={form.onSubmit((values) => void save(values))} noValidate>
        <TextInput label={t('name')} maxLength={120} data-autofocus {...form.getInputProps('name')} />
        {person === null && (
          <>
            <TextInput label={t('email')} type="email" autoComplete="off" {...form.getInputProps('email')} />
            <PasswordInput
              label={t('password')}
              description={t('passwordHint')}
              autoComplete="new-password"
              {...form.getInputProps('password')}
            />
          </>
        )}
        <Checkbox.Group label={t('roles')} value={[...roles]} onChange={setRoles}>
          <div className="role-choices">
            {RoleName.options.map((role) => (
              <Checkbox key={role} size="sm" value={role} label={t(`session:role.${role}`)} />
            ))}
          </div>
        </Checkbox.Group>
        <TextInput
          label={t('badge')}
          description={t('badgeHint')}
          maxLength={120}
          {...form.getInputProps('badgeCode')}
        />
        {scanned !== null && scanned !== form.values.badgeCode && (
          <button className="btn" type="button" onClick={() => form.setFieldValue('badgeCode', scanned)}>
            {t('useBadge', { code: scanned })}
          </button>
        )}
        <DialogFoot
          problem={problem}
          actLabel={t('common:save')}
          disabled={busy || roles.length === 0}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}

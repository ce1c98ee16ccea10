import { PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Email, NewPassword } from '../../services/auth/contract.ts'
import { findBridge } from '../bridge.ts'
import { Notice } from '../components/notice.tsx'
import { problemCode, problemWords } from '../problem.ts'
import { JoinHub } from './join-hub.tsx'
import { SessionPage } from './session-page.tsx'
import { beginSession, setUpLaboratory } from './session-store.ts'

/** The first screen of a new workstation: name the laboratory, make the first administrator, or look at the demo. */
export function FirstRun() {
  const { t } = useTranslation(['session', 'sync'])
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const bridge = findBridge()
  const [joining, setJoining] = useState(false)
  const form = useForm({
    initialValues: { founderCode: '', laboratoryName: '', name: '', email: '', password: '', again: '' },
    validateInputOnBlur: true,
    validate: {
      founderCode: (value) => (bridge === null && value.trim() === '' ? t('required') : null),
      laboratoryName: (value) => (value.trim() === '' ? t('required') : null),
      name: (value) => (value.trim() === '' ? t('required') : null),
      email: (value) => Email.safeParse(value).error?.issues[0]?.message ?? null,
      password: (value) => NewPassword.safeParse(value).error?.issues[0]?.message ?? null,
      again: (value, { password }) => (value === password ? null : t('firstRun.differ')),
    },
  })

  async function submit({
    founderCode,
    laboratoryName,
    ...administrator
  }: typeof form.values): Promise<void> {
    const { name, email, password } = administrator
    setBusy(true)
    setProblem(null)
    try {
      await setUpLaboratory({
        laboratoryName,
        administrator: { name, email, password },
        ...(bridge === null ? { founderCode: founderCode.trim() } : {}),
      })
    } catch (error) {
      if (problemCode(error) === 'ALREADY_SET_UP') await beginSession()
      else setProblem(problemWords(error))
    } finally {
      setBusy(false)
    }
  }

  if (joining) return <JoinHub onBack={() => setJoining(false)} />
  return (
    <SessionPage title={t('firstRun.title')} lead={t(bridge === null ? 'firstRun.leadHub' : 'firstRun.lead')}>
      <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate>
        {bridge === null && (
          <TextInput
            label={t('firstRun.code')}
            description={t('firstRun.codeHint')}
            autoFocus
            maxLength={200}
            autoComplete="off"
            spellCheck={false}
            {...form.getInputProps('founderCode')}
          />
        )}
        <TextInput
          label={t('firstRun.laboratory')}
          description={t('firstRun.laboratoryHint')}
          autoFocus={bridge !== null}
          maxLength={120}
          {...form.getInputProps('laboratoryName')}
        />
        <TextInput
          label={t('firstRun.name')}
          description={t('firstRun.nameHint')}
          maxLength={120}
          autoComplete="off"
          {...form.getInputProps('name')}
        />
        <TextInput
          label={t('firstRun.email')}
          description={t('firstRun.emailHint')}
          type="email"
          autoComplete="off"
          {...form.getInputProps('email')}
        />
        <div className="pair">
          <PasswordInput
            label={t('firstRun.password')}
            autoComplete="new-password"
            {...form.getInputProps('password')}
          />
          <PasswordInput
            label={t('firstRun.again')}
            autoComplete="new-password"
            {...form.getInputProps('again')}
          />
        </div>
        <p className="sm t3" style={{ marginTop: -8 }}>
          {t('firstRun.passwordHint')}
        </p>
        {problem !== null && (
          <Notice tone="bad" boxed>
            {problem}
          </Notice>
        )}
        <div className="end">
          <button className="btn btn-1 btn-lg" type="submit" disabled={busy}>
            {t('firstRun.go')} <kbd>Enter</kbd>
          </button>
        </div>
      </form>
      {bridge !== null && (
        <div className="aside">
          <p>{t('sync:join.or')}</p>
          <button className="btn" type="button" onClick={() => setJoining(true)}>
            {t('sync:join.show')}
          </button>
          <p>{t('firstRun.orDemo')}</p>
          <button className="btn" type="button" onClick={() => void bridge.openDemo()}>
            {t('firstRun.demo')}
          </button>
          <p className="sm">{t('firstRun.demoHint')}</p>
        </div>
      )}
    </SessionPage>
  )
}

import { PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Notice } from '../components/notice.tsx'
import { findBridge, isInBrowser } from '../bridge.ts'
import { problemCode, problemWords } from '../problem.ts'
import { SessionPage } from './session-page.tsx'
import { type Session, signIn } from './session-store.ts'

type SignedOut = Extract<Session, { stage: 'signed-out' }>

/** E-mail and password; says plainly what is wrong and until when. */
export function SignIn({ session: { status, ended, opening } }: { readonly session: SignedOut }) {
  const { t } = useTranslation('session')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const password = useRef<HTMLInputElement>(null)
  const demo = findBridge()?.demoSignIn ?? null
  const form = useForm({
    // The demo laboratory is there to be walked into: its fields are filled in.
    initialValues: demo ?? { email: '', password: '' },
    validate: {
      email: (value) => (value.trim() === '' ? t('required') : null),
      password: (value) => (value === '' ? t('required') : null),
    },
  })

  async function submit(values: typeof form.values): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      await signIn(values.email.trim(), values.password)
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
      if (problemCode(error) === 'WRONG_CREDENTIALS') {
        form.setFieldValue('password', '')
        password.current?.focus()
      }
    }
  }

  return (
    <SessionPage
      title={t('signIn.title')}
      lead={t(leadOf(status), {
        laboratory: status.laboratory?.name ?? '',
        workstation: status.workstationName,
      })}
    >
      {ended && problem === null && (
        <Notice tone="warn" boxed>
          {t('signIn.ended')}
        </Notice>
      )}
      {demo !== null && problem === null && <Notice tone="ok">{t('signIn.demo')}</Notice>}
      <form onSubmit={form.onSubmit((values) => void submit(values))} noValidate aria-busy={opening}>
        <TextInput
          label={t('signIn.email')}
          type="email"
          autoFocus
          autoComplete="off"
          {...form.getInputProps('email')}
        />
        <PasswordInput
          label={t('signIn.password')}
          ref={password}
          autoComplete="off"
          {...form.getInputProps('password')}
        />
        {problem !== null && (
          <Notice tone="bad" boxed>
            {problem}
          </Notice>
        )}
        <div className="end">
          <button className="btn btn-1 btn-lg" type="submit" disabled={busy}>
            {t(opening && busy ? 'starting' : 'signIn.go')} <kbd>Enter</kbd>
          </button>
        </div>
        {opening && (
          <p className="t2 entry-late" role="status">
            {t('startingLong')}
          </p>
        )}
      </form>
    </SessionPage>
  )
}

/** A Hub with several laboratories names none before it knows who one is. */
function leadOf({ laboratory }: SignedOut['status']) {
  if (!isInBrowser()) return 'signIn.lead'
  return laboratory === null ? 'signIn.leadHubOfSeveral' : 'signIn.leadHub'
}

import { PasswordInput } from '@mantine/core'
import { type SyntheticEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { Notice } from '../components/notice.tsx'
import { problemCode, problemWords } from '../problem.ts'
import { divertScans } from '../scan/wedge-intake.ts'
import { SessionPage } from './session-page.tsx'
import { signOut, unlockSession } from './session-store.ts'

/** Covers the application until the person signed in proves to be there, by password or by badge and PIN. */
export function LockOverlay({ name }: { readonly name: string }) {
  const { t } = useTranslation('session')
  const [badgeCode, setBadgeCode] = useState<string | null>(null)
  const [secret, setSecret] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const input = useRef<HTMLInputElement>(null)

  // While locked, a keyboard scanner reads a badge and nothing else.
  useEffect(
    () =>
      divertScans((text) => {
        setBadgeCode(text)
        setSecret('')
        setProblem(null)
        input.current?.focus()
      }),
    [],
  )

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    if (secret === '') return
    setBusy(true)
    setProblem(null)
    try {
      await unlockSession(badgeCode === null ? { password: secret } : { badgeCode, pin: secret })
    } catch (error) {
      // Whose password it is stands above; the e-mail address is not in question here.
      setProblem(problemCode(error) === 'WRONG_CREDENTIALS' ? t('lock.wrong') : problemWords(error))
      setSecret('')
      setBusy(false)
      input.current?.focus()
    }
  }

  return (
    <div className="overlay" role="dialog" aria-modal="true" aria-label={t('lock.title')}>
      <SessionPage title={t('lock.title')} lead={t('lock.lead', { name })}>
        <form onSubmit={(event) => void submit(event)}>
          {badgeCode !== null && (
            <Notice tone="ok" boxed>
              {t('lock.badge')}
            </Notice>
          )}
          <PasswordInput
            ref={input}
            label={badgeCode === null ? t('lock.password') : t('lock.pin')}
            {...(badgeCode === null ? { description: t('lock.hint') } : { inputMode: 'numeric' as const })}
            autoFocus
            autoComplete="off"
            value={secret}
            onChange={(event) => setSecret(event.target.value)}
          />
          {problem !== null && (
            <Notice tone="bad" boxed>
              {problem}
            </Notice>
          )}
          <div className="end">
            <button className="btn btn-1 btn-lg" type="submit" disabled={busy}>
              {t('lock.go')} <kbd>Enter</kbd>
            </button>
            {badgeCode !== null && (
              <button className="link" type="button" onClick={() => setBadgeCode(null)}>
                {t('lock.usePassword')}
              </button>
            )}
            <button className="link-q" type="button" onClick={() => void signOut()}>
              {t('lock.other')}
            </button>
          </div>
        </form>
      </SessionPage>
    </div>
  )
}

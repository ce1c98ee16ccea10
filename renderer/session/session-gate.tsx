import { type ReactNode, useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { problemWords } from '../problem.ts'
import { FirstRun } from './first-run.tsx'
import { LockOverlay } from './lock-overlay.tsx'
import { SessionPage } from './session-page.tsx'
import { beginSession, useSession } from './session-store.ts'
import { SignIn } from './sign-in.tsx'
import { useIdleLock } from './idle-lock.ts'

/** Shows the application to who is signed in, and everyone else the way in. */
export function SessionGate({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation(['session', 'common'])
  const session = useSession()
  useEffect(() => void beginSession(), [])
  useIdleLock(session.stage === 'signed-in' && !session.locked)

  switch (session.stage) {
    case 'starting':
      return (
        <SessionPage title={t('starting')}>
          <p className="t2 entry-late" role="status">
            {t('startingLong')}
          </p>
        </SessionPage>
      )
    case 'unreachable':
      return (
        <SessionPage title={t('startFailed')}>
          <p className="t2" role="alert">
            {problemWords(session.error)}
          </p>
          <div>
            <button className="btn btn-1 btn-lg" type="button" autoFocus onClick={() => void beginSession()}>
              {t('common:retry')}
            </button>
          </div>
        </SessionPage>
      )
    case 'first-run':
      return <FirstRun />
    case 'signed-out':
      return <SignIn session={session} />
    case 'signed-in':
      return (
        <>
          {/* Inert, not removed: what was half done is still there after unlocking. */}
          <div className="app-holder" inert={session.locked} aria-hidden={session.locked}>
            {children}
          </div>
          {session.locked && <LockOverlay name={session.me.user.name} />}
        </>
      )
  }
}

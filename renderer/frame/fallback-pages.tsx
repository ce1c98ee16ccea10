import { type ErrorComponentProps, Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Notice } from '../components/notice.tsx'
import { problemWords } from '../problem.ts'

/** An address that leads nowhere, with the way back. */
export function NotFoundPage() {
  const { t } = useTranslation('frame')
  return (
    <div className="empty">
      <h3>{t('notFound')}</h3>
      <div className="acts">
        <Link className="btn btn-1" to="/bench">
          {t('toBench')}
        </Link>
      </div>
    </div>
  )
}

/** A screen that met a defect: the rest of the application goes on. */
export function CrashPage({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation(['frame', 'common'])
  return (
    <Notice
      tone="bad"
      detail={problemWords(error)}
      action={
        <button className="btn btn-sm" type="button" onClick={reset}>
          {t('common:retry')}
        </button>
      }
    >
      {t('crashed')}
    </Notice>
  )
}

import { useTranslation } from 'react-i18next'
import { problemWords } from '../problem.ts'
import { Notice } from './notice.tsx'

/** What could not be read and why, with the way to try again. */
export function ProblemNotice({
  what,
  error,
  onRetry,
}: {
  readonly what: string
  readonly error: unknown
  readonly onRetry?: () => void
}) {
  const { t } = useTranslation()
  return (
    <Notice
      tone="bad"
      detail={problemWords(error)}
      {...(onRetry === undefined
        ? {}
        : {
            action: (
              <button className="btn btn-sm" type="button" onClick={onRetry}>
                {t('retry')}
              </button>
            ),
          })}
    >
      {t('unreadable', { what })}
    </Notice>
  )
}

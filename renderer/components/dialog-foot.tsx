import { useTranslation } from 'react-i18next'
import { Notice } from './notice.tsx'

interface DialogFootProps {
  /** Why the act was refused, which leaves the dialog open. */
  readonly problem?: string | null
  readonly problemTone?: 'warn' | 'bad'
  readonly problemDetail?: string | undefined
  /** The verb on the button that acts; null where nothing is left to do. */
  readonly actLabel: string | null
  readonly disabled?: boolean
  /** Without it the button submits the form around it. */
  readonly onAct?: () => void
  /** "Cancel" unless something else is true. */
  readonly closeLabel?: string
  readonly onClose: () => void
}

/** The end of a dialog: what went wrong, the way out, and the one act. */
export function DialogFoot({
  problem = null,
  problemTone = 'bad',
  problemDetail,
  actLabel,
  disabled = false,
  onAct,
  closeLabel,
  onClose,
}: DialogFootProps) {
  const { t } = useTranslation()
  return (
    <>
      {problem !== null && (
        <Notice tone={problemTone} boxed {...(problemDetail === undefined ? {} : { detail: problemDetail })}>
          {problem}
        </Notice>
      )}
      <div className="dialog-acts">
        <button className="btn" type="button" onClick={onClose}>
          {closeLabel ?? t('cancel')}
        </button>
        {actLabel !== null && (
          <button
            className="btn btn-1"
            type={onAct === undefined ? 'submit' : 'button'}
            disabled={disabled}
            {...(onAct === undefined ? {} : { onClick: onAct })}
          >
            {actLabel}
          </button>
        )}
      </div>
    </>
  )
}

import { Fragment } from 'react'
import { useTranslation } from 'react-i18next'
import { Icon } from './icon.tsx'
import './steps.css'

interface StepsProps {
  readonly labels: readonly string[]
  /** Index of the step in work; all before it are done. */
  readonly current: number
  /** Lets a person go back to a step that is done. */
  readonly onGoBack?: (index: number) => void
}

/** Where a task in several steps stands. */
export function Steps({ labels, current, onGoBack }: StepsProps) {
  const { t } = useTranslation()
  return (
    <ol className="steps">
      {labels.map((label, index) => {
        const stage = index < current ? 'done' : index === current ? 'current' : 'ahead'
        const mark = stage === 'done' ? <Icon name="check" size={14} /> : String(index + 1)
        const body = (
          <>
            <i className={stage}>{mark}</i>
            {label}
            <span className="vh">, {t(`steps.${stage}`)}</span>
          </>
        )
        return (
          <Fragment key={label}>
            {index > 0 && <li aria-hidden="true" className="bar-between" />}
            <li className={stage} {...(stage === 'current' ? { 'aria-current': 'step' as const } : {})}>
              {stage === 'done' && onGoBack !== undefined ? (
                <button type="button" onClick={() => onGoBack(index)}>
                  {body}
                </button>
              ) : (
                <span>{body}</span>
              )}
            </li>
          </Fragment>
        )
      })}
    </ol>
  )
}

import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import type { Import } from '../../../services/templates/contract.ts'
import { Icon } from '../../components/icon.tsx'
import { Steps } from '../../components/steps.tsx'

export const stepOrder = ['file', 'columns', 'check', 'preview', 'done'] as const

interface ImportStepsProps {
  readonly current: (typeof stepOrder)[number]
  readonly subject?: Import
  readonly onGoBack?: (step: (typeof stepOrder)[number]) => void
  readonly end?: ReactNode
}

/** Where the import stands, and which file it is about. */
export function ImportSteps({ current, subject, onGoBack, end }: ImportStepsProps) {
  const { t } = useTranslation('receive')
  return (
    <div className="rcv-steps">
      <Steps
        labels={stepOrder.map((step) => t(`steps.${step}`))}
        current={stepOrder.indexOf(current)}
        {...(onGoBack === undefined
          ? {}
          : {
              onGoBack: (index: number) => {
                const step = stepOrder[index]
                if (step !== undefined) onGoBack(step)
              },
            })}
      />
      {subject !== undefined && (
        <p className="rcv-source" title={subject.message}>
          <Icon name="file" size={16} />
          <span className="ell">
            <b>{subject.fileName}</b>
            {subject.sheet !== null && `, ${t('sheetIs', { sheet: subject.sheet })}`}
            {subject.headerRow !== null && `, ${t('headerIs', { row: subject.headerRow })}`}
          </span>
        </p>
      )}
      {end}
    </div>
  )
}

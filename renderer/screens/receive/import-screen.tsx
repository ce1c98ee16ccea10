import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Import } from '../../../services/templates/contract.ts'
import { api } from '../../client.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { problemCode } from '../../problem.ts'
import { CheckStep } from './check-step.tsx'
import { ColumnsStep } from './columns-step.tsx'
import { DoneStep } from './done-step.tsx'
import { useKeepDroppedFiles } from './file-step.tsx'
import { ImportSteps, type stepOrder } from './import-steps.tsx'
import { PreviewStep } from './preview-step.tsx'
import type { ImportStep, ReceiveSearch } from './receive-search.ts'
import { useRunningSave } from './running-saves.ts'
import { sheetColumns } from './sheet-columns.ts'
import { useImport } from './sheet-reading.ts'

interface ImportScreenProps {
  readonly id: string
  /** The step a person asked for; null for the one the import is at. */
  readonly step: ImportStep | null
  readonly onGo: (search: ReceiveSearch) => void
}

/** One import at its step. All of it is on the server, so it can be left and returned to at any time. */
export function ImportScreen({ id, step, onGo }: ImportScreenProps) {
  const { t } = useTranslation(['receive', 'frame'])
  const running = useRunningSave(id)
  const [applying, setApplying] = useState(false)
  const { subject, problems } = useImport(id, running !== null || applying)
  const found = subject.data
  if ((found?.state === 'applying') !== applying && found !== undefined)
    setApplying(found.state === 'applying')
  const template = useQuery({
    ...api.templates.get.queryOptions({ input: { id: found?.templateId ?? ('' as Import['templateId']) } }),
    enabled: found !== undefined,
  })
  const columns = useMemo(
    () => (found === undefined ? [] : sheetColumns(found, template.data ?? null)),
    [found, template.data],
  )
  usePageSubject(
    t('frame:screens.receive'),
    found === undefined ? '' : t('subject', { file: found.fileName, count: found.summary.rows }),
  )
  useKeepDroppedFiles()
  if (subject.isError) {
    return problemCode(subject.error) === 'NOT_FOUND' || problemCode(subject.error) === 'BAD_REQUEST' ? (
      <EmptyState icon="file" title={t('unknownImport')} hint={t('unknownImportHint')}>
        <button type="button" className="btn" onClick={() => onGo({})}>
          {t('toFiles')}
        </button>
      </EmptyState>
    ) : (
      <ProblemNotice what={t('importWord')} error={subject.error} onRetry={() => void subject.refetch()} />
    )
  }
  if (found === undefined) {
    return (
      <p className="t3 rcv-wait" role="status">
        {t('reading')}
      </p>
    )
  }
  const current = stepOf(found, step, running !== null)
  const goBack = (to: (typeof stepOrder)[number]) => onGo(to === 'file' ? {} : { import: id, step: to })
  const shared = { subject: found, columns, onStep: (next: ImportStep) => onGo({ import: id, step: next }) }
  return (
    <div className="rcv">
      <ImportSteps current={current} subject={found} onGoBack={goBack} />
      {current === 'columns' && <ColumnsStep {...shared} template={template.data ?? null} />}
      {current === 'check' && (
        <CheckStep {...shared} fields={template.data?.fields ?? []} groups={problems.data ?? null} />
      )}
      {current === 'preview' && <PreviewStep {...shared} running={running} />}
      {current === 'done' && <DoneStep {...shared} onFiles={() => onGo({})} />}
    </div>
  )
}

/** The step that is shown: what a person asked for, where the import allows it. */
function stepOf(subject: Import, wanted: ImportStep | null, saving: boolean): ImportStep {
  if (saving || subject.state === 'applying') return 'preview'
  switch (subject.state) {
    case 'mapping':
      return 'columns'
    case 'checking':
      return wanted ?? 'check'
    case 'applied':
    case 'undone':
    case 'abandoned':
      return 'done'
  }
}

import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import type { Import } from '../../../services/templates/contract.ts'
import { api } from '../../client.ts'
import { Meter } from '../../components/meter.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { countText } from '../../moments.ts'
import { useMay } from '../../session/session-store.ts'
import { countPreview, nameTypes } from './preview-counts.ts'
import type { ImportStep } from './receive-search.ts'
import { saveGoodRows, type useRunningSave } from './running-saves.ts'
import { readAllRows } from './sheet-reading.ts'

interface PreviewStepProps {
  readonly subject: Import
  readonly running: ReturnType<typeof useRunningSave>
  readonly onStep: (step: ImportStep) => void
}

/** Step four: what will be saved, in words and counts; then the saving itself. */
export function PreviewStep({ subject, running, onStep }: PreviewStepProps) {
  const { t } = useTranslation('receive')
  const maySave = useMay('imports:apply')
  const { id, summary, state } = subject
  const saving = running !== null || state === 'applying'
  const rows = useQuery({
    queryKey: ['receive', 'preview', id, summary.good, subject.revision],
    queryFn: async () => countPreview(await readAllRows({ id, onlyProblems: false })),
    enabled: !saving,
  })
  const types = useQuery(api.samples.types.queryOptions({ staleTime: 300_000 }))
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => button.current?.focus(), [saving])
  const save = async () => {
    if (await saveGoodRows(id, summary)) onStep('done')
  }
  const canSave = maySave && summary.good > 0 && !saving
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.key.toLowerCase() !== 's' || !(event.ctrlKey || event.metaKey))
        return
      event.preventDefault()
      if (canSave && !event.repeat) button.current?.click()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [canSave])
  if (saving) return <Saving subject={subject} running={running} />
  const open = summary.toConfirm + summary.withErrors
  const counts = rows.data
  const named = nameTypes(counts?.types ?? [], types.data ?? [])
  const most = Math.max(1, ...named.map(({ count }) => count))
  return (
    <div className="rcv-plain">
      <div className="rcv-plain-body" tabIndex={0} role="region" aria-label={t('steps.preview')}>
        <h2>{t('preview.title', { count: summary.good, shown: countText(summary.good) })}</h2>
        {rows.isError && (
          <ProblemNotice what={t('grid.label')} error={rows.error} onRetry={() => void rows.refetch()} />
        )}
        <div className="rcv-preview">
          <section aria-label={t('preview.types')}>
            <h3>{t('preview.types')}</h3>
            {counts === undefined ? (
              <p role="status" className="t3">
                {t('preview.counting', { count: summary.rows, shown: countText(summary.rows) })}
              </p>
            ) : (
              <ul className="rcv-bars">
                {named.map(({ name, count }) => (
                  <li key={name}>
                    <span>{name}</span>
                    <Meter value={(count / most) * 100} />
                    <b>{countText(count)}</b>
                  </li>
                ))}
                {named.length === 0 && <li className="t3">{t('preview.noTypes')}</li>}
              </ul>
            )}
          </section>
          <section aria-label={t('preview.happens')}>
            <h3>{t('preview.happens')}</h3>
            <ul className="rcv-facts">
              <li>{t('preview.receivedWords', { count: summary.good, shown: countText(summary.good) })}</li>
              {counts !== undefined && counts.withCode > 0 && (
                <li>
                  {t('preview.withCode', { count: counts.withCode, shown: countText(counts.withCode) })}
                </li>
              )}
              {counts !== undefined && counts.samples > counts.withCode && (
                <li>
                  {t('preview.newCode', {
                    count: counts.samples - counts.withCode,
                    shown: countText(counts.samples - counts.withCode),
                  })}
                </li>
              )}
              {counts !== undefined && counts.projects.length > 0 && (
                <li>
                  {t('preview.projects', {
                    projects: counts.projects
                      .slice(0, 4)
                      .map(({ name, count }) => `${name} (${countText(count)})`)
                      .join(', '),
                  })}
                </li>
              )}
              {counts !== undefined && counts.donors > 0 && (
                <li>{t('preview.donors', { count: counts.donors, shown: countText(counts.donors) })}</li>
              )}
              <li>{t('preview.unplaced')}</li>
              {open > 0 && <li className="warn-t">{t('check.stay', { count: open })}</li>}
              {summary.skipped > 0 && <li>{t('preview.skipped', { count: summary.skipped })}</li>}
              {summary.saved > 0 && <li>{t('check.savedSoFar', { count: summary.saved })}</li>}
              <li>{t('preview.canUndo')}</li>
            </ul>
          </section>
        </div>
        {!maySave && <p className="st warn">{t('preview.mayNot')}</p>}
      </div>
      <div className="rcv-acts">
        <button
          ref={button}
          type="button"
          className="btn btn-1 btn-lg"
          disabled={!canSave}
          onClick={() => void save()}
        >
          {t('preview.save', { count: summary.good, shown: countText(summary.good) })} <kbd>Ctrl S</kbd>
        </button>
        <span className="end">
          <button type="button" className="btn" onClick={() => onStep('check')}>
            {t('preview.back')}
          </button>
        </span>
      </div>
    </div>
  )
}

/** The saving while it runs. It goes on by itself; where it was interrupted it can be taken up again. */
function Saving({ subject, running }: Pick<PreviewStepProps, 'subject' | 'running'>) {
  const { t } = useTranslation('receive')
  const { summary } = subject
  const done = running === null ? summary.saved : Math.max(0, summary.saved - running.before)
  const whole = running?.rows ?? summary.saved + summary.saving + summary.good
  return (
    <div className="rcv-plain">
      <div className="rcv-plain-body">
        <div className="rcv-saving" role="status">
          <h2>{t('save.title')}</h2>
          <p className="rcv-saving-count">
            <b>{countText(done)}</b> {t('save.of', { shown: countText(whole) })}
          </p>
          <Meter
            tone="now"
            value={whole === 0 ? 0 : (done / whole) * 100}
            label={t('save.progress', { done, whole })}
          />
          <p className="t2">{t('save.goesOn')}</p>
        </div>
        {running === null && (
          <p className="rcv-resume">
            <span className="t2">{t('save.interrupted')}</span>
            <button
              type="button"
              className="btn"
              onClick={() =>
                void saveGoodRows(subject.id, { saved: summary.saved, good: summary.good + summary.saving })
              }
            >
              {t('save.resume')}
            </button>
          </p>
        )}
      </div>
    </div>
  )
}

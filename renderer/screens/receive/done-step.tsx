import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Import } from '../../../services/templates/contract.ts'
import { api, client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Icon } from '../../components/icon.tsx'
import { Meter } from '../../components/meter.tsx'
import { Notice } from '../../components/notice.tsx'
import { countText } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { putAwaySamples } from '../storage/take-received.ts'
import { saveAsFile } from './files.ts'
import { problemsAsCsv } from './problems-csv.ts'
import type { ImportStep } from './receive-search.ts'
import { readAllRows } from './sheet-reading.ts'

interface DoneStepProps {
  readonly subject: Import
  readonly onStep: (step: ImportStep) => void
  readonly onFiles: () => void
}

const shownRows = 50

/** Step five: what was saved, what stays for repair, and what comes next. */
export function DoneStep({ subject, onStep, onFiles }: DoneStepProps) {
  const { t } = useTranslation('receive')
  const mayUndo = useMay('imports:apply')
  const { id, summary, state } = subject
  const [undoing, setUndoing] = useState(false)
  /** How many were saved when taking back began; null while nothing is taken back. */
  const [taking, setTaking] = useState<number | null>(null)
  useQuery({
    ...api.templates.getImport.queryOptions({ input: { id: subject.id } }),
    refetchInterval: taking === null ? false : 500,
  })
  const [kept, setKept] = useState<readonly { readonly row: number; readonly why: string }[]>([])
  const open = summary.toConfirm + summary.withErrors + summary.good
  const repairable = state === 'checking' || state === 'applying'
  const problems = useQuery({
    ...api.templates.importRows.queryOptions({
      input: { id: subject.id, offset: 0, limit: shownRows, onlyProblems: true },
    }),
    enabled: repairable && open > 0,
  })
  const next = useRef<HTMLButtonElement>(null)
  useEffect(() => next.current?.focus(), [])

  async function exportProblems(): Promise<void> {
    try {
      const all = await readAllRows({ id, onlyProblems: true })
      saveAsFile(
        problemsAsCsv(subject.fileName, all),
        t('exportName', { file: subject.fileName.replace(/\.[^.]+$/, '') }),
      )
    } catch (error) {
      scanEngine.announce({ tone: 'bad', sentence: t('exportFailed'), detail: problemWords(error) })
    }
  }

  /** Not waited for by the dialog: it takes a while, and the screen shows how far it is. */
  async function undo(reason: string): Promise<void> {
    setTaking(summary.saved)
    try {
      announceUndone(await client.templates.undoImport({ id: subject.id, reason }))
    } catch (error) {
      scanEngine.announce({ tone: 'bad', sentence: t('done.undoFailed'), detail: problemWords(error) })
    }
    setTaking(null)
  }

  function announceUndone(result: Awaited<ReturnType<typeof client.templates.undoImport>>): void {
    setKept(result.kept)
    const { undone } = result.import.summary
    scanEngine.announce({
      tone: result.kept.length === 0 ? 'ok' : 'warn',
      sentence: t('done.undone', { count: undone, file: subject.fileName }),
      ...(result.kept.length === 0 ? {} : { detail: t('done.kept', { count: result.kept.length }) }),
    })
  }

  const title =
    state === 'undone' && summary.saved === 0
      ? t('done.titleUndone', { count: summary.undone, shown: countText(summary.undone) })
      : state === 'abandoned' && summary.saved === 0
        ? t('done.titleAbandoned')
        : t('done.title', { count: summary.saved, shown: countText(summary.saved) })
  const good = summary.saved > 0
  if (taking !== null) {
    const done = taking - summary.saved
    return (
      <div className="rcv-plain">
        <div className="rcv-plain-body">
          <div className="rcv-saving" role="status">
            <h2>{t('done.taking')}</h2>
            <p className="rcv-saving-count">
              <b>{countText(done)}</b> {t('done.takingOf', { shown: countText(taking) })}
            </p>
            <Meter tone="now" value={(done / Math.max(1, taking)) * 100} label={t('done.taking')} />
            <p className="t2">{t('done.takingGoesOn')}</p>
          </div>
        </div>
      </div>
    )
  }
  return (
    <div className="rcv-plain">
      <div className="rcv-plain-body" tabIndex={0} role="region" aria-label={t('steps.done')}>
        <h2 className={good ? 'rcv-done-title ok-t' : 'rcv-done-title'}>
          <Icon name={good ? 'ok' : 'minus'} size={24} />
          {title}
        </h2>
        <p className="t2">
          {summary.undone > 0 && summary.saved > 0 && `${t('done.partlyUndone', { count: summary.undone })} `}
          {summary.skipped > 0 && `${t('preview.skipped', { count: summary.skipped })} `}
          {t(state === 'abandoned' || state === 'undone' ? 'done.fileKept' : 'done.where')}
        </p>
        <div className="rcv-next">
          {good && (
            <>
              <button
                ref={next}
                type="button"
                className="btn btn-1 btn-lg"
                onClick={() => void putAwaySamples({ importId: id })}
              >
                <Icon name="freezer" />
                {t('done.putAway')}
              </button>
              <button
                type="button"
                className="btn btn-lg"
                onClick={() => goTo({ to: '/samples', search: { importId: id } })}
              >
                <Icon name="tube" />
                {t('done.show')}
              </button>
            </>
          )}
          <button type="button" className="btn btn-lg" onClick={onFiles}>
            <Icon name="receive" />
            {t('done.another')}
          </button>
          {good && mayUndo && (
            <button type="button" className="btn btn-lg rcv-undo" onClick={() => setUndoing(true)}>
              <Icon name="return" />
              {t('done.undo')}
            </button>
          )}
        </div>
        {kept.length > 0 && (
          <section aria-label={t('done.keptTitle')} className="rcv-left">
            <Notice tone="warn" boxed>
              {t('done.kept', { count: kept.length })}
            </Notice>
            <ul>
              {kept.slice(0, shownRows).map(({ row, why }) => (
                <li key={row}>
                  <b>{t('pop.row', { row })}</b> {why}
                </li>
              ))}
            </ul>
          </section>
        )}
        {repairable && open > 0 && (
          <section aria-label={t('done.left')} className="rcv-left">
            <div className="rcv-left-head">
              <h3>{t('done.leftTitle', { count: open, shown: countText(open) })}</h3>
              <button type="button" className="btn btn-sm" onClick={() => onStep('check')}>
                <Icon name="pen" size={14} />
                {t('done.repair', { count: open })}
              </button>
              <button type="button" className="btn btn-sm" onClick={() => void exportProblems()}>
                <Icon name="download" size={14} />
                {t('check.export')}
              </button>
            </div>
            <p className="t2 sm">{t('done.leftHint', { count: open })}</p>
            <table className="tb">
              <thead>
                <tr>
                  <th>{t('grid.row')}</th>
                  <th>{t('done.reason')}</th>
                </tr>
              </thead>
              <tbody>
                {(problems.data?.rows ?? []).map((row) => (
                  <tr key={row.row}>
                    <td className="num strong">{row.row}</td>
                    <td>
                      {[
                        ...(row.saveError === null ? [] : [row.saveError]),
                        ...row.findings
                          .filter(({ severity, accepted }) => severity !== 'note' && !accepted)
                          .map(({ message }) => message),
                      ].join(' ')}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
            {(problems.data?.total ?? 0) > shownRows && (
              <p className="sm t3">{t('done.more', { count: (problems.data?.total ?? 0) - shownRows })}</p>
            )}
          </section>
        )}
      </div>
      {undoing && (
        <ConfirmDialog
          title={t('done.undoTitle', { count: summary.saved, shown: countText(summary.saved) })}
          words={t('done.undoWords')}
          confirmLabel={t('done.undo')}
          withReason
          onConfirm={(reason) => {
            void undo(reason)
            return Promise.resolve()
          }}
          onClose={() => setUndoing(false)}
        />
      )}
    </div>
  )
}

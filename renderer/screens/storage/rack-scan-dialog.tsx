import { Modal, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { type ChangeEvent, type DragEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { StorageNode } from '../../../services/storage/contract.ts'
import { api, client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status } from '../../components/status.tsx'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { readBox, readContainer, undoOf } from './placing-acts.ts'
import { notePlacements } from './placing-store.ts'
import { arrivals, countResults, differences, rackLooks, type RackRead } from './rack-results.ts'

interface RackScanDialogProps {
  readonly box: StorageNode
  readonly onClose: () => void
}

type Applied = Awaited<ReturnType<typeof client.storage.applyRackScan>>

const largestFile = 200_000

/** A whole-rack scan: what each position holds beside what the books say; the good reads can be taken over. */
export function RackScanDialog({ box, onClose }: RackScanDialogProps) {
  const { t } = useTranslation(['storage', 'common'])
  const mayOverride = useMay('storage:override')
  const [text, setText] = useState('')
  const [asked] = useDebouncedValue(text, 200)
  const [fileProblem, setFileProblem] = useState<string | null>(null)
  const [applied, setApplied] = useState<Applied | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const [busy, setBusy] = useState(false)
  const [all, setAll] = useState<'differences' | 'all'>('differences')
  const file = useRef<HTMLInputElement>(null)
  const judged = useQuery(
    api.storage.readRackScan.queryOptions({
      input: { boxId: box.id, text: asked },
      enabled: asked.trim() !== '' && applied === null,
      placeholderData: (before) => before,
    }),
  )
  const answer = asked.trim() === '' ? undefined : judged.data
  const reads = answer?.reads ?? []
  const coming = arrivals(reads)
  const failures = applied?.results.flatMap((result) => (result.ok ? [] : [result])) ?? []
  const needsReason = failures.some(({ error }) => error.code === 'ZONE_NOT_ALLOWED') && mayOverride

  async function takeFile(given: File | undefined): Promise<void> {
    if (given === undefined) return
    setFileProblem(null)
    setApplied(null)
    if (given.size > largestFile) {
      setFileProblem(t('rack.tooLarge', { name: given.name }))
      return
    }
    setText(await given.text())
  }

  async function apply(): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      const before = await Promise.all(
        coming.flatMap(({ containerId }) => (containerId === null ? [] : [readContainer(containerId)])),
      )
      const result = await client.storage.applyRackScan({
        boxId: box.id,
        text,
        ...(reason.trim() === '' ? {} : { zoneOverride: { reason: reason.trim() } }),
      })
      const done = new Set(result.results.flatMap((row) => (row.ok ? [row.value.id] : [])))
      const changed = before.filter(({ id }) => done.has(id))
      await readBox(box.id)
      report(changed, result)
      if (result.results.every(({ ok }) => ok) && result.problems.length === 0) onClose()
      else setApplied(result)
    } catch (error) {
      setProblem(problemWords(error))
    }
    setBusy(false)
  }

  function report(changed: Parameters<typeof undoOf>[0], result: Applied): void {
    const bad = result.results.filter(({ ok }) => !ok).length
    const undo = undoOf(changed)
    const ids = new Set(changed.map(({ id }) => id))
    notePlacements(
      result.results.flatMap((row) =>
        row.ok && row.value.place !== null && ids.has(row.value.id)
          ? [{ boxId: box.id, position: row.value.place.position, containerId: row.value.id, undo }]
          : [],
      ),
    )
    scanEngine.announce({
      tone: bad > 0 ? 'warn' : 'ok',
      sentence: t('rack.done', { count: changed.length, box: box.name }),
      ...(bad > 0 ? { detail: t('rack.doneBad', { count: bad }) } : {}),
      ...(changed.length > 0 ? { undo } : {}),
    })
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={t('rack.title', { box: box.name })}
      centered
      size={880}
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <div
        className="dialog-form"
        onDragOver={(event: DragEvent) => event.preventDefault()}
        onDrop={(event: DragEvent) => {
          event.preventDefault()
          void takeFile(event.dataTransfer.files[0])
        }}
      >
        <div className="storage-rack-in">
          <Textarea
            label={t('rack.paste')}
            description={t('rack.pasteHint')}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value)
              setApplied(null)
            }}
            placeholder={t('rack.example')}
            autosize
            minRows={3}
            maxRows={5}
            data-autofocus
            classNames={{ input: 'code' }}
          />
          <button className="btn" type="button" onClick={() => file.current?.click()}>
            <Icon name="file" size={16} />
            {t('rack.choose')}
          </button>
          <input
            ref={file}
            type="file"
            accept=".csv,.txt,.tsv,text/plain,text/csv"
            hidden
            onChange={(event: ChangeEvent<HTMLInputElement>) => {
              void takeFile(event.currentTarget.files?.[0])
              event.currentTarget.value = ''
            }}
          />
        </div>
        {fileProblem !== null && (
          <Notice tone="bad" boxed>
            {fileProblem}
          </Notice>
        )}
        {judged.isError && answer === undefined && (
          <Notice tone="bad" boxed>
            {problemWords(judged.error)}
          </Notice>
        )}
        {applied !== null && <AppliedRows applied={applied} />}
        {applied === null && answer !== undefined && (
          <>
            {answer.problems.length > 0 && <Problems problems={answer.problems} />}
            {reads.length > 0 && (
              <>
                <div className="storage-rack-head">
                  <p className="storage-rack-counts" role="status">
                    {countResults(reads).map(({ result, count }) => (
                      <Status
                        key={result}
                        tone={rackLooks[result].tone}
                        icon={rackLooks[result].icon}
                        word={t(`rack.count.${result}`, { count })}
                      />
                    ))}
                  </p>
                  <Segmented
                    label={t('rack.show')}
                    value={all}
                    onChange={setAll}
                    options={[
                      { value: 'differences', label: t('rack.differences') },
                      { value: 'all', label: t('rack.all') },
                    ]}
                  />
                </div>
                <Reads reads={all === 'all' ? reads : differences(reads)} />
              </>
            )}
          </>
        )}
        {needsReason && (
          <Textarea
            label={t('override.reason')}
            description={t('common:reasonHint')}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={1_000}
            autosize
            minRows={2}
          />
        )}
        <DialogFoot
          problem={problem}
          actLabel={
            applied !== null && !needsReason
              ? null
              : busy
                ? t('rack.applying')
                : t('rack.apply', { count: coming.length })
          }
          disabled={busy || coming.length === 0 || asked !== text || (needsReason && reason.trim() === '')}
          onAct={() => void apply()}
          closeLabel={applied === null ? t('common:cancel') : t('common:close')}
          onClose={onClose}
        />
      </div>
    </Modal>
  )
}

function Problems({ problems }: { readonly problems: Applied['problems'] }) {
  const { t } = useTranslation('storage')
  return (
    <Notice
      tone="warn"
      boxed
      detail={
        <span className="storage-rack-problems" tabIndex={0} role="region" aria-label={t('rack.problemList')}>
          {problems.slice(0, 100).map(({ row, message }, index) => (
            // The list is shown as it came and never changes its order.
            <span key={index}>
              {row !== null && <b>{t('rack.row', { row })} </b>}
              {message}
            </span>
          ))}
          {problems.length > 100 && <span>{t('rack.moreProblems', { count: problems.length - 100 })}</span>}
        </span>
      }
    >
      {t('rack.problems', { count: problems.length })}
    </Notice>
  )
}

function Reads({ reads }: { readonly reads: readonly RackRead[] }) {
  const { t } = useTranslation('storage')
  if (reads.length === 0) return <p className="sm t2">{t('rack.noDifferences')}</p>
  return (
    <div className="storage-rack-rows scroll" tabIndex={0} role="region" aria-label={t('rack.table')}>
      <table className="tb">
        <thead>
          <tr>
            <th scope="col">{t('rack.position')}</th>
            <th scope="col">{t('rack.result')}</th>
            <th scope="col">{t('rack.code')}</th>
            <th scope="col">{t('rack.words')}</th>
          </tr>
        </thead>
        <tbody>
          {reads.map(({ position, result, code, sentence }) => (
            <tr key={position}>
              <td className="strong">{position}</td>
              <td>
                <Status
                  tone={rackLooks[result].tone}
                  icon={rackLooks[result].icon}
                  word={t(`rack.is.${result}`)}
                />
              </td>
              <td>{code !== null && <CodeText>{code}</CodeText>}</td>
              <td className="t2">{sentence}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** What became of the rows: those that were put away are counted, the others stand with their row and why. */
function AppliedRows({ applied }: { readonly applied: Applied }) {
  const { t } = useTranslation('storage')
  const good = applied.results.filter(({ ok }) => ok).length
  const bad = applied.results.flatMap((result) => (result.ok ? [] : [result]))
  return (
    <>
      <Notice tone={good > 0 ? 'ok' : 'warn'} boxed>
        {t('rack.applied', { count: good })}
      </Notice>
      {bad.length > 0 && (
        <div className="storage-rack-rows scroll" tabIndex={0} role="region" aria-label={t('rack.table')}>
          <table className="tb">
            <thead>
              <tr>
                <th scope="col">{t('rack.rowHead')}</th>
                <th scope="col">{t('rack.why')}</th>
              </tr>
            </thead>
            <tbody>
              {bad.map(({ row, error }) => (
                <tr key={row}>
                  <td className="strong">{row}</td>
                  <td>
                    <Status tone="bad" word={error.message} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {applied.problems.length > 0 && <Problems problems={applied.problems} />}
    </>
  )
}

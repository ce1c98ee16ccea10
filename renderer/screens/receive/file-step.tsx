import { useQuery } from '@tanstack/react-query'
import { type DragEvent, useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Import } from '../../../services/templates/contract.ts'
import { api, client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { Status, type StatusTone } from '../../components/status.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText, shortMoment } from '../../moments.ts'
import { useMay } from '../../session/session-store.ts'
import { type FileTrouble, openFile } from './files.ts'
import { ImportSteps } from './import-steps.tsx'
import type { ReceiveSearch } from './receive-search.ts'

type Stage = 'idle' | 'storing' | 'reading'

/** Step one: a spreadsheet, tubes one by one, or an import that was begun before. */
export function FileStep({ onGo }: { readonly onGo: (search: ReceiveSearch) => void }) {
  const { t } = useTranslation(['receive', 'frame'])
  const mayImport = useMay('imports:create')
  const mayReceive = useMay('samples:create')
  const imports = useQuery(api.templates.listImports.queryOptions({ input: { limit: 50 } }))
  const [stage, setStage] = useState<Stage>('idle')
  const [fileName, setFileName] = useState('')
  const [trouble, setTrouble] = useState<FileTrouble | null>(null)
  const [over, setOver] = useState(false)
  const chooser = useRef<HTMLInputElement>(null)
  const items = imports.data?.items ?? []
  const openCount = items.filter(isOpenImport).length
  usePageSubject(t('frame:screens.receive'), imports.isSuccess ? t('context', { count: openCount }) : '')
  useEffect(() => chooser.current?.focus(), [])
  useKeepDroppedFiles()

  async function take(files: FileList | null): Promise<void> {
    const [file, ...others] = files ?? []
    if (file === undefined || stage !== 'idle' || !mayImport) return
    if (others.length > 0) {
      setTrouble({
        fileName: t('file.several', { count: others.length + 1 }),
        words: t('file.oneAtATime'),
        advice: t('file.oneAtATimeAdvice'),
      })
      return
    }
    setTrouble(null)
    setFileName(file.name)
    setStage('storing')
    const result = await openFile(file, () => setStage('reading'))
    setStage('idle')
    if (chooser.current !== null) chooser.current.value = ''
    if (result.ok) onGo({ import: result.opened.id })
    else setTrouble(result.trouble)
  }

  function drop(event: DragEvent): void {
    event.preventDefault()
    setOver(false)
    void take(event.dataTransfer.files)
  }

  return (
    <div className="rcv-file">
      <ImportSteps current="file" />
      <div className="rcv-file-body" tabIndex={0} role="region" aria-label={t('file.region')}>
        <div className="rcv-ways">
          <section
            className={`rcv-drop${over ? ' over' : ''}`}
            aria-label={t('file.drop')}
            onDragOver={(event) => {
              event.preventDefault()
              setOver(true)
            }}
            onDragLeave={() => setOver(false)}
            onDrop={drop}
          >
            <Icon name="upload" size={24} />
            {stage === 'idle' ? (
              <>
                <h2>{t('file.drop')}</h2>
                <p>{t('file.kinds')}</p>
              </>
            ) : (
              <p role="status" className="strong">
                {t(`file.${stage}`, { file: fileName })}
              </p>
            )}
            <label className={`btn btn-1 btn-lg rcv-choose${stage !== 'idle' || !mayImport ? ' off' : ''}`}>
              {t('file.choose')}
              <input
                ref={chooser}
                type="file"
                accept=".xlsx,.xlsm,.csv,.tsv,.txt"
                disabled={stage !== 'idle' || !mayImport}
                onChange={(event) => void take(event.currentTarget.files)}
              />
            </label>
            {!mayImport && <p className="sm">{t('file.mayNot')}</p>}
          </section>
          <section className="rcv-way" aria-label={t('one.title')}>
            <Icon name="scanner" size={24} />
            <h2>{t('one.title')}</h2>
            <p>{t('one.hint')}</p>
            <button
              type="button"
              className="btn btn-lg"
              disabled={!mayReceive}
              onClick={() => onGo({ one: true })}
            >
              {t('one.start')}
            </button>
          </section>
        </div>
        {trouble !== null && (
          <Notice tone="bad" boxed detail={trouble.advice}>
            {trouble.words.startsWith(trouble.fileName) || <b>{trouble.fileName}: </b>}
            {trouble.words}
          </Notice>
        )}
        {imports.isError ? (
          <ProblemNotice what={t('open')} error={imports.error} onRetry={() => void imports.refetch()} />
        ) : (
          items.length > 0 && <ImportList items={items} onGo={onGo} />
        )}
      </div>
    </div>
  )
}

const tones: Readonly<Record<Import['state'], StatusTone>> = {
  mapping: 'warn',
  checking: 'now',
  applying: 'now',
  applied: 'ok',
  undone: 'idle',
  abandoned: 'idle',
}

/** Whether a person still has something to do with it. */
function isOpenImport({ state }: Import): boolean {
  return state === 'mapping' || state === 'checking' || state === 'applying'
}

function ImportList({
  items,
  onGo,
}: {
  readonly items: readonly Import[]
  readonly onGo: (search: ReceiveSearch) => void
}) {
  const { t } = useTranslation('receive')
  const [away, setAway] = useState<Import | null>(null)
  const open = items.filter(isOpenImport)
  const ended = items.filter((each) => !isOpenImport(each))
  return (
    <>
      {[
        { title: t('open'), list: open },
        { title: t('ended'), list: ended },
      ].map(
        ({ title, list }) =>
          list.length > 0 && (
            <section key={title} aria-label={title} className="rcv-list">
              <div className="pane-h">
                <h2>{title}</h2>
                <span className="cnt">{countText(list.length)}</span>
              </div>
              <table className="tb">
                <thead>
                  <tr>
                    <th>{t('list.file')}</th>
                    <th>{t('list.state')}</th>
                    <th className="num">{t('list.rows')}</th>
                    <th className="num">{t('list.saved')}</th>
                    <th className="num">{t('list.good')}</th>
                    <th className="num">{t('list.problems')}</th>
                    <th>{t('list.started')}</th>
                    <th>{t('list.by')}</th>
                    <th>
                      <span className="vh">{t('list.acts')}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {list.map((each) => (
                    <tr key={each.id}>
                      <td className="medium">{each.fileName}</td>
                      <td>
                        <Status tone={tones[each.state]} word={t(`states.${each.state}`)} />
                      </td>
                      <td className="num">{countText(each.summary.rows)}</td>
                      <td className="num">{countText(each.summary.saved)}</td>
                      <td className="num">{countText(each.summary.good)}</td>
                      <td className="num">{countText(each.summary.withErrors + each.summary.toConfirm)}</td>
                      <td>{shortMoment(each.createdAt)}</td>
                      <td className="t2">{each.createdBy}</td>
                      <td>
                        <span className="rcv-list-acts">
                          {isOpenImport(each) && each.state !== 'applying' && (
                            <button
                              type="button"
                              className="btn btn-sm"
                              aria-label={t('putAwayOne', { file: each.fileName })}
                              onClick={() => setAway(each)}
                            >
                              {t('putAway')}
                            </button>
                          )}
                          <button
                            type="button"
                            className="btn btn-sm"
                            aria-label={t(isOpenImport(each) ? 'goOnOne' : 'lookOne', {
                              file: each.fileName,
                            })}
                            onClick={() => onGo({ import: each.id })}
                          >
                            {t(isOpenImport(each) ? 'goOn' : 'look')}
                          </button>
                        </span>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          ),
      )}
      {away !== null && (
        <ConfirmDialog
          title={t('putAwayTitle', { file: away.fileName })}
          words={t('putAwayWords', { count: away.summary.rows - away.summary.saved })}
          confirmLabel={t('putAway')}
          onConfirm={async () => {
            await client.templates.abandonImport({ id: away.id })
          }}
          onClose={() => setAway(null)}
        />
      )}
    </>
  )
}

/** A file dropped beside the zone must not replace the page. */
export function useKeepDroppedFiles(): void {
  useEffect(() => {
    const keep = (event: Event) => event.preventDefault()
    window.addEventListener('dragover', keep)
    window.addEventListener('drop', keep)
    return () => {
      window.removeEventListener('dragover', keep)
      window.removeEventListener('drop', keep)
    }
  }, [])
}

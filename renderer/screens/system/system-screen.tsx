import { TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { ServiceReport } from '../../../platform/gateway/contract.ts'
import { api, client } from '../../client.ts'
import { Notice } from '../../components/notice.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status, type StatusTone } from '../../components/status.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText, durationText, wholeMoment } from '../../moments.ts'
import { problemWords } from '../../problem.ts'
import { useMay } from '../../session/session-store.ts'
import './system.css'

const everyMs = 5_000
const tones: Readonly<Record<ServiceReport['state'], StatusTone>> = {
  asleep: 'idle',
  starting: 'now',
  ready: 'ok',
  failing: 'bad',
  refused: 'bad',
  closing: 'idle',
}

/** Whether every part works, how fast, and with how much memory; and the steps of any one call. */
export function SystemScreen() {
  const { t } = useTranslation(['system', 'frame'])
  const health = useQuery(api.system.health.queryOptions({ refetchInterval: 30_000 }))
  const uptime = useDuration()
  usePageSubject(
    t('frame:screens.system'),
    health.data === undefined
      ? ''
      : t('context', { version: health.data.version, uptime: uptime(health.data.uptimeMs) }),
  )
  return (
    <div className="system">
      <div className="column scroll" tabIndex={0} role="region" aria-label={t('frame:screens.system')}>
        <Services />
        <Trace />
      </div>
      <aside className="side scroll" tabIndex={0} aria-label={t('journal')}>
        <Journal />
        <Memory />
      </aside>
    </div>
  )
}

function Services() {
  const { t } = useTranslation('system')
  const may = useMay('system:operate')
  const services = useQuery(api.system.services.queryOptions({ refetchInterval: everyMs }))
  const [problem, setProblem] = useState<string | null>(null)

  async function wake(name: string): Promise<void> {
    setProblem(null)
    try {
      await client.system.wakeService({ name })
    } catch (error) {
      setProblem(problemWords(error))
    }
  }

  if (services.isError) {
    return (
      <ProblemNotice what={t('services')} error={services.error} onRetry={() => void services.refetch()} />
    )
  }
  return (
    <section aria-labelledby="h-services">
      <div className="pane-h">
        <h2 id="h-services">{t('services')}</h2>
        <span className="cnt">{services.data?.length}</span>
      </div>
      {problem !== null && <Notice tone="bad">{problem}</Notice>}
      <table className="tb">
        <thead>
          <tr>
            <th>{t('service')}</th>
            <th>{t('state')}</th>
            <th className="num">{t('calls')}</th>
            <th className="num">{t('errors')}</th>
            <th className="num">{t('speed')}</th>
            <th className="num">{t('memory')}</th>
            <th className="num">{t('database')}</th>
            <th className="num">{t('restarts')}</th>
            <th>
              <span className="vh">{t('wake')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {services.data?.map((service) => (
            <tr key={service.name}>
              <td className="medium">{service.name}</td>
              <td>
                <Status tone={tones[service.state]} word={t(`states.${service.state}`)} />
                {service.words !== null && <p className="sm t2 why">{service.words}</p>}
              </td>
              <td className="num">{countText(service.calls)}</td>
              <td className="num">{countText(service.errors)}</td>
              <td className="num nowrap">
                {speedText(service.p50Ms)} / {speedText(service.p95Ms)}
              </td>
              <td className="num nowrap">{megabytes(service.heapUsedBytes)}</td>
              <td className="num nowrap">{megabytes(service.databaseBytes)}</td>
              <td className="num">{service.restarts}</td>
              <td className="num">
                {may &&
                  (service.state === 'asleep' ||
                    service.state === 'refused' ||
                    service.state === 'failing') && (
                    <button className="btn btn-sm" type="button" onClick={() => void wake(service.name)}>
                      {t('wake')}
                    </button>
                  )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Journal() {
  const { t } = useTranslation('system')
  const journal = useQuery(api.system.journal.queryOptions({ refetchInterval: everyMs }))
  if (journal.isError) {
    return <ProblemNotice what={t('journal')} error={journal.error} onRetry={() => void journal.refetch()} />
  }
  const { data } = journal
  if (data === undefined) return null
  const gaps = data.epochs.flatMap((epoch) => epoch.gaps)
  const signed = data.checkpoints.at(-1)
  return (
    <section aria-labelledby="h-journal" className="facts-pane">
      <h2 id="h-journal">{t('journal')}</h2>
      <Status
        tone={data.writable ? 'ok' : 'bad'}
        word={data.writable ? t('writable') : t('notWritable')}
        chip
      />
      {data.why !== null && <p className="md">{data.why}</p>}
      <dl className="kv">
        <dt>{t('entries')}</dt>
        <dd>{countText(data.head?.sequence ?? 0)}</dd>
        {data.domains.map(({ name, domainSequence }) => (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{countText(domainSequence)}</dd>
          </div>
        ))}
        <dt>{t('epochs')}</dt>
        <dd>{data.epochs.length}</dd>
        <dt>{t('gaps')}</dt>
        <dd>
          {gaps.length === 0
            ? t('noGaps')
            : gaps.map((gap) => `${gap.domain} ${String(gap.lostFrom)}–${String(gap.lostTo)}`).join(', ')}
        </dd>
        <dt>{t('signed')}</dt>
        <dd>{signed === undefined ? t('never') : wholeMoment(signed.signedAt)}</dd>
      </dl>
    </section>
  )
}

function Memory() {
  const { t } = useTranslation('system')
  const memory = useQuery(api.system.memory.queryOptions({ refetchInterval: everyMs }))
  const { data } = memory
  if (data === undefined) return null
  return (
    <section aria-labelledby="h-process" className="facts-pane rule-t">
      <h2 id="h-process">{t('process')}</h2>
      <dl className="kv">
        <dt>{t('rss')}</dt>
        <dd>{megabytes(data.rssBytes)}</dd>
        {data.pssBytes !== null && (
          <>
            <dt>{t('pss')}</dt>
            <dd>{megabytes(data.pssBytes)}</dd>
          </>
        )}
        <dt>{t('heap')}</dt>
        <dd>{megabytes(data.heapUsedBytes)}</dd>
      </dl>
    </section>
  )
}

/** The steps of one call across threads, as bars on one time axis. */
function Trace() {
  const { t } = useTranslation('system')
  const [text, setText] = useState('')
  const [id, setId] = useState('')
  const trace = useQuery(api.system.trace.queryOptions({ input: { id }, enabled: id !== '' }))
  const spans = trace.data ?? []
  const start = Math.min(...spans.map(({ startedAt }) => startedAt))
  const whole = Math.max(1, ...spans.map(({ startedAt, durationMs }) => startedAt + durationMs - start))

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    setId(text.trim())
  }

  return (
    <section aria-labelledby="h-trace" className="rule-t trace">
      <div className="pane-h">
        <h2 id="h-trace">{t('trace')}</h2>
      </div>
      <form onSubmit={submit}>
        <TextInput
          aria-label={t('traceHint')}
          placeholder={t('traceHint')}
          value={text}
          maxLength={200}
          onChange={(event) => setText(event.target.value)}
        />
        <button className="btn" type="submit" disabled={text.trim() === ''}>
          {t('traceGo')}
        </button>
      </form>
      {trace.isError && <Notice tone="bad">{problemWords(trace.error)}</Notice>}
      {trace.isSuccess && spans.length === 0 && <p className="quiet-line">{t('traceNone')}</p>}
      {spans.length > 0 && (
        <ol>
          {spans.map((span) => (
            <li key={span.spanId}>
              <span className="ell">
                <CodeText>{span.name}</CodeText>
              </span>
              <span className="bar-room">
                <i
                  className={span.ok ? '' : 'bad'}
                  style={{
                    left: `${String(((span.startedAt - start) / whole) * 100)}%`,
                    width: `${String(Math.max(0.5, (span.durationMs / whole) * 100))}%`,
                  }}
                />
              </span>
              <span className="num">{durationText(span.durationMs)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function useDuration(): (milliseconds: number) => string {
  const { t } = useTranslation('system')
  return (length) => {
    const minutes = Math.floor(length / 60_000)
    return minutes < 60
      ? t('minutes', { count: minutes })
      : t('hours', { hours: Math.floor(minutes / 60), minutes: minutes % 60 })
  }
}

function speedText(milliseconds: number | null): string {
  return milliseconds === null ? '–' : durationText(milliseconds)
}

function megabytes(bytes: number | null): string {
  return bytes === null ? '–' : `${(bytes / 1_048_576).toFixed(1)} MB`
}

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { SyncStatus } from '../../../platform/sync/contract.ts'
import { api, client } from '../../client.ts'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status } from '../../components/status.tsx'
import { standingOf } from '../../frame/sync-standing.ts'
import { standingWords, useSyncStatus } from '../../frame/sync-state.tsx'
import { countText, durationText, shortMoment, wholeMoment } from '../../moments.ts'
import { problemWords } from '../../problem.ts'
import { useMay } from '../../session/session-store.ts'
import { entryWords, partWords } from '../audit/entry-words.ts'
import { BringBundleDialog } from './bring-bundle-dialog.tsx'
import { EnrolForm } from './enrol-form.tsx'
import { TakeBundleDialog } from './take-bundle-dialog.tsx'

/** More than this, and the order in which things happened is in doubt for people who read the times. */
const skewToMentionMs = 60_000
const shownEntries = 12

/** Where this copy stands: what waits, what came, since when, and what can be done about it. */
export function StandingView({ onConflicts }: { readonly onConflicts: () => void }) {
  const { t } = useTranslation(['sync', 'frame'])
  const status = useSyncStatus()
  const mayManage = useMay('sync:manage')
  if (status.isError) {
    return (
      <ProblemNotice
        what={t('frame:screens.sync')}
        error={status.error}
        onRetry={() => void status.refetch()}
      />
    )
  }
  if (status.data === undefined) return null
  const { data } = status
  const follows = data.state !== 'hub' && data.state !== 'enrolling'
  if (data.state === 'not-enrolled') return mayManage ? <EnrolForm /> : <Alone />
  return (
    <div className="standing">
      <div className="column scroll" tabIndex={0} role="region" aria-label={t('frame:screens.sync')}>
        <State status={data} onChanged={() => void status.refetch()} />
        <ToDecide onConflicts={onConflicts} />
        {follows && <Waiting status={data} />}
        {follows && mayManage && <ByHand />}
        {follows && <Came status={data} />}
      </div>
      <aside className="side scroll" tabIndex={0} aria-label={t('facts')}>
        <Facts status={data} />
      </aside>
    </div>
  )
}

function Alone() {
  const { t } = useTranslation('sync')
  return (
    <div className="empty">
      <Icon name="laptop" size={24} />
      <p className="title">{t('alone.title')}</p>
      <p>{t('alone.hint')}</p>
      <p>{t('alone.whoMay')}</p>
    </div>
  )
}

interface StateProps {
  readonly status: SyncStatus
  readonly onChanged: () => void
}

/** The one sentence that matters, and what a person can do about it. */
function State({ status, onChanged }: StateProps) {
  const { t } = useTranslation('sync')
  const mayManage = useMay('sync:manage')
  const mayAsk = useMay('sync:read')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const standing = standingOf(status)

  async function act(work: () => Promise<unknown>): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      await work()
      onChanged()
    } catch (error) {
      setProblem(problemWords(error))
    } finally {
      setBusy(false)
    }
  }

  /** What the workstation says of a round that is over does not hold while more is on its way. */
  function stateWords(): string {
    if (standing.words === 'hub') return t('hubWords')
    if (standing.words === 'waiting' || standing.words === 'coming') return t(`onTheWay.${standing.words}`)
    return status.words
  }

  return (
    <section className="sync-now" aria-labelledby="h-sync-now">
      <h2 id="h-sync-now">
        <Status tone={standing.tone} icon={standing.icon} word={standingWords(standing, t)} />
      </h2>
      <p className="t2">{stateWords()}</p>
      {status.state === 'stopped' && <p className="md">{t('stoppedHint')}</p>}
      {status.state === 'offline' && <p className="md">{t('offlineHint')}</p>}
      {problem !== null && (
        <Notice tone="bad" boxed>
          {problem}
        </Notice>
      )}
      {status.state !== 'hub' && status.state !== 'enrolling' && (
        <div className="acts">
          {status.state === 'paused' ? (
            mayManage && (
              <Act icon="right" main busy={busy} onClick={() => act(() => client.sync.resume({}))}>
                {t('resume')}
              </Act>
            )
          ) : (
            <>
              {mayAsk && (
                <Act icon="sync" main busy={busy} onClick={() => act(() => client.sync.goNow({}))}>
                  {t('goNow')}
                </Act>
              )}
              {mayManage && (
                <Act icon="pause" busy={busy} onClick={() => act(() => client.sync.pause({}))}>
                  {t('pause')}
                </Act>
              )}
            </>
          )}
        </div>
      )}
    </section>
  )
}

interface ActProps {
  readonly icon: 'sync' | 'pause' | 'right'
  readonly main?: boolean
  readonly busy: boolean
  readonly onClick: () => Promise<void>
  readonly children: ReactNode
}

function Act({ icon, main = false, busy, onClick, children }: ActProps) {
  return (
    <button
      className={main ? 'btn btn-1 btn-lg' : 'btn btn-lg'}
      type="button"
      disabled={busy}
      onClick={() => void onClick()}
    >
      <Icon name={icon} size={16} />
      {children}
    </button>
  )
}

function ToDecide({ onConflicts }: { readonly onConflicts: () => void }) {
  const { t } = useTranslation('sync')
  const open = useQuery(api.sync.workItems.queryOptions({ input: {} }))
  const count = open.data?.total ?? 0
  if (count === 0) return null
  return (
    <Notice
      tone="warn"
      detail={t('toDecideDetail')}
      action={
        <button className="btn" type="button" onClick={onConflicts}>
          {t('toDecideOpen')}
        </button>
      }
    >
      {t('toDecide', { count, shown: countText(count) })}
    </Notice>
  )
}

/** What was made here and the Hub has not confirmed. */
function Waiting({ status }: { readonly status: SyncStatus }) {
  const { t } = useTranslation('sync')
  const { t: audit } = useTranslation('audit')
  const waiting = status.pending.filter(({ sets }) => sets > 0)
  return (
    <section aria-labelledby="h-waits">
      <div className="pane-h rule-t">
        <h2 id="h-waits">{t('waits')}</h2>
        <span className="cnt">{countText(waiting.reduce((sum, { sets }) => sum + sets, 0))}</span>
      </div>
      {waiting.length === 0 ? (
        <p className="quiet-line">{t('waitsNothing')}</p>
      ) : (
        <>
          <table className="tb">
            <thead>
              <tr>
                <th>{t('part')}</th>
                <th className="num">{t('changes')}</th>
              </tr>
            </thead>
            <tbody>
              {waiting.map(({ domain, sets }) => (
                <tr key={domain}>
                  <td className="medium">{partWords(domain, audit)}</td>
                  <td className="num">{countText(sets)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="quiet-line waits-kept">{t('waitsKept')}</p>
        </>
      )}
    </section>
  )
}

/** The way without any network: a file on a stick. */
function ByHand() {
  const { t } = useTranslation('sync')
  const [open, setOpen] = useState<'take' | 'bring' | null>(null)
  return (
    <section aria-labelledby="h-by-hand">
      <div className="pane-h rule-t">
        <h2 id="h-by-hand">{t('bundle.title')}</h2>
      </div>
      <div className="by-hand">
        <p className="t2">{t('bundle.lead')}</p>
        <div className="acts">
          <button className="btn" type="button" onClick={() => setOpen('take')}>
            <Icon name="download" size={16} />
            {t('bundle.take')}
          </button>
          <button className="btn" type="button" onClick={() => setOpen('bring')}>
            <Icon name="upload" size={16} />
            {t('bundle.bring')}
          </button>
        </div>
      </div>
      {open === 'take' && <TakeBundleDialog workstation={null} onClose={() => setOpen(null)} />}
      {open === 'bring' && (
        <BringBundleDialog at="bench" onAnswer={() => setOpen('take')} onClose={() => setOpen(null)} />
      )}
    </section>
  )
}

/** What came from the Hub lately, by the audit trail. */
function Came({ status }: { readonly status: SyncStatus }) {
  const { t } = useTranslation('sync')
  const { t: audit } = useTranslation('audit')
  const mayRead = useMay('audit:read')
  const entries = useQuery(
    api.system.searchAudit.queryOptions({ input: { limit: 200 }, enabled: mayRead, staleTime: 2_000 }),
  )
  const came = (entries.data?.items ?? []).filter(({ origin }) => origin === 'hub').slice(0, shownEntries)
  return (
    <section aria-labelledby="h-came">
      <div className="pane-h rule-t">
        <h2 id="h-came">{t('came')}</h2>
        <span className="cnt">
          {status.lastPullAt === null
            ? t('cameNotYet')
            : t('cameAt', { time: shortMoment(status.lastPullAt) })}
        </span>
        {mayRead && (
          <span className="end">
            <Link className="link md" to="/audit">
              {t('cameAll')}
            </Link>
          </span>
        )}
      </div>
      {came.length === 0 ? (
        <p className="quiet-line">{t(mayRead ? 'cameNothing' : 'cameNoPermission')}</p>
      ) : (
        <table className="tb">
          <thead>
            <tr>
              <th>{t('time')}</th>
              <th>{t('part')}</th>
              <th>{t('what')}</th>
              <th>
                <span className="vh">{t('cameOpen')}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {came.map((entry) => (
              <tr key={entry.sequence}>
                <td className="nowrap">{shortMoment(entry.recordedAt)}</td>
                <td className="nowrap">{partWords(entry.domain, audit)}</td>
                <td>
                  {entry.procedure === null && entry.eventNames.length === 0
                    ? t('cameChange')
                    : entryWords(entry, audit)}
                </td>
                <td className="num">
                  <Link className="link" to="/audit" search={{ entry: entry.sequence }}>
                    {t('cameOpen')}
                  </Link>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function Facts({ status }: { readonly status: SyncStatus }) {
  const { t } = useTranslation('sync')
  if (status.state === 'hub') {
    return (
      <section className="sync-facts" aria-labelledby="h-facts">
        <h2 id="h-facts">{t('facts')}</h2>
        <dl className="kv">
          <dt>{t('entriesInLog')}</dt>
          <dd>{countText(status.position)}</dd>
        </dl>
        <p className="sm t2">{t('entriesInLogHint')}</p>
      </section>
    )
  }
  const skew = status.clockSkewMs
  return (
    <section className="sync-facts" aria-labelledby="h-facts">
      <h2 id="h-facts">{t('facts')}</h2>
      <dl className="kv">
        <dt>{t('hub')}</dt>
        <dd>
          <CodeText>{status.hubUrl ?? '–'}</CodeText>
        </dd>
        <dt>{t('lastContact')}</dt>
        <dd>{momentText(status.lastContactAt, t('never'))}</dd>
        <dt>{t('lastPush')}</dt>
        <dd>{momentText(status.lastPushAt, t('notSinceStart'))}</dd>
        <dt>{t('lastPull')}</dt>
        <dd>{momentText(status.lastPullAt, t('notSinceStart'))}</dd>
        <dt>{t('position')}</dt>
        <dd>{countText(status.position)}</dd>
        <dt>{t('lag')}</dt>
        <dd>
          {status.lag === 0
            ? t('lagNone')
            : t('lagSome', { count: status.lag, shown: countText(status.lag) })}
        </dd>
        <dt>{t('clock')}</dt>
        <dd>{skew === null ? t('never') : skewWords(skew)}</dd>
      </dl>
      {skew !== null && Math.abs(skew) >= skewToMentionMs && (
        <Notice tone="warn" boxed>
          {t('clockWrong')}
        </Notice>
      )}
      <h2>{t('offlineTitle')}</h2>
      <p className="md">
        {status.offlineUntil === null
          ? t('offlineNone')
          : Date.parse(status.offlineUntil) > Date.now()
            ? t('offlineUntil', {
                time: wholeMoment(status.offlineUntil),
                left: leftWords(status.offlineUntil),
              })
            : t('offlineOver', { time: wholeMoment(status.offlineUntil) })}
      </p>
    </section>
  )

  function skewWords(milliseconds: number): string {
    const size = durationText(Math.abs(milliseconds))
    if (Math.abs(milliseconds) < 1_000) return t('clockSame')
    return milliseconds > 0 ? t('clockBehind', { size }) : t('clockAhead', { size })
  }

  function leftWords(until: string): string {
    const hours = Math.floor((Date.parse(until) - Date.now()) / 3_600_000)
    return hours < 48 ? t('hoursLeft', { count: hours }) : t('daysLeft', { count: Math.floor(hours / 24) })
  }
}

function momentText(at: string | null, otherwise: string): string {
  return at === null ? otherwise : wholeMoment(at)
}

import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { Cap } from '../../components/cap.tsx'
import type { IconName } from '../../components/drawings.tsx'
import { Icon } from '../../components/icon.tsx'
import { Meter } from '../../components/meter.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status } from '../../components/status.tsx'
import { useAlerts } from '../../frame/alerts.ts'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText, dayAndTime, shortMoment } from '../../moments.ts'
import { useMay } from '../../session/session-store.ts'
import { useHeld } from './held.ts'
import { ScanFeed } from './scan-feed.tsx'
import { type Priority, type Task, useTasks } from './tasks.ts'
import { WaitingScans } from './waiting-scans.tsx'
import './bench.css'

/** What to do next, what is in hand, and what just happened. */
export function BenchScreen() {
  const { t } = useTranslation(['bench', 'frame'])
  const now = useMinute()
  usePageSubject(t('frame:screens.bench'), dayAndTime(now))
  const { tasks, reading } = useTasks()
  const [next, ...others] = tasks
  return (
    <div className="bench">
      <div className="left">
        {next === undefined ? <NothingNext reading={reading} /> : <NextTask key={next.id} task={next} />}
        <Worklist tasks={others} reading={reading} />
        <InHand />
      </div>
      <div className="right side">
        <Alerts />
        <WaitingScans storageToo />
        <ScanFeed />
      </div>
    </div>
  )
}

function NothingNext({ reading }: { readonly reading: boolean }) {
  const { t } = useTranslation(['bench', 'common'])
  if (reading) {
    return (
      <p className="next quiet t3" role="status">
        {t('common:loading', { what: t('worklist') })}
      </p>
    )
  }
  return (
    <section className="next quiet" aria-label={t('next')}>
      <h2>{t('nothing')}</h2>
      <p className="facts">{t('nothingHint')}</p>
      <div className="do">
        <Link className="btn btn-lg" to="/receive">
          <Icon name="receive" size={16} />
          {t('receive')}
        </Link>
      </div>
    </section>
  )
}

function NextTask({ task }: { readonly task: Task }) {
  const { t } = useTranslation('bench')
  const open = useOpenTask()
  const button = useRef<HTMLButtonElement>(null)
  // On arrival the page's next action has the focus, never a text field.
  useEffect(() => {
    if (document.activeElement === null || document.activeElement === document.body) button.current?.focus()
  }, [])
  return (
    <section className="next" aria-label={t('next')}>
      <p className="over">
        <PriorityWord priority={task.priority} />
        <span>{t('next')}</span>
      </p>
      <h2>{task.title}</h2>
      <p className="facts">{task.facts}</p>
      <Progress task={task} />
      <div className="do">
        <button ref={button} className="btn btn-1 btn-lg" type="button" onClick={() => open(task)}>
          {t('continue')} <kbd>Enter</kbd>
        </button>
        {task.since !== null && (
          <p className="sm t2">{t('waitingSince', { time: shortMoment(task.since) })}</p>
        )}
      </div>
    </section>
  )
}

/** Countable circles while they can be counted at a glance, a bar beyond that. */
function Progress({ task }: { readonly task: Task }) {
  const { t } = useTranslation(['bench', 'common'])
  const words = t('common:ofTotal', { done: countText(task.done), total: countText(task.total) })
  if (task.total < 2) return null
  if (task.total > 12) {
    return (
      <div className="strip wide">
        <Meter value={task.total === 0 ? 0 : (task.done / task.total) * 100} tone="now" thin />
        <p>{words}</p>
      </div>
    )
  }
  return (
    <div className="strip">
      {Array.from({ length: task.total }, (_, index) => (
        <i
          key={index}
          className={index < task.done ? 'd' : index === task.done ? 'n' : ''}
          aria-hidden="true"
        >
          {index < task.done && <Icon name="check" size={14} />}
        </i>
      ))}
      <p>{words}</p>
    </div>
  )
}

function Worklist({ tasks, reading }: { readonly tasks: readonly Task[]; readonly reading: boolean }) {
  const { t } = useTranslation(['bench', 'common'])
  const open = useOpenTask()
  return (
    <section className="pane column" aria-labelledby="h-work">
      <div className="pane-h">
        <h2 id="h-work">{t('worklist')}</h2>
        {!reading && <span className="cnt">{t('worklistCount', { count: tasks.length })}</span>}
      </div>
      {tasks.length === 0 && (
        <p className="quiet-line">
          {reading ? t('common:loading', { what: t('worklist') }) : t('nothingElse')}
        </p>
      )}
      <div className="scroll grow" tabIndex={-1}>
        {tasks.length > 0 && (
          <table className="tb two work">
            <thead>
              <tr>
                <th style={{ width: 100 }}>{t('priority')}</th>
                <th>{t('task')}</th>
                <th style={{ width: 138 }}>{t('progress')}</th>
                <th style={{ width: 66 }}>{t('since')}</th>
                <th style={{ width: 128 }}>{t('state')}</th>
              </tr>
            </thead>
            <tbody>
              {tasks.map((task) => (
                <tr key={task.id} onClick={() => open(task)}>
                  <td>
                    <PriorityWord priority={task.priority} />
                  </td>
                  <td>
                    <p>
                      <button type="button" className="title ell">
                        {task.title}
                      </button>
                    </p>
                    <p className="ell">{task.facts}</p>
                  </td>
                  <td>
                    <span className="prog">
                      <Meter value={task.total === 0 ? 0 : (task.done / task.total) * 100} tone="now" thin />
                      {countText(task.done)} / {countText(task.total)}
                    </span>
                  </td>
                  <td className="t2 nowrap">{task.since === null ? '' : shortMoment(task.since)}</td>
                  <td>
                    <TaskState state={task.state} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  )
}

function TaskState({ state }: { readonly state: Task['state'] }) {
  const { t } = useTranslation('bench')
  switch (state) {
    case 'notStarted':
      return <Status tone="idle" word={t('notStarted')} />
    case 'inProgress':
      return <Status tone="now" word={t('inProgress')} />
    case 'needsYou':
      return <Status tone="warn" word={t('needsYou')} />
  }
}

const priorityIcons: Readonly<Record<Priority, IconName>> = {
  urgent: 'up2',
  high: 'up',
  normal: 'minus',
  low: 'dn',
}

function PriorityWord({ priority }: { readonly priority: Priority }) {
  const { t } = useTranslation('bench')
  return (
    <span className={`pr ${priority}`}>
      <Icon name={priorityIcons[priority]} size={16} />
      {t(priority)}
    </span>
  )
}

function InHand() {
  const { t } = useTranslation('bench')
  const mayStorage = useMay('storage:read')
  const held = useHeld()
  const types = useQuery(api.samples.types.queryOptions({ enabled: mayStorage, staleTime: 300_000 }))
  const items = held.data?.items ?? []
  return (
    <section className="pane rule-t" aria-labelledby="h-hand">
      <div className="pane-h">
        <h2 id="h-hand">{t('inHand')}</h2>
        <span className="cnt">{items.length === 0 ? '' : t('inHandCount', { count: items.length })}</span>
        <span className="end sm t3">{items.length === 0 ? t('inHandNone') : t('inHandHint')}</span>
      </div>
      {items.length > 0 && (
        <ul className="hand-list">
          {items.slice(0, 3).map((container) => (
            <li key={container.id}>
              <Cap
                material={container.material}
                letter={types.data?.find(({ key }) => key === container.material)?.letter ?? '·'}
              />
              <p className="md medium ell">
                {container.sampleId === null ? (
                  <CodeText>{container.label}</CodeText>
                ) : (
                  <Link className="whole" to="/samples/$id" params={{ id: container.sampleId }}>
                    <CodeText>{container.label}</CodeText>
                  </Link>
                )}
              </p>
              <p className="sm t3 ell">
                {container.reservedPlace === null
                  ? ''
                  : t('backTo', {
                      place: `${container.reservedPlace.boxName}, ${container.reservedPlace.position}`,
                    })}
              </p>
              <p className="out">
                <Status
                  tone="now"
                  icon="hand"
                  word={t('outSince', { time: container.since === null ? '' : shortMoment(container.since) })}
                />
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Alerts() {
  const { t } = useTranslation('bench')
  const alerts = useAlerts()
  return (
    <section className="alert-pane" aria-labelledby="h-alerts">
      <div className="pane-h">
        <h2 id="h-alerts">{t('alerts')}</h2>
        <span className="cnt">{alerts.length}</span>
      </div>
      {alerts.length === 0 ? (
        <p className="quiet-line">{t('noAlerts')}</p>
      ) : (
        <ul className="alert-list">
          {alerts.map((alert) => (
            <li key={alert.id} className={alert.tone}>
              <Icon name={alert.tone} />
              <h3>{alert.sentence}</h3>
              {alert.link === null ? (
                <span />
              ) : alert.link.to === '/storage/$boxId' ? (
                <Link className="link sm" to={alert.link.to} params={{ boxId: alert.link.boxId }}>
                  {t('openIt')}
                </Link>
              ) : (
                <Link className="link sm" to={alert.link.to}>
                  {t('openIt')}
                </Link>
              )}
              <p>{alert.detail}</p>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function useOpenTask(): (task: Task) => void {
  const navigate = useNavigate()
  return ({ place }) => {
    if (place === null) document.querySelector<HTMLElement>('#waiting-scans button')?.focus()
    else void navigate(place)
  }
}

function useMinute(): Date {
  const [now, setNow] = useState(() => new Date())
  useEffect(() => {
    const timer = window.setInterval(() => setNow(new Date()), 10_000)
    return () => window.clearInterval(timer)
  }, [])
  return now
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import type { EnrolledWorkstation } from '../../../platform/sync/contract.ts'
import { api, client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status, type StatusTone } from '../../components/status.tsx'
import { useSyncStatus } from '../../frame/sync-state.tsx'
import { countText, durationText, shortMoment } from '../../moments.ts'
import { BringBundleDialog } from './bring-bundle-dialog.tsx'
import { EnrolmentCodeDialog } from './enrolment-code-dialog.tsx'
import { TakeBundleDialog } from './take-bundle-dialog.tsx'

type Workstation = z.output<typeof EnrolledWorkstation>

/** Longer than a workstation that runs ever keeps quiet. */
const quietAfterMs = 3 * 60_000
const schemaTones: Readonly<Record<NonNullable<Workstation['schema']>, StatusTone>> = {
  same: 'ok',
  behind: 'warn',
  ahead: 'bad',
}

/** The workstations of the laboratory as the Hub knows them; a workstation says where that is. */
export function WorkstationsView() {
  const { t } = useTranslation('sync')
  const status = useSyncStatus()
  if (status.data === undefined) return null
  if (status.data.state === 'hub') return <Workstations />
  const { hubUrl } = status.data
  return (
    <div className="empty">
      <Icon name="laptop" size={24} />
      <p className="title">{t('stations.atHub')}</p>
      <p>{t(hubUrl === null ? 'stations.noHub' : 'stations.atHubHint')}</p>
      {hubUrl !== null && (
        <p>
          <CodeText>{hubUrl}</CodeText>
        </p>
      )}
    </div>
  )
}

function Workstations() {
  const { t } = useTranslation('sync')
  const [making, setMaking] = useState(false)
  const [revoking, setRevoking] = useState<Workstation | null>(null)
  const [bringing, setBringing] = useState(false)
  const [takingTo, setTakingTo] = useState<Pick<Workstation, 'id' | 'name'> | null>(null)
  const list = useQuery(api.sync.workstations.queryOptions({ refetchInterval: 5_000 }))
  const add = (
    <button className="btn btn-1" type="button" onClick={() => setMaking(true)}>
      <Icon name="plus" size={16} />
      {t('stations.makeCode')}
    </button>
  )
  return (
    <section className="stations scroll" tabIndex={0} aria-label={t('view.workstations')}>
      {list.isError && (
        <ProblemNotice what={t('view.workstations')} error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.data?.items.length === 0 && (
        <EmptyState icon="laptop" title={t('stations.none')} hint={t('stations.noneHint')}>
          {add}
        </EmptyState>
      )}
      {list.data !== undefined && list.data.items.length > 0 && (
        <>
          <div className="pane-h">
            <h2>{t('view.workstations')}</h2>
            <span className="cnt">{list.data.items.length}</span>
            <span className="end">
              <button className="btn" type="button" onClick={() => setBringing(true)}>
                <Icon name="upload" size={16} />
                {t('bundle.bring')}
              </button>
              {add}
            </span>
          </div>
          <table className="tb two">
            <thead>
              <tr>
                <th>{t('stations.name')}</th>
                <th>{t('stations.state')}</th>
                <th>{t('stations.seen')}</th>
                <th className="num">{t('stations.lag')}</th>
                <th>{t('stations.schema')}</th>
                <th>{t('clock')}</th>
                <th>
                  <span className="vh">{t('stations.acts')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.data.items.map((station) => (
                <tr key={station.id}>
                  <td>
                    <p>{station.name}</p>
                    <p title={station.fingerprint}>
                      {t('stations.since', { time: shortMoment(station.enrolledAt) })} ·{' '}
                      <CodeText>{station.fingerprint.slice(0, 12)}</CodeText>
                    </p>
                  </td>
                  <td>
                    <Seen station={station} />
                  </td>
                  <td className="nowrap">
                    {station.lastSeenAt === null ? t('never') : shortMoment(station.lastSeenAt)}
                  </td>
                  <td className="num nowrap">
                    <p>
                      {station.lag === 0
                        ? t('stations.current')
                        : t('stations.behindBy', { shown: countText(station.lag), count: station.lag })}
                    </p>
                    <p>{t('stations.at', { shown: countText(station.position) })}</p>
                  </td>
                  <td>
                    {station.schema === null ? (
                      '–'
                    ) : (
                      <Status
                        tone={schemaTones[station.schema]}
                        word={t(`stations.schemas.${station.schema}`)}
                      />
                    )}
                  </td>
                  <td className="nowrap">{clockText(station.clockSkewMs)}</td>
                  <td className="num">
                    {station.revokedAt === null && (
                      <span className="row-acts">
                        <button
                          className="btn btn-sm"
                          type="button"
                          aria-label={t('bundle.takeFor', { name: station.name })}
                          onClick={() => setTakingTo(station)}
                        >
                          {t('bundle.take')}
                        </button>
                        <button className="btn btn-sm" type="button" onClick={() => setRevoking(station)}>
                          {t('stations.revoke')}
                        </button>
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <Refusals workstations={list.data.items} />
        </>
      )}
      {bringing && (
        <BringBundleDialog
          at="hub"
          onAnswer={(workstation) => {
            setBringing(false)
            setTakingTo(workstation)
          }}
          onClose={() => setBringing(false)}
        />
      )}
      {takingTo !== null && <TakeBundleDialog workstation={takingTo} onClose={() => setTakingTo(null)} />}
      {making && <EnrolmentCodeDialog onClose={() => setMaking(false)} />}
      {revoking !== null && (
        <ConfirmDialog
          title={t('stations.revokeTitle', { name: revoking.name })}
          words={t('stations.revokeWords')}
          confirmLabel={t('stations.revoke')}
          withReason
          onConfirm={async (reason) => {
            await client.sync.revokeWorkstation({ id: revoking.id, reason })
          }}
          onClose={() => setRevoking(null)}
        />
      )}
    </section>
  )
}

/** What the Hub did not take, newest first: a wrong answer of a key, a journal that was changed, a stick for somebody else. */
function Refusals({ workstations }: { readonly workstations: readonly Workstation[] }) {
  const { t } = useTranslation('sync')
  const list = useQuery(api.sync.refusals.queryOptions({ refetchInterval: 30_000 }))
  const nameOf = (id: string) => workstations.find((each) => each.id === id)?.name ?? t('anotherWorkstation')
  if (list.isError)
    return <ProblemNotice what={t('refusals.title')} error={list.error} onRetry={() => void list.refetch()} />
  if (list.data === undefined || list.data.items.length === 0) return null
  return (
    <section aria-labelledby="refusals">
      <div className="pane-h">
        <h2 id="refusals">{t('refusals.title')}</h2>
        <span className="cnt">{countText(list.data.items.length)}</span>
      </div>
      <p className="quiet-line">{t('refusals.hint')}</p>
      <table className="tb">
        <thead>
          <tr>
            <th>{t('time')}</th>
            <th>{t('stations.name')}</th>
            <th>{t('refusals.why')}</th>
          </tr>
        </thead>
        <tbody>
          {list.data.items.map(({ at, workstationId, code, words }, index) => (
            <tr key={`${at} ${String(index)}`}>
              <td className="nowrap">{shortMoment(at)}</td>
              <td className="nowrap">{nameOf(workstationId)}</td>
              <td title={code}>{words}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

/** Whether it takes part, and whether it was heard of lately. */
function Seen({ station }: { readonly station: Workstation }) {
  const { t } = useTranslation('sync')
  if (station.revokedAt !== null)
    return (
      <Status tone="idle" icon="ban" word={t('stations.revoked', { time: shortMoment(station.revokedAt) })} />
    )
  if (station.lastSeenAt === null) return <Status tone="idle" word={t('stations.notYet')} />
  return Date.now() - Date.parse(station.lastSeenAt) > quietAfterMs ? (
    <Status tone="warn" icon="minus" word={t('stations.quiet')} />
  ) : (
    <Status tone="ok" word={t('stations.inTouch')} />
  )
}

function clockText(skewMs: number | null): string {
  if (skewMs === null) return '–'
  const size = durationText(Math.abs(skewMs))
  return skewMs === 0 ? '0' : `${skewMs > 0 ? '+' : '−'}${size}`
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { DeviceStatus, Scan } from '../../../main/devices/contract.ts'
import { api, client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { DataGrid, type GridColumn } from '../../components/data-grid.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status, type StatusTone } from '../../components/status.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText, shortMoment, wholeMoment } from '../../moments.ts'
import { useScanIntake, useScanState } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { ScannerDialog } from './scanner-dialog.tsx'
import './devices.css'

const tones: Readonly<Record<DeviceStatus['state'], StatusTone>> = {
  starting: 'now',
  ready: 'ok',
  waiting: 'warn',
  failed: 'bad',
  stopped: 'idle',
}

/** Scanners of this workstation and what they read. */
export function DevicesScreen() {
  const { t } = useTranslation(['devices', 'frame'])
  const may = useMay('devices:manage')
  const list = useQuery(api.devices.list.queryOptions({ refetchInterval: 30_000 }))
  // The feed tells of changes at once; the list is there when the feed is not.
  const live = useScanIntake().devices
  const devices = live.length > 0 ? live : (list.data ?? [])
  const [editing, setEditing] = useState<DeviceStatus | 'new' | null>(null)
  const [removing, setRemoving] = useState<DeviceStatus | null>(null)
  usePageSubject(t('frame:screens.devices'), t('context', { count: devices.length }))
  if (list.isError && devices.length === 0) {
    return <ProblemNotice what={t('scanners')} error={list.error} onRetry={() => void list.refetch()} />
  }
  return (
    <div className="devices">
      <section aria-labelledby="h-scanners" className="column">
        <div className="pane-h">
          <h2 id="h-scanners">{t('scanners')}</h2>
          {may && (
            <span className="end">
              <button className="btn" type="button" onClick={() => setEditing('new')}>
                <Icon name="plus" size={16} />
                {t('add')}
              </button>
            </span>
          )}
        </div>
        <ul className="device-list">
          {devices.map((device) => (
            <li key={device.id}>
              <Icon name="scanner" size={24} />
              <div>
                <h3>
                  {device.name} <CodeText>{device.settings.path}</CodeText>
                </h3>
                <p className="sm t2">{device.words}</p>
                <p className="sm t3">
                  {t('scans')}: {countText(device.scans)} · {t('lastScan')}:{' '}
                  {device.lastScanAt === null ? t('never') : shortMoment(device.lastScanAt)}
                </p>
                {device.lastDropped !== null && (
                  <p className="sm warn-t">{t('dropped', { words: device.lastDropped })}</p>
                )}
              </div>
              <Status tone={tones[device.state]} word={t(`states.${device.state}`)} />
              {may && (
                <span className="acts">
                  <button className="btn btn-sm" type="button" onClick={() => setEditing(device)}>
                    {t('change')}
                  </button>
                  <button className="btn btn-sm" type="button" onClick={() => setRemoving(device)}>
                    {t('remove')}
                  </button>
                </span>
              )}
            </li>
          ))}
          {devices.length === 0 && list.isSuccess && (
            <li className="none">
              <EmptyState icon="scanner" title={t('empty')} hint={t('emptyHint')} />
            </li>
          )}
          <li>
            <Icon name="laptop" size={24} />
            <div>
              <h3>{t('keyboard')}</h3>
              <p className="sm t2">{t('keyboardWords')}</p>
            </div>
            <Status tone="ok" word={t('states.ready')} />
          </li>
        </ul>
      </section>
      <History />
      {editing !== null && (
        <ScannerDialog device={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />
      )}
      {removing !== null && (
        <ConfirmDialog
          title={t('removeTitle', { name: removing.name })}
          words={t('removeWords')}
          confirmLabel={t('remove')}
          onConfirm={async () => {
            await client.devices.removeScanner({ id: removing.id })
            await list.refetch()
          }}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  )
}

function History() {
  const { t } = useTranslation('devices')
  const { flash } = useScanState()
  const recent = useQuery(
    // Each result is one more line: the count in the key reads them anew.
    {
      ...api.devices.recentScans.queryOptions({ input: { limit: 200 } }),
      placeholderData: (before: Scan[] | undefined) => before,
      queryKey: ['recent-scans', flash.count],
    },
  )
  const columns: readonly GridColumn<Scan>[] = [
    {
      key: 'time',
      head: t('columns.time'),
      width: '176px',
      cell: ({ receivedAt }) => wholeMoment(receivedAt),
    },
    {
      key: 'code',
      head: t('columns.code'),
      width: 'minmax(160px, 1fr)',
      cell: ({ text }) => <CodeText>{text}</CodeText>,
    },
    { key: 'from', head: t('columns.from'), width: '100px', cell: ({ source }) => t(`source.${source}`) },
    {
      key: 'state',
      head: t('state'),
      width: '120px',
      cell: ({ state }) => (
        <Status
          tone={state === 'waiting' ? 'warn' : state === 'acted' ? 'ok' : 'idle'}
          word={t(`scanState.${state}`)}
        />
      ),
    },
    {
      key: 'result',
      head: t('columns.result'),
      width: 'minmax(200px, 2fr)',
      cell: ({ summary }) => summary,
    },
  ]
  return (
    <section aria-labelledby="h-history" className="column rule-t">
      <div className="pane-h">
        <h2 id="h-history">{t('history')}</h2>
      </div>
      <div className="grow history">
        {recent.isError ? (
          <ProblemNotice what={t('history')} error={recent.error} onRetry={() => void recent.refetch()} />
        ) : (
          <DataGrid
            label={t('history')}
            columns={columns}
            rows={recent.data ?? []}
            rowKey={({ scanId }) => scanId}
            empty={recent.isSuccess ? <p className="quiet-line choose">{t('historyEmpty')}</p> : undefined}
          />
        )}
      </div>
    </section>
  )
}

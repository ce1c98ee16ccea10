import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import type { Shipment } from '../../../services/shipments/contract.ts'
import { api } from '../../client.ts'
import { DataGrid, type GridColumn } from '../../components/data-grid.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { shortMoment } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { useScanMeaning } from '../../scan/scanning.ts'
import { useMay, useMe } from '../../session/session-store.ts'
import { usePacking } from './packing-store.ts'
import { findArrival } from './receive-by-scan.ts'
import { ShipmentStatus } from './shipment-status.tsx'
import { WithHub, WithoutHub } from './without-hub.tsx'
import './shipments.css'

const pageSize = 50
/** What another laboratory does is told by no feed. */
export const askAgainMs = 10_000

/** What this laboratory ships and what is on its way to it. A scanned tube opens the shipment that it came with. */
export function ShipmentsScreen() {
  return (
    <WithHub>
      <ShipmentList />
    </WithHub>
  )
}

function ShipmentList() {
  const { t } = useTranslation(['shipments', 'common'])
  const navigate = useNavigate()
  const { direction } = useSearch({ from: '/shipments' })
  const { laboratory, user } = useMe()
  const maySend = useMay('shipments:send')
  const mayReceive = useMay('shipments:receive')
  const packing = usePacking()
  const packed = packing.userId === user.id ? packing.samples.length : 0
  const list = useInfiniteQuery({
    ...api.shipments.list.infiniteOptions({
      input: (cursor: string | undefined) => ({ direction: direction ?? 'both', limit: pageSize, cursor }),
      initialPageParam: undefined,
      getNextPageParam: (page) => page.nextCursor ?? undefined,
    }),
    refetchInterval: askAgainMs,
  })
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data])
  const coming = rows.filter((each) => each.to.id === laboratory.id && isUnderWay(each)).length
  usePageSubject(t('title'), coming === 0 ? '' : t('context', { count: coming }))
  useScanMeaning(
    mayReceive
      ? {
          sentence: t('scan.list'),
          elseSentence: t('scan.listElse'),
          handle: (_scan, resolved) => findArrival(resolved),
        }
      : null,
  )

  const columns: readonly GridColumn<Shipment>[] = [
    {
      key: 'number',
      head: t('number'),
      width: '132px',
      cell: ({ number, to }) => (
        <span className="ship-way">
          <Icon name={to.id === laboratory.id ? 'receive' : 'truck'} size={16} />
          <span className="medium">{t('numbered', { number })}</span>
        </span>
      ),
    },
    {
      key: 'partner',
      head: t('partner'),
      width: 'minmax(160px, 1.4fr)',
      cell: ({ from, to }) =>
        to.id === laboratory.id ? t('fromName', { name: from.name }) : t('toName', { name: to.name }),
    },
    {
      key: 'samples',
      head: t('samples'),
      width: '104px',
      align: 'end',
      cell: ({ items }) => countReceived(items, t),
    },
    {
      key: 'state',
      head: t('stateHead'),
      width: '168px',
      cell: ({ state }) => <ShipmentStatus state={state} />,
    },
    {
      key: 'parcel',
      head: t('parcel'),
      width: 'minmax(120px, 1fr)',
      cell: ({ carrier, reference }) => parcelWords(carrier, reference),
    },
    { key: 'why', head: t('why'), width: 'minmax(120px, 1fr)', cell: ({ reason }) => reason },
    { key: 'sent', head: t('sent'), width: '116px', cell: ({ sentAt }) => shortMoment(sentAt) },
  ]

  return (
    <div className="ship-list">
      <div className="ship-bar">
        <Segmented
          label={t('which')}
          options={[
            { value: 'both', label: t('both') },
            { value: 'in', label: t('in') },
            { value: 'out', label: t('out') },
          ]}
          value={direction ?? 'both'}
          onChange={(value) =>
            void navigate({
              to: '/shipments',
              search: { direction: value === 'both' ? undefined : value },
              replace: true,
            })
          }
        />
        {maySend && (
          <button type="button" className="btn btn-1 end" onClick={() => goTo({ to: '/shipments/new' })}>
            <Icon name="plus" size={16} />
            {packed === 0 ? t('make') : t('goOnPacking', { count: packed })}
          </button>
        )}
      </div>
      <div className="ship-rows">
        {list.isError ? (
          <WithoutHub error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <DataGrid
            label={t('title')}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            onOpen={({ id }) => goTo({ to: '/shipments/$id', params: { id } })}
            onEndReached={() => {
              if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage()
            }}
            rowTone={(row) => toneOf(row, laboratory.id)}
            empty={
              list.isPending ? (
                <p className="t3 ship-wait" role="status">
                  {t('reading')}
                </p>
              ) : (
                <EmptyState icon="truck" title={t(`empty.${direction ?? 'both'}`)} hint={t('emptyHint')}>
                  {maySend && (
                    <button
                      type="button"
                      className="btn btn-1 btn-lg"
                      onClick={() => goTo({ to: '/shipments/new' })}
                    >
                      {t('make')}
                    </button>
                  )}
                </EmptyState>
              )
            }
          />
        )}
      </div>
    </div>
  )
}

/** Something of it is still to be done by its receiver. */
export function isUnderWay({ state }: Shipment): boolean {
  return state === 'travelling' || state === 'partly_received'
}

/** What waits for somebody of this laboratory stands out: a parcel that came back, or of which something is missing. */
function toneOf({ state, from }: Shipment, laboratoryId: string): 'warn' | undefined {
  const isTurned = state === 'turned_back' && from.id === laboratoryId
  return isTurned || state === 'partly_received' ? 'warn' : undefined
}

export function parcelWords(carrier: string, reference: string): string {
  return [carrier, reference].filter((word) => word !== '').join(' ')
}

function countReceived(
  items: Shipment['items'],
  t: ReturnType<typeof useTranslation<['shipments', 'common']>>['t'],
): string {
  const received = items.filter(({ state }) => state === 'received').length
  return received === 0 || received === items.length
    ? String(items.length)
    : t('common:ofTotal', { done: received, total: items.length })
}

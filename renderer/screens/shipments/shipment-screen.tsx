import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Shipment, ShipmentId } from '../../../services/shipments/contract.ts'
import { api, client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import type { IconName } from '../../components/drawings.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { Meter } from '../../components/meter.tsx'
import { Notice } from '../../components/notice.tsx'
import { Timeline } from '../../components/timeline.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { wholeMoment } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { problemCode } from '../../problem.ts'
import { scanEngine, useScanMeaning } from '../../scan/scanning.ts'
import { useMay, useMe } from '../../session/session-store.ts'
import { putAwaySamples } from '../storage/take-received.ts'
import { receiveByScan } from './receive-by-scan.ts'
import { ShipBackDialog } from './ship-back-dialog.tsx'
import { ShipmentItems } from './shipment-items.tsx'
import { type ShipmentItem, ShipmentStatus, standingOf } from './shipment-status.tsx'
import { askAgainMs, parcelWords } from './shipments-screen.tsx'
import { TakeInDialog } from './take-in-dialog.tsx'
import { WithoutHub } from './without-hub.tsx'
import './shipments.css'

/** One shipment: its samples, its story, and what is to be done next here. */
export function ShipmentScreen({ id }: { readonly id: string }) {
  const { t } = useTranslation('shipments')
  const shipmentId = ShipmentId.safeParse(id)
  const input = { id: shipmentId.data ?? ShipmentId.parse(noId) }
  const shipment = useQuery(
    api.shipments.get.queryOptions({ input, enabled: shipmentId.success, refetchInterval: askAgainMs }),
  )
  usePageSubject(
    t('shipment'),
    shipment.data === undefined ? '' : t('numbered', { number: shipment.data.number }),
  )
  if (!shipmentId.success || problemCode(shipment.error) === 'NOT_FOUND')
    return (
      <EmptyState icon="truck" title={t('unknown')} hint={t('unknownHint')}>
        <button type="button" className="btn" onClick={() => goTo({ to: '/shipments' })}>
          {t('toList')}
        </button>
      </EmptyState>
    )
  if (shipment.data !== undefined) return <ShipmentPage shipment={shipment.data} />
  return shipment.isError ? (
    <WithoutHub error={shipment.error} onRetry={() => void shipment.refetch()} />
  ) : (
    <p className="t3 ship-wait" role="status">
      {t('readingOne')}
    </p>
  )
}

const noId = '00000000-0000-4000-8000-000000000000'

type Dialog = 'take-in' | 'turn-back' | 'take-back' | 'ship-back' | { readonly turnBack: ShipmentItem }

function ShipmentPage({ shipment }: { readonly shipment: Shipment }) {
  const { t } = useTranslation('shipments')
  const { laboratory } = useMe()
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const isIncoming = shipment.to.id === laboratory.id
  const mayReceive = useMay('shipments:receive') && isIncoming
  const waiting = shipment.items.filter(({ state }) => state === 'travelling')
  const isReceiving = mayReceive && waiting.length > 0
  useScanMeaning(
    isReceiving
      ? {
          sentence: t('scan.page', { number: shipment.number }),
          elseSentence: t('scan.pageElse'),
          handle: (_scan, resolved) => receiveByScan(shipment, resolved),
        }
      : null,
  )
  const close = () => setDialog(null)
  const here = { id: shipment.id }
  const turnedBack = dialog !== null && typeof dialog === 'object' ? dialog.turnBack : null
  const some = turnedBack === null ? {} : { sampleIds: [turnedBack.sampleId] }
  return (
    <div className="ship">
      <header className="ship-head">
        <span className={`ship-mark ${isIncoming ? 'in' : 'out'}`}>
          <Icon name={isIncoming ? 'receive' : 'truck'} size={24} />
        </span>
        <div className="grow">
          <h2>
            {isIncoming
              ? t('headIn', { name: shipment.from.name })
              : t('headOut', { name: shipment.to.name })}
            <ShipmentStatus state={shipment.state} chip />
          </h2>
          <p className="t2">{describe(shipment, t)}</p>
        </div>
        <Acts shipment={shipment} isIncoming={isIncoming} onOpen={setDialog} />
      </header>
      {isReceiving && waiting.some(isTakeable) && <Found shipment={shipment} />}
      <Attention shipment={shipment} isIncoming={isIncoming} />
      <div className="ship-panes">
        <ShipmentItems
          shipment={shipment}
          isIncoming={isIncoming}
          isReceiving={isReceiving}
          onTurnBack={(turnBack) => setDialog({ turnBack })}
        />
        <section className="column rule-l" aria-label={t('story')}>
          <div className="pane-h rule-b">
            <h2>{t('story')}</h2>
          </div>
          <div className="scroll" tabIndex={0} role="group" aria-label={t('story')}>
            <Timeline label={t('story')} entries={storyOf(shipment, t)} />
          </div>
          <ReturnOf shipment={shipment} />
        </section>
      </div>
      {dialog === 'take-in' && <TakeInDialog shipment={shipment} onClose={close} />}
      {dialog === 'ship-back' && <ShipBackDialog shipment={shipment} onClose={close} />}
      {(dialog === 'turn-back' || turnedBack !== null) && (
        <ConfirmDialog
          title={
            turnedBack === null ? t('turnBack.title') : t('turnBack.titleOne', { name: turnedBack.name })
          }
          words={t('turnBack.words', { from: shipment.from.name })}
          confirmLabel={t('turnBack.act')}
          withReason
          onConfirm={async (reason) => {
            await client.shipments.turnBack({ ...here, ...some, reason })
            scanEngine.announce({ tone: 'ok', sentence: t('turnBack.done', { from: shipment.from.name }) })
          }}
          onClose={close}
        />
      )}
      {dialog === 'take-back' && (
        <ConfirmDialog
          title={t('takeBack.title', { count: waiting.length })}
          words={t('takeBack.words', { to: shipment.to.name })}
          confirmLabel={t('takeBack.act')}
          withReason
          onConfirm={async (reason) => {
            await client.shipments.cancel({ ...here, reason })
            scanEngine.announce({ tone: 'ok', sentence: t('takeBack.done') })
          }}
          onClose={close}
        />
      )}
    </div>
  )
}

/** What can be done with it here, by whom. */
function Acts({
  shipment,
  isIncoming,
  onOpen,
}: {
  readonly shipment: Shipment
  readonly isIncoming: boolean
  readonly onOpen: (dialog: Dialog) => void
}) {
  const { t } = useTranslation('shipments')
  const maySend = useMay('shipments:send')
  const mayReceive = useMay('shipments:receive')
  const mayPlace = useMay('storage:place')
  const { items } = shipment
  const waiting = items.filter(({ state }) => state === 'travelling')
  const received = items.filter(({ state }) => state === 'received')
  const toTakeIn = waiting.filter(isTakeable)
  const sampleIds = received.map(({ sampleId }) => sampleId)
  const tubes = useQuery(
    api.storage.containersOfSamples.queryOptions({
      ...{ input: { sampleIds }, enabled: isIncoming && mayPlace && sampleIds.length > 0 },
    }),
  )
  // A workstation has them once it has followed the Hub.
  const inHand = (tubes.data ?? []).some(({ state }) => state === 'unplaced')
  if (!isIncoming)
    return maySend && waiting.length > 0 ? (
      <div className="ship-acts">
        <button type="button" className="btn btn-lg" onClick={() => onOpen('take-back')}>
          <Icon name="return" />
          {t('takeBack.open')}
        </button>
      </div>
    ) : null
  return (
    <div className="ship-acts">
      {mayReceive && toTakeIn.length > 0 && (
        <button type="button" className="btn btn-lg" onClick={() => onOpen('turn-back')}>
          <Icon name="return" />
          {t('turnBack.open')}
        </button>
      )}
      {maySend && received.length > 0 && (
        <button type="button" className="btn btn-lg" onClick={() => onOpen('ship-back')}>
          <Icon name="truck" />
          {t('shipBack.open')}
        </button>
      )}
      {mayPlace && inHand && (
        <button
          type="button"
          className={`btn btn-lg${toTakeIn.length === 0 ? ' btn-1' : ''}`}
          onClick={() => void putAwaySamples(sampleIds)}
        >
          <Icon name="freezer" />
          {t('putAway')}
        </button>
      )}
      {mayReceive && toTakeIn.length > 0 && (
        <button type="button" className="btn btn-1 btn-lg" onClick={() => onOpen('take-in')}>
          <Icon name="receive" />
          {t('takeIn.open')}
        </button>
      )}
    </div>
  )
}

/** It may still become a sample of this laboratory. */
function isTakeable({ state, checkedOff, turnedBack }: ShipmentItem): boolean {
  return state === 'travelling' && (checkedOff || turnedBack === null)
}

/** How much of the parcel has been found. */
function Found({ shipment }: { readonly shipment: Shipment }) {
  const { t } = useTranslation(['shipments', 'common'])
  const waiting = shipment.items.filter(({ state }) => state === 'travelling')
  const found = waiting.filter(({ checkedOff }) => checkedOff).length
  return (
    <div className="ship-found" role="status">
      <p>
        <b>{t('common:ofTotal', { done: found, total: waiting.length })}</b> {t('found')}
      </p>
      <Meter value={(found / waiting.length) * 100} tone={found === waiting.length ? 'ok' : 'now'} />
    </div>
  )
}

/** What somebody must do about it, said before anything else. */
function Attention({ shipment, isIncoming }: { readonly shipment: Shipment; readonly isIncoming: boolean }) {
  const { t } = useTranslation('shipments')
  const { items, from, to } = shipment
  const waiting = items.filter(({ state }) => state === 'travelling')
  const turned = waiting.filter((item) => standingOf(item) === 'turnedBack')
  const missing = waiting.filter((item) => standingOf(item) === 'missing')
  const held = items.filter(
    ({ state, words }) => words !== null && state !== 'received' && state !== 'cancelled',
  )
  return (
    <>
      {turned.length > 0 && (
        <Notice tone="warn" detail={turned[0]?.turnedBack ?? ''}>
          {isIncoming
            ? t('attention.turnedHere', { count: turned.length, from: from.name })
            : t('attention.turnedThere', { count: turned.length, to: to.name })}
        </Notice>
      )}
      {missing.length > 0 && (
        <Notice tone="warn" detail={missing.map(({ name }) => name).join(', ')}>
          {isIncoming
            ? t('attention.missingHere', { count: missing.length })
            : t('attention.missingThere', { count: missing.length, to: to.name })}
        </Notice>
      )}
      {held.length > 0 && (
        <Notice tone="bad" detail={held.map(({ words }) => words).join(' ')}>
          {t('attention.held', { count: held.length })}
        </Notice>
      )}
    </>
  )
}

/** The shipment with which these samples had come. */
function ReturnOf({ shipment: { returnOf } }: { readonly shipment: Shipment }) {
  const { t } = useTranslation('shipments')
  if (returnOf === null) return null
  return (
    <p className="ship-return rule-t">
      <button
        type="button"
        className="link"
        onClick={() => goTo({ to: '/shipments/$id', params: { id: returnOf } })}
      >
        {t('returnOf')}
      </button>
    </p>
  )
}

type Translate = ReturnType<typeof useTranslation<'shipments'>>['t']

function describe({ number, carrier, reference, reason, sentAt }: Shipment, t: Translate): string {
  return [t('numbered', { number }), parcelWords(carrier, reference), reason, wholeMoment(sentAt)]
    .filter((word) => word !== '')
    .join(' · ')
}

const eventIcons: Readonly<Record<Shipment['events'][number]['what'], IconName>> = {
  sent: 'truck',
  received: 'receive',
  missing: 'bad',
  turned_back: 'return',
  taken_back: 'return',
}

function storyOf({ events }: Shipment, t: Translate) {
  return events.map((event) => ({
    id: `${event.at} ${event.what}`,
    at: event.at,
    icon: eventIcons[event.what],
    ...(event.what === 'missing' ? { tone: 'bad' as const } : {}),
    ...(event.what === 'turned_back' ? { tone: 'warn' as const } : {}),
    ...(event.what === 'received' ? { tone: 'ok' as const } : {}),
    sentence: (
      <>
        <b>{t(`event.${event.what}`)}</b> {t('eventAt', { count: event.samples, where: event.laboratory })}
      </>
    ),
    ...(event.words === null ? {} : { detail: event.words }),
    by: event.by,
  }))
}

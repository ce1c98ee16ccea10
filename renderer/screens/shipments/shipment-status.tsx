import { useTranslation } from 'react-i18next'
import type { Shipment } from '../../../services/shipments/contract.ts'
import type { IconName } from '../../components/drawings.tsx'
import { Status, type StatusTone } from '../../components/status.tsx'

export type ShipmentItem = Shipment['items'][number]

const shipmentTones: Readonly<Record<Shipment['state'], readonly [StatusTone, IconName]>> = {
  sending: ['now', 'half'],
  travelling: ['now', 'truck'],
  turned_back: ['warn', 'return'],
  partly_received: ['warn', 'half'],
  received: ['ok', 'ok'],
  cancelled: ['idle', 'return'],
  refused: ['bad', 'bad'],
}

/** A shipment's state in its words. */
export function ShipmentStatus({
  state,
  chip = false,
}: {
  readonly state: Shipment['state']
  readonly chip?: boolean
}) {
  const { t } = useTranslation('shipments')
  const [tone, icon] = shipmentTones[state]
  return <Status tone={tone} icon={icon} word={t(`state.${state}`)} chip={chip} />
}

/** What is said of a sample in a shipment: its state, and while it travels what the receiver said of it. */
export function standingOf(item: ShipmentItem): ItemStanding {
  if (item.state !== 'travelling') return item.state
  if (item.checkedOff) return 'found'
  if (item.turnedBack !== null) return 'turnedBack'
  return item.missing ? 'missing' : 'travelling'
}

type ItemStanding = ShipmentItem['state'] | 'found' | 'missing' | 'turnedBack'

const itemTones: Readonly<Record<ItemStanding, readonly [StatusTone, IconName]>> = {
  sending: ['now', 'half'],
  refusing: ['bad', 'half'],
  travelling: ['now', 'truck'],
  found: ['ok', 'check'],
  missing: ['bad', 'bad'],
  turnedBack: ['warn', 'return'],
  cancelling: ['now', 'half'],
  arriving: ['now', 'half'],
  received: ['ok', 'ok'],
  refused: ['bad', 'bad'],
  cancelled: ['idle', 'return'],
}

/** The same in its words. */
export function ItemStatus({ item }: { readonly item: ShipmentItem }) {
  const { t } = useTranslation('shipments')
  const standing = standingOf(item)
  const [tone, icon] = itemTones[standing]
  return <Status tone={tone} icon={icon} word={t(`item.${standing}`)} />
}

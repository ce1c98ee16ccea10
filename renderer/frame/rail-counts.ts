import { useQuery } from '@tanstack/react-query'
import { api } from '../client.ts'
import type { ScreenEntry } from '../screens/screens.ts'
import { useMay, useMe } from '../session/session-store.ts'
import { useSyncStatus } from './sync-state.tsx'

/** What waits for a person in each screen. */
export function useRailCounts(): Partial<Record<ScreenEntry['key'], number>> {
  const mayImport = useMay('imports:read')
  const imports = useQuery(
    api.templates.listImports.queryOptions({
      input: { limit: 100 },
      enabled: mayImport,
      refetchInterval: 60_000,
    }),
  )
  const open =
    imports.data?.items.filter(({ state }) => state === 'mapping' || state === 'checking').length ?? 0
  const mayDecide = useMay('sync:read')
  const toDecide = useQuery(
    api.sync.workItems.queryOptions({ input: {}, enabled: mayDecide, refetchInterval: 30_000 }),
  )
  const shipments = useWaitingShipments()
  return { receive: open, shipments, sync: toDecide.data?.total ?? 0 }
}

/** What came and is not taken in, and what was turned back and is not here again. */
function useWaitingShipments(): number {
  const { laboratory } = useMe()
  const mayShip = useMay('shipments:read')
  const hasHub = useSyncStatus().data?.state !== 'not-enrolled'
  const newest = useQuery(
    api.shipments.list.queryOptions({
      ...{ input: { limit: 50 }, enabled: mayShip && hasHub, refetchInterval: 30_000, retry: false },
    }),
  )
  const waits = newest.data?.items.filter(({ state, to }) =>
    to.id === laboratory.id ? state === 'travelling' || state === 'partly_received' : state === 'turned_back',
  )
  return waits?.length ?? 0
}

import { useQuery } from '@tanstack/react-query'
import { api } from '../client.ts'
import type { ScreenEntry } from '../screens/screens.ts'
import { useMay } from '../session/session-store.ts'

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
  return { receive: open, sync: toDecide.data?.items.length ?? 0 }
}

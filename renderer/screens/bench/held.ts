import { useQuery } from '@tanstack/react-query'
import { api } from '../../client.ts'
import { useMay } from '../../session/session-store.ts'

/** Tubes that the person signed in has in hand, the longest out first. */
export function useHeld() {
  const mayStorage = useMay('storage:read')
  return useQuery(
    api.storage.listContainers.queryOptions({
      input: { heldByMe: true, limit: 100, sort: 'since' },
      enabled: mayStorage,
      refetchInterval: 60_000,
    }),
  )
}

import { useQuery } from '@tanstack/react-query'
import { useCallback } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { useMay, useMe } from '../../session/session-store.ts'

/** Names for the ids in the audit trail. Services act under their own names; an unknown id is shown as it is. */
export function usePeopleNames(): (actorId: string) => string {
  const { t } = useTranslation('audit')
  const { user } = useMe()
  const may = useMay('users:read')
  const people = useQuery(
    api.auth.listUsers.queryOptions({ input: { limit: 500 }, enabled: may, staleTime: 60_000 }),
  )
  const items = people.data?.items
  return useCallback(
    (actorId: string) => {
      if (actorId === '') return t('someone')
      if (actorId === user.id) return user.name
      return items?.find(({ id }) => id === actorId)?.name ?? actorId
    },
    [items, t, user.id, user.name],
  )
}

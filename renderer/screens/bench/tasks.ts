import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { useScanIntake } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { useHeld } from './held.ts'

export type Priority = 'urgent' | 'high' | 'normal' | 'low'

/** Where a task is done. Null: right here on the Bench. */
export type TaskPlace =
  | { readonly to: '/receive'; readonly search: { readonly import: string } }
  | { readonly to: '/samples'; readonly search: { readonly state: 'pending' } }
  | { readonly to: '/samples/$id'; readonly params: { readonly id: string } }
  | { readonly to: '/storage' }
  | { readonly to: '/system' }
  | null

export interface Task {
  readonly id: string
  readonly priority: Priority
  readonly title: string
  readonly facts: string
  readonly done: number
  readonly total: number
  readonly since: string | null
  readonly state: 'notStarted' | 'inProgress' | 'needsYou'
  readonly place: TaskPlace
}

const order: readonly Priority[] = ['urgent', 'high', 'normal', 'low']
const everyMs = 60_000

/** What waits for this person, most pressing first: made from the data itself, so it is never out of date. */
export function useTasks(): { readonly tasks: readonly Task[]; readonly reading: boolean } {
  const { t } = useTranslation('bench')
  const maySamples = useMay('samples:read')
  const mayImports = useMay('imports:read')
  const mayStorage = useMay('storage:read')
  const { review } = useScanIntake()
  const imports = useQuery(
    api.templates.listImports.queryOptions({
      input: { limit: 100 },
      enabled: mayImports,
      refetchInterval: everyMs,
    }),
  )
  const counts = useQuery(api.samples.counts.queryOptions({ enabled: maySamples, refetchInterval: everyMs }))
  const sagas = useQuery(
    api.samples.sagas.queryOptions({ input: { open: true }, enabled: maySamples, refetchInterval: everyMs }),
  )
  const unplaced = useQuery(
    api.storage.listContainers.queryOptions({
      input: { state: 'unplaced', limit: 500 },
      enabled: mayStorage,
      refetchInterval: everyMs,
    }),
  )

  const held = useHeld()

  const tasks: Task[] = []
  if (review.length > 0) {
    tasks.push({
      id: 'review',
      priority: 'urgent',
      title: t('tasks.review', { count: review.length }),
      facts: t('tasks.reviewFacts'),
      done: 0,
      total: review.length,
      since: review[0]?.receivedAt ?? null,
      state: 'needsYou',
      place: null,
    })
  }
  for (const saga of sagas.data ?? []) {
    if (saga.state !== 'paused' && saga.state !== 'failed') continue
    tasks.push({
      id: saga.id,
      priority: 'urgent',
      title: t('tasks.saga', { name: saga.name }),
      facts: [saga.step === null ? null : t('tasks.sagaStep', { step: saga.step }), saga.error]
        .filter((word) => word !== null)
        .join(' · '),
      done: 0,
      total: 1,
      since: saga.startedAt,
      state: 'needsYou',
      place: { to: '/system' },
    })
  }
  for (const { id, state, fileName, summary, createdAt } of imports.data?.items ?? []) {
    if (state !== 'mapping' && state !== 'checking') continue
    tasks.push({
      id,
      priority: 'high',
      title: t('tasks.import', { file: fileName }),
      facts: t('tasks.importFacts', {
        count: summary.rows,
        problems: summary.withErrors,
        confirm: summary.toConfirm,
      }),
      done: summary.saved,
      total: summary.rows,
      since: createdAt,
      state: state === 'checking' ? 'inProgress' : 'notStarted',
      place: { to: '/receive', search: { import: id } },
    })
  }
  const toPlace = unplaced.data?.items ?? []
  if (toPlace.length > 0) {
    tasks.push({
      id: 'place',
      priority: 'normal',
      title: t('tasks.place', { count: toPlace.length }),
      facts: t('tasks.placeFacts'),
      done: 0,
      total: toPlace.length,
      since: toPlace.map(({ since }) => since).find((since) => since !== null) ?? null,
      state: 'notStarted',
      place: { to: '/storage' },
    })
  }
  const pending = counts.data?.find(({ state }) => state === 'pending')?.count ?? 0
  if (pending > 0) {
    const all = (counts.data ?? []).reduce((sum, { count }) => sum + count, 0)
    tasks.push({
      id: 'validate',
      priority: 'normal',
      title: t('tasks.validate', { count: pending }),
      facts: t('tasks.validateFacts'),
      done: all - pending,
      total: all,
      since: null,
      state: all === pending ? 'notStarted' : 'inProgress',
      place: { to: '/samples', search: { state: 'pending' } },
    })
  }
  const inHand = held.data?.items ?? []
  const [longestOut] = inHand
  if (longestOut !== undefined) {
    const { label, since, sampleId } = longestOut
    tasks.push({
      id: 'return',
      priority: 'low',
      title: t('tasks.return', { count: inHand.length }),
      facts: t('tasks.returnFacts', { count: inHand.length, label }),
      done: 0,
      total: inHand.length,
      since,
      state: 'inProgress',
      place: sampleId === null ? { to: '/storage' } : { to: '/samples/$id', params: { id: sampleId } },
    })
  }
  tasks.sort((a, b) => order.indexOf(a.priority) - order.indexOf(b.priority))
  return { tasks, reading: [imports, counts, sagas, unplaced, held].some(({ isLoading }) => isLoading) }
}

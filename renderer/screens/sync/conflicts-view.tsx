import { useQuery } from '@tanstack/react-query'
import { type KeyboardEvent, useEffect, useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { WorkItemView } from '../../../platform/sync/contract.ts'
import { api } from '../../client.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { Status } from '../../components/status.tsx'
import { countText, shortMoment } from '../../moments.ts'
import { usePeopleNames } from '../audit/people-names.ts'
import { partWords } from '../audit/entry-words.ts'
import { inOrder, kindOf, mainTable } from './proposals.ts'
import { tableWords } from './field-words.ts'
import { ItemDetail } from './item-detail.tsx'
import { kindLooks } from './kind-looks.ts'

interface ConflictsViewProps {
  readonly openId: string | null
  readonly onOpen: (id: string | null) => void
}

/** What people must decide: the list, and one item with its two proposals. */
export function ConflictsView({ openId, onOpen }: ConflictsViewProps) {
  const { t } = useTranslation('sync')
  const list = useQuery(api.sync.workItems.queryOptions({ input: {}, refetchInterval: 5_000 }))
  // Decided at the Hub, and not gone here before this copy has followed it there.
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set())
  const items = useMemo(
    () => inOrder((list.data?.items ?? []).filter(({ id }) => !decided.has(id))),
    [list.data, decided],
  )
  const open = items.find(({ id }) => id === openId) ?? items[0]

  if (list.isError) {
    return <ProblemNotice what={t('view.conflicts')} error={list.error} onRetry={() => void list.refetch()} />
  }
  if (list.data === undefined) {
    return (
      <p className="quiet-line choose" role="status">
        {t('reading')}
      </p>
    )
  }
  if (open === undefined) {
    return <EmptyState icon="ok" title={t('noItems')} hint={t('noItemsHint')} />
  }
  return (
    <div className="conflicts">
      <ItemList items={items} later={list.data.total - list.data.items.length} open={open} onOpen={onOpen} />
      <ItemDetail
        key={open.id}
        item={open}
        others={items}
        onOpen={onOpen}
        onDecided={(id) => {
          setDecided((before) => new Set([...before, id]))
          onOpen(null)
          void list.refetch()
        }}
      />
    </div>
  )
}

interface ItemListProps {
  readonly items: readonly WorkItemView[]
  /** How many come when some of these are decided. */
  readonly later: number
  readonly open: WorkItemView
  readonly onOpen: (id: string) => void
}

/** One tab stop; the arrows go from item to item and open it. */
function ItemList({ items, later, open, onOpen }: ItemListProps) {
  const { t } = useTranslation('sync')
  const { t: audit } = useTranslation('audit')
  const nameOf = usePeopleNames()
  const [moved, setMoved] = useState(false)

  useEffect(() => {
    if (moved) document.getElementById(`item-${open.id}`)?.focus()
  }, [moved, open.id])

  function onKeyDown(event: KeyboardEvent): void {
    const at = items.indexOf(open)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key]
    const next = to === undefined ? undefined : items[to]
    if (next === undefined) return
    event.preventDefault()
    setMoved(true)
    onOpen(next.id)
  }

  return (
    <nav className="item-list scroll" aria-label={t('view.conflicts')} onKeyDown={onKeyDown}>
      <div className="pane-h rule-b">
        <h2>{t('toDecideShort')}</h2>
        <span className="cnt">{countText(items.length)}</span>
      </div>
      <ul>
        {items.map((item) => {
          const kind = kindOf(item)
          const [tone, icon] = kindLooks[kind]
          const table = mainTable(item)
          const { pushed } = item
          return (
            <li key={item.id}>
              <button
                id={`item-${item.id}`}
                type="button"
                className="focus-in"
                aria-current={item.id === open.id ? 'true' : undefined}
                tabIndex={item.id === open.id ? 0 : -1}
                onClick={() => onOpen(item.id)}
              >
                <span className="top">
                  <Status tone={tone} icon={icon} word={t(`kind.${kind}`)} />
                  <time className="t3" dateTime={item.openedAt}>
                    {shortMoment(item.openedAt)}
                  </time>
                </span>
                <span className="ell medium">
                  {partWords(item.domain, audit)}
                  {table !== '' && ` · ${tableWords(table, t)}`}
                </span>
                <span className="ell t2">
                  {pushed === null
                    ? kind === 'contested'
                      ? t('claimedShort')
                      : item.words
                    : t('byAt', {
                        who: nameOf(pushed.actorId),
                        where: pushed.workstationName ?? t('anotherWorkstation'),
                      })}
                </span>
              </button>
            </li>
          )
        })}
      </ul>
      {later > 0 && (
        <p className="quiet-line later">{t('later', { count: later, shown: countText(later) })}</p>
      )}
    </nav>
  )
}

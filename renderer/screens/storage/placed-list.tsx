import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import type { BoxContents } from '../../components/box/box-colours.ts'
import { CodeText } from '../../components/sentence.tsx'
import { UndoRing } from '../../components/undo-ring.tsx'
import { shortMoment } from '../../moments.ts'
import { scanEngine, useScanState } from '../../scan/scanning.ts'
import { useSitting } from './placing-store.ts'

const shownLength = 12

/** What was placed in this box and is still there, newest first; the newest with their undo. */
export function PlacedList({ map }: { readonly map: BoxContents }) {
  const { t } = useTranslation('storage')
  const { recent } = useSitting()
  const { feed } = useScanState()
  const history = useQuery(
    api.storage.history.queryOptions({
      input: { boxId: map.box.id, what: ['placed', 'moved', 'returned'], limit: 100 },
    }),
  )
  const seen = new Set<string>()
  const placed = (history.data?.items ?? []).filter(({ containerId, toPosition }) => {
    if (toPosition?.boxId !== map.box.id || seen.has(containerId)) return false
    seen.add(containerId)
    const at = map.positions.find(({ label }) => label === toPosition.position)
    return at?.state === 'occupied' && at.container?.id === containerId
  })
  if (placed.length === 0) return null
  const today = new Date().toDateString()
  const todayCount = placed.filter(({ at }) => new Date(at).toDateString() === today).length

  function undoOf(containerId: string, position: string) {
    const placement = recent.find((each) => each.containerId === containerId && each.position === position)
    if (placement === undefined) return null
    return feed.find(({ undo }) => undo?.run === placement.undo) ?? null
  }

  return (
    <section className="sec done" aria-labelledby="storage-placed">
      <h2 id="storage-placed">
        {t('placedHere')}
        {todayCount > 0 && t('placedToday', { count: todayCount })}
      </h2>
      <ol>
        {placed.slice(0, shownLength).map(({ id, containerId, label, toPosition, at }) => {
          const position = toPosition?.position ?? ''
          const item = undoOf(containerId, position)
          const until = item?.undo?.until ?? 0
          return (
            <li key={id}>
              <b>{position}</b>
              <span className="ell">
                <CodeText>{label}</CodeText>
              </span>
              {item !== null && until > Date.now() ? (
                <UndoRing
                  until={until}
                  onUndo={() => void scanEngine.undo(item.id)}
                  className="btn btn-sm link"
                />
              ) : (
                <time dateTime={at}>{shortMoment(at)}</time>
              )}
            </li>
          )
        })}
      </ol>
    </section>
  )
}

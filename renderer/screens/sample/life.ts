import type { CustodyEvent, TimelineItem } from '../../../services/samples/contract.ts'
import type { IconName } from '../../components/drawings.tsx'
import type { LifeLane } from '../../components/life-strip.tsx'

/** Which part of a life is looked at. */
export const lifeViews = ['all', 'custody', 'storage', 'amount', 'record'] as const
export type LifeView = (typeof lifeViews)[number]

/**
 * The items of a view; notes and relations belong to the record. Custody and storage both write down one act, in one
 * moment: the whole life tells it once, with storage's words for where it was.
 */
export function itemsInView(items: readonly TimelineItem[], view: LifeView): readonly TimelineItem[] {
  if (view === 'all') {
    const told = new Set(items.filter(({ lane }) => lane === 'storage').map(({ at }) => at))
    return items.filter(({ lane, what, at }) => lane !== 'custody' || !echoes.has(what) || !told.has(at))
  }
  if (view === 'record') return items.filter(({ lane }) => ['record', 'note', 'relation'].includes(lane))
  return items.filter(({ lane }) => lane === view)
}

/** Changes of custody that follow from what was done with the tube. */
const echoes: ReadonlySet<string> = new Set(['stored', 'moved', 'checked_out', 'returned', 'disposed'])

const icons: Readonly<Record<string, IconName>> = {
  accessioned: 'receive',
  state_changed: 'half',
  updated: 'pen',
  noted: 'note',
  received: 'receive',
  stored: 'freezer',
  placed: 'freezer',
  moved: 'split',
  taken_out: 'up',
  checked_out: 'hand',
  returned: 'return',
  shipped: 'truck',
  received_elsewhere: 'receive',
  consumed: 'minus',
  disposed: 'trash',
  taken: 'minus',
  added: 'plus',
  corrected: 'pen',
  derived_from: 'link',
  aliquot_of: 'split',
  split_from: 'split',
  pooled_from: 'merge',
}

/** The drawing beside a line of the timeline. */
export function iconOf(item: TimelineItem): IconName {
  return icons[item.what] ?? 'ring'
}

/** Colour only where a person must look: refused, disposed, out of the freezer. */
export function toneOf(item: TimelineItem): 'ok' | 'warn' | 'bad' | undefined {
  if (item.what === 'disposed' || item.what === 'consumed') return 'warn'
  if (item.what === 'state_changed' && ['failed', 'rejected'].includes(item.detail['to'] ?? '')) return 'bad'
  if (item.what === 'state_changed' && ['validated', 'completed'].includes(item.detail['to'] ?? ''))
    return 'ok'
  return undefined
}

/** Where something happened: `Box 1, A1 → C4`, and the way there, `F1 › Shelf 1`. */
export interface PlaceWords {
  readonly short: string
  readonly path: string
}

/** Box and position come first, since they are looked for; what both ends of a move share is said once. */
export function wordsOfPlaces(from: string | null, to: string | null): PlaceWords {
  const [start, end] = [from, to].map((words) => (words === null ? null : splitPlace(words)))
  const there = end ?? start
  if (there === null || there === undefined) return { short: '', path: '' }
  if (start === null || start === undefined || end === null || end === undefined || from === to)
    return { short: there.last, path: there.path }
  const isSameBox = start.path === end.path && start.box === end.box
  return { short: `${start.last} → ${isSameBox ? end.position : end.last}`, path: end.path }
}

/** `F1 › Shelf 1 › Box 1, A1`, as storage writes places down, in its parts. */
function splitPlace(words: string) {
  const pathEnd = words.lastIndexOf(' › ')
  const last = pathEnd < 0 ? words : words.slice(pathEnd + 3)
  const boxEnd = last.lastIndexOf(', ')
  return {
    path: pathEnd < 0 ? '' : words.slice(0, pathEnd),
    last,
    box: boxEnd < 0 ? last : last.slice(0, boxEnd),
    position: boxEnd < 0 ? last : last.slice(boxEnd + 2),
  }
}

interface LaneWords {
  readonly custody: string
  readonly storage: string
  readonly amount: string
  readonly noGap: string
  readonly gaps: (count: number) => string
}

/** The life as lanes on one axis: who held it, where it lay, what was taken. */
export function lanesOf(
  items: readonly TimelineItem[],
  custody: { readonly events: readonly CustodyEvent[]; readonly problems: readonly string[] },
  words: LaneWords,
): readonly LifeLane[] {
  const holders = custody.events.map((event, index) => ({
    from: event.at,
    to: custody.events[index + 1]?.at ?? null,
    ...(event.place === null ? { label: event.holder } : spanWords(event.place)),
    tone: event.kind === 'checked_out' ? ('now' as const) : ('idle' as const),
  }))
  const problems = custody.problems.length
  return [
    {
      id: 'custody',
      label: words.custody,
      note: problems === 0 ? { tone: 'ok', text: words.noGap } : { tone: 'bad', text: words.gaps(problems) },
      spans: joinEqual(holders),
    },
    { id: 'storage', label: words.storage, spans: storageSpans(items) },
    {
      id: 'amount',
      label: words.amount,
      points: items
        .filter((item) => item.lane === 'amount')
        .map((item) => ({ at: item.at, label: item.detail['quantity'] ?? '', tone: 'ok' as const })),
    },
  ]
}

type Span = NonNullable<LifeLane['spans']>[number]

/** Stretches between being placed and being taken out again, or shipped. */
function storageSpans(items: readonly TimelineItem[]): readonly Span[] {
  const spans: Span[] = []
  let open: Omit<Span, 'to'> | null = null
  const isAbout = ({ lane, what }: TimelineItem) => lane === 'storage' || what === 'shipped'
  for (const item of items.filter(isAbout).toReversed()) {
    if (open !== null) spans.push({ ...open, to: item.at })
    const to = item.detail['to']
    open = to === null || to === undefined ? null : { from: item.at, ...spanWords(to) }
  }
  if (open !== null) spans.push({ ...open, to: null })
  return spans
}

/** Box and position, and the position alone where there is little room. */
function spanWords(place: string): Pick<Span, 'label' | 'short'> {
  const { last, position } = splitPlace(place)
  return { label: last, short: position }
}

/** Neighbours that say the same are one stretch. */
function joinEqual(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = []
  for (const span of spans) {
    const last = joined.at(-1)
    if (last !== undefined && last.label === span.label && last.tone === span.tone) {
      joined[joined.length - 1] = { ...last, to: span.to }
    } else {
      joined.push(span)
    }
  }
  return joined
}

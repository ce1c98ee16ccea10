import { useElementSize } from '@mantine/hooks'
import { Fragment } from 'react'
import './life-strip.css'

type LifeTone = 'ok' | 'warn' | 'bad' | 'now' | 'idle'

export interface LifeLane {
  readonly id: string
  readonly label: string
  /** Beside the label, such as "no gap". */
  readonly note?: { readonly tone: LifeTone; readonly text: string }
  /** Stretches of time: in a freezer, in hand. Without an end it lasts until now. */
  readonly spans?: readonly {
    readonly from: string
    readonly to: string | null
    readonly label: string
    /** Instead of the label where there is no room for it. */
    readonly short?: string
    readonly tone?: LifeTone
  }[]
  readonly points?: readonly { readonly at: string; readonly label: string; readonly tone?: LifeTone }[]
}

interface LifeStripProps {
  readonly label: string
  readonly lanes: readonly LifeLane[]
  /** UTC instants: the first event, and now. */
  readonly from: string
  readonly now: string
  readonly nowWord: string
}

const laneHeight = 28
const headHeight = 22
const left = 132
const right = 40
const characterWidth = 7
const dayMs = 86_400_000
const tickDays = [1, 2, 4, 7, 14, 30, 61, 122, 183, 365, 730] as const
const dayName = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** A sample's life as parallel lanes on one time axis; the same facts stand in words in the timeline below it. */
export function LifeStrip({ label, lanes, from, now, nowWord }: LifeStripProps) {
  const { ref, width } = useElementSize()
  const start = Date.parse(from)
  const end = Math.max(Date.parse(now), start + 60_000)
  const height = headHeight + lanes.length * laneHeight + 8
  const x = (at: string | number) => {
    const time = typeof at === 'number' ? at : Date.parse(at)
    const part = (Math.min(Math.max(time, start), end) - start) / (end - start)
    return left + part * Math.max(0, width - left - right)
  }
  return (
    <figure className="life-strip" ref={ref}>
      {width > 0 && (
        <svg width={width} height={height} role="img" aria-label={label}>
          {axisTicks(start, end, width).map((time) => (
            <Fragment key={time}>
              <path d={`M${String(x(time))} ${String(headHeight)}V${String(height - 8)}`} className="line" />
              <text className="ax" x={x(time)} y={15} textAnchor="middle">
                {dayName.format(time)}
              </text>
            </Fragment>
          ))}
          {lanes.map((lane, index) => {
            const top = headHeight + index * laneHeight
            const middle = top + laneHeight / 2
            return (
              <g key={lane.id}>
                <path d={`M20 ${String(top + 0.5)}H${String(width - 20)}`} className="line" />
                <text className="lab" x={20} y={middle + 4}>
                  {lane.label}
                </text>
                {lane.note !== undefined && (
                  <text className={`note ${lane.note.tone}`} x={left - 10} y={middle + 4} textAnchor="end">
                    {lane.note.text}
                  </text>
                )}
                {lane.spans?.map((span, at) => {
                  const begin = x(span.from)
                  const length = Math.max(3, x(span.to ?? end) - begin)
                  const words = wordsThatFit(span, Math.floor((length - 14) / characterWidth))
                  return (
                    <g key={at} className={`span ${span.tone ?? ''}`}>
                      <title>{span.label}</title>
                      <rect x={begin} y={top + 5} width={length} height={laneHeight - 10} rx={2} />
                      {words !== null && (
                        <text className="in" x={begin + 7} y={middle + 4}>
                          {words}
                        </text>
                      )}
                    </g>
                  )
                })}
                {lane.points?.map((point, at) => {
                  const here = x(point.at)
                  return (
                    <g key={at} className={`point ${point.tone ?? ''}`}>
                      <title>{point.label}</title>
                      <path d={`M${String(here)} ${String(middle - 6)}l6 6-6 6-6-6z`} />
                    </g>
                  )
                })}
              </g>
            )
          })}
          <path className="now" d={`M${String(x(end))} 20V${String(height - 8)}`} />
          <rect className="now-flag" x={x(end) - 18} y={4} width={36} height={16} rx={2} />
          <text className="now-word" x={x(end)} y={16} textAnchor="middle">
            {nowWord}
          </text>
        </svg>
      )}
    </figure>
  )
}

/** The label, else what is short for it, else its beginning: as much as can be read in that many characters. */
function wordsThatFit(
  { label, short = label }: { readonly label: string; readonly short?: string },
  room: number,
): string | null {
  const words = label.length <= room ? label : short
  if (words.length <= room) return words
  return room > 5 ? `${words.slice(0, room - 1)}…` : null
}

/** Midnights with a label each, as many as fit side by side. */
function axisTicks(start: number, end: number, width: number): readonly number[] {
  const most = Math.max(2, Math.floor((width - left - right) / 90))
  const days = (end - start) / dayMs
  const step = tickDays.find((each) => days / each <= most) ?? Math.ceil(days / most)
  const first = new Date(start)
  first.setHours(24, 0, 0, 0)
  const ticks: number[] = []
  for (let time = first.getTime(); time < end - (end - start) * 0.04; time += step * dayMs) ticks.push(time)
  return ticks
}

import type { ReactNode } from 'react'
import { shortMoment } from '../moments.ts'
import type { IconName } from './drawings.tsx'
import { Icon } from './icon.tsx'
import './timeline.css'

export interface TimelineEntry {
  readonly id: string
  /** UTC instant. */
  readonly at: string
  readonly icon: IconName
  readonly tone?: 'ok' | 'warn' | 'bad'
  /** The verb in bold: `<b>Pooled</b> into …`. */
  readonly sentence: ReactNode
  readonly detail?: ReactNode
  readonly by: string
}

/** One life, newest first: time, node, verb sentence, detail, who. */
export function Timeline({
  entries,
  label,
}: {
  readonly entries: readonly TimelineEntry[]
  readonly label: string
}) {
  return (
    <ol className="timeline" aria-label={label}>
      {entries.map((entry) => (
        <li key={entry.id}>
          <time dateTime={entry.at}>{shortMoment(entry.at)}</time>
          <span className={`node ${entry.tone ?? ''}`}>
            <Icon name={entry.icon} size={14} />
          </span>
          <div className="what">
            <p>{entry.sentence}</p>
            {entry.detail !== undefined && <p>{entry.detail}</p>}
          </div>
          <span className="by">{entry.by}</span>
        </li>
      ))}
    </ol>
  )
}

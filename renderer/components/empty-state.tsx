import type { ReactNode } from 'react'
import type { IconName } from './drawings.tsx'
import { Icon } from './icon.tsx'

interface EmptyStateProps {
  readonly icon: IconName
  readonly title: string
  /** What to do first. */
  readonly hint: string
  readonly children?: ReactNode
}

/** What stands where there is nothing yet: it says what to do first. */
export function EmptyState({ icon, title, hint, children }: EmptyStateProps) {
  return (
    <div className="empty">
      <Icon name={icon} size={24} />
      <p className="title">{title}</p>
      <p>{hint}</p>
      {children !== undefined && <div className="acts">{children}</div>}
    </div>
  )
}

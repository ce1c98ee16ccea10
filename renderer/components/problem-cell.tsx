import type { ReactNode } from 'react'
import { Icon } from './icon.tsx'
import './problem-cell.css'

interface ProblemCellProps {
  readonly severity: 'error' | 'confirm' | null
  /** What is wrong, for the tooltip and for screen readers. */
  readonly message?: string
  /** The open cell: it has the focus frame, the popover stands beside it. */
  readonly open?: boolean
  readonly children: ReactNode
}

/** A cell with a problem: tint, edge and icon, never colour alone. */
export function ProblemCell({ severity, message, open = false, children }: ProblemCellProps) {
  const tone = severity === 'error' ? 'bad' : severity === 'confirm' ? 'warn' : ''
  return (
    <span className={`problem-cell ${tone}${open ? ' open' : ''}`} title={message}>
      <span className="ell">{children}</span>
      {severity !== null && (
        <>
          <Icon name={severity === 'error' ? 'bad' : 'warn'} size={16} />
          {message !== undefined && <span className="vh">{message}</span>}
        </>
      )}
    </span>
  )
}

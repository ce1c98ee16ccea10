import type { ReactNode } from 'react'
import { Icon } from './icon.tsx'

interface NoticeProps {
  readonly tone: 'ok' | 'warn' | 'bad'
  readonly children: ReactNode
  readonly detail?: ReactNode
  readonly action?: ReactNode
  readonly boxed?: boolean
}

/** A sentence that must be seen: what happened and what to do. Screen readers hear it at once. */
export function Notice({ tone, children, detail, action, boxed = false }: NoticeProps) {
  return (
    <div className={`notice ${tone}${boxed ? ' boxed' : ''}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <Icon name={tone} />
      <p>{children}</p>
      {action ?? <span />}
      {detail !== undefined && <p className="detail">{detail}</p>}
    </div>
  )
}

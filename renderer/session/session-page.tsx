import type { ReactNode } from 'react'
import { Brand } from '../components/brand.tsx'
import './session.css'

interface SessionPageProps {
  readonly title: string
  readonly lead?: string
  readonly children: ReactNode
}

/** The page before the application: one form, under the same black line. */
export function SessionPage({ title, lead, children }: SessionPageProps) {
  return (
    <div className="entry">
      <header className="entry-line">
        <Brand />
      </header>
      <main className="entry-main">
        <h1>{title}</h1>
        {lead !== undefined && <p className="entry-lead">{lead}</p>}
        {children}
      </main>
    </div>
  )
}

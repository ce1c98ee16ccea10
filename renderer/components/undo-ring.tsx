import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'

const circumference = 44
const wholeMs = 10_000

interface UndoRingProps {
  /** Milliseconds since the epoch at which the offer ends. */
  readonly until: number
  readonly onUndo: () => void
  readonly className?: string
}

/** The button that takes an act back, with a ring that runs down in ten seconds; then it goes away. */
export function UndoRing({ until, onUndo, className = 'btn btn-sm' }: UndoRingProps) {
  const { t } = useTranslation()
  const [now, setNow] = useState(() => Date.now())
  const leftMs = until - now
  useEffect(() => {
    if (leftMs <= 0) return undefined
    const timer = window.setTimeout(() => setNow(Date.now()), 200)
    return () => window.clearTimeout(timer)
  }, [leftMs])
  if (leftMs <= 0) return null
  return (
    <button className={className} type="button" onClick={onUndo} aria-keyshortcuts="Control+Z">
      <svg className="ring" viewBox="0 0 18 18" aria-hidden="true">
        <circle cx="9" cy="9" r="7" />
        <circle
          cx="9"
          cy="9"
          r="7"
          strokeDasharray={`${String((leftMs / wholeMs) * circumference)} ${String(circumference)}`}
        />
      </svg>
      {t('undoIn', { seconds: Math.ceil(leftMs / 1_000) })}
    </button>
  )
}

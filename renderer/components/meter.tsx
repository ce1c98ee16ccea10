interface MeterProps {
  /** Percent, 0 to 100. */
  readonly value: number
  readonly tone?: 'normal' | 'warn' | 'bad' | 'now' | 'ok'
  /** Ticks below, at the limits of a capacity: 80 % warning, 95 % critical. */
  readonly limits?: boolean
  readonly thin?: boolean
  /** What the bar measures; without it the words beside it say so and the bar is drawing only. */
  readonly label?: string
}

/** A measuring bar. Neutral when normal; the words beside it carry the level. */
export function Meter({ value, tone = 'normal', limits = false, thin = false, label }: MeterProps) {
  const width = Math.max(0, Math.min(100, value))
  return (
    <span
      className={`meter ${tone}${thin ? ' thin' : ''}`}
      {...(label === undefined
        ? { 'aria-hidden': true }
        : {
            role: 'meter',
            'aria-label': label,
            'aria-valuenow': Math.round(width),
            'aria-valuemin': 0,
            'aria-valuemax': 100,
          })}
    >
      <span style={{ width: `${String(width)}%` }} />
      {limits && (
        <>
          <i style={{ left: '80%' }} />
          <i style={{ left: '95%' }} />
        </>
      )}
    </span>
  )
}

/** Filled positions in percent, rounded so that a full box says 100 and a nearly full one never does. */
export function fillPercent(capacity: { readonly positions: number; readonly occupied: number }): number {
  if (capacity.positions === 0) return 0
  const percent = (capacity.occupied / capacity.positions) * 100
  return percent > 99 && percent < 100 ? 99 : Math.round(percent)
}

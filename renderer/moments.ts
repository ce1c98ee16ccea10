const locale = 'en-GB'
const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const minute = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
const dayAndMonth = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
const whole = new Intl.DateTimeFormat(locale, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
const benchDay = new Intl.DateTimeFormat(locale, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
})
const count = new Intl.NumberFormat('en-US')

/** `10:42:07`, in the workstation's time zone like all of these. */
export function clockTime(at: string | number): string {
  return clock.format(new Date(at))
}

/** `10:42` today, else `19 Nov 11:04`, with the year when it is another one. */
export function shortMoment(at: string | number, now: Date = new Date()): string {
  const date = new Date(at)
  if (date.toDateString() === now.toDateString()) return minute.format(date)
  const day = dayAndMonth.format(date)
  return date.getFullYear() === now.getFullYear()
    ? `${day} ${minute.format(date)}`
    : `${day} ${String(date.getFullYear())}`
}

/** `20 Nov 2026, 10:42:07`. */
export function wholeMoment(at: string | number): string {
  return whole.format(new Date(at))
}

/** `Fri 20 Nov 2026, 10:42`. */
export function dayAndTime(date: Date): string {
  return benchDay.format(date).replace(/^(\w+), /, '$1 ')
}

/** `1,235`. */
export function countText(value: number): string {
  return count.format(value)
}

/** How long something took: `1.4 ms`, `87 ms`, `9.4 s`, `3 min 12 s`. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`
  if (milliseconds < 999.5) return `${String(Math.round(milliseconds))} ms`
  if (milliseconds < 59_950) return `${(milliseconds / 1_000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1_000)
  return `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`
}

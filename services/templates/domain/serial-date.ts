const DAY_MS = 86_400_000

/**
 * The ISO text of a spreadsheet's serial date: `2026-11-17`, with `T10:30:00` where there is a time of day.
 * Null for serials that are no day, among them 60 in the 1900 system, the 29 February 1900 that never was.
 */
export function formatSerialDate(
  serial: number,
  options: { base1904: boolean; time: boolean },
): string | null {
  if (!Number.isFinite(serial) || serial < 0 || serial >= 2_958_466) return null
  if (!options.base1904 && serial >= 60 && serial < 61) return null
  const epoch = options.base1904
    ? Date.UTC(1904, 0, 1)
    : serial < 60
      ? Date.UTC(1899, 11, 31)
      : Date.UTC(1899, 11, 30)
  const instant = new Date(epoch + Math.round(serial * DAY_MS)).toISOString()
  const time = instant.slice(11, 23)
  if (time === '00:00:00.000' && !options.time) return instant.slice(0, 10)
  return `${instant.slice(0, 10)}T${time.endsWith('.000') ? time.slice(0, 8) : time}`
}

/** The time of day of a serial below 1, `10:30:00`; null when it carries whole days. */
export function formatSerialTime(serial: number): string | null {
  if (!(serial >= 0 && serial < 1)) return null
  const time = new Date(Math.round(serial * DAY_MS)).toISOString().slice(11, 23)
  return time.endsWith('.000') ? time.slice(0, 8) : time
}

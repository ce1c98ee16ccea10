/** A reader that is held still reads the same code again and again; within this time that is one scan. */
export const REPEAT_WINDOW_US = 500_000

/**
 * Tells whether one scanner has read the same code within the window before. Each reading renews the window, so a
 * tube left in front of a presentation scanner counts once. Times are microseconds of one monotonic clock.
 */
export function createRepeatDetector(): (text: string, monotonicUs: number) => boolean {
  const lastReadUs = new Map<string, number>()
  return (text, monotonicUs) => {
    for (const [code, readUs] of lastReadUs) {
      if (monotonicUs - readUs <= REPEAT_WINDOW_US) break
      lastReadUs.delete(code)
    }
    const repeated = lastReadUs.delete(text)
    lastReadUs.set(text, monotonicUs)
    return repeated
  }
}

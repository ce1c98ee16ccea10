import { statfsSync } from 'node:fs'
import { describeError } from './journal-error.ts'

/** Free space kept for what is already committed and still has to reach the journal. */
export const DEFAULT_RESERVE_BYTES = 256 * 1024 * 1024

/**
 * Says in words why new work should not be accepted, or null when there is room.
 * Measured with statfs as the space an ordinary user may still write, in bytes.
 */
export function findSpaceProblem(home: string, reserveBytes: number): string | null {
  try {
    const disk = statfsSync(home)
    const freeBytes = disk.bavail * disk.bsize
    if (freeBytes >= reserveBytes) return null
    return (
      `The disk that holds ${home} has ${megabytes(freeBytes)} free and TracSeq keeps ${megabytes(reserveBytes)} in reserve. ` +
      'New work is refused until space is freed; reading goes on.'
    )
  } catch (error) {
    return `The disk that holds ${home} cannot be read: ${describeError(error)}`
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`
}

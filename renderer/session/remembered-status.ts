import type { z } from 'zod'
import { LaboratoryStatus } from '../../services/auth/contract.ts'

const key = 'tracseq:laboratory'

/**
 * What this window was last told about its laboratory, or null. It is shown while databases and journal open, so that a
 * person can type meanwhile; the host's answer then takes its place.
 */
export function readRememberedStatus(): z.infer<typeof LaboratoryStatus> | null {
  const text = localStorage.getItem(key)
  if (text === null) return null
  try {
    return LaboratoryStatus.parse(JSON.parse(text))
  } catch {
    // Of another version, or damaged: the host will say it anew.
    localStorage.removeItem(key)
    return null
  }
}

export function rememberStatus(status: z.infer<typeof LaboratoryStatus>): void {
  if (status.setUp) localStorage.setItem(key, JSON.stringify(status))
  else localStorage.removeItem(key)
}

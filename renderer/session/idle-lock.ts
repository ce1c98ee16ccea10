import { useEffect } from 'react'
import { lockSession } from './session-store.ts'

export const idleLockAfterMs = 10 * 60_000

const signsOfLife = ['keydown', 'pointerdown', 'pointermove', 'wheel'] as const

/** Locks a workstation that nobody touched for ten minutes. */
export function useIdleLock(active: boolean): void {
  useEffect(() => {
    if (!active) return undefined
    let last = Date.now()
    const touch = () => (last = Date.now())
    for (const sign of signsOfLife) window.addEventListener(sign, touch, { capture: true, passive: true })
    // Compared with the clock, since timers stand still while a laptop sleeps.
    const timer = window.setInterval(() => {
      if (Date.now() - last >= idleLockAfterMs) void lockSession()
    }, 5_000)
    return () => {
      window.clearInterval(timer)
      for (const sign of signsOfLife) window.removeEventListener(sign, touch, { capture: true })
    }
  }, [active])
}

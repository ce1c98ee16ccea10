import { v7 as newId } from 'uuid'
import { client } from '../client.ts'
import { standardWedgeSettings } from './keyboard-wedge.ts'
import { listenForWedge } from './wedge-listener.ts'

export interface WedgeTrouble {
  readonly kind: 'not-saved' | 'broken-off'
  readonly text: string
  readonly error?: unknown
}

let diverted: ((text: string) => void) | null = null

/** Until the answer is called, keyboard scans go to `taker` and are not stored: a badge at the lock is no work. */
export function divertScans(taker: (text: string) => void): () => void {
  diverted = taker
  return () => {
    if (diverted === taker) diverted = null
  }
}

/**
 * Listens to keyboard scanners in the whole window. A code is stored first and acted on when it comes back by the feed,
 * so that a crash in between loses nothing.
 */
export function listenToKeyboardScanners(onTrouble: (trouble: WedgeTrouble) => void): () => void {
  return listenForWedge(window, {
    settings: () => ({ ...standardWedgeSettings, prefix: 'F13' }),
    onScan: (text) => {
      if (diverted === null) void recordScan(text, 'wedge', onTrouble)
      else diverted(text)
    },
    onBrokenOff: (text) => onTrouble({ kind: 'broken-off', text }),
  })
}

/** Stores a scan under an id of its own; says so when that fails, since nothing else would. */
export async function recordScan(
  text: string,
  source: 'wedge' | 'typed',
  onTrouble: (trouble: WedgeTrouble) => void,
): Promise<void> {
  try {
    await client.devices.recordScan({ scanId: newId(), text, source })
  } catch (error) {
    onTrouble({ kind: 'not-saved', text, error })
  }
}

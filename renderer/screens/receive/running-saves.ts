import { useSyncExternalStore } from 'react'
import { ImportId } from '../../../services/templates/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'

const t = i18n.getFixedT(null, 'receive')

/** A save that this window asked for and that has not ended. */
interface RunningSave {
  /** Rows that were saved before it began, and rows it is to save. */
  readonly before: number
  readonly rows: number
}

let running: ReadonlyMap<string, RunningSave> = new Map()
const listeners = new Set<() => void>()

function set(id: string, save: RunningSave | null): void {
  const next = new Map(running)
  if (save === null) next.delete(id)
  else next.set(id, save)
  running = next
  for (const listener of listeners) listener()
}

/** The save of this import that runs, whichever screen is shown meanwhile. */
export function useRunningSave(id: string): RunningSave | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => running.get(id) ?? null,
  )
}

/** Saves the good rows. It goes on when the screen is left, and says at its end what became of it. */
export async function saveGoodRows(
  id: string,
  counts: { readonly saved: number; readonly good: number },
): Promise<boolean> {
  if (running.has(id)) return false
  set(id, { before: counts.saved, rows: counts.good })
  try {
    const after = await client.templates.applyImport({ id: ImportId.parse(id) })
    const { saved, withErrors, toConfirm, good } = after.summary
    const open = withErrors + toConfirm + good
    scanEngine.announce({
      tone: good > 0 ? 'warn' : 'ok',
      sentence: t('save.ended', { count: saved - counts.saved }),
      detail: open === 0 ? after.fileName : t('save.open', { count: open, file: after.fileName }),
      action: {
        label: t('save.show'),
        run: () => goTo({ to: '/receive', search: { import: id, step: 'done' } }),
      },
    })
    return true
  } catch (error) {
    scanEngine.announce({ tone: 'bad', sentence: t('save.failed'), detail: problemWords(error) })
    return false
  } finally {
    set(id, null)
  }
}

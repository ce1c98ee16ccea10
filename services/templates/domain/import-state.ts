/** The life of an import. A partly saved one is `checking` again, so that the other rows can be repaired. */
export const importStates = ['mapping', 'checking', 'applying', 'applied', 'undone', 'abandoned'] as const
export type ImportState = (typeof importStates)[number]

/** What a person may do with an import. */
export type ImportAct = 'map' | 'correct' | 'apply' | 'undo' | 'abandon'

const actsByState: Readonly<Record<ImportState, readonly ImportAct[]>> = {
  mapping: ['map', 'abandon'],
  checking: ['map', 'correct', 'apply', 'undo', 'abandon'],
  // Found in this state when nobody saves any more, it was interrupted; all of these are right then.
  applying: ['correct', 'apply', 'undo', 'abandon'],
  // A row that was skipped may be taken up after all.
  applied: ['correct', 'undo'],
  // What could not be taken back stays; the cause may be gone by now.
  undone: ['undo'],
  // What it saved before it was put away is still there.
  abandoned: ['undo'],
}

/** How many rows stand where. */
export interface RowCounts {
  readonly good: number
  readonly toConfirm: number
  readonly withErrors: number
  readonly saving: number
  readonly saved: number
}

/** Why an act is not possible now, in a sentence for the person; null when it is. */
export function explainRefusal(
  act: ImportAct,
  state: ImportState,
  counts: Pick<RowCounts, 'saving' | 'saved'>,
): string | null {
  if (!actsByState[state].includes(act)) return sentences[state]
  const busy = counts.saving > 0
  if (act === 'map' && (counts.saved > 0 || busy)) {
    return 'Rows of this import are saved with these columns already. Undo the import first, or open the file again.'
  }
  if (act === 'undo' && counts.saved === 0 && !busy)
    return 'This import has saved nothing, so there is nothing to undo.'
  if (act === 'abandon' && busy) return 'Rows are being saved at this moment. Wait until that has ended.'
  return null
}

const sentences: Readonly<Record<ImportState, string>> = {
  mapping: 'Choose the sheet, the header and the columns first.',
  checking: 'The rows are still being checked.',
  applying: 'Rows of this import are being saved. Wait until that has ended.',
  applied: 'All rows of this import are saved or skipped.',
  undone: 'This import was undone. Open the file again to save it anew.',
  abandoned: 'This import was put away. Open the file again to go on with it.',
}

/** Where an import stands once its rows were saved as far as they could be. */
export function stateAfterApplying(counts: RowCounts): 'checking' | 'applying' | 'applied' {
  if (counts.saving > 0) return 'applying'
  return counts.good + counts.toConfirm + counts.withErrors === 0 ? 'applied' : 'checking'
}

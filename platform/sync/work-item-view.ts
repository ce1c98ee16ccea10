import type { WorkItemView } from './contract.ts'
import type { RowImage } from './change-set.ts'
import { isHeld, rowsOfItem, type WorkItem } from './work-item.ts'

/** What this copy can say about a work item beside the item itself. */
export interface Around {
  /** What is in the rows it is about, by their address. */
  readonly here: Readonly<Record<string, RowImage>>
  readonly nameOf: (workstationId: string) => string | null
}

/** A work item as screens show it. */
export function viewOfItem(item: WorkItem, openedAt: string, { here, nameOf }: Around): WorkItemView {
  const { id, domain, kind, words } = item
  const rows = rowsOfItem(item)
  const known = rows.flatMap((row) => {
    const image = here[row]
    return image === undefined ? [] : [[row, { ...image }] as const]
  })
  const said = {
    ...{ id, domain, kind, words, rows: [...rows], here: Object.fromEntries(known) },
    openedAt: new Date(openedAt).toISOString(),
  }
  if (!isHeld(item)) return { ...said, pushed: null, conflicts: [], behind: [] }
  const { set } = item
  return {
    ...said,
    pushed: {
      changeSetId: set.id,
      actorId: set.actorId,
      workstationId: set.workstationId,
      workstationName: nameOf(set.workstationId),
      procedure: set.procedure,
      recordedAt: set.recordedAt,
      reason: set.reason,
      changes: set.changes.map(({ table, key, operation, values, before }) => ({
        table,
        id: key.id,
        operation,
        values: { ...values },
        before: { ...before },
      })),
    },
    conflicts: item.conflicts.map((conflict) => ({ ...conflict })),
    behind: [...item.behind],
  }
}

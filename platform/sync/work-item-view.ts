import type { WorkItemView } from './contract.ts'
import { isHeld, type WorkItem } from './work-item.ts'

/** A work item as screens show it. */
export function viewOfItem(item: WorkItem, openedAt: string): WorkItemView {
  const { id, domain, kind, words } = item
  const said = { id, domain, kind, words, openedAt: new Date(openedAt).toISOString() }
  if (!isHeld(item)) return { ...said, pushed: null, conflicts: [], behind: [], rows: [...item.rows] }
  const { set } = item
  return {
    ...said,
    pushed: {
      changeSetId: set.id,
      actorId: set.actorId,
      workstationId: set.workstationId,
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
    rows: set.changes.map(({ table, key }) => `${domain}/${table}/${key.id}`),
  }
}

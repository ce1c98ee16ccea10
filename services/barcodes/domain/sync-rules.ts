import type { AnnouncedEvent, RowImage } from '../../../platform/sync/change-set.ts'
import { asOnePersonLeftIt, type DomainRules, sagaRules } from '../../../platform/sync/rules.ts'

/** A code that a decision takes away from what it was on. */
function announceReleased(before: RowImage | null, after: RowImage): readonly AnnouncedEvent[] {
  if (before?.state !== 'linked' || after.state !== 'released') return []
  const thing = { kind: before.thing_kind, id: before.thing_id }
  const reason = 'It was decided to be the code of something else.'
  return [{ name: 'CodeUnlinked', data: { code: before.text, thing, reason } }]
}

/** How codes come together when several workstations gave them out. */
export const barcodesSyncRules: DomainRules = {
  ...sagaRules,
  code: {
    policy: 'reconcile',
    reconcile: asOnePersonLeftIt({}, 'Somebody else linked or released this code.'),
    exclusive: [
      {
        name: 'code_names_one_thing',
        columns: ['lookup_key'],
        isLive: (row) => row.state !== 'released',
        giveUp: (row) => [{ table: 'code', id: row.id ?? '', values: { state: 'released' } }],
      },
    ],
    announce: announceReleased,
  },
}

import { asOnePersonLeftIt, type DomainRules, sagaRules } from '../../../platform/sync/rules.ts'

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
  },
}

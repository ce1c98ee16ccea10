import type { Transaction } from '../../database/transaction.ts'
import { addressOf, deriveId, type RowAddress, type RowImage } from '../change-set.ts'
import { claimOf, holdersAgainst } from '../exclusive.ts'
import type { DomainRules } from '../rules.ts'
import { isHeld, type StandingItem } from '../work-item.ts'
import { readOpenItems } from './batch-view.ts'
import type { RowImages } from './row-images.ts'

/**
 * The work items that contested rows of a laboratory lack. A decision opens them with what it decides; what the Hub wrote
 * itself, such as rows that arrived from another laboratory, is looked over here. `changeSetId` is what they open with.
 */
export async function findUnopened(
  tx: Transaction,
  images: RowImages,
  domain: { readonly name: string; readonly rules: DomainRules },
  laboratoryId: string,
  changeSetId: string,
): Promise<readonly StandingItem[]> {
  const contestedItems = await readOpenItems(tx, laboratoryId, { kind: 'contested' })
  const open = new Set(contestedItems.map(({ item }) => (isHeld(item) ? null : item.subject)))
  const items: StandingItem[] = []
  await images.prepare(tx)
  for (const [table, { exclusive }] of Object.entries(domain.rules)) {
    if (exclusive === undefined) continue
    const lookUp = { domain: domain.name, table, where: { contested: 'true' }, lower: [] }
    const [contested = []] = await images.find(tx, laboratoryId, table, [lookUp])
    for (const row of contested) {
      const subject = addressOf(domain.name, table, row.id ?? '')
      if (open.has(subject)) continue
      const rivals: RowAddress[] = []
      for (const rule of exclusive) {
        const claim = claimOf(domain.name, table, rule, row)
        if (claim === null) continue
        const [holders = []] = await images.find(tx, laboratoryId, table, [claim])
        const against = (other: RowImage) => addressOf(domain.name, table, other.id ?? '')
        rivals.push(...holdersAgainst(rule, row, holders).map(against))
      }
      items.push({
        ...{ kind: 'contested', id: deriveId(changeSetId, `contested ${subject}`), domain: domain.name },
        ...{ set: null, subject, rows: [...new Set([subject, ...rivals])] },
        words: `Two of ${table.replaceAll('_', ' ')} claim the same.`,
      })
    }
  }
  return items
}

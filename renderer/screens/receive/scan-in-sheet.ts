import type { Scan } from '../../../main/devices/contract.ts'
import { ImportId } from '../../../services/templates/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { openThing } from '../../scan/find-and-open.ts'
import type { FeedItem, Resolved, ScanResult } from '../../scan/scan-engine.ts'
import { scanEngine } from '../../scan/scanning.ts'

const t = i18n.getFixedT(null, 'receive')

export interface SheetActs {
  /** Shows the row; false when it cannot be shown any more. */
  readonly goTo: (row: number) => Promise<boolean>
  readonly showBoth: (rows: readonly number[]) => void
  readonly receive: (item: FeedItem) => void
}

/** Goes to the row of a scanned tube. Positions, and what is no code, mean here what they mean everywhere: null. */
export async function scanInSheet(
  id: string,
  scan: Scan,
  { meaning, matches }: Resolved,
  acts: SheetActs,
): Promise<ScanResult | null> {
  if (meaning.kind === 'no-tube' || meaning.kind === 'refused' || meaning.kind === 'own-position') return null
  const code = meaning.readable
  const rows = await client.templates.findImportRow({ id: ImportId.parse(id), text: scan.text })
  const [row, ...others] = rows
  if (row !== undefined && others.length > 0) {
    await acts.goTo(row)
    return {
      tone: 'bad',
      sentence: t('scan.inSeveral', { count: rows.length, code }),
      detail: t('scan.inRows', { rows: rows.slice(0, 6).join(', ') }),
      action: {
        label: t(rows.length === 2 ? 'scan.showBoth' : 'scan.showAll'),
        run: () => acts.showBoth(rows),
      },
    }
  }
  if (row !== undefined && (await acts.goTo(row))) {
    return { tone: 'ok', sentence: t('scan.found', { code, row }) }
  }
  const thing = matches.find((match) => match.thing !== null)?.thing
  if (thing !== undefined && thing !== null) {
    return {
      tone: 'warn',
      sentence: t('scan.notInSheet', { code }),
      detail: t('scan.knownHere'),
      action: {
        label: t('scan.openIt'),
        run: () => void openThing(code, thing).then((result) => scanEngine.announce(result)),
      },
    }
  }
  return {
    tone: 'warn',
    sentence: t('scan.notInSheet', { code }),
    detail: t('scan.notKnown'),
    unknown: true,
    action: {
      label: t('scan.receiveAlone'),
      run: () => {
        const item = scanEngine.read().feed.find(({ scanId }) => scanId === scan.scanId)
        if (item !== undefined) acts.receive(item)
      },
    },
  }
}

import type { Code, CodeKind, ScanMeaning } from './contract.ts'
import type { z } from 'zod'
import { toInstant } from '../../platform/database/paging.ts'
import { classifyScan, normaliseForLookup, type Scan } from './domain/classify.ts'
import type { CodeKind as OwnCodeKind } from './domain/own-code.ts'
import type { code } from './schema.ts'

export type CodeRow = typeof code.$inferSelect

/** The contract's words for kinds of thing, and those of the code format. */
export const ownKinds = {
  sample: 'sampleTube',
  box: 'box',
  plate: 'plate',
  rack: 'rack',
  shelf: 'shelf',
  freezer: 'freezer',
  library: 'library',
  pool: 'pool',
  reagent: 'reagentLot',
} as const satisfies Readonly<Record<z.infer<typeof CodeKind>, OwnCodeKind>>

/** A stored code as the contract shows it. */
export function toCode(row: CodeRow): z.input<typeof Code> {
  return {
    id: row.id,
    text: row.text,
    source: row.source,
    thing:
      row.thingKind === null || row.thingId === null
        ? null
        : { kind: row.thingKind as NonNullable<Code['thing']>['kind'], id: row.thingId },
    state: row.state,
    createdAt: toInstant(row.createdAt),
    revision: row.revision,
  }
}

/** What a text is, in the contract's words. */
export function toMeaning(text: string): z.input<typeof ScanMeaning> {
  const scan = classifyScan(text)
  const keys = normaliseForLookup(text)
  return {
    kind: kindOf(scan),
    readable: readableOf(scan, text),
    symbology: /^\][A-Za-z][0-9A-Za-z]/.exec(text.trim())?.[0] ?? null,
    lookupKeys: keys.ok ? keys.value.map((key) => key.key) : [],
    elements:
      scan.kind === 'gs1'
        ? scan.elements.map(({ ai, value }) => ({ key: ai, title: `AI ${ai}`, value }))
        : [],
    ownKind: scan.kind === 'own-code' ? contractKindOf(scan.code.kind) : null,
    position:
      scan.kind === 'position-label'
        ? { boxCode: scan.label.container.text, label: scan.label.position }
        : null,
    remark: remarkOf(scan),
  }
}

function kindOf(scan: Scan): z.input<typeof ScanMeaning>['kind'] {
  return scan.kind === 'position-label' ? 'own-position' : scan.kind
}

function contractKindOf(kind: OwnCodeKind): z.infer<typeof CodeKind> | null {
  const found = Object.entries(ownKinds).find(([, own]) => own === kind)
  return found === undefined ? null : (found[0] as z.infer<typeof CodeKind>)
}

function readableOf(scan: Scan, text: string): string {
  switch (scan.kind) {
    case 'own-code':
      return scan.code.text
    case 'position-label':
      return scan.label.text
    case 'gs1':
      return scan.humanReadable
    case 'index-sequence':
      return scan.sequence
    case 'external':
      return scan.text
    case 'hibc':
    case 'no-tube':
    case 'refused':
      return text.trim()
  }
}

function remarkOf(scan: Scan): string | null {
  switch (scan.kind) {
    case 'refused':
      return scan.problem
    case 'index-sequence':
      return 'Only A, C, G, T and N: this reads like an index sequence, not like a tube'
    case 'no-tube':
      return `${scan.said} means that no tube was read`
    case 'own-code':
    case 'position-label':
    case 'gs1':
    case 'hibc':
    case 'external':
      return null
  }
}

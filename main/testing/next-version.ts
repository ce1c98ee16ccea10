import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The programs of a version of TracSeq, by the files that start them. */
export interface Version {
  readonly workstation: string
  readonly hub: string
}

const root = resolve(import.meta.dirname, '../..')
const copied = ['drizzle', 'hub', 'main', 'platform', 'resources', 'services', 'package.json']
const shared = ['build', 'node_modules']

export const thisVersion: Version = versionIn(root)

/** What the next version's migration does to samples: a column gets another name and one of its values too, one goes. */
const migration = `ALTER TABLE sample RENAME COLUMN priority TO urgency;
UPDATE sample SET urgency = 'rush' WHERE urgency = 'urgent';
ALTER TABLE sample DROP COLUMN taxon_id;
`
const upcast = {
  sample: {
    renamed: { priority: 'urgency' },
    values: { priority: { urgent: 'rush' } },
    dropped: ['taxon_id'],
  },
}

/** What its sources say instead: file, text and the other text. */
const edits = [
  ['services/samples/schema.ts', 'priority: text({', "priority: text('urgency', {"],
  ['services/samples/schema.ts', "'urgent'", "'rush'"],
  ['services/samples/contract.ts', "'urgent'", "'rush'"],
  ['services/templates/domain/sample-request.ts', "'urgent'", "'rush'"],
  ['services/samples/schema.ts', 'taxonId: text(),', ''],
  ['services/samples/record-sample.ts', 'taxonId: fields.taxonId,', ''],
  ['services/samples/aliquots.ts', 'taxonId: mother.taxonId,', ''],
  ['services/samples/sample-rows.ts', 'taxonId: row.taxonId,', 'taxonId: null,'],
] as const

/**
 * The program as its next version might be: the same sources, with a migration of samples and what follows from it. What it
 * runs is real: it migrates what it finds, and reads what the version before has written.
 */
export function makeNextVersion(): Version & { readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-next-'))
  for (const name of copied) {
    cpSync(join(root, name), join(folder, name), {
      recursive: true,
      filter: (path) => !path.endsWith('.test.ts'),
    })
  }
  for (const name of shared) symlinkSync(join(root, name), join(folder, name))
  const beside = join(folder, 'drizzle/samples/20990101000000_urgency')
  mkdirSync(beside)
  writeFileSync(join(beside, 'migration.sql'), migration)
  writeFileSync(join(beside, 'upcast.json'), JSON.stringify(upcast))
  for (const [file, text, otherwise] of edits) {
    const path = join(folder, file)
    const before = readFileSync(path, 'utf8')
    if (!before.includes(text)) throw new Error(`${file} does not say ${text} any more`)
    writeFileSync(path, before.replace(text, otherwise))
  }
  return { ...versionIn(folder), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

function versionIn(folder: string): Version {
  return { workstation: join(folder, 'main/headless/index.ts'), hub: join(folder, 'hub/index.ts') }
}

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

/** What the next version's migration calls the priority of a sample. */
const migration = `ALTER TABLE sample RENAME COLUMN priority TO urgency;\n`
const upcast = { sample: { renamed: { priority: 'urgency' } } }

/**
 * The program as its next version might be: the same sources, in which a column of samples has got another name. What it
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
  const schema = join(folder, 'services/samples/schema.ts')
  const text = readFileSync(schema, 'utf8')
  const renamed = text.replace('priority: text({', "priority: text('urgency', {")
  if (renamed === text) throw new Error('The schema of samples has no priority any more')
  writeFileSync(schema, renamed)
  return { ...versionIn(folder), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

function versionIn(folder: string): Version {
  return { workstation: join(folder, 'main/headless/index.ts'), hub: join(folder, 'hub/index.ts') }
}

import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { migrate, readMigrations } from '../platform/database/migrate.ts'
import { stampOf, templateMark } from '../platform/database/template.ts'
import { openPglite } from '../platform/database/pglite-engine.ts'

/**
 * Makes the empty database that a workstation copies for each domain on its first run: initdb takes three seconds, a
 * copy a tenth of one. It holds what all domains share; each domain migrates its own copy.
 */
const root = resolve(import.meta.dirname, '..')
const target = join(root, 'build', 'database-template')
const unfinished = `${target}.new`

const platform = readMigrations(join(root, 'drizzle', 'platform'))

rmSync(unfinished, { recursive: true, force: true })
mkdirSync(unfinished, { recursive: true })
const engine = await openPglite({ directory: unfinished, template: null })
await migrate(engine, {
  domain: 'template',
  workstationId: 'template',
  platform,
  own: [],
  tables: { tables: [] },
})
await engine.execute('checkpoint')
await engine.close()
if (existsSync(target)) rmSync(target, { recursive: true })
writeFileSync(join(unfinished, templateMark), stampOf(platform))
renameSync(unfinished, target)
process.stdout.write(`The database template is in ${target}\n`)

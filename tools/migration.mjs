// `npm run migration -- <domain> <name>`: writes the migration from a domain's last one to its schema of today.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { projectEnvironment, projectNode, root, run } from './processes.mjs'
import { setUpOrExit } from './setup.mjs'

const [domain = '', name = ''] = process.argv.slice(2)
if (!/^[a-z][a-z-]*$/.test(domain) || !/^[a-z][a-z0-9-]*$/.test(name)) {
  console.error('usage: npm run migration -- <domain> <name-in-kebab-case>')
  process.exit(1)
}
if (!existsSync(join(root, 'services', domain, 'schema.ts'))) {
  console.error(`migration: there is no services/${domain}/schema.ts`)
  process.exit(1)
}
await setUpOrExit('install')
const drizzleKit = join('node_modules', 'drizzle-kit', 'bin.cjs')
const { status } = await run(projectNode, [drizzleKit, 'generate', '--name', name], {
  environment: projectEnvironment({ TRACSEQ_DOMAIN: domain }),
})
process.exitCode = status

import { defineConfig } from 'drizzle-kit'

const domain = process.env['TRACSEQ_DOMAIN']
if (domain === undefined) throw new Error('Say which domain: npm run migration -- <domain> <name>')

export default defineConfig({
  dialect: 'postgresql',
  schema: `./services/${domain}/schema.ts`,
  out: `./drizzle/${domain}`,
})

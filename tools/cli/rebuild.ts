import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setAsideDatabase } from '../../platform/database/domain-database.ts'
import { type Command, CommandRefused } from './command.ts'
import { allDomains, openDomains } from './domain-access.ts'
import { domainsIn, takeHome } from './home-access.ts'

export const rebuild: Command = {
  name: 'rebuild',
  parameters: '[--domain D]',
  summary: 'sets databases aside and makes them anew from snapshot and journal',
  options: ['domain'],
  async run({ home: path, root, option, say }) {
    const only = option('domain')
    if (only !== null && !allDomains.includes(only)) {
      throw new CommandRefused(`There is no domain ${only}. There are ${allDomains.join(', ')}.`)
    }
    const home = takeHome(path)
    try {
      const domains = await openDomains(home, root)
      try {
        const known = new Set([...domainsIn(path), ...(await domains.journal.domains())])
        const wanted = only === null ? allDomains.filter((domain) => known.has(domain)) : [only]
        for (const domain of wanted) {
          const directory = join(path, 'databases', domain)
          if (existsSync(directory)) {
            setAsideDatabase({ domain, directory }, 'asked for at the terminal')
            say(`${domain}: the database was set aside beside ${directory}`)
          }
          const { recovery } = await domains.open(domain)
          for (const line of recovery) say(line)
          const head = (await domains.journal.domainHead(domain))?.domainSequence ?? 0
          say(`${domain}: made anew, up to entry ${head}`)
        }
        if (wanted.includes('auth')) say(secretsAreGone)
        return 0
      } finally {
        await domains.close()
      }
    } finally {
      home.release()
    }
  },
}

/** Said wherever a database comes from the journal. */
export const secretsAreGone =
  'Passwords, PINs and sessions are in no journal: set an administrator\'s password with "reset-password".'

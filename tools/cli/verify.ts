import { join } from 'node:path'
import { isDamage } from '../../platform/database/errors.ts'
import { wordsOf } from '../../platform/database/pglite-engine.ts'
import { readPosition } from '../../platform/database/recovery.ts'
import { openForReading } from '../../platform/journal/journal-connection.ts'
import { type KnownHead, VERIFY_EXIT_STATUS, verifyJournal } from '../../platform/journal/verify-journal.ts'
import type { Command, CommandContext } from './command.ts'
import { openCopy } from './domain-access.ts'
import { domainsIn, observeHome } from './home-access.ts'

/** What a domain's database says about the journal, without a word changed in it. */
interface Witness {
  readonly domain: string
  readonly sequence: number
  readonly acknowledged: number
  readonly acknowledgedHash: string
}

export const verify: Command = {
  name: 'verify',
  parameters: '',
  summary: 'proves the journal: exit 0 whole, 1 broken, 2 shorter than the databases know; writes nothing',
  options: [],
  async run({ home, say }) {
    const observed = observeHome(home)
    try {
      const witnesses = observed.running ? [] : await readWitnesses(home, say)
      if (observed.running) {
        say(
          'TracSeq is running on this home: the journal alone is verified. Close TracSeq to compare the databases.',
        )
      }
      const path = join(home, 'journal.sqlite')
      const heads: KnownHead[] = witnesses.map(({ domain, sequence }) => ({
        domain,
        domainSequence: sequence,
      }))
      const result = verifyJournal(path, { heads })
      const forks = result.entries === 0 ? [] : findForks(path, witnesses)
      for (const problem of [...result.problems, ...forks]) say(problem)
      const status = forks.length > 0 ? 'broken' : result.status
      if (result.countersigned !== null)
        say(
          `The Hub ${result.countersigned.by} has countersigned the journal up to entry ${result.countersigned.upTo}.`,
        )
      say(verdict(status, result.entries, result.headHash, result.firstBadSequence))
      return VERIFY_EXIT_STATUS[status]
    } finally {
      observed.release()
    }
  },
}

async function readWitnesses(home: string, say: CommandContext['say']): Promise<readonly Witness[]> {
  const witnesses: Witness[] = []
  for (const domain of domainsIn(home)) {
    try {
      const { engine, close } = await openCopy(home, domain)
      try {
        const { last, acknowledged, acknowledgedHash } = await readPosition(engine)
        witnesses.push({ domain, sequence: last, acknowledged, acknowledgedHash })
        say(`The database of ${domain} is at entry ${last}.`)
      } finally {
        await close()
      }
    } catch (error) {
      // A broken database is no witness. The journal is what is judged here; rebuild makes the database anew.
      const why = isDamage(error) ? 'it is damaged' : wordsOf(error)
      say(`The database of ${domain} cannot be asked (${why}). The next start or "rebuild" makes it anew.`)
    }
  }
  return witnesses
}

/** The journal may be sound in itself and still be another one than the databases were written with. */
function findForks(path: string, witnesses: readonly Witness[]): readonly string[] {
  const connection = openForReading(path)
  try {
    const at = connection.prepare<[string, number], { kind: string; hash: string }>(
      'SELECT kind, lower(hex(payload_hash)) AS hash FROM journal_entry WHERE domain = ? AND domain_sequence = ?',
    )
    return witnesses.flatMap(({ domain, acknowledged, acknowledgedHash }) => {
      const entry = at.get(domain, acknowledged)
      if (entry === undefined || entry.kind === 'gap' || acknowledgedHash === '') return []
      if (entry.hash === acknowledgedHash) return []
      return [`The database of ${domain} knows another entry ${acknowledged} than the journal: a fork.`]
    })
  } finally {
    connection.close()
  }
}

function verdict(
  status: keyof typeof VERIFY_EXIT_STATUS,
  entries: number,
  headHash: string | null,
  firstBad: number | null,
): string {
  switch (status) {
    case 'whole':
      return `The journal is whole: ${entries} entries${headHash === null ? '' : `, ending in ${headHash}`}.`
    case 'broken':
      return `The journal is BROKEN${firstBad === null ? '' : `; the first bad entry is ${firstBad}`}.`
    case 'tail-short':
      return `The journal is sound and ends TOO EARLY: the databases know more than its ${entries} entries.`
  }
}

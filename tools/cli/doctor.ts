import { existsSync, readdirSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { ScannerSettings } from '../../main/devices/scanner-settings.ts'
import { HomeUnusable, openHome } from '../../platform/host/home.ts'
import { readVersion } from '../../main/workstation.ts'
import { wordsOf } from '../../platform/database/pglite-engine.ts'
import { readPosition } from '../../platform/database/recovery.ts'
import { listSnapshots } from '../../platform/database/snapshot-file.ts'
import { DEFAULT_RESERVE_BYTES } from '../../platform/journal/free-space.ts'
import { openForReading } from '../../platform/journal/journal-connection.ts'
import { verifyJournal } from '../../platform/journal/verify-journal.ts'
import type { Command } from './command.ts'
import { openCopy } from './domain-access.ts'
import { domainsIn, isHome } from './home-access.ts'

type Judgement = 'ok' | 'warn' | 'bad'

/** One thing that was looked at, and what to do about it when it is not as it should be. */
interface Finding {
  readonly judgement: Judgement
  readonly what: string
}

const ok = (what: string): Finding => ({ judgement: 'ok', what })
const warn = (what: string): Finding => ({ judgement: 'warn', what })
const bad = (what: string): Finding => ({ judgement: 'bad', what })

const comfortableBytes = 4 * DEFAULT_RESERVE_BYTES
const clockToleranceMs = 5 * 60_000

export const doctor: Command = {
  name: 'doctor',
  parameters: '',
  summary: 'looks a home over: each line is ok, warn or bad, with what to do',
  options: [],
  async run({ home, root, say }) {
    let isBad = false
    for await (const { judgement, what } of examine(home, root)) {
      say(`${judgement.padEnd(4)}  ${what}`)
      isBad ||= judgement === 'bad'
    }
    return isBad ? 1 : 0
  },
}

async function* examine(home: string, root: string): AsyncGenerator<Finding, undefined> {
  yield lookAtVersions(root)
  if (!existsSync(home)) {
    yield warn(`${home} is not there yet; it is made when TracSeq is started`)
    return
  }
  yield lookAtFolder(home)
  yield lookAtSpace(home)
  if (!isHome(home)) {
    yield warn(`${home} has neither a journal nor databases: is it the right folder?`)
    return
  }
  const held = holdHome(home)
  try {
    yield held.finding
    yield lookAtJournal(home)
    yield lookAtClock(home)
    if (held.mine) for (const domain of domainsIn(home)) yield await lookAtDatabase(home, domain)
    yield* lookAtLeftovers(home)
    yield lookAtDevices(home)
  } finally {
    held.release()
  }
}

function lookAtVersions(root: string): Finding {
  const pglite = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json'), 'utf8')))
  const memory = new Database(':memory:')
  const sqlite = String(memory.prepare('SELECT sqlite_version()').pluck().get())
  memory.close()
  return ok(
    `TracSeq ${readVersion(root)}, Node.js ${process.versions.node}, PGlite ${pglite.version}, SQLite ${sqlite}`,
  )
}

function lookAtFolder(home: string): Finding {
  const probe = join(home, `.doctor-${process.pid}`)
  try {
    writeFileSync(probe, 'can this be written?')
    rmSync(probe)
    return ok(`${home} can be written`)
  } catch (error) {
    return bad(`${home} cannot be written (${wordsOf(error)}): give this user the right to write there`)
  }
}

function lookAtSpace(home: string): Finding {
  const { bavail, bsize } = statfsSync(home)
  const free = bavail * bsize
  const words = `${megabytes(free)} are free on its disk`
  if (free < DEFAULT_RESERVE_BYTES) {
    return bad(`${words}: below ${megabytes(DEFAULT_RESERVE_BYTES)} nothing can be saved. Free some space.`)
  }
  return free < comfortableBytes ? warn(`${words}: free some space soon`) : ok(words)
}

/** The lock, and the kind of disk: both are what TracSeq itself asks about at its start. */
function holdHome(home: string): {
  readonly finding: Finding
  readonly mine: boolean
  readonly release: () => void
} {
  try {
    const own = openHome(home)
    const finding = ok('no other TracSeq has it open, and it lies on a local disk')
    return { finding, mine: true, release: () => own.release() }
  } catch (error) {
    if (!(error instanceof HomeUnusable)) throw error
    const finding =
      error.code === 'IN_USE'
        ? warn('TracSeq is running on it: the databases were not looked at. Close it for a whole look.')
        : bad(error.message)
    return { finding, mine: false, release: () => undefined }
  }
}

function lookAtJournal(home: string): Finding {
  const path = join(home, 'journal.sqlite')
  if (!existsSync(path)) {
    return bad(
      'the journal is missing: the next start makes a new one from the databases and says what is lost',
    )
  }
  const { status, entries, problems } = verifyJournal(path)
  return status === 'whole'
    ? ok(`the journal is whole: ${entries} entries, ${megabytes(statSync(path).size)}`)
    : bad(`the journal is ${status}: ${problems[0] ?? ''} Make a backup of the home before anything else.`)
}

function lookAtClock(home: string): Finding {
  const now = new Date()
  const newest = newestEntryAt(home)
  const words = `the clock says ${now.toISOString()}`
  if (newest !== null && now.getTime() < Date.parse(newest) - clockToleranceMs) {
    return bad(`${words}, but the journal has entries of ${newest}: set the computer's clock right`)
  }
  return ok(words)
}

function newestEntryAt(home: string): string | null {
  try {
    const connection = openForReading(join(home, 'journal.sqlite'))
    try {
      const newest = connection
        .prepare<[], string>('SELECT recorded_at FROM journal_entry ORDER BY sequence DESC LIMIT 1')
        .pluck()
        .get()
      return newest ?? null
    } finally {
      connection.close()
    }
  } catch {
    // A journal that cannot be read has been reported already.
    return null
  }
}

async function lookAtDatabase(home: string, domain: string): Promise<Finding> {
  try {
    const { engine, close } = await openCopy(home, domain)
    try {
      const { last } = await readPosition(engine)
      const size = megabytes(await engine.sizeInBytes())
      const [snapshot] = listSnapshots(join(home, 'snapshots', domain))
      const kept = snapshot === undefined ? 'no snapshot yet' : `a snapshot at entry ${snapshot.sequence}`
      return ok(`the database of ${domain} opens: entry ${last}, ${size}, ${kept}`)
    } finally {
      await close()
    }
  } catch (error) {
    return bad(
      `the database of ${domain} does not open (${wordsOf(error)}): run "npm run tracseq -- rebuild --domain ${domain}"`,
    )
  }
}

/** What was set aside is never deleted by TracSeq itself. */
function lookAtLeftovers(home: string): readonly Finding[] {
  const folders = [home, join(home, 'databases')].filter((folder) => existsSync(folder))
  const found = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.includes('.damaged-'))
      .map((name) => join(folder, name)),
  )
  return found.map((path) =>
    warn(`${path} was set aside as damaged: keep it until all is well, then delete it`),
  )
}

function lookAtDevices(home: string): Finding {
  const path = join(home, 'devices.json')
  if (!existsSync(path)) return ok('no devices are set up')
  try {
    const devices = z.array(ScannerSettings).parse(JSON.parse(readFileSync(path, 'utf8')))
    return ok(`${devices.length} devices are set up`)
  } catch (error) {
    return bad(`${path} cannot be understood (${wordsOf(error)}): delete it and set the scanners up again`)
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`
}

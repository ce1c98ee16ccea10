import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Countersignature, keepCountersignature, readCountersignature } from './countersignature.ts'
import { checkpointBytes, GENESIS_HASH, hashEntry, hashPayload } from './entry.ts'
import { journalPath } from './open-journal.ts'
import { startJournal } from './start-journal.ts'
import { makeEntries, makeEntry, makeHome, removeHomes, TEST_AUTHOR, testOptions } from './test-entries.ts'
import { verifyJournal } from './verify-journal.ts'
import { openWorkstationKey } from './workstation-key.ts'

const PYTHON_VERIFIER = join(import.meta.dirname, '../../tools/verify-journal.py')

let home: string
let copies = 0

beforeAll(async () => {
  home = makeHome()
  const { client, close } = await startJournal({ ...testOptions(home), checkpointEvery: 20 })
  for (const entry of makeEntries('samples', 1, 40)) await client.append(entry)
  await client.startEpoch({ ...TEST_AUTHOR, reason: 'The journal was behind the databases.' })
  await client.markGap({ ...TEST_AUTHOR, domain: 'storage', lostFrom: 1, lostTo: 5, reason: 'Lost.' })
  await client.append(makeEntry('storage', 6, { eventNames: ['ContainerPlaced'], reason: 'über' }))
  await client.removePayload(7)
  await close()
})
afterAll(removeHomes)

/** A copy of the good journal, changed by SQL that goes around the protecting triggers. */
function tamper(change: (database: Database.Database) => void): string {
  const path = join(home, `copy-${(copies += 1)}.sqlite`)
  copyFileSync(journalPath(home), path)
  const database = new Database(path)
  database.exec('DROP TRIGGER journal_entry_is_never_deleted; DROP TRIGGER journal_entry_is_never_changed')
  change(database)
  database.close()
  return path
}

const run = (sql: string) => (database: Database.Database) => void database.exec(sql)

/** Recomputes payload hashes and chain from an entry to the end, as somebody would who wants to hide a change. */
function rehashFrom(database: Database.Database, sequence: number): void {
  const before = database
    .prepare<[number], Buffer>('SELECT hash FROM journal_entry WHERE sequence = ?')
    .pluck()
  let previous: Uint8Array = before.get(sequence - 1) ?? GENESIS_HASH
  const rows = database
    .prepare<[number], { sequence: number; payload: string }>(
      'SELECT sequence, payload FROM journal_entry WHERE sequence >= ? ORDER BY sequence',
    )
    .all(sequence)
  const update = database.prepare('UPDATE journal_entry SET payload_hash = ?, hash = ? WHERE sequence = ?')
  for (const row of rows) {
    const payloadHash = hashPayload(row.payload)
    previous = hashEntry(previous, row.sequence, payloadHash)
    update.run(payloadHash, previous, row.sequence)
  }
}

const TAMPERINGS: readonly (readonly [string, number, RegExp, (database: Database.Database) => void])[] = [
  [
    'a changed payload',
    12,
    /Entry 12 is wrong: its payload is not the one that was hashed/,
    run(
      `UPDATE journal_entry SET payload = replace(payload, 'samples-12', 'samples-13') WHERE sequence = 12`,
    ),
  ],
  [
    'a changed hash',
    12,
    /Entry 12 is wrong: its hash does not follow/,
    run(`UPDATE journal_entry SET hash = zeroblob(32) WHERE sequence = 12`),
  ],
  [
    'a changed column',
    12,
    /its column actorId is not what its payload says/,
    run(`UPDATE journal_entry SET actor_id = 'ben' WHERE sequence = 12`),
  ],
  [
    'a changed event name',
    43,
    /its column eventNames is not what its payload says/,
    run(`UPDATE journal_entry SET event_names = '[]' WHERE sequence = 43`),
  ],
  ['a removed entry', 12, /Entry 12 is missing/, run(`DELETE FROM journal_entry WHERE sequence = 12`)],
  [
    'a removed beginning',
    1,
    /Entry 1 is missing, up to 3/,
    run(`DELETE FROM journal_entry WHERE sequence < 4`),
  ],
  [
    'a cut tail',
    41,
    /was signed, but the journal ends at 40: entries were cut off/,
    run(`DELETE FROM journal_entry WHERE sequence > 40; DELETE FROM journal_epoch WHERE number = 2`),
  ],
  [
    'an epoch taken out of the table',
    41,
    /The epoch announced by entry 41 is not in the epoch table/,
    run(`DELETE FROM journal_epoch WHERE number = 2`),
  ],
  [
    'a gap taken out of the table',
    42,
    /The gap storage 1 to 5 \(entry 42\) is not listed/,
    run(`UPDATE journal_epoch SET gaps = '[]'`),
  ],
  [
    'an epoch that is due but not announced',
    44,
    /not announced although it is due: was damaged/,
    run(`INSERT INTO journal_meta VALUES ('epoch_due', 'was damaged')`),
  ],
]

const SIGNATURE_TAMPERINGS: typeof TAMPERINGS = [
  [
    'a chain recomputed after a change',
    20,
    /The checkpoint at 20 was signed over another hash/,
    (database) => {
      database.exec(
        `UPDATE journal_entry SET payload = replace(payload, '"key":"samples-12"', '"key":"samples-13"') WHERE sequence = 12`,
      )
      rehashFrom(database, 12)
    },
  ],
  [
    'a forged signature',
    20,
    /The checkpoint at 20 has a forged or damaged signature/,
    run(`UPDATE journal_checkpoint SET signature = '${'A'.repeat(86)}==' WHERE sequence = 20`),
  ],
  [
    'a checkpoint signed by a key of somebody else',
    20,
    /The checkpoint at 20 was signed by an unknown key/,
    (database) => {
      const forger = openWorkstationKey(makeHome())
      const hash = database
        .prepare<[], Buffer>('SELECT hash FROM journal_entry WHERE sequence = 20')
        .pluck()
        .get()
      const data = Buffer.concat([Buffer.from('0000000000000014', 'hex'), hash ?? Buffer.alloc(0)])
      database
        .prepare(
          'UPDATE journal_checkpoint SET public_key = ?, key_fingerprint = ?, signature = ? WHERE sequence = 20',
        )
        .run(forger.publicKey, forger.fingerprint, forger.sign('journal-checkpoint', data))
    },
  ],
]

describe('verifyJournal', () => {
  it('finds a good journal whole, and changes no byte of it', () => {
    const before = fingerprint(journalPath(home))
    expect(verifyJournal(journalPath(home), { trustedKeys: [openWorkstationKey(home).fingerprint] })).toEqual(
      {
        status: 'whole',
        firstBadSequence: null,
        entries: 43,
        headHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        countersigned: null,
        problems: [],
      },
    )
    expect(fingerprint(journalPath(home))).toBe(before)
  })

  it.each([...TAMPERINGS, ...SIGNATURE_TAMPERINGS])('finds %s', (_, firstBadSequence, words, change) => {
    const result = verifyJournal(tamper(change), { trustedKeys: [openWorkstationKey(home).fingerprint] })
    expect(result).toMatchObject({ status: 'broken', firstBadSequence })
    expect(result.problems.join('\n')).toMatch(words)
  })

  it('finds a single flipped bit in the file, with the right sequence', () => {
    const path = join(home, 'flipped.sqlite')
    const bytes = readFileSync(journalPath(home))
    const at = bytes.indexOf('"key":"samples-23"') + 9
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(path, bytes)
    expect(verifyJournal(path)).toMatchObject({ status: 'broken', firstBadSequence: 23, entries: 43 })
  })

  it('compares with what the databases know: shorter is a short tail, another hash is a fork', () => {
    const verify = (domainSequence: number, hash?: string) =>
      verifyJournal(journalPath(home), {
        heads: [{ domain: 'samples', domainSequence, ...(hash === undefined ? {} : { hash }) }],
      })
    const hash = headHash(40)
    expect(verify(40, hash)).toMatchObject({ status: 'whole' })
    expect(verify(41)).toMatchObject({
      status: 'tail-short',
      firstBadSequence: 44,
      problems: ['The database of samples knows entry 41; the journal ends at samples 40.'],
    })
    expect(verify(39, hash)).toMatchObject({ status: 'broken', firstBadSequence: 39 })
  })

  describe('compares with what the Hub countersigned', () => {
    const hub = openWorkstationKey(makeHome())
    const path = () => journalPath(home)
    const countersign = (sequence: number, hash: string, more: Partial<Countersignature> = {}) => {
      const data = checkpointBytes(sequence, Buffer.from(hash, 'hex'))
      const signature = hub.sign('hub-countersignature', data)
      keepCountersignature(home, { sequence, hash, hubKey: hub.publicKey, signature, epoch: 2, ...more })
    }
    const file = () => join(home, 'hub-countersignature.json')
    afterEach(() => rmSync(file(), { force: true }))

    it('the same entry is proof, said with its number and whose proof it is', () => {
      countersign(40, headHash(40))
      expect(verifyJournal(path())).toMatchObject({
        status: 'whole',
        countersigned: { upTo: 40, by: hub.fingerprint },
        problems: [],
      })
    })

    it('an older word does not take the place of a newer one, but one about a journal begun anew does', () => {
      countersign(40, headHash(40))
      countersign(39, headHash(39))
      expect(readCountersignature(home)?.sequence).toBe(40)
      countersign(5, headHash(5), { epoch: 3 })
      expect(readCountersignature(home)?.sequence).toBe(5)
      writeFileSync(file(), 'scribble')
      countersign(7, headHash(7))
      expect(readCountersignature(home)?.sequence).toBe(7)
    })

    it('another journal in its place is found, even one that is sound in itself', () => {
      const other = tamper((database) => {
        database.exec(`UPDATE journal_entry SET payload = replace(payload, 'Ünïcode µL', 'Another') WHERE sequence = 30;
          DELETE FROM journal_checkpoint`)
        rehashFrom(database, 30)
      })
      expect(verifyJournal(other)).toMatchObject({ status: 'whole', problems: [] })
      countersign(40, headHash(40))
      expect(verifyJournal(other)).toMatchObject({
        status: 'broken',
        firstBadSequence: 40,
        countersigned: null,
        problems: ['Entry 40 is another one than the Hub countersigned.'],
      })
    })

    it('a journal that ends before it is too short', () => {
      countersign(50, headHash(40))
      expect(verifyJournal(path())).toMatchObject({ status: 'tail-short', firstBadSequence: 44 })
    })

    it('a journal that was lost, begun anew and said so is none that the Hub countersigned before', () => {
      countersign(50, headHash(40), { epoch: 1 })
      expect(verifyJournal(path())).toMatchObject({ status: 'whole', countersigned: null })
    })

    it('a forged countersignature and a damaged file are named', () => {
      countersign(40, headHash(40), {
        signature: openWorkstationKey(home).sign('hub-countersignature', Buffer.alloc(40)),
      })
      expect(verifyJournal(path()).problems).toEqual([
        "The Hub's countersignature at 40 is forged or damaged.",
      ])
      writeFileSync(file(), '{}')
      expect(verifyJournal(path()).problems.join()).toMatch(/^The Hub's countersignature cannot be read/)
    })
  })

  it('reports a file that is no database, one that is cut, and none at all', () => {
    const garbage = join(home, 'garbage.sqlite')
    writeFileSync(garbage, 'garbage'.repeat(10_000))
    const cut = join(home, 'cut.sqlite')
    writeFileSync(cut, readFileSync(journalPath(home)).subarray(0, 40_960))
    for (const path of [garbage, cut, join(home, 'none.sqlite')]) {
      const result = verifyJournal(path)
      expect(result.status).toBe('broken')
      expect(result.firstBadSequence).toBeGreaterThan(0)
      expect(result.problems).not.toEqual([])
    }
  })
})

describe('the second verifier, which shares no code', () => {
  const verify = (path: string, ...more: string[]) => {
    const { status, stdout, stderr } = spawnSync('python3', [PYTHON_VERIFIER, path, ...more], {
      encoding: 'utf8',
      timeout: 30_000,
    })
    expect(stderr).toBe('')
    return { status, stdout }
  }

  it('agrees that the good journal is whole', () => {
    const ours = verifyJournal(journalPath(home))
    const theirs = verify(journalPath(home), '--expect-head', `43:${ours.headHash ?? ''}`)
    expect(theirs.status).toBe(0)
    expect(theirs.stdout).toContain(`whole: 43 entries, head ${ours.headHash ?? ''}`)
  })

  it.each(TAMPERINGS)('agrees about %s', (_, firstBadSequence, _words, change) => {
    const theirs = verify(tamper(change))
    expect(theirs.status).toBe(1)
    expect(theirs.stdout).toContain(`broken: first bad sequence ${firstBadSequence}\n`)
  })

  it('finds a recomputed chain by the checkpoint, a short tail by the expected head, and survives rubbish', () => {
    const [recomputed] = SIGNATURE_TAMPERINGS
    expect(verify(tamper(recomputed?.[3] ?? run('')))).toMatchObject({ status: 1 })
    expect(verify(journalPath(home), '--expect-head', '50')).toMatchObject({ status: 2 })
    expect(verify(journalPath(home), '--expect-head', `43:${headHash(42)}`)).toMatchObject({ status: 1 })
    const garbage = join(home, 'rubbish.sqlite')
    writeFileSync(garbage, 'rubbish'.repeat(10_000))
    expect(verify(garbage)).toMatchObject({ status: 1 })
    expect(verify(join(home, 'none.sqlite'))).toMatchObject({ status: 1 })
    expect(verify(join(home, 'none.sqlite'), '--expect-head', '1')).toMatchObject({ status: 2 })
  })
})

describe('both verifiers on a journal in a folder they may not write', () => {
  it('read it all the same', () => {
    const folder = makeHome()
    copyFileSync(journalPath(home), journalPath(folder))
    const script = `
      import { verifyJournal } from ${JSON.stringify(join(import.meta.dirname, 'verify-journal.ts'))}
      process.stdout.write(verifyJournal(${JSON.stringify(journalPath(folder))}).status)`
    execFileSync('chmod', ['755', folder, home])
    execFileSync('chmod', ['444', journalPath(folder)])
    execFileSync('chmod', ['555', folder])
    const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    const ours = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      ...user,
      encoding: 'utf8',
    })
    const theirs = spawnSync('python3', [PYTHON_VERIFIER, journalPath(folder)], { ...user, encoding: 'utf8' })
    execFileSync('chmod', ['755', folder])
    expect([ours.stdout, ours.status, theirs.status, existsSync(`${journalPath(folder)}-wal`)]).toEqual([
      'whole',
      0,
      0,
      false,
    ])
  })
})

function fingerprint(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

function headHash(sequence: number): string {
  const database = new Database(journalPath(home), { readonly: true })
  const hash = database
    .prepare<[number], string>('SELECT lower(hex(hash)) FROM journal_entry WHERE sequence = ?')
    .pluck()
    .get(sequence)
  database.close()
  return hash ?? ''
}

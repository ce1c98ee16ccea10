import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'tracseq-terminal-'))
const home = join(folder, 'home')
const email = 'admin@laboratory.example'
const password = 'a long sentence for the test bench'

/** What was found before and after TracSeq was closed. */
const whileRunning: Record<string, Finished> = {}

interface Finished {
  readonly status: number
  readonly text: string
}

beforeAll(async () => {
  const running = await startWorkstation(home)
  try {
    await makeCodes(running.url, 3)
    whileRunning['verify'] = await tracseq(['verify'])
    whileRunning['doctor'] = await tracseq(['doctor'])
    whileRunning['rebuild'] = await tracseq(['rebuild'])
    whileRunning['backup'] = await tracseq(['backup', '--to', join(folder, 'backup')])
    await makeCodes(running.url, 2)
  } finally {
    await running.close()
  }
}, 180_000)
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('while TracSeq is running', () => {
  it('the journal alone is verified, and nothing else is touched', () => {
    expect(whileRunning['verify']).toMatchObject({
      status: 0,
      text: expect.stringMatching(/TracSeq is running[\s\S]*The journal is whole/) as string,
    })
    expect(whileRunning['doctor']).toMatchObject({
      status: 0,
      text: expect.stringMatching(/warn {2}TracSeq is running/) as string,
    })
    expect(whileRunning['rebuild']).toMatchObject({
      status: 1,
      text: expect.stringContaining('already running') as string,
    })
  })

  it('a backup is taken', () => {
    expect(whileRunning['backup']).toMatchObject({
      status: 0,
      text: expect.stringMatching(/whole journal of \d+ entries[\s\S]*Left out: passwords/) as string,
    })
    expect(readdirSync(join(folder, 'backup'))).not.toContain('keys')
  })
})

describe('verify', () => {
  it('says 0 for a whole home and leaves it as it was', async () => {
    const before = listing(home)
    expect(await tracseq(['verify'])).toMatchObject({
      status: 0,
      text: expect.stringMatching(/database of auth is at entry[\s\S]*The journal is whole/) as string,
    })
    expect(listing(home)).toEqual(before)
  }, 60_000)

  it('says 1 and where, when an entry was altered', async () => {
    const altered = copyOfHome('altered')
    const journal = new Database(join(altered, 'journal.sqlite'))
    journal.exec(`DROP TRIGGER journal_entry_is_never_changed;
      UPDATE journal_entry SET payload = replace(payload, 'notes', 'votes') || ' ' WHERE sequence = 3`)
    journal.close()
    expect(await tracseq(['verify'], altered)).toMatchObject({
      status: 1,
      text: expect.stringContaining('BROKEN; the first bad entry is 3') as string,
    })
  }, 60_000)

  it('says 2 when the end was cut off', async () => {
    const short = copyOfHome('short')
    const journal = new Database(join(short, 'journal.sqlite'))
    journal.exec(`DROP TRIGGER journal_entry_is_never_deleted; DELETE FROM journal_checkpoint;
      DELETE FROM journal_event WHERE sequence = (SELECT max(sequence) FROM journal_entry);
      DELETE FROM journal_entry WHERE sequence = (SELECT max(sequence) FROM journal_entry)`)
    journal.close()
    expect(await tracseq(['verify'], short)).toMatchObject({
      status: 2,
      text: expect.stringContaining('TOO EARLY') as string,
    })
  }, 60_000)
})

describe('doctor', () => {
  it('finds a sound home sound, and names what is not', async () => {
    const sound = await tracseq(['doctor'])
    expect(sound.text).toMatch(/ok {4}the database of barcodes opens/)
    expect(sound.status).toBe(0)
    const sick = copyOfHome('sick')
    rmSync(join(sick, 'databases', 'barcodes', 'global', 'pg_control'))
    writeFileSync(join(sick, 'devices.json'), 'no json')
    const found = await tracseq(['doctor'], sick)
    expect(found.text).toMatch(/bad {3}the database of barcodes does not open.*rebuild --domain barcodes/)
    expect(found.text).toMatch(/bad {3}.*devices\.json cannot be understood/)
    expect(found.status).toBe(1)
    expect((await tracseq(['rebuild', '--domain', 'barcodes'], sick)).status).toBe(0)
    expect((await tracseq(['doctor'], sick)).text).toMatch(/ok {4}the database of barcodes opens/)
  }, 120_000)
})

describe('a backup', () => {
  it('becomes a new workstation with the same content, which a person can sign in to again', async () => {
    const restored = join(folder, 'restored')
    const result = await tracseq(['restore', '--from', join(folder, 'backup')], restored)
    expect(result.text).toContain('as a new workstation')
    expect(result.status).toBe(0)
    expect(idOf(restored)).not.toBe(idOf(home))
    expect((await tracseq(['verify'], restored)).status).toBe(0)
    const reset = await tracseq(['reset-password', '--email', email], restored, 'another long sentence\n')
    expect(reset.text).toContain('has a new password')
    const running = await startWorkstation(restored)
    try {
      expect(await codesOf(running.url, 'another long sentence')).toHaveLength(3)
    } finally {
      await running.close()
    }
    expect((await tracseq(['verify'], restored)).status).toBe(0)
  }, 180_000)

  it('is not restored over a home, nor when a file of it is damaged', async () => {
    expect(await tracseq(['restore', '--from', join(folder, 'backup')])).toMatchObject({
      status: 1,
      text: expect.stringContaining('is not empty') as string,
    })
    const damaged = join(folder, 'damaged-backup')
    cpSync(join(folder, 'backup'), damaged, { recursive: true })
    const bytes = readFileSync(join(damaged, 'journal.sqlite'))
    bytes[5_000] = (bytes[5_000] ?? 0) ^ 1
    writeFileSync(join(damaged, 'journal.sqlite'), bytes)
    const target = join(folder, 'never')
    expect((await tracseq(['restore', '--from', damaged], target)).text).toContain('Nothing was restored')
    expect(existsSync(target)).toBe(false)
  }, 60_000)
})

describe('export', () => {
  it('writes every table and no secret', async () => {
    const to = join(folder, 'export')
    expect((await tracseq(['export', '--to', to])).text).toContain('barcodes: code: 5 rows')
    const lines = readFileSync(join(to, 'barcodes', 'code.jsonl'), 'utf8')
      .trim()
      .split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { counter: string }).counter).sort()).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
    ])
    expect(readdirSync(join(to, 'auth'))).not.toContain('credential.jsonl')
    expect(readFileSync(join(to, 'barcodes', 'code.csv'), 'utf8').split('\r\n')).toHaveLength(7)
  }, 60_000)
})

describe('a wrong word', () => {
  it.each([
    [['fly'], /There is no command "fly"[\s\S]*usage/],
    [[], /usage/],
    [['backup'], /--to is missing/],
    [['verify', '--wings'], /wings[\s\S]*usage: tracseq verify/],
    [['rebuild', '--domain', 'dreams'], /There is no domain dreams/],
  ])('%j is answered with what is possible', async (words, answer) => {
    const { status, text } = await tracseq(words)
    expect(status).toBe(1)
    expect(text).toMatch(answer)
  })
})

async function tracseq(words: readonly string[], at = home, input = ''): Promise<Finished> {
  const child = spawn(process.execPath, [join(root, 'tools', 'tracseq.ts'), ...words], {
    env: { ...process.env, TRACSEQ_HOME: at },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
  }
  child.stdin.end(input)
  const [status] = (await once(child, 'close')) as [number | null]
  return { status: status ?? -1, text }
}

async function startWorkstation(at: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(root, 'main', 'headless', 'index.ts'), '--home', at, '--port', '0'],
    {
      env: { ...process.env, TRACSEQ_ADMIN_EMAIL: email, TRACSEQ_ADMIN_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  if (child.stdout === null) throw new Error('The workstation has no output')
  const said: readonly unknown[] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => {
      throw new Error('The workstation ended before it was ready')
    }),
  ])
  const { url } = JSON.parse(String(said[0])) as { url: string }
  return {
    url,
    async close() {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function call<T>(url: string, path: string, token: string | null, body?: unknown): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

async function signIn(url: string, secret: string): Promise<string> {
  const body = { email, password: secret }
  return (await call<{ accessToken: string }>(url, '/v1/auth/login', null, body)).accessToken
}

async function makeCodes(url: string, count: number): Promise<void> {
  await call(url, '/v1/barcodes/allocate', await signIn(url, password), { kind: 'sample', count })
}

async function codesOf(url: string, secret: string): Promise<readonly unknown[]> {
  const token = await signIn(url, secret)
  return (await call<{ items: unknown[] }>(url, '/v1/barcodes', token)).items
}

function copyOfHome(name: string): string {
  const copy = join(folder, name)
  cpSync(home, copy, { recursive: true })
  return copy
}

function idOf(at: string): string {
  return (JSON.parse(readFileSync(join(at, 'workstation.json'), 'utf8')) as { id: string }).id
}

/** Every file with its content's size; SQLite's shared memory is an index that may come and go. */
function listing(at: string): readonly string[] {
  return readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/-(shm|wal)$/.test(entry.name))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return `${path} ${readFileSync(path).length}`
    })
    .sort()
}

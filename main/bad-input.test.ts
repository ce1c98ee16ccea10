import type { AnySchema } from '@orpc/contract'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isContractProcedure } from '@orpc/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Catalogue, type KnownProcedure } from '../platform/gateway/catalogue.ts'
import { system } from '../platform/gateway/contract.ts'
import { sync } from '../platform/sync/contract.ts'
import { auth } from '../services/auth/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { services } from '../services/registry.ts'
import { samples } from '../services/samples/contract.ts'
import { templates } from '../services/templates/contract.ts'
import { devices } from './devices/contract.ts'
import { createHttpClient, type HttpAnswer, HttpProblem, requestOf, send } from './testing/http-client.ts'
import { insist } from './testing/ledger.ts'
import { makeUpInput, withText } from './testing/made-up-input.ts'
import {
  EndedEarly,
  killLeftOvers,
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
  type WorkstationProcess,
} from './testing/workstation-process.ts'

const home = makeHome()
let workstation: WorkstationProcess
let admin: SignedIn
/** Who writes nonsense; their own account may suffer. */
let mischief: SignedIn
let kept: { readonly id: string; readonly name: string }

const troublemaker = { email: 'mischief@example.org', password: 'seven-blue-centrifuges-1' }

beforeAll(async () => {
  workstation = await startWorkstationProcess(home)
  admin = await signInTo(workstation)
  for (const { name } of services) await insist(() => admin.client(system).wakeService({ name }))
  await admin.client(auth).createUser({ ...troublemaker, name: 'Mischief', roles: ['lab_administrator'] })
  mischief = await signInTo(workstation, troublemaker)
  const { sample } = await insist(() =>
    admin.client(samples).receive({ sample: { name: 'Kept', type: 'dna' } }, { context: { key: 'kept' } }),
  )
  kept = sample
}, 180_000)
afterAll(async () => {
  await killLeftOvers()
  rmSync(home, { recursive: true, force: true })
})

const procedures = listProcedures()
/** What these are given came off a tube or a rack: they say in their answer what is wrong with it. */
const readsAnything = [
  'barcodes.resolve',
  'barcodes.validate',
  'storage.readRackScan',
  'storage.applyRackScan',
]
const Problem = z.object({ code: z.string(), message: z.string(), data: z.unknown() })

/** Whatever is asked, the answer has a name for what is wrong: no defect, no hang. */
function expectNoDefect(answer: HttpAnswer, about: string): void {
  if (answer.status < 400) return
  expect(Problem.parse(answer.body), about).not.toMatchObject({ code: 'INTERNAL_SERVER_ERROR' })
  expect([500, 502], `${about}: ${JSON.stringify(answer.body)}`).not.toContain(answer.status)
}

describe('every procedure', () => {
  test.each(procedures)('$label takes SQL and HTML for mere text', async ({ label, contract }) => {
    const madeUp = makeUpInput(contract['~orpc'].inputSchema as AnySchema | undefined)
    if (madeUp === null) return
    const answer = await sendPatiently(contract, madeUp.value)
    expectNoDefect(answer, label)
  })

  test.each(procedures)('$label refuses NUL and half characters', async ({ label, contract }) => {
    const madeUp = makeUpInput(contract['~orpc'].inputSchema as AnySchema | undefined)
    const inBody = contract['~orpc'].route.method === 'POST'
    for (const path of madeUp?.freeTexts ?? []) {
      // A half character cannot stand in an address.
      for (const bad of inBody ? ['a\u0000b', 'a\ud800b'] : ['a\u0000b']) {
        const answer = await sendPatiently(contract, withText(madeUp?.value, path, bad))
        const where = `${label} ${path.join('.')}: ${JSON.stringify(answer.body)}`
        expectNoDefect(answer, where)
        if (!readsAnything.includes(label)) expect(answer.status, where).toBeGreaterThanOrEqual(400)
      }
    }
  })

  test.each(procedures.filter(({ contract }) => contract['~orpc'].route.method === 'POST'))(
    '$label refuses what is no object',
    async ({ label, contract }) => {
      const { path = '' } = contract['~orpc'].route
      for (const body of [
        '[]',
        '"text"',
        '17',
        'null',
        '{"a":',
        '{"__proto__":{"x":1}}',
        '['.repeat(20_000),
      ]) {
        const answer = await post(path.replaceAll(/[{}]/g, ''), body)
        expectNoDefect(answer, `${label} ${body.slice(0, 20)}`)
      }
    },
  )
})

describe('text', () => {
  test.each([
    `Robert'); DROP TABLE sample; --`,
    '<img src=x onerror=alert(1)>',
    '=HYPERLINK("http://example.org")',
    '\u202eevil\u202c \u0000'.replace('\u0000', ''),
    '😀 Ä ß 試料 ﷽',
    '$' + '{jndi:ldap://example.org}',
  ])('%j is kept letter by letter', async (name) => {
    const made = await admin.client(samples).accession({ sample: { name, type: 'dna' } })
    expect((await admin.client(samples).get({ id: made.id })).name).toBe(name)
  })

  test('NUL and half characters are refused with the field and the rule', async () => {
    for (const [bad, rule] of [
      ['a\u0000b', /NUL/],
      ['a\ud800b', /half of a character/],
    ] as const) {
      const answer = await sendPatiently(samples.accession, { sample: { name: bad, type: 'dna' } })
      expect(answer.status).toBe(400)
      expect(JSON.stringify(answer.body)).toMatch(rule)
      expect(JSON.stringify(answer.body)).toContain('name')
    }
  })
})

describe('what people do wrong', () => {
  test('an unknown code is known to nobody, and said so', async () => {
    const { meaning, matches } = await admin.client(barcodes).resolve({ text: 'NOBODY-KNOWS-THIS' })
    expect(matches).toEqual([])
    expect(meaning.kind).toBe('external')
    expect((await admin.client(barcodes).resolve({ text: 'NO READ' })).meaning.kind).toBe('no-tube')
  })

  test('an empty file is stored as what it is, and no import comes of it', async () => {
    expectNoDefect(await uploadOf(new Uint8Array()), 'empty file')
    const fileSha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    const refusal = await admin
      .client(templates)
      .openImport({ fileSha256, fileName: 'nothing.xlsx' })
      .catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(HttpProblem)
    expect((refusal as HttpProblem).status).toBeGreaterThanOrEqual(400)
    expect((refusal as HttpProblem).status).toBeLessThan(500)
  })

  test('six wrong passwords: the account is locked, for the right one too, and nobody else is', async () => {
    const person = { email: 'forgetful@example.org', password: 'seven-blue-centrifuges-3' }
    await admin.client(auth).createUser({ ...person, name: 'Forgetful', roles: ['guest'] })
    const nobody = createHttpClient(workstation.url, auth, null)
    const codes: string[] = []
    for (const password of ['a', 'b', 'c', 'd', 'e', 'f', person.password]) {
      const refusal = await nobody.login({ email: person.email, password }).catch((error: unknown) => error)
      codes.push(refusal instanceof HttpProblem ? `${refusal.status} ${refusal.code}` : 'let in')
    }
    expect(codes.slice(0, 4)).toEqual(Array.from({ length: 4 }, () => '401 WRONG_CREDENTIALS'))
    expect(codes.slice(5)).toEqual(Array.from({ length: 2 }, () => '401 LOCKED_OUT'))
    await signInTo(workstation)
  })

  test('a second start on the same home ends with a sentence, and the first goes on', async () => {
    const second = await startWorkstationProcess(home).catch((error: unknown) => error)
    expect(second).toBeInstanceOf(EndedEarly)
    expect(second).toMatchObject({
      exitStatus: 1,
      words: `TracSeq is already running on ${home}. Close it first, or choose another home.\n`,
    })
    expect((await admin.client(barcodes).allocate({ kind: 'sample', count: 1 })).codes).toHaveLength(1)
  })

  test.each(['Dropbox', 'OneDrive - Institute', 'iCloud Drive', 'Nextcloud'])(
    'a home in %s is refused before anything is written there',
    async (folder) => {
      const synced = join(makeHome(), folder, 'tracseq')
      mkdirSync(join(synced, '..'), { recursive: true })
      const refusal = await startWorkstationProcess(synced).catch((error: unknown) => error)
      expect(refusal).toMatchObject({
        exitStatus: 1,
        words: expect.stringContaining('Choose a folder outside of it'),
      })
      expect(() => readFileSync(join(synced, 'workstation.json'))).toThrow('ENOENT')
    },
  )
})

describe('requests', () => {
  test.each([
    { what: 'a text', type: 'text/plain', body: 'kind=sample', status: 400 },
    { what: 'XML', type: 'application/xml', body: '<kind>sample</kind>', status: 400 },
    { what: 'half of a JSON', type: 'application/json', body: '{"kind":', status: 400 },
    { what: 'a wrong type', type: 'application/json', body: '{"kind":7,"count":"many"}', status: 400 },
    {
      what: 'a form without end',
      type: 'multipart/form-data; boundary=x',
      body: '--x\r\nno end',
      status: 400,
    },
  ])('$what is answered with $status', async ({ type, body, status }) => {
    const answer = await post('/v1/barcodes/allocate', body, { 'content-type': type })
    expect(answer.status, JSON.stringify(answer.body)).toBe(status)
    expect(Problem.parse(answer.body).message).not.toBe('')
  })

  test.each([
    { what: 'a JSON body of 9 MB', give: () => post('/v1/barcodes/allocate', `{"a":"${'x'.repeat(9e6)}"}`) },
    { what: 'a file above 50 MB', give: () => uploadOf(new Uint8Array(52 * 1024 * 1024)) },
  ])('$what is refused', async ({ give }) => {
    const outcome = await give().then(
      ({ status }) => status,
      // The connection may be closed while the body is still on its way.
      (error: unknown) => (error instanceof TypeError ? 413 : String(error)),
    )
    expect([400, 413]).toContain(outcome)
  })

  test.each([
    { what: 'no such address', path: '/v1/nothing/here', status: 404 },
    { what: 'a query by POST', path: '/v1/barcodes/statistics', status: 404 },
    { what: 'a path out of the tree', path: '/v1/system/files/..%2f..%2fetc%2fpasswd', status: 404 },
  ])('$what: $status', async ({ path, status }) => {
    expect((await post(path, '{}')).status).toBe(status)
  })

  test('a page of another site is refused', async () => {
    const answer = await post('/v1/barcodes/allocate', '{"kind":"sample"}', {
      origin: 'https://evil.example',
    })
    expect(answer.status).toBe(403)
  })

  test('a key used for something else is refused', async () => {
    const key = randomUUID()
    const allocate = (count: number) =>
      admin.client(barcodes).allocate({ kind: 'sample', count }, { context: { key } })
    await allocate(1)
    await expect(allocate(2)).rejects.toMatchObject({ status: 409, code: 'IDEMPOTENCY_KEY_REUSED' })
  })
})

test('after all of this everything is there, and the log knows of no defect', async () => {
  expect(await admin.client(samples).get({ id: kept.id })).toEqual(kept)
  expect(await admin.client(system).verifyJournal()).toMatchObject({ status: 'whole' })
  const states = (await admin.client(system).services()).map(({ name, state, restarts }) => ({
    name,
    state,
    restarts,
  }))
  for (const each of states) expect(each).toMatchObject({ state: 'ready', restarts: 0 })
  await workstation.stop()
  const log = readFileSync(join(home, 'logs', 'tracseq.log'), 'utf8').split('\n')
  expect(log.filter((line) => line.includes('"level":"error"'))).toEqual([])
})

/** While a service starts, or too much was asked in a short time, the same is asked again. */
async function sendPatiently(contract: KnownProcedure['contract'], input: unknown): Promise<HttpAnswer> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await send(requestOf(workstation.url, contract, input, mischief))
    const code = Problem.safeParse(answer.body).data?.code ?? ''
    if (attempt === 20 || !['NOT_STARTED', 'TOO_MANY_REQUESTS', 'BUSY'].includes(code)) return answer
  }
}

function post(
  path: string,
  body: BodyInit,
  headers: Readonly<Record<string, string>> = {},
): Promise<HttpAnswer> {
  return send({
    url: `${workstation.url}${path}`,
    method: 'POST',
    headers: { authorization: `Bearer ${mischief.token}`, 'content-type': 'application/json', ...headers },
    body,
  })
}

function uploadOf(content: Uint8Array<ArrayBuffer>): Promise<HttpAnswer> {
  const form = new FormData()
  form.append('file', new File([content], 'sheet.xlsx'))
  // The form says its own type and length.
  const headers = { authorization: `Bearer ${admin.token}` }
  return send({ url: `${workstation.url}/v1/system/files`, method: 'POST', headers, body: form })
}

function listProcedures(): readonly KnownProcedure[] {
  const catalogue = new Catalogue()
  for (const { name, contract } of services) catalogue.add(name, contract)
  catalogue.add('system', system)
  catalogue.add('devices', devices)
  catalogue.add('sync', sync)
  // A stream of scans has no end to wait for, and who signs out or locks can do no more mischief.
  const leftOut = ['devices.scanFeed', 'auth.logout', 'auth.lock']
  return catalogue
    .list()
    .filter(
      ({ meta, label, contract }) =>
        isContractProcedure(contract) && !meta.internal && !leftOut.includes(label),
    )
}

import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sync } from '../../platform/sync/contract.ts'
import { formatEnrolmentCode, hubMarkOf, parseEnrolmentCode } from '../../platform/sync/enrolment-code.ts'
import { auth } from '../../services/auth/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { createHttpClient } from '../testing/http-client.ts'
import { administrator, killLeftOvers } from '../testing/workstation-process.ts'
import {
  contentsOf,
  founderCode,
  Machine,
  openSyncNetwork,
  type SyncNetwork,
  until,
  untilCaughtUp,
} from './testing/sync-network.ts'

const run = promisify(execFile)
const tracseq = resolve(import.meta.dirname, '../../tools/tracseq.ts')
const technician = { email: 'tess@example.org', password: 'nine patient otters' } as const

let network: SyncNetwork
const founder = new Machine({})
const joiner = new Machine({ isEmpty: true })

beforeAll(async () => {
  network = await openSyncNetwork()
  await founder.start()
}, 180_000)
afterAll(async () => {
  await Promise.all([founder.remove(), joiner.remove()])
  await network.close()
  await killLeftOvers()
}, 60_000)

async function joinCode(): Promise<string> {
  const { code } = await (await network.hub.admin()).client(sync).createEnrolmentCode({})
  return code
}

function isComplete({ home }: Machine): boolean {
  const path = join(home, 'sync.json')
  return existsSync(path) && readFileSync(path, 'utf8').includes('"isComplete": true')
}

describe('a founder', () => {
  it('sends nothing to a Hub that is not the one of the code, nor over a network that others can read', async () => {
    const client = (await founder.admin()).client(sync)
    const code = await founderCode(network.hub)
    const { secret } = parseEnrolmentCode(code) ?? { secret: '' }
    const other = formatEnrolmentCode({
      secret,
      hub: hubMarkOf(Buffer.from('another key').toString('base64')),
    })
    const hubUrl = network.proxy.url
    await expect(client.enroll({ hubUrl, code: other })).rejects.toMatchObject({ code: 'WRONG_HUB' })
    await expect(client.enroll({ hubUrl, code: `${code}0` })).rejects.toMatchObject({ code: 'CODE_REFUSED' })
    await expect(client.enroll({ hubUrl: 'http://hub.example.org', code })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
    await expect(client.enroll({ hubUrl: 'http://127.0.0.1:9', code })).rejects.toMatchObject({
      code: 'OFFLINE',
    })
    expect(existsSync(join(founder.home, 'sync.json'))).toBe(false)
  })

  it('alone may begin at a Hub that is empty: over the network nobody sets it up without its code', async () => {
    const administrator = { name: 'Mallory', email: 'm@example.org', password: 'twelve grey gulls 9' }
    const setUp = createHttpClient(network.hub.url, auth, null).setUp
    const laboratory = { laboratoryName: 'Found open', administrator }
    for (const code of [{}, { founderCode: '0' }])
      await expect(setUp({ ...laboratory, ...code })).rejects.toMatchObject({ code: 'FOUNDER_CODE_NEEDED' })
  })

  it('that is killed and cut off in the middle founds its laboratory all the same, and once', async () => {
    const admin = await founder.admin()
    for (let index = 0; index < 10; index += 1)
      await admin
        .client(samples)
        .receive({ sample: { name: `Tube ${index}`, type: 'DNA' }, containerKind: 'tube' })
    await admin.client(auth).createUser({ ...technician, name: 'Tess', roles: ['lab_technician'] })
    const given = { hubUrl: network.proxy.url, code: await founderCode(network.hub) }
    for (let attempt = 0; attempt < 4 && !isComplete(founder); attempt += 1) {
      const client = (await founder.admin()).client(sync)
      const enrolling = existsSync(join(founder.home, 'sync.json'))
        ? Promise.resolve()
        : client.enroll(given).then(
            () => undefined,
            () => undefined,
          )
      await until(() => Promise.resolve(existsSync(join(founder.home, 'sync.json')) ? true : null))
      await new Promise((done) => setTimeout(done, 150 + attempt * 350))
      if (attempt % 2 === 0) network.proxy.leadTo(null)
      await founder.kill()
      await enrolling
      network.proxy.leadTo(network.hub.url)
      await founder.start()
    }
    await untilCaughtUp(founder, 90_000)
    expect(isComplete(founder)).toBe(true)
    expect(await contentsOf(network.hub)).toEqual(await contentsOf(founder))
    const { items } = await (await network.hub.admin()).client(sync).workItems({})
    expect(items).toEqual([])
  }, 240_000)
})

describe('a workstation that joins from a terminal', () => {
  it('has the laboratory, and the people who may sign in there without the Hub', async () => {
    const code = await joinCode()
    const { stdout } = await run(process.execPath, [
      tracseq,
      'enroll',
      ...['--home', joiner.home, '--hub', network.proxy.url, '--code', code],
    ])
    expect(stdout).toContain('This workstation has the laboratory of')
    await joiner.start()
    await joiner.signInAs(technician)
    await untilCaughtUp(joiner)
    expect(await contentsOf(joiner)).toEqual(await contentsOf(founder))
    network.proxy.leadTo(null)
    await joiner.signInAs(technician)
    // Administrators only where that was chosen, or while the Hub can say who they are.
    await expect(joiner.signInAs(administrator)).rejects.toMatchObject({ code: 'NEEDS_HUB' })
    network.proxy.leadTo(network.hub.url)
    await joiner.signInAs(administrator)
    const wrong = { ...administrator, password: 'not the password' }
    await expect(joiner.signInAs(wrong)).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' })
    await joiner.signInAs(technician)
  }, 240_000)

  it('says from a terminal what is wrong with a code', async () => {
    const home = new Machine({ isEmpty: true })
    const attempt = run(process.execPath, [
      tracseq,
      'enroll',
      ...['--home', home.home, '--hub', network.proxy.url, '--code', 'AAAAA-BBBBB'],
    ])
    await expect(attempt).rejects.toMatchObject({
      stderr: expect.stringContaining('enrolment code') as string,
    })
    await home.remove()
  }, 120_000)

  it('lets nobody sign in any more who was suspended at the Hub, from the next contact on', async () => {
    const people = (await network.hub.admin()).client(auth)
    const { items } = await people.listUsers({ search: 'Tess' })
    const [tess] = items
    if (tess === undefined) throw new Error('Tess is there')
    await people.setUserStatus({ id: tess.id, status: 'suspended', reason: 'Left' })
    const client = createHttpClient(joiner.url, auth, null)
    await until(() =>
      client.login(technician).then(
        () => null,
        () => true,
      ),
    )
    await expect(client.login(technician)).rejects.toMatchObject({ code: 'NOT_ACTIVE' })
  }, 120_000)
})

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { createFileStore, createSealedStore, secretsFolder, SecretUnreadable } from './secret-store.ts'
import { startJournal } from './start-journal.ts'
import { makeHome, removeHomes, testOptions } from './test-entries.ts'
import { openWorkstationKey, readPrivateKey, workstationKeyFrom } from './workstation-key.ts'

afterAll(removeHomes)

/** Stands for the key ring of one user: what another one sealed it does not open. */
function keyRing(user: string) {
  return {
    seal: (text: string) => Buffer.from(`${user}:${Buffer.from(text).toString('base64')}`),
    open(sealed: Uint8Array) {
      const [owner, content = ''] = Buffer.from(sealed).toString().split(':')
      if (owner !== user) throw new Error('Not my seal')
      return Buffer.from(content, 'base64').toString()
    },
  }
}

it('keeps a secret in a file for this user alone', () => {
  const folder = secretsFolder(makeHome())
  const store = createFileStore(folder)
  expect(store.read('workstation')).toBeNull()
  store.write('workstation', 'open sesame')
  expect(store.read('workstation')).toBe('open sesame')
  expect(readdirSync(folder)).toEqual(['workstation.pem'])
  expect(statSync(join(folder, 'workstation.pem')).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})

it('takes over a plain key: sealed, the same key, and no plain file left', () => {
  const home = makeHome()
  const before = openWorkstationKey(home)
  const folder = secretsFolder(home)
  const store = createSealedStore(folder, keyRing('ada'))
  expect(workstationKeyFrom(readPrivateKey(store)).fingerprint).toBe(before.fingerprint)
  expect(readdirSync(folder)).toEqual(['workstation.sealed'])
  writeFileSync(join(folder, 'workstation.pem'), readPrivateKey(store))
  expect(readPrivateKey(store)).toContain('PRIVATE KEY')
  expect(readdirSync(folder)).toEqual(['workstation.sealed'])
  expect(readFileSync(join(folder, 'workstation.sealed'), 'latin1')).not.toContain('PRIVATE KEY')
  expect(workstationKeyFrom(readPrivateKey(store)).fingerprint).toBe(before.fingerprint)
})

it('keeps the plain key when the key ring does not give back what it was given', () => {
  const home = makeHome()
  openWorkstationKey(home)
  const broken = createSealedStore(secretsFolder(home), { ...keyRing('ada'), open: () => 'something else' })
  expect(() => readPrivateKey(broken)).toThrow(SecretUnreadable)
  expect(readdirSync(secretsFolder(home))).toEqual(['workstation.pem'])
})

it('replaces no key that was sealed elsewhere, and says what to do', () => {
  const folder = secretsFolder(makeHome())
  readPrivateKey(createSealedStore(folder, keyRing('ada')))
  const sealed = readFileSync(join(folder, 'workstation.sealed'))
  expect(() => readPrivateKey(createSealedStore(folder, keyRing('grace')))).toThrow(/Move the file away/)
  expect(() => readPrivateKey(createFileStore(folder))).toThrow(/desktop app/)
  expect(readFileSync(join(folder, 'workstation.sealed'))).toEqual(sealed)
})

it('signs the journal with a sealed key, and takes entries unsigned where it cannot be opened', async () => {
  const home = makeHome()
  const secrets = createSealedStore(secretsFolder(home), keyRing('ada'))
  const signing = await startJournal({ ...testOptions(home), secrets })
  await signing.client.startEpoch(epoch)
  expect(signing.unsigned).toBeNull()
  expect(await signing.client.checkpoint()).toMatchObject({
    keyFingerprint: workstationKeyFrom(readPrivateKey(secrets)).fingerprint,
  })
  await signing.close()

  const unsigned = await startJournal(testOptions(home))
  expect(unsigned.unsigned).toContain('sealed by the key ring')
  await unsigned.client.startEpoch(epoch)
  expect(await unsigned.client.checkpoint()).toBeNull()
  expect(await unsigned.client.checkpoints(10)).toHaveLength(1)
  await unsigned.close()
  expect(existsSync(join(secretsFolder(home), 'workstation.pem'))).toBe(false)
})

it('is no key when the file is rubbish', () => {
  const home = makeHome()
  openWorkstationKey(home)
  writeFileSync(join(secretsFolder(home), 'workstation.pem'), 'not a key')
  expect(() => openWorkstationKey(home)).toThrow()
})

const epoch = {
  reason: 'Something to sign',
  changeSetId: 'change-1',
  correlationId: 'click-1',
  actorId: 'ada',
  workstationId: 'bench',
  hybridLogicalTime: '0',
  recordedAt: '2026-01-31T08:00:00.000Z',
}

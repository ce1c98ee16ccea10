import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { afterAll, expect, it } from 'vitest'
import { makeHome, removeHomes } from './test-entries.ts'
import { fingerprintOf, openWorkstationKey, verifySignature, workstationKeyPath } from './workstation-key.ts'

afterAll(removeHomes)

const data = Buffer.from('sequence and hash')

it('is made once, is readable by its owner only, and signs', () => {
  const home = makeHome()
  expect(existsSync(workstationKeyPath(home))).toBe(false)

  const key = openWorkstationKey(home)
  const again = openWorkstationKey(home)
  const signature = key.sign('journal-checkpoint', data)
  expect(again.fingerprint).toBe(key.fingerprint)
  expect(key.fingerprint).toBe(fingerprintOf(key.publicKey))
  expect(statSync(workstationKeyPath(home)).mode & 0o777).toBe(0o600)
  expect(readFileSync(workstationKeyPath(home), 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/)
  expect(
    verifySignature({ publicKey: again.publicKey, purpose: 'journal-checkpoint', data, signature }),
  ).toBe(true)
})

it('does not verify another purpose, other data, another key or rubbish', () => {
  const key = openWorkstationKey(makeHome())
  const other = openWorkstationKey(makeHome())
  const claim = {
    publicKey: key.publicKey,
    purpose: 'journal-checkpoint',
    data,
    signature: key.sign('journal-checkpoint', data),
  } as const
  expect(verifySignature(claim)).toBe(true)
  expect([
    verifySignature({ ...claim, purpose: 'hub-challenge' }),
    verifySignature({ ...claim, data: Buffer.from('other') }),
    verifySignature({ ...claim, publicKey: other.publicKey }),
    verifySignature({ ...claim, publicKey: 'rubbish' }),
    verifySignature({ ...claim, signature: '' }),
  ]).toEqual([false, false, false, false, false])
})

it('is not silently replaced when its file is unreadable', () => {
  const home = makeHome()
  openWorkstationKey(home)
  writeFileSync(workstationKeyPath(home), 'not a key')
  expect(() => openWorkstationKey(home)).toThrow()
  expect(readFileSync(workstationKeyPath(home), 'utf8')).toBe('not a key')
})

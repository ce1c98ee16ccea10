import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { makeTestFolder } from '../database/testing/test-folder.ts'
import { BundleFolder, nameOfBundle } from './bundle-folder.ts'

it('gives a bundle to its laboratory alone, with name and content', async () => {
  const folder = new BundleFolder(makeTestFolder('tracseq-bundle-folder-'))
  const path = await folder.newPath()
  writeFileSync(path, 'sealed')
  await folder.hold({ id: 'one', laboratoryId: 'ours', name: 'a.tracseq-bundle', path })
  const file = await folder.find('one', 'ours')
  expect(file?.name).toBe('a.tracseq-bundle')
  expect(await file?.text()).toBe('sealed')
  expect(await folder.find('one', 'theirs')).toBeNull()
  expect(await folder.find('two', 'ours')).toBeNull()
})

it('gives a bundle for an hour', async () => {
  const folder = new BundleFolder(makeTestFolder('tracseq-bundle-folder-'))
  const path = await folder.newPath()
  writeFileSync(path, 'sealed')
  await folder.hold({ id: 'one', laboratoryId: 'ours', name: 'a.tracseq-bundle', path })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 59 * 60_000 })
  try {
    expect(await folder.find('one', 'ours')).not.toBeNull()
    vi.setSystemTime(Date.now() + 2 * 60_000)
    expect(await folder.find('one', 'ours')).toBeNull()
  } finally {
    vi.useRealTimers()
  }
})

it('is there again once the disk is', async () => {
  const home = join(makeTestFolder('tracseq-bundle-folder-'), 'home')
  writeFileSync(home, 'in the way')
  const folder = new BundleFolder(home)
  await expect(folder.newPath()).rejects.toThrow()
  rmSync(home)
  writeFileSync(await folder.newPath(), 'sealed')
})

it('keeps nothing of what was brought, nor of an earlier run of the program', async () => {
  const home = makeTestFolder('tracseq-bundle-folder-')
  const before = await new BundleFolder(home).newPath()
  writeFileSync(before, 'from before a power cut')
  const folder = new BundleFolder(home)
  const content = new Blob(['brought'])
  expect(await folder.withContent(content, (path) => readFile(path, 'utf8'))).toBe('brought')
  await expect(folder.withContent(content, () => Promise.reject(new Error('refused')))).rejects.toThrow(
    'refused',
  )
  expect(existsSync(before)).toBe(false)
  expect(readdirSync(join(home, 'bundles'))).toEqual([])
})

it('names a bundle by who sent it to whom, and when, whatever the bench is called', () => {
  const at = '2026-11-21T10:31:05.123Z'
  expect(nameOfBundle('PCR-Bank 2 / Süd', 'hub', at)).toBe(
    'pcr-bank-2-süd-to-hub-2026-11-21-10-31.tracseq-bundle',
  )
  expect(nameOfBundle('../..', 'hub', at)).toBe('bench-to-hub-2026-11-21-10-31.tracseq-bundle')
})

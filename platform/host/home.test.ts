import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openHome } from './home.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tracseq-home-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a home belongs to one process at a time, and is the same workstation again afterwards', () => {
  const home = openHome(join(folder, 'new'))
  expect(() => openHome(home.path)).toThrow(expect.objectContaining({ code: 'IN_USE' }))
  home.release()
  const again = openHome(home.path)
  expect(again.workstation).toEqual(home.workstation)
  again.release()
})

test('a path that is a file, and a folder that a cloud service copies, are refused in words', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  expect(() => openHome(file)).toThrow(expect.objectContaining({ code: 'NO_FOLDER' }))
  expect(() => openHome(file)).toThrow(/file cannot be used as TracSeq's folder \(.*\)\. Choose another home/)
  expect(() => openHome(join(folder, 'Dropbox', 'lab'))).toThrow(
    expect.objectContaining({ code: 'SYNCED_FOLDER' }),
  )
})

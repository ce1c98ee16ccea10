import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { writeWhole } from './durable-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tracseq-durable-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('puts the new content in the place of the old, for its owner alone, and leaves nothing beside it', () => {
  const path = join(folder, 'word.txt')
  writeFileSync(path, 'old', { mode: 0o644 })
  writeWhole(path, 'new and longer')
  expect(readFileSync(path, 'utf8')).toBe('new and longer')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['word.txt'])
})

it('names what stops it, and is not stopped by what a power cut left', () => {
  const path = join(folder, 'missing', 'word.txt')
  expect(() => writeWhole(path, 'x')).toThrow(/ENOENT/)
  const kept = join(folder, 'kept.txt')
  writeWhole(kept, 'old')
  writeFileSync(join(folder, 'kept.txt.new'), 'left over by a power cut')
  writeWhole(kept, 'new')
  expect(readFileSync(kept, 'utf8')).toBe('new')
})

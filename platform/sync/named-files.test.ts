import { expect, it } from 'vitest'
import { filesNamedIn } from './named-files.ts'

const columns = { import: ['file_sha256'] }
const sha256 = 'ab'.repeat(32)

const payloadOf = (...changes: readonly { table: string; values: Record<string, string | null> }[]) =>
  JSON.stringify({ entry: { kind: 'change' }, body: { changes } })

it('finds what a row names in the columns that are declared, and nowhere else', () => {
  const payload = payloadOf(
    { table: 'import', values: { file_name: 'plate.xlsx', file_sha256: sha256 } },
    { table: 'import', values: { file_name: sha256 } },
    { table: 'template', values: { file_sha256: sha256 } },
    { table: 'import', values: { file_sha256: null } },
  )
  expect(filesNamedIn(payload, columns)).toEqual([sha256])
  expect(filesNamedIn(payload, {})).toEqual([])
})

it('takes nothing for a name that could lead elsewhere', () => {
  const strange = ['../../sync.json', `${sha256}/..`, sha256.toUpperCase(), '']
  const payload = payloadOf(...strange.map((text) => ({ table: 'import', values: { file_sha256: text } })))
  expect(filesNamedIn(payload, columns)).toEqual([])
})

it('passes over entries that are about no rows', () => {
  expect(filesNamedIn(JSON.stringify({ entry: { kind: 'gap' } }), columns)).toEqual([])
})

import { expect, test } from 'vitest'
import { readEntryContent } from './entry-content.ts'

test('what changed, without what only the database needs', () => {
  const payload = JSON.stringify({
    entry: { kind: 'change' },
    body: {
      command: { procedure: 'samples.update' },
      changes: [
        {
          table: 'sample',
          operation: 'update',
          key: { id: 's-1', laboratory_id: 'l' },
          replaces: 'r-1',
          values: { name: 'P-0217', donor: null, extra: { a: 1 }, revision: 'r-2' },
        },
      ],
    },
  })
  expect(readEntryContent(payload)).toEqual({
    procedure: 'samples.update',
    migration: null,
    changes: [
      {
        table: 'sample',
        operation: 'update',
        id: 's-1',
        fields: [
          ['name', 'P-0217'],
          ['donor', '–'],
          ['extra', '{"a":1}'],
        ],
      },
    ],
  })
})

test('an unknown payload is left to be shown as it stands', () => {
  expect(readEntryContent('{"other":1}')).toBeNull()
  expect(readEntryContent('no JSON')).toBeNull()
})

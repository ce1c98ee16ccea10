import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Log, openLog } from './log.ts'
import { redact } from './redaction.ts'

let home: string
let log: Log
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'tracseq-log-'))
})
afterEach(() => {
  log.close()
  rmSync(home, { recursive: true, force: true })
})

function readLines(): readonly unknown[] {
  log.flush()
  const lines = readFileSync(join(home, 'logs', 'tracseq.log'), 'utf8')
    .trim()
    .split('\n')
  return lines.map((line): unknown => JSON.parse(line))
}

test('a line is JSON with time, level, message and a correlation id, and holds no secret', () => {
  log = openLog({ home, level: 'info', stderr: false })
  log.write('info', 'Signed in with Bearer abc.def-ghi', {
    correlationId: 'c-1',
    input: {
      email: 'a@b.c',
      password: 'hunter2',
      pin: '1234',
      nested: [{ accessToken: 'x', badgePin: '1' }],
    },
    headers: { authorization: 'Bearer secret', 'x-other': 'kept' },
    shippingAddress: 'kept, although it has a pin in it',
    error: new Error('token eyJhbGciOi.eyJzdWIiOiIx.sig was refused'),
  })
  log.write('debug', 'Below the level')
  log.write('warn', 'Of no call')
  const [first, second] = readLines()
  expect(first).toMatchObject({
    level: 'info',
    time: expect.stringMatching(/Z$/),
    correlationId: 'c-1',
    msg: 'Signed in with Bearer [redacted]',
    input: {
      email: 'a@b.c',
      password: '[redacted]',
      pin: '[redacted]',
      nested: [{ accessToken: '[redacted]', badgePin: '[redacted]' }],
    },
    headers: { authorization: '[redacted]', 'x-other': 'kept' },
    shippingAddress: 'kept, although it has a pin in it',
    error: { name: 'Error', message: 'token [redacted] was refused' },
  })
  expect(second).toMatchObject({ level: 'warn', msg: 'Of no call', correlationId: null })
  expect(readLines()).toHaveLength(2)
})

test('full files are kept under numbers, the oldest goes', () => {
  log = openLog({ home, level: 'info', stderr: false, largestBytes: 1_000, kept: 2 })
  for (let line = 0; line < 60; line += 1) {
    log.write('info', `Line ${line}`, { filler: 'x'.repeat(100) })
    log.flush()
  }
  expect(readdirSync(join(home, 'logs')).sort()).toEqual(['tracseq.1.log', 'tracseq.2.log', 'tracseq.log'])
  const newest = readFileSync(join(home, 'logs', 'tracseq.log'), 'utf8')
  expect(newest).toContain('Line 59')
})

test('redaction survives what cannot be printed', () => {
  log = openLog({ home, level: 'info', stderr: false })
  const endless: { self?: unknown } = {}
  endless.self = endless
  expect(JSON.stringify(redact(endless))).toContain('[deeper]')
  expect(redact({ big: 12n, bytes: new Uint8Array(3), day: new Date(0) })).toEqual({
    big: '12',
    bytes: '[bytes]',
    day: '1970-01-01T00:00:00.000Z',
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { composePayload, GENESIS_HASH, hashEntry, hashPayload, metadataOf } from './entry.ts'
import { makeEntry } from './test-entries.ts'

describe('the chain hash', () => {
  // Computed with printf, xxd and sha256sum, not with our code.
  it('is the one written down in the design, so that any language can verify it', () => {
    const first = hashPayload('{"entry":{},"body":{"volume":"10.0 µL"}}')
    const second = hashPayload('{}')
    const one = hashEntry(GENESIS_HASH, 1, first)
    const two = hashEntry(one, 2, second)
    const far = hashEntry(two, 2 ** 40, second)
    expect([first, second, one, two, far].map((hash) => hash.toString('hex'))).toEqual([
      'a1e8c2734bd50a276ec4027362ec404a84dd1ce67df4eb27b326e0e06bfaa842',
      '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
      'b11018d30389e8a09792311a5b46616b6a3dc6955a13e35312d22559cc9a8194',
      '133d35f9ceacd15fce7dc21a2a70e2a8e94581924e4e303bd7439f1bad54a915',
      'f554b0b296cab47518d511d3fa52c51bc5b00f03044150873b9fcc48bb881f1b',
    ])
  })
})

describe('composePayload', () => {
  it('puts the metadata first in fixed order and the rest under body', () => {
    const { payload } = makeEntry('samples', 1, { eventNames: ['SampleAccessioned'] }, { a: 'ä', n: 1 })
    expect(payload).toBe(
      '{"entry":{"kind":"change","domain":"samples","domainSequence":1,"changeSetId":"change-samples-1","origin":"local",' +
        '"actorId":"anna","workstationId":"bench-1","hybridLogicalTime":"0000018c00000001","reason":null,' +
        '"correlationId":"correlation-1","recordedAt":"2026-11-21T09:00:01.000Z","eventNames":["SampleAccessioned"]},' +
        '"body":{"a":"ä","n":1}}',
    )
  })

  it('always makes text that survives storage as UTF-8 unchanged', () => {
    fc.assert(
      fc.property(
        fc.object({ maxDepth: 1, values: [fc.string({ unit: 'binary' }), fc.maxSafeInteger()] }),
        (body) => {
          const payload = composePayload(makeEntry('samples', 1), body)
          expect(Buffer.from(payload, 'utf8').toString('utf8')).toBe(payload)
        },
      ),
    )
  })

  it.each([
    ['a number with a fraction', {}, { volume: 0.1 }, /body\.volume: 0\.1 is no safe integer/],
    ['a number beyond the safe integers', {}, { count: 2 ** 53 }, /is no safe integer/],
    ['a lone surrogate in the reason', { reason: 'x\ud800' }, {}, /reason: must not contain NUL/],
    ['a NUL in the actor', { actorId: 'a\0b' }, {}, /actorId: must not contain NUL/],
    ['a time without milliseconds', { recordedAt: '2026-11-21T09:00:00Z' }, {}, /recordedAt/],
    ['a time with an offset', { recordedAt: '2026-11-21T09:00:00.000+01:00' }, {}, /recordedAt/],
    ['a domain sequence of zero', { domainSequence: 0 }, {}, /domainSequence/],
  ])('refuses %s', (_, overrides, body, message) => {
    expect(() => makeEntry('samples', 1, overrides, body)).toThrow(message)
  })
})

describe('metadataOf', () => {
  it.each([null, '},"body":', '"},"body":{"x":1}}', '\\"},"body":'])(
    'gives back what a payload was made from, with %j in its texts',
    (words) => {
      const given = makeEntry('samples', 1, { reason: words }, { note: words, body: { body: words } })
      const { payload, ...metadata } = given
      expect(metadataOf(payload)).toEqual(metadata)
    },
  )

  it('refuses what is no payload', () => {
    expect(() => metadataOf('{"entry":{"kind":"change"}')).toThrow()
    expect(() => metadataOf('')).toThrow()
  })
})

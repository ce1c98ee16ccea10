import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decideTransition,
  initialSampleState,
  isSampleState,
  isTerminal,
  nextStates,
  sampleLifecycle,
  sampleStates,
  type SampleState,
} from './lifecycle.ts'

/** The laboratory's page, written out a second time on purpose: a slip in the table must not pass unseen. */
const page = `
pending       | validated rejected discarded deleted
validated     | in_storage in_sequencing rejected discarded pending deleted
in_storage    | in_sequencing validated rejected discarded deleted
in_sequencing | completed failed
completed     | archived discarded
failed        | pending discarded archived
rejected      | pending deleted
discarded     | archived
archived      |
deleted       |
`

const allowedPairs = new Set(
  page
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [from = '', to = ''] = line.split('|').map((cell) => cell.trim())
      return to.split(' ').map((next) => `${from}>${next}`)
    }),
)

const state = fc.constantFrom(...sampleStates)

describe('sample lifecycle', () => {
  it('has every state of the table once', () => {
    expect([...sampleStates].sort()).toEqual(Object.keys(sampleLifecycle).sort())
  })

  it('allows exactly the pairs of the page', () => {
    const wrong: string[] = []
    for (const from of sampleStates) {
      for (const to of sampleStates) {
        const decided = decideTransition(from, to, { reason: 'because' }).ok
        if (decided !== allowedPairs.has(`${from}>${to}`)) wrong.push(`${from}>${to}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('never leaves a terminal state', () => {
    fc.assert(
      fc.property(fc.constantFrom<SampleState>('archived', 'deleted'), state, (from, to) => {
        expect(isTerminal(from)).toBe(true)
        expect(decideTransition(from, to, { reason: 'because' }).ok).toBe(false)
      }),
    )
  })

  it('keeps its invariants on random walks', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 60 }), (wishes) => {
        let current: SampleState = initialSampleState
        let ended = false
        for (const wish of wishes) {
          const decision = decideTransition(current, wish, { reason: 'because' })
          if (!decision.ok) {
            expect(decision.refusal.allowed).toEqual(nextStates(current))
            continue
          }
          expect(ended).toBe(false)
          expect(current === 'in_sequencing' && wish === 'deleted').toBe(false)
          if (wish === 'in_storage') expect(current).toBe('validated')
          if (wish === 'completed') expect(current).toBe('in_sequencing')
          current = wish
          ended = isTerminal(current)
        }
      }),
    )
  })

  it('can bring every state that is not terminal to an end', () => {
    for (const start of sampleStates) {
      const reached = new Set<SampleState>([start])
      for (const from of reached) for (const to of nextStates(from)) reached.add(to)
      expect([...reached].some(isTerminal), start).toBe(true)
    }
  })

  it('says why not and what is possible', () => {
    expect(decideTransition('in_sequencing', 'deleted', { reason: 'wrong' })).toEqual({
      ok: false,
      refusal: {
        rule: 'sample_transition_not_allowed',
        message: 'A sample in sequencing is never deleted. Next it can be completed or failed.',
        allowed: ['completed', 'failed'],
      },
    })
    expect(decideTransition('archived', 'pending', { reason: null })).toEqual({
      ok: false,
      refusal: {
        rule: 'sample_transition_not_allowed',
        message: 'The sample is archived; that is final, so it cannot become pending.',
        allowed: [],
      },
    })
    expect(decideTransition('pending', 'pending', { reason: null })).toMatchObject({
      refusal: { rule: 'sample_state_unchanged', message: 'The sample is already pending.' },
    })
  })

  it('asks for a reason before a record is hidden', () => {
    expect(decideTransition('pending', 'deleted', { reason: '  ' })).toMatchObject({
      refusal: { rule: 'sample_reason_required' },
    })
    expect(decideTransition('pending', 'rejected', { reason: ' haemolysed ' })).toEqual({
      ok: true,
      value: { from: 'pending', to: 'rejected', reason: 'haemolysed' },
    })
    expect(decideTransition('pending', 'rejected', { reason: null }).ok).toBe(true)
  })

  it('does not take inherited property names for states', () => {
    expect(['pending', 'toString', 'Pending', ''].map(isSampleState)).toEqual([true, false, false, false])
  })
})

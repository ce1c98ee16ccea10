import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkCustody, type CustodyEvent, custodySteps } from './custody.ts'
import { nextStates, sampleStates } from './lifecycle.ts'
import { custodyAfter, stateAfter, storageNews } from './storage-news.ts'

const alone = { placed: false, alive: false }
const withOther = { placed: true, alive: true }

describe('the state of a sample', () => {
  it.each([
    ['placed', 'validated', 'in_storage'],
    ['placed', 'pending', null],
    ['placed', 'in_sequencing', null],
    ['returned', 'validated', 'in_storage'],
    ['checked_out', 'in_storage', null],
    ['taken_out', 'in_storage', 'validated'],
    ['taken_out', 'completed', null],
    ['disposed', 'in_storage', 'discarded'],
    ['disposed', 'in_sequencing', null],
  ] as const)('%s while %s: %s', (news, from, to) => {
    expect(stateAfter(news, from, alone)).toBe(to)
  })

  it('stays while another of its tubes is in storage', () => {
    expect(stateAfter('taken_out', 'in_storage', withOther)).toBeNull()
    expect(stateAfter('disposed', 'in_storage', withOther)).toBeNull()
    expect(stateAfter('disposed', 'in_storage', { placed: false, alive: true })).toBe('validated')
  })

  it('only ever takes a step that the lifecycle knows', () => {
    const any = fc.tuple(
      fc.constantFrom(...storageNews),
      fc.constantFrom(...sampleStates),
      fc.record({ placed: fc.boolean(), alive: fc.boolean() }),
    )
    fc.assert(
      fc.property(any, ([news, state, others]) => {
        const next = stateAfter(news, state, others)
        expect(next === null || nextStates(state).includes(next)).toBe(true)
      }),
    )
  })
})

describe('custody of a tube that is alone', () => {
  it('has no problem, whatever storage tells, until it is disposed of', () => {
    const handling = fc.array(fc.constantFrom(...storageNews.filter((each) => each !== 'disposed')), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(handling, (told) => {
        const events: CustodyEvent[] = []
        for (const news of [...told, 'disposed' as const]) {
          const [head] = checkCustody(events).heads
          for (const kind of custodyAfter(news, head?.state ?? 'not_begun', alone)) {
            events.push({
              id: String(events.length).padStart(3, '0'),
              predecessorId: events.at(-1)?.id ?? null,
              settlesIds: [],
              kind,
              laboratoryId: 'here',
              toLaboratoryId: null,
            })
          }
        }
        expect(checkCustody(events).problems).toEqual([])
      }),
    )
  })

  it('comes back into the laboratory before it is placed after a shipment', () => {
    expect(custodyAfter('placed', 'in_transit', alone)).toEqual(['received_elsewhere', 'stored'])
  })

  it('does not end while another tube of the sample is alive', () => {
    expect(custodyAfter('disposed', 'stored', withOther)).toEqual([])
  })

  it('records the fact also when nothing should follow', () => {
    for (const news of storageNews) {
      const kinds = custodyAfter(news, 'ended', alone)
      expect(kinds).toHaveLength(1)
      expect(kinds.every((kind) => kind in custodySteps)).toBe(true)
    }
  })
})

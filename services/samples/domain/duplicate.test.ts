import { describe, expect, it } from 'vitest'
import { type DuplicateFacts, findLikelyDuplicates } from './duplicate.ts'

const received: DuplicateFacts = {
  id: 'existing',
  clientId: 'oncology',
  clientSampleId: 'ONC-007',
  donorId: 'P-12',
  sampleTypeKey: 'plasma',
  collectedOn: '2026-03-02',
  externalCodes: ['AB10000001'],
}

function judge(changes: Partial<DuplicateFacts>, related?: ReadonlySet<string>) {
  return findLikelyDuplicates(
    { ...received, id: 'new', externalCodes: [], ...changes },
    [received],
    related,
  ).map((duplicate) => ({ ...duplicate, reasons: duplicate.reasons.map(({ reason }) => reason) }))
}

describe('likely duplicates', () => {
  it('names every reason', () => {
    expect(findLikelyDuplicates({ ...received, id: 'new' }, [received])).toEqual([
      {
        existingId: 'existing',
        likelihood: 'strong',
        reasons: [
          { reason: 'same_external_code', message: 'Both carry the code AB10000001.' },
          {
            reason: 'same_client_sample_id',
            message: 'The same sender already sent a sample named ONC-007.',
          },
          {
            reason: 'same_donor_type_and_day',
            message: 'There is already such a sample of donor P-12, collected on 2026-03-02.',
          },
        ],
      },
    ])
  })

  it('takes a second tube of one draw as possible, not strong', () => {
    expect(judge({ clientSampleId: 'ONC-008' })).toEqual([
      { existingId: 'existing', likelihood: 'possible', reasons: ['same_donor_type_and_day'] },
    ])
  })

  it('sees names that differ only in form', () => {
    const reasons = ['onc 7', 'ONC_007', 'Onc.07', 'ONC7'].map(
      (clientSampleId) => judge({ clientSampleId, donorId: null })[0]?.reasons[0] ?? null,
    )
    expect(reasons).toEqual(Array.from({ length: 4 }, () => 'client_sample_id_differs_only_in_form'))
  })

  it('does not take different numbers for one', () => {
    expect(judge({ clientSampleId: 'ONC-070', donorId: null })).toEqual([])
    expect(judge({ clientSampleId: 'ONC-0-07', donorId: null })).toEqual([])
  })

  it.each([
    ['another sender', { clientId: 'cardiology', donorId: null }],
    ['no sender', { clientId: null, donorId: null }],
    ['another donor', { donorId: 'P-13' }],
    ['another day', { collectedOn: '2026-03-03' }],
    ['another material', { sampleTypeKey: 'serum' }],
    ['no names at all', { clientSampleId: null, donorId: null }],
    ['blank names', { clientSampleId: ' ', donorId: ' ' }],
  ] as const)('says nothing for the same name with %s', (_, changes) => {
    expect(judge(changes)).toEqual([])
  })

  it('still sees a code that was used twice, whatever else differs', () => {
    expect(judge({ clientId: 'cardiology', donorId: 'P-99', externalCodes: ['X', 'AB10000001'] })).toEqual([
      { existingId: 'existing', likelihood: 'strong', reasons: ['same_external_code'] },
    ])
  })

  it('leaves out itself and relatives, and puts the strongest first', () => {
    expect(judge({}, new Set(['existing']))).toEqual([])
    const weak = { ...received, id: 'weak', clientSampleId: 'ONC-9', externalCodes: [] }
    const found = findLikelyDuplicates({ ...received, id: 'new' }, [weak, received])
    expect(found.map((duplicate) => duplicate.existingId)).toEqual(['existing', 'weak'])
    expect(findLikelyDuplicates(received, [received])).toEqual([])
  })
})

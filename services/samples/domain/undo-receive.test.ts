import { describe, expect, it } from 'vitest'
import { listWhatHappenedSince, type SinceReceived } from './undo-receive.ts'

const placed: SinceReceived = {
  otherContainers: 0,
  isWhereItWasPut: true,
  wasPlaced: true,
  custodyEvents: 2,
  storageEvents: 1,
  codes: 1,
  edits: 0,
  movements: 0,
  notes: 0,
  relations: 0,
}
const unplaced: SinceReceived = { ...placed, wasPlaced: false, custodyEvents: 1, storageEvents: 0 }

describe('what happened since a tube was received', () => {
  it.each([
    ['placed', placed],
    ['unplaced', unplaced],
  ])('is nothing when it lies as it was left, %s', (_words, facts) => {
    expect(listWhatHappenedSince(facts)).toEqual([])
  })

  it.each<[Partial<SinceReceived>, string]>([
    [{ isWhereItWasPut: false }, 'its tube was handled'],
    [{ custodyEvents: 3 }, 'its tube was handled'],
    [{ storageEvents: 3 }, 'its tube was handled'],
    [{ otherContainers: 1 }, 'it was put into another container'],
    [{ codes: 2 }, 'it got another code'],
    [{ edits: 1 }, 'its record was changed'],
    [{ movements: 1 }, 'its amount changed'],
    [{ notes: 1 }, 'a note was written'],
    [{ relations: 1 }, 'other samples come from it or it from them'],
  ])('with %j: %s', (change, words) => {
    expect(listWhatHappenedSince({ ...placed, ...change })).toEqual([words])
  })

  it('names everything', () => {
    expect(listWhatHappenedSince({ ...unplaced, notes: 2, edits: 1, storageEvents: 1 })).toHaveLength(3)
  })
})

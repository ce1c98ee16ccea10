/** What there is of a sample that was received, to judge whether receiving it can be taken back. */
export interface SinceReceived {
  /** Besides the one that Receive made. */
  readonly otherContainers: number
  /** Whether the container is still where Receive left it: in its place, or unplaced if it was to be so. */
  readonly isWhereItWasPut: boolean
  readonly wasPlaced: boolean
  readonly custodyEvents: number
  readonly storageEvents: number
  readonly codes: number
  /** Lines of the record other than receiving it and what followed from that. */
  readonly edits: number
  readonly movements: number
  readonly notes: number
  readonly relations: number
}

/** What happened since it was received, in words for a sentence; empty when receiving it can be taken back. */
export function listWhatHappenedSince(facts: SinceReceived): readonly string[] {
  const custodyOfReceive = facts.wasPlaced ? 2 : 1
  const moved =
    !facts.isWhereItWasPut ||
    facts.custodyEvents > custodyOfReceive ||
    facts.storageEvents > (facts.wasPlaced ? 1 : 0)
  return [
    moved ? 'its tube was handled' : null,
    facts.otherContainers > 0 ? 'it was put into another container' : null,
    facts.codes > 1 ? 'it got another code' : null,
    facts.edits > 0 ? 'its record was changed' : null,
    facts.movements > 0 ? 'its amount changed' : null,
    facts.notes > 0 ? 'a note was written' : null,
    facts.relations > 0 ? 'other samples come from it or it from them' : null,
  ].filter((words) => words !== null)
}

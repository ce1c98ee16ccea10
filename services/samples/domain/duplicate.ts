/** What tells one received sample from another. Null where nothing was given; two nulls never count as equal. */
export interface DuplicateFacts {
  readonly id: string
  /** Who sent it. */
  readonly clientId: string | null
  /** The sender's own name for the sample. */
  readonly clientSampleId: string | null
  readonly donorId: string | null
  readonly sampleTypeKey: string
  /** Calendar day of collection, `2026-01-31`. */
  readonly collectedOn: string | null
  /** Codes printed by others, as scanned. Our own codes are unique by construction. */
  readonly externalCodes: readonly string[]
}

export const duplicateReasons = [
  'same_external_code',
  'same_client_sample_id',
  'same_donor_type_and_day',
  'client_sample_id_differs_only_in_form',
] as const
export type DuplicateReason = (typeof duplicateReasons)[number]

export interface LikelyDuplicate {
  readonly existingId: string
  /** `strong`: nearly always the same tube entered twice. `possible`: worth a look, often a second tube on purpose. */
  readonly likelihood: 'strong' | 'possible'
  readonly reasons: readonly { readonly reason: DuplicateReason; readonly message: string }[]
}

const strongReasons: readonly DuplicateReason[] = ['same_external_code', 'same_client_sample_id']

/**
 * Samples that the new one may repeat, strong ones first, each with the reasons in plain words. It only warns: two
 * tubes of one draw are everyday work. Samples in `relatedIds` (its aliquots and origins) are left out.
 */
export function findLikelyDuplicates(
  candidate: DuplicateFacts,
  existing: readonly DuplicateFacts[],
  relatedIds: ReadonlySet<string> = new Set(),
): readonly LikelyDuplicate[] {
  return existing
    .filter((other) => other.id !== candidate.id && !relatedIds.has(other.id))
    .map((other) => judgePair(candidate, other))
    .filter((duplicate) => duplicate !== null)
    .sort((left, right) => weigh(right) - weigh(left))
}

function judgePair(candidate: DuplicateFacts, other: DuplicateFacts): LikelyDuplicate | null {
  const reasons: { reason: DuplicateReason; message: string }[] = []
  const sharedCode = candidate.externalCodes.find((code) => other.externalCodes.includes(code))
  if (sharedCode !== undefined) {
    reasons.push({ reason: 'same_external_code', message: `Both carry the code ${sharedCode}.` })
  }
  const sameClient = isSame(candidate.clientId, other.clientId)
  const compatible = !contradicts(candidate, other)
  if (sameClient && compatible && isSame(candidate.clientSampleId, other.clientSampleId)) {
    reasons.push({
      reason: 'same_client_sample_id',
      message: `The same sender already sent a sample named ${candidate.clientSampleId ?? ''}.`,
    })
  } else if (sameClient && compatible && isSame(candidate.clientSampleId, other.clientSampleId, looseForm)) {
    reasons.push({
      reason: 'client_sample_id_differs_only_in_form',
      message: `The same sender already sent ${other.clientSampleId ?? ''}, which reads like ${candidate.clientSampleId ?? ''}.`,
    })
  }
  if (
    isSame(candidate.donorId, other.donorId) &&
    isSame(candidate.collectedOn, other.collectedOn) &&
    candidate.sampleTypeKey === other.sampleTypeKey
  ) {
    reasons.push({
      reason: 'same_donor_type_and_day',
      message: `There is already such a sample of donor ${candidate.donorId ?? ''}, collected on ${candidate.collectedOn ?? ''}.`,
    })
  }
  if (reasons.length === 0) return null
  const strong = reasons.some(({ reason }) => strongReasons.includes(reason))
  return { existingId: other.id, likelihood: strong ? 'strong' : 'possible', reasons }
}

/** Senders use names such as "1" again for the next donor, day or material; then the name alone says nothing. */
function contradicts(candidate: DuplicateFacts, other: DuplicateFacts): boolean {
  return (
    candidate.sampleTypeKey !== other.sampleTypeKey ||
    differs(candidate.donorId, other.donorId) ||
    differs(candidate.collectedOn, other.collectedOn)
  )
}

function isSame(
  left: string | null,
  right: string | null,
  form: (text: string) => string = tidyForm,
): boolean {
  return left !== null && right !== null && form(left) !== '' && form(left) === form(right)
}

function differs(left: string | null, right: string | null): boolean {
  return left !== null && right !== null && tidyForm(left) !== tidyForm(right)
}

function tidyForm(text: string): string {
  return text.normalize('NFKC').trim().replace(/\s+/g, ' ')
}

/** Upper and lower case, blanks, `-` `_` `.` `/` and leading zeros of numbers do not count: `S-007` is like `s 7`. */
function looseForm(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[\s._/-]+/g, ' ')
    .replace(/(^|\D)0+(?=\d)/g, '$1')
    .replace(/(\D) (?=\d)/g, '$1')
    .trim()
}

function weigh(duplicate: LikelyDuplicate): number {
  return (duplicate.likelihood === 'strong' ? 10 : 0) + duplicate.reasons.length
}

import { composePayload, type EntryMetadata, JOURNAL_DOMAIN, type NewJournalEntry } from './entry.ts'

/** Who and when, for an entry that the journal composes itself. */
export interface EntryAuthor {
  readonly changeSetId: string
  readonly actorId: string
  readonly workstationId: string
  readonly hybridLogicalTime: string
  readonly correlationId: string
  readonly recordedAt: string
}

export interface EpochRequest extends EntryAuthor {
  readonly reason: string
  /** An epoch announced at or after this instant stands for this one too: several databases may notice one loss. */
  readonly unlessSince?: string
}

export interface GapRequest extends EntryAuthor {
  readonly domain: string
  readonly lostFrom: number
  readonly lostTo: number
  /** In words, for people. */
  readonly reason: string
}

/** Says that the journal was begun anew, and why. It follows the journal's own entry before it. */
export function epochEntry(
  request: EpochRequest,
  { number, domainSequence }: { readonly number: number; readonly domainSequence: number },
): NewJournalEntry {
  const place = { kind: 'epoch', domain: JOURNAL_DOMAIN, domainSequence } as const
  return announce(request, place, { number, reason: request.reason })
}

/** Says which entries of a domain are lost. It stands in the place of the last of them. */
export function gapEntry(request: GapRequest): NewJournalEntry {
  const { domain, lostFrom, lostTo, reason } = request
  return announce(request, { kind: 'gap', domain, domainSequence: lostTo }, { lostFrom, lostTo, reason })
}

function announce(
  request: EpochRequest | GapRequest,
  place: Pick<NewJournalEntry, 'kind' | 'domain' | 'domainSequence'>,
  body: object,
): NewJournalEntry {
  const { changeSetId, actorId, workstationId, hybridLogicalTime, reason, correlationId, recordedAt } =
    request
  const metadata: EntryMetadata = {
    ...place,
    ...{ changeSetId, actorId, workstationId, hybridLogicalTime, reason, correlationId, recordedAt },
    origin: 'repair',
    eventNames: [],
  }
  return { ...metadata, payload: composePayload(metadata, body) }
}

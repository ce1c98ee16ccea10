import type { Actor, Envelope } from '../contract/envelope.ts'
import type { ClientHeaders } from './call-headers.ts'
import { notStarted } from './faults.ts'

/** Who is behind a call: a client at a front door, another service, or the host itself. */
export type CallOrigin =
  | { readonly from: 'door'; readonly client: string; readonly headers: ClientHeaders }
  | { readonly from: 'service'; readonly domain: string; readonly envelope: Envelope }
  | {
      readonly from: 'host'
      readonly actor: Actor | null
      readonly idempotencyKey?: string
      readonly deadlineMs?: number
      readonly traceParent?: string
    }

/**
 * When the call must have been answered, and whether the caller asked for less than half of what the
 * contract gives: the passing of such a deadline says nothing about the service.
 */
export function decideDeadline(
  contractMs: number,
  origin: CallOrigin,
): { readonly at: number; readonly hurried: boolean } {
  const now = Date.now()
  const wantedMs = wantedDeadlineMs(origin, now)
  if (wantedMs === null || wantedMs >= contractMs) return { at: now + contractMs, hurried: false }
  if (wantedMs <= 0) throw notStarted('The deadline has passed already')
  return { at: now + wantedMs, hurried: wantedMs < contractMs / 2 }
}

function wantedDeadlineMs(origin: CallOrigin, now: number): number | null {
  switch (origin.from) {
    case 'door':
      return origin.headers.deadlineMs
    case 'service':
      return origin.envelope.deadlineAt - now
    case 'host':
      return origin.deadlineMs ?? null
  }
}

export function givenIdempotencyKey(origin: CallOrigin): string | null {
  switch (origin.from) {
    case 'door':
      return origin.headers.idempotencyKey
    case 'service':
      return origin.envelope.idempotencyKey
    case 'host':
      return origin.idempotencyKey ?? null
  }
}

export function givenTraceParent(origin: CallOrigin): string | null {
  switch (origin.from) {
    case 'door':
      return origin.headers.traceParent
    case 'service':
      return origin.envelope.traceParent
    case 'host':
      return origin.traceParent ?? null
  }
}

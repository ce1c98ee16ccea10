import type { TFunction } from 'i18next'
import { i18n } from '../../i18n.ts'

type Words = TFunction<'audit'>

/** What an entry is about, as far as words for it are sought. */
export interface EntryFacts {
  readonly kind: 'change' | 'migration' | 'gap' | 'epoch'
  readonly eventNames: readonly string[]
  readonly reason: string | null
  readonly procedure: string | null
}

/** What an entry tells of: the events it announced, else the event it follows from, else the command that made it. */
export function entryWords(entry: EntryFacts, t: Words): string {
  if (entry.eventNames.length > 0) return entry.eventNames.map((name) => eventWords(name, t)).join(', ')
  const cause = reactionTo(entry)
  if (cause !== null) return t('reaction', { event: eventWords(cause, t) })
  return procedureWords(entry.procedure, t) ?? t(`kind.${entry.kind}`)
}

/** The event that a change follows from; null for a change that a person made. Its name is then the reason. */
export function reactionTo({ kind, reason }: Pick<EntryFacts, 'kind' | 'reason'>): string | null {
  return kind === 'change' && /^[A-Z][a-z]+([A-Z][a-z]+)+$/.test(reason ?? '') ? reason : null
}

/** `Sample recorded`; an event that has no words yet is shown by its name. */
export function eventWords(name: string, t: Words): string {
  const key = `event.${name}`
  return i18n.exists(key, { ns: 'audit' }) ? t(key as 'event.SampleAccessioned') : name
}

/** The part of the laboratory that a domain is about. */
export function partWords(domain: string, t: Words): string {
  const key = `part.${domain}`
  return i18n.exists(key, { ns: 'audit' }) ? t(key as 'part.samples') : domain
}

function procedureWords(procedure: string | null, t: Words): string | null {
  const key = `act.${procedure ?? ''}`
  return procedure !== null && i18n.exists(key, { ns: 'audit' }) ? t(key as 'act.samples.update') : null
}

import { ORPCError } from '@orpc/client'
import { i18n } from './i18n.ts'
import { correlationOf } from './link/call-link.ts'

/** Errors whose own words are written for people by the domain that refuses. */
const wordedByTheDomain: ReadonlySet<string> = new Set([
  'CONFLICT',
  'RULE_BROKEN',
  'NOT_FOUND',
  'NOT_STARTED',
])

/** The code of a refusal, or null for a defect. */
export function problemCode(error: unknown): string | null {
  return error instanceof ORPCError ? String(error.code) : null
}

/** One sentence that says what happened and what to do; never a raw exception. */
export function problemWords(error: unknown): string {
  if (!(error instanceof ORPCError)) return withCorrelation(i18n.t('problems:defect'), error)
  const code = String(error.code)
  if (code === 'LOCKED_OUT') return lockOutWords(error.data)
  if (code === 'BAD_REQUEST') return badRequestWords(error as ORPCError<string, unknown>)
  if (code === 'FORBIDDEN') return forbiddenWords(error.data)
  if (code === 'INTERNAL_SERVER_ERROR') return withCorrelation(i18n.t('problems:defect'), error)
  if (wordedByTheDomain.has(code) && error.message !== '') return error.message
  const known: string = i18n.t(`problems:${code}`, { defaultValue: '' })
  if (known !== '') return known
  return error.message === '' ? withCorrelation(i18n.t('problems:defect'), error) : error.message
}

/** Whether a read that failed may simply be asked again. */
export function isWorthRepeating(error: unknown): boolean {
  const code = problemCode(error)
  return code === 'NOT_STARTED' || code === 'BUSY' || code === 'OUTCOME_UNKNOWN'
}

function lockOutWords(data: unknown): string {
  const until = readField(data, 'until')
  if (until === null) return i18n.t('problems:LOCKED_OUT_unknown')
  const time = new Date(until).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  return i18n.t('problems:LOCKED_OUT', { time })
}

/** oRPC puts zod's findings into `data.issues`: the first one with the place it is about. */
function badRequestWords(error: ORPCError<string, unknown>): string {
  const issues =
    typeof error.data === 'object' && error.data !== null && 'issues' in error.data ? error.data.issues : null
  const first: unknown = Array.isArray(issues) ? issues[0] : null
  const message = readField(first, 'message')
  return message ?? (error.message === '' ? i18n.t('problems:BAD_REQUEST') : error.message)
}

function forbiddenWords(data: unknown): string {
  const key = readField(data, 'permission') ?? ''
  const permission: string = i18n.t(`people:permission.${key.replace(':', '.')}`, { defaultValue: key })
  return i18n.t('problems:FORBIDDEN', { permission })
}

function readField(data: unknown, name: string): string | null {
  if (typeof data !== 'object' || data === null) return null
  const value: unknown = Reflect.get(data, name)
  return typeof value === 'string' ? value : null
}

function withCorrelation(words: string, error: unknown): string {
  const id = correlationOf(error)
  return id === null ? words : `${words} ${i18n.t('problems:correlation', { id })}`
}

import { DatabaseDamaged } from './engine.ts'

/** PostgreSQL's own words about a failed statement, through drizzle's wrapping. */
interface DatabaseErrorFacts {
  readonly code: string
  readonly constraint: string
  readonly severity: string
}

function factsOf(error: unknown): DatabaseErrorFacts | null {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string') {
      const constraint = 'constraint' in each && typeof each.constraint === 'string' ? each.constraint : ''
      const severity = 'severity' in each && typeof each.severity === 'string' ? each.severity : ''
      return { code: each.code, constraint, severity }
    }
  }
  return null
}

/** Whether a write failed because a unique or exclusion constraint (of this name) already holds such a row. */
export function isDuplicate(error: unknown, constraint?: string): boolean {
  const facts = factsOf(error)
  if (facts === null || (facts.code !== '23505' && facts.code !== '23P01')) return false
  return constraint === undefined || facts.constraint === constraint
}

/**
 * What PostgreSQL says of a value it does not take (a check, a missing row, a text that is no number); null for errors
 * that are about anything else.
 */
export function sayBrokenRule(error: unknown): string | null {
  const facts = factsOf(error)
  if (facts === null || !/^(22|23|42703|TS00)/.test(facts.code)) return null
  const rule = facts.constraint === '' ? '' : ` (${facts.constraint})`
  return `The database does not take it: ${innermost(error)}${rule}`
}

function innermost(error: unknown): string {
  let words = String(error)
  for (let each: unknown = error; each instanceof Error; each = each.cause) words = each.message
  return words
}

/** Whether what is stored is damaged: PostgreSQL's "data corrupted" and "index corrupted", or files beyond opening. */
export function isDamage(error: unknown): boolean {
  const code = factsOf(error)?.code
  return error instanceof DatabaseDamaged || code === 'XX001' || code === 'XX002'
}

/** Whether the disk had no room for it; the statement was undone. */
export function isDiskFull(error: unknown): boolean {
  return factsOf(error)?.code === '53100'
}

/**
 * Whether the server itself said that a COMMIT failed and was rolled back (a deferred constraint). A lost connection,
 * a shutdown or a panic leaves it open whether the commit happened.
 */
export function isRolledBack(error: unknown): boolean {
  return factsOf(error)?.severity === 'ERROR'
}

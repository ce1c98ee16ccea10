/** PostgreSQL's own code and constraint name of a failed statement, through drizzle's wrapping. */
interface DatabaseErrorFacts {
  readonly code: string
  readonly constraint: string
}

function factsOf(error: unknown): DatabaseErrorFacts | null {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string') {
      const constraint = 'constraint' in each && typeof each.constraint === 'string' ? each.constraint : ''
      return { code: each.code, constraint }
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

/** Whether what is stored is damaged: PostgreSQL's "data corrupted" and "index corrupted". */
export function isCorruption(error: unknown): boolean {
  const facts = factsOf(error)
  return facts !== null && (facts.code === 'XX001' || facts.code === 'XX002')
}

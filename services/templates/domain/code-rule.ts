import type { RowRule } from './check-context.ts'

/** What is known of the text of a code: what it is, and whether something in the laboratory has it. */
export interface CodeFacts {
  /** Canonical spellings, best first; two codes are the same when their first are. */
  readonly keys: readonly string[]
  /** Why it cannot be the code of a tube; null when it can. */
  readonly problem: string | null
  /** The thing that has it, in words: `sample C3-0051`. Null when nothing has. */
  readonly owner: string | null
}

/**
 * The rule for the codes of tubes: a code names one thing in the whole laboratory, however it is spelled. The facts
 * hold every code of the sheet.
 */
export function createCodeRule(field: string, facts: ReadonlyMap<string, CodeFacts>): RowRule {
  const spellings = Map.groupBy(
    [...facts].filter(([, { keys }]) => keys[0] !== undefined),
    ([, { keys }]) => keys[0] ?? '',
  )
  return (values) => {
    const text = (values[field]?.text ?? '').trim()
    const known = text === '' ? undefined : facts.get(text)
    if (known === undefined) return []
    if (known.problem !== null) {
      const issue = {
        severity: 'error' as const,
        rule: 'not-a-tube-code',
        title: 'Not the code of a tube',
        message: `“${text}” cannot be the code of a tube: ${known.problem}.`,
      }
      return [{ field, issue }]
    }
    if (known.owner !== null) {
      const issue = {
        severity: 'error' as const,
        rule: 'duplicate',
        title: 'Already in the laboratory',
        message: `“${text}” is in the laboratory already: ${known.owner}.`,
      }
      return [{ field, issue }]
    }
    const others = (spellings.get(known.keys[0] ?? '') ?? []).map(([other]) => other)
    const differing = others.filter((other) => other.toLowerCase() !== text.toLowerCase())
    if (differing.length === 0) return []
    const issue = {
      severity: 'error' as const,
      rule: 'same-code',
      title: 'One code in two spellings',
      message: `“${text}” and “${differing[0] ?? ''}” are the same code in two spellings.`,
      cause: known.keys[0] ?? '',
    }
    return [{ field, issue }]
  }
}

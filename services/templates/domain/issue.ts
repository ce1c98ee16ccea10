import type { Acceptable, Proposal } from './finding.ts'
import type { Severity } from './template.ts'

/** A finding before it is known where it stands. `message` continues "Row 26, Type: …". */
export interface Issue {
  readonly severity: Severity
  readonly rule: string
  readonly message: string
  /** For the side panel, where one title stands for many cells. */
  readonly title: string
  /** Tells causes of one rule in one column apart; the value itself where each value is its own cause. */
  readonly cause?: string
  readonly proposals?: readonly Proposal[]
  readonly acceptable?: Acceptable
}

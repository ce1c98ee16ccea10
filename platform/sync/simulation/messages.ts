import type { ChangeSet } from '../change-set.ts'
import type { LogEntry } from '../log.ts'

/** What simulated workstations and the Hub send each other. Any of them may be lost, doubled or late. */
export type Message =
  | {
      readonly to: 'hub'
      readonly from: number
      readonly kind: 'push'
      /** The set pushed before these; null for a workstation's first. */
      readonly after: string | null
      readonly sets: readonly ChangeSet[]
    }
  | { readonly to: 'hub'; readonly from: number; readonly kind: 'pull'; readonly after: number }
  | { readonly to: number; readonly kind: 'received'; readonly lastId: string }
  | { readonly to: number; readonly kind: 'entries'; readonly entries: readonly LogEntry[] }

import {
  addressOf,
  applyChange,
  type ChangeSet,
  compactChanges,
  type RowAddress,
  type RowChange,
  type RowImage,
  splitAddress,
} from './change-set.ts'
import { claimOf, isContested } from './exclusive.ts'
import type { LogEntry } from './log.ts'
import type { ExclusiveRule, SyncRules } from './rules.ts'
import { type LookUp, matches } from './view.ts'

/** A change of a set that the Hub has not decided yet, as far as this workstation knows. */
export interface PendingChange {
  readonly changeSetId: string
  /** Where the set stands among the pending ones. */
  readonly order: number
  readonly change: RowChange
}

/** All that a workstation holds of one row. */
export interface LocalRow {
  /** As people see it; null when there is none. */
  readonly row: RowImage | null
  /** What the Hub has of it. Counts only while something is pending: otherwise the row itself is that. */
  readonly hubImage: RowImage | null
  /** In their order. */
  readonly pending: readonly PendingChange[]
}

/** What is known so far of a workstation's rows; undefined where the answer is not here yet. */
export interface LocalView {
  at(address: RowAddress): LocalRow | undefined
  rows(lookUp: LookUp): readonly RowImage[] | undefined
}

/** Following cannot go on before these are loaded. */
export interface FollowNeeds {
  readonly kind: 'needs'
  readonly addresses: readonly RowAddress[]
  readonly lookUps: readonly LookUp[]
}

/** What to write at a workstation, in one transaction. */
export interface FollowPlan {
  readonly kind: 'plan'
  /** Whole rows; null withdraws the row. */
  readonly rows: readonly { readonly address: RowAddress; readonly image: RowImage | null }[]
  /** The Hub's images of rows with pending changes; undefined forgets one that has none any more. */
  readonly hubImages: readonly { readonly address: RowAddress; readonly image: RowImage | null | undefined }[]
}

/** A row as a person at a workstation sees it: the Hub's, with the pending changes laid over it in their order. */
export function foldRow(hubImage: RowImage | null, pending: readonly PendingChange[]): RowImage | null {
  return pending.reduce<RowImage | null>(
    (row, { change, changeSetId }) => applyChange(row, change, changeSetId),
    hubImage,
  )
}

/**
 * Applies one entry of the Hub's log: to the Hub's images, then what is pending on top again. `decided` is the pending
 * set that the entry decides, if there is one; it is taken off. Positions and chain are the caller's to check
 * (`placeEntry`); entries of other domains write nothing here.
 */
export function followEntry(
  entry: LogEntry,
  decided: ChangeSet | null,
  view: LocalView,
  rules: SyncRules,
): FollowPlan | FollowNeeds {
  const { domain } = entry
  const incoming = new Map(
    entry.changes.map((change) => [addressOf(domain, change.table, change.key.id), change]),
  )
  const touched = new Set(incoming.keys())
  for (const { table, key } of decided?.changes ?? []) touched.add(addressOf(domain, table, key.id))

  const overlay = new Overlay(view, entry.decides)
  for (const address of touched) {
    const change = incoming.get(address)
    const before = overlay.hubImage(address)
    const after = change === undefined ? before : applyChange(before, change, entry.id)
    overlay.setHubImage(address, after)
    overlay.setRow(address, foldRow(after, overlay.pendingOn(address)))
  }
  judgeClaims(domain, [...touched], overlay, rules)
  return overlay.needs ?? overlay.plan([...touched])
}

/** The rows as they are after the Hub's images under them were all replaced: what is pending is folded on top again. */
export function foldAgain(
  domain: string,
  addresses: readonly RowAddress[],
  view: LocalView,
  rules: SyncRules,
): FollowPlan | FollowNeeds {
  const overlay = new Overlay(view, null)
  for (const address of addresses) {
    overlay.setRow(address, foldRow(overlay.hubImage(address), overlay.pendingOn(address)))
  }
  judgeClaims(domain, addresses, overlay, rules)
  return overlay.needs ?? overlay.plan(addresses)
}

/**
 * What a command's own transaction has to add when its set becomes pending: the Hub's images of rows that had nothing
 * pending, and rows whose contested mark changes because of it. `view` is that from before the command.
 */
export function followCommit(
  set: ChangeSet,
  order: number,
  view: LocalView,
  rules: SyncRules,
): FollowPlan | FollowNeeds {
  const overlay = new Overlay(view, null)
  const touched: RowAddress[] = []
  for (const change of compactChanges(set)) {
    const address = addressOf(set.domain, change.table, change.key.id)
    touched.push(address)
    overlay.setRow(address, applyChange(overlay.row(address), change, set.id))
    overlay.addPending(address, { changeSetId: set.id, order, change })
  }
  judgeClaims(set.domain, touched, overlay, rules)
  return overlay.needs ?? overlay.plan(touched)
}

/** A local view with what is about to be written laid over it. */
class Overlay {
  readonly #view: LocalView
  readonly #confirmed: string | null
  readonly #rows = new Map<RowAddress, RowImage | null>()
  readonly #hubImages = new Map<RowAddress, RowImage | null>()
  readonly #added = new Map<RowAddress, PendingChange>()
  readonly #missingRows = new Set<RowAddress>()
  readonly #missingLookUps: LookUp[] = []

  constructor(view: LocalView, confirmed: string | null) {
    this.#view = view
    this.#confirmed = confirmed
  }

  /** Null when everything that was read was there. */
  get needs(): FollowNeeds | null {
    const [addresses, lookUps] = [[...this.#missingRows], this.#missingLookUps]
    return addresses.length + lookUps.length === 0 ? null : { kind: 'needs', addresses, lookUps }
  }

  /** The row before anything is written. */
  formerRow(address: RowAddress): RowImage | null {
    return this.#at(address).row
  }

  row(address: RowAddress): RowImage | null {
    const written = this.#rows.get(address)
    return written === undefined ? this.formerRow(address) : written
  }

  setRow(address: RowAddress, row: RowImage | null): void {
    this.#rows.set(address, row)
  }

  rows(lookUp: LookUp): readonly RowImage[] {
    const { domain, table } = lookUp
    const there = this.#view.rows(lookUp)
    if (there === undefined) this.#missingLookUps.push(lookUp)
    const kept = (there ?? []).filter((row) => !this.#rows.has(addressOf(domain, table, row.id ?? '')))
    const laidOver = [...this.#rows].flatMap(([address, row]) =>
      row !== null && address.startsWith(`${domain}/${table}/`) && matches(row, lookUp) ? [row] : [],
    )
    return [...kept, ...laidOver]
  }

  hubImage(address: RowAddress): RowImage | null {
    const written = this.#hubImages.get(address)
    if (written !== undefined) return written
    const { row, hubImage, pending } = this.#at(address)
    return pending.length > 0 ? hubImage : row
  }

  setHubImage(address: RowAddress, image: RowImage | null): void {
    this.#hubImages.set(address, image)
  }

  pendingOn(address: RowAddress): readonly PendingChange[] {
    const waiting = this.#at(address).pending.filter(({ changeSetId }) => changeSetId !== this.#confirmed)
    const added = this.#added.get(address)
    return added === undefined ? waiting : [...waiting, added]
  }

  addPending(address: RowAddress, pending: PendingChange): void {
    this.#added.set(address, pending)
  }

  /** Rows that are really different from what is there, and the Hub's images of the touched rows. */
  plan(touched: readonly RowAddress[]): FollowPlan {
    const rows = [...this.#rows]
      .filter(([address, row]) => !equalImages(this.formerRow(address), row))
      .map(([address, image]) => ({ address, image }))
    const hubImages = touched.flatMap((address) => {
      const isPending = this.pendingOn(address).length > 0
      if (!isPending && this.#at(address).pending.length === 0) return []
      return [{ address, image: isPending ? this.hubImage(address) : undefined }]
    })
    return { kind: 'plan', rows, hubImages }
  }

  #at(address: RowAddress): LocalRow {
    const there = this.#view.at(address)
    if (there !== undefined) return there
    this.#missingRows.add(address)
    return { row: null, hubImage: null, pending: [] }
  }
}

/**
 * Marks pending rows that claim what another row holds. The Hub's rows hold first, then what they held before they
 * were changed here, then the latest claim: its author saw the earlier ones as contested.
 */
function judgeClaims(
  domain: string,
  touched: readonly RowAddress[],
  overlay: Overlay,
  rules: SyncRules,
): void {
  const tables = new Set(touched.map((address) => splitAddress(address).table))
  for (const table of tables) {
    const exclusive = rules[domain]?.[table]?.exclusive
    if (exclusive === undefined) continue
    const involved = collectRivals(domain, table, touched, overlay, exclusive)
    const claims = involved.map((row) => rankClaim(domain, table, row, overlay, exclusive))
    claims.sort((left, right) => left.rank - right.rank)
    const held: RowImage[] = []
    for (const { address, row, isFixed } of claims) {
      const collides = isFixed
        ? isContested(row)
        : exclusive.some((rule) => {
            const claim = claimOf(domain, table, rule, row)
            return claim !== null && held.some((other) => rule.isLive(other) && matches(other, claim))
          })
      if (isContested(row) !== collides) overlay.setRow(address, { ...row, contested: String(collides) })
      if (!collides) held.push(row)
    }
  }
}

/** The touched rows, as they were and as they are, and all rows that claim the same, near or far. */
function collectRivals(
  domain: string,
  table: string,
  touched: readonly RowAddress[],
  overlay: Overlay,
  exclusive: readonly ExclusiveRule[],
): readonly RowImage[] {
  const found = new Map<string, RowImage>()
  const asked = new Set<string>()
  const open: RowImage[] = []
  for (const address of touched.filter((each) => splitAddress(each).table === table)) {
    const row = overlay.row(address)
    if (row !== null) found.set(row.id ?? '', row)
    const former = overlay.formerRow(address)
    open.push(...(former === null ? [] : [former]), ...(row === null ? [] : [row]))
  }
  for (const row of open) {
    for (const rule of exclusive) {
      const claim = claimOf(domain, table, rule, row)
      if (claim === null || asked.has(`${rule.name} ${JSON.stringify(claim.where)}`)) continue
      asked.add(`${rule.name} ${JSON.stringify(claim.where)}`)
      for (const rival of overlay.rows(claim)) {
        if (found.has(rival.id ?? '')) continue
        found.set(rival.id ?? '', rival)
        open.push(rival)
      }
    }
  }
  return [...found.values()]
}

function rankClaim(
  domain: string,
  table: string,
  row: RowImage,
  overlay: Overlay,
  exclusive: readonly ExclusiveRule[],
): {
  readonly address: RowAddress
  readonly row: RowImage
  readonly isFixed: boolean
  readonly rank: number
} {
  const address = addressOf(domain, table, row.id ?? '')
  const pending = overlay.pendingOn(address)
  if (pending.length === 0) return { address, row, isFixed: true, rank: -Infinity }
  const claimsOf = (image: RowImage | null): string =>
    JSON.stringify(
      exclusive.map((rule) => (image === null ? null : (claimOf(domain, table, rule, image)?.where ?? null))),
    )
  const hubImage = overlay.hubImage(address)
  const isHolder = hubImage !== null && !isContested(hubImage) && claimsOf(hubImage) === claimsOf(row)
  if (isHolder) return { address, row, isFixed: false, rank: -1e9 }
  let claimed = 0
  let before = hubImage
  for (const each of pending) {
    const after = applyChange(before, each.change, each.changeSetId)
    if (claimsOf(before) !== claimsOf(after)) claimed = each.order
    before = after
  }
  return { address, row, isFixed: false, rank: -claimed }
}

function equalImages(left: RowImage | null, right: RowImage | null): boolean {
  if (left === right) return true
  if (left === null || right === null) return false
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}

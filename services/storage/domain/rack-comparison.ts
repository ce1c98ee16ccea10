import type { RackScan } from './rack-scan.ts'

/** A tube that the books say is in this rack. */
export interface ExpectedTube {
  /** Stored label, `C4`. */
  readonly position: string
  readonly containerId: string
  readonly label: string
}

/** A tube that a scanned code leads to, whichever of its codes that is. */
export interface KnownTube {
  readonly containerId: string
  readonly label: string
  /** Where the books have it, in words (`checked out by Anna` too); null when it has no place. */
  readonly place: string | null
}

export const rackOutcomes = [
  'as_expected',
  /** A known tube that had no place until now. */
  'new_here',
  /** A known tube that the books have elsewhere, in this rack or another. */
  'moved_here',
  /** Nothing is here, the books say otherwise, and the tube is nowhere else in the rack. */
  'missing',
  /** A tube is here, but no tube is known by its code. */
  'unknown_code',
  'empty',
  /** The read cannot be relied on. */
  'unreadable',
] as const
export type RackOutcome = (typeof rackOutcomes)[number]

export interface RackPositionResult {
  readonly position: string
  readonly outcome: RackOutcome
  /** The code that was read. */
  readonly code: string | null
  readonly tube: KnownTube | null
  /** What the books say is here. With another tube read here this is a wrong tube in the place. */
  readonly expected: ExpectedTube | null
  /** For `moved_here`: where the books have it, a position of this rack or a place in words. */
  readonly movedFrom: string | null
  readonly message: string
}

export interface RackComparison {
  /** In the order of the file, then expected positions that the file does not name. */
  readonly positions: readonly RackPositionResult[]
  /** Expected tubes that were read nowhere in the rack, at positions that could be read. */
  readonly missing: readonly ExpectedTube[]
}

/**
 * Compares a scan with what should be in the rack. `tubesByCode` answers for scanned codes as they stand in the scan
 * (upper case); `expected` is what the books have, at most one tube per position.
 */
export function compareRackScan(
  scan: Pick<RackScan, 'reads' | 'refusedPositions'>,
  expected: readonly ExpectedTube[],
  tubesByCode: ReadonlyMap<string, KnownTube>,
): RackComparison {
  const expectedAt = new Map(expected.map((tube) => [tube.position, tube]))
  const homeOf = new Map(expected.map((tube) => [tube.containerId, tube.position]))
  const foundAt = new Map<string, readonly string[]>()
  for (const read of scan.reads) {
    const tube = read.barcode === null ? undefined : tubesByCode.get(read.barcode)
    if (tube !== undefined) {
      foundAt.set(tube.containerId, [...(foundAt.get(tube.containerId) ?? []), read.position])
    }
  }

  const positions = scan.reads.map((read): RackPositionResult => {
    const wanted = expectedAt.get(read.position) ?? null
    if (read.barcode === null) return judgeEmpty(read.position, read.noTubeWords, wanted, foundAt)
    const tube = tubesByCode.get(read.barcode) ?? null
    const result = { position: read.position, code: read.barcode, tube, expected: wanted, movedFrom: null }
    const instead = wanted === null ? '' : ` instead of ${wanted.label}`
    if (tube === null) {
      const message = `${read.position} holds ${read.barcode}, which is not known here${instead && `,${instead}`}.`
      return { ...result, outcome: 'unknown_code', message }
    }
    const places = foundAt.get(tube.containerId) ?? []
    if (places.length > 1) {
      const message = `${tube.label} was read at ${places.join(' and ')}: scan these positions again.`
      return { ...result, outcome: 'unreadable', message }
    }
    if (tube.containerId === wanted?.containerId) {
      return {
        ...result,
        outcome: 'as_expected',
        message: `${read.position} holds ${tube.label} as expected.`,
      }
    }
    const movedFrom = homeOf.get(tube.containerId) ?? tube.place
    if (movedFrom === null) {
      return {
        ...result,
        outcome: 'new_here',
        message: `${tube.label} is new at ${read.position}${instead}.`,
      }
    }
    const message = `${tube.label} is at ${read.position}${instead}, the books say ${movedFrom}.`
    return { ...result, outcome: 'moved_here', movedFrom, message }
  })

  const named = new Set(scan.reads.map((read) => read.position))
  const refused = new Set(scan.refusedPositions)
  for (const position of refused) {
    const wanted = expectedAt.get(position) ?? null
    const message = `The read of ${position} cannot be relied on${wanted === null ? '' : `; ${wanted.label} should be here`}.`
    positions.push({ ...nothingRead(position, wanted), outcome: 'unreadable', message })
  }
  for (const tube of expected) {
    if (!named.has(tube.position) && !refused.has(tube.position)) {
      positions.push(judgeEmpty(tube.position, null, tube, foundAt))
    }
  }
  return {
    positions,
    missing: expected.filter((tube) => !foundAt.has(tube.containerId) && !refused.has(tube.position)),
  }
}

function judgeEmpty(
  position: string,
  words: string | null,
  wanted: ExpectedTube | null,
  foundAt: ReadonlyMap<string, readonly string[]>,
): RackPositionResult {
  const result = nothingRead(position, wanted)
  if (wanted === null) return { ...result, outcome: 'empty', message: `${position} is empty as expected.` }
  const elsewhere = foundAt.get(wanted.containerId)
  if (elsewhere !== undefined) {
    const message = `${position} is empty: ${wanted.label} is at ${elsewhere.join(' and ')}.`
    return { ...result, outcome: 'empty', message }
  }
  const said = words === null ? 'nothing was read' : `the scanner says ${words}`
  return { ...result, outcome: 'missing', message: `${wanted.label} is missing at ${position}: ${said}.` }
}

function nothingRead(
  position: string,
  expected: ExpectedTube | null,
): Omit<RackPositionResult, 'outcome' | 'message'> {
  return { position, code: null, tube: null, expected, movedFrom: null }
}

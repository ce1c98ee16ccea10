import type { ReadScope } from '../../platform/service/scopes.ts'
import { barcodes } from '../barcodes/contract.ts'
import { readContainersIn } from './box-map.ts'
import { type ContainerRecord, readContainers, readNodesOf, wordsOfPlacement } from './containers.ts'
import { compareRackScan, type KnownTube, type RackComparison } from './domain/rack-comparison.ts'
import { parseRackScan, type RackScan } from './domain/rack-scan.ts'
import { type Box, findBox, type NodesById, readNodesAbove } from './nodes.ts'

export interface RackProblemShown {
  readonly row: number | null
  readonly position: string | null
  readonly message: string
}

/** A whole-rack scan, what its codes are, and how it differs from the books. */
export interface RackReading {
  readonly box: Box
  readonly scan: RackScan
  readonly comparison: RackComparison
  readonly problems: readonly RackProblemShown[]
  /** Positions of this box that the books give to containers, checked-out ones included. */
  readonly homes: ReadonlyMap<string, string>
  /** The code of the rack in the file is that of another place: nothing of it may be applied here. */
  readonly isOtherRack: boolean
}

/** As many codes as the barcodes domain takes in one call. */
const codesPerCall = 2_000

/** Reads a file of a whole-rack scanner, asks what its codes are and compares it with what should be in the box. */
export async function readRack(scope: ReadScope, boxId: string, text: string): Promise<RackReading> {
  const { box, inside } = await scope.read(async (tx) => ({
    box: findBox(boxId, await readNodesAbove(tx, [boxId])),
    inside: await readContainersIn(tx, [boxId]),
  }))
  const scan = parseRackScan(text, box.format)
  const codes = scan.reads.flatMap(({ barcode }) => barcode ?? [])
  const matches = await resolveCodes(scope, [
    ...codes,
    ...(scan.rackBarcode === null ? [] : [scan.rackBarcode]),
  ])
  const { tubes, ambiguous } = await findTubes(scope, codes, matches)
  const expected = inside.flatMap((record) =>
    record.placement !== null && record.row.state === 'placed' && !record.placement.contested
      ? [{ position: record.placement.position, containerId: record.row.id, label: record.row.label }]
      : [],
  )
  const comparison = compareRackScan(scan, expected, tubes)
  const rack = scan.rackBarcode === null ? null : (matches.get(scan.rackBarcode) ?? null)
  const isOtherRack = rack?.kind === 'storage-node' && rack.id !== boxId
  const other = `The scan is of the rack ${scan.rackBarcode ?? ''}, not of ${box.row.name}: nothing of it is applied here`
  const homes = inside.flatMap(({ row, placement }) =>
    placement === null || placement.contested ? [] : [[row.id, placement.position] as const],
  )
  return {
    box,
    scan,
    homes: new Map(homes),
    comparison,
    isOtherRack,
    problems: [
      ...(isOtherRack ? [{ row: null, position: null, message: other }] : []),
      ...scan.problems.map(({ row, position, message }) => ({ row, position, message })),
      ...scan.reads.flatMap(({ row, position, barcode }) =>
        barcode !== null && ambiguous.has(barcode)
          ? [
              {
                row,
                position,
                message: `${barcode} is on a sample with several tubes: scan the tube's own code`,
              },
            ]
          : [],
      ),
    ],
  }
}

interface Match {
  readonly kind: string
  readonly id: string
}

async function resolveCodes(scope: ReadScope, codes: readonly string[]): Promise<ReadonlyMap<string, Match>> {
  const service = scope.service('barcodes', barcodes)
  const found = new Map<string, Match>()
  for (let from = 0; from < codes.length; from += codesPerCall) {
    const texts = codes.slice(from, from + codesPerCall)
    for (const { text, match } of await service.resolveMany({ texts })) {
      if (match?.thing != null) found.set(text, match.thing)
    }
  }
  return found
}

/** A code leads to a tube by itself, or by the sample whose only tube it is. */
async function findTubes(
  scope: ReadScope,
  codes: readonly string[],
  matches: ReadonlyMap<string, Match>,
): Promise<{ readonly tubes: ReadonlyMap<string, KnownTube>; readonly ambiguous: ReadonlySet<string> }> {
  const idsOf = (kind: string) => [
    ...new Set([...matches.values()].flatMap((match) => (match.kind === kind ? [match.id] : []))),
  ]
  return scope.read(async (tx) => {
    const byId = await readContainers(tx, { ids: idsOf('container') })
    const ofSamples = await readContainers(tx, { sampleIds: idsOf('sample') })
    const nodes = await readNodesOf(tx, [...byId, ...ofSamples])
    const containers = new Map(byId.map((record) => [record.row.id, record]))
    const bySample = Map.groupBy(
      ofSamples.filter((record) => record.row.state !== 'disposed'),
      (record) => record.row.sampleId ?? '',
    )
    const tubes = new Map<string, KnownTube>()
    const ambiguous = new Set<string>()
    for (const code of codes) {
      const match = matches.get(code)
      const candidates =
        match?.kind === 'container'
          ? [containers.get(match.id)].filter((record) => record !== undefined)
          : match?.kind === 'sample'
            ? (bySample.get(match.id) ?? [])
            : []
      const [only, ...others] = candidates
      if (others.length > 0) ambiguous.add(code)
      else if (only !== undefined) tubes.set(code, toKnownTube(only, nodes))
    }
    return { tubes, ambiguous }
  })
}

function toKnownTube(record: ContainerRecord, nodes: NodesById): KnownTube {
  return { containerId: record.row.id, label: record.row.label, place: placeInBooks(record, nodes) }
}

function placeInBooks(record: ContainerRecord, nodes: NodesById): string | null {
  switch (record.row.state) {
    case 'unplaced':
      return null
    case 'disposed':
      return 'disposed of'
    case 'checked_out':
      return `checked out by ${record.placement?.heldBy ?? 'someone'}`
    case 'placed':
      return record.placement === null ? null : wordsOfPlacement(record.placement, nodes)
  }
}

import { describe, expect, test } from 'vitest'
import { NodeId, type StorageNode } from '../../../services/storage/contract.ts'
import { moveInTree, placesAbove, takenPercent, visibleRows } from './place-tree.ts'

const uuid = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`

function node(number: number, parent: number | null, kind: StorageNode['kind'], name: string): StorageNode {
  return {
    id: NodeId.parse(uuid(number)),
    parentId: parent === null ? null : NodeId.parse(uuid(parent)),
    kind,
    name,
    code: null,
    zone: null,
    grid: null,
    capacity: { positions: 0, occupied: 0, reserved: 0, outOfUse: 0, available: 0, level: 'normal' },
    revision: uuid(99),
  }
}

const nodes = [
  node(1, null, 'freezer', 'F1'),
  node(12, 1, 'shelf', 'Shelf 10'),
  node(11, 1, 'shelf', 'Shelf 2'),
  node(21, 11, 'box', 'DNA 1'),
  node(2, null, 'freezer', 'F2'),
]

const shown = (...open: readonly number[]) => visibleRows(nodes, new Set(open.map(uuid)))
const names = (...open: readonly number[]) => shown(...open).map((row) => row.node.name)

test('rows in sight, counted as people count', () => {
  expect(names()).toEqual(['F1', 'F2'])
  expect(names(1)).toEqual(['F1', 'Shelf 2', 'Shelf 10', 'F2'])
  expect(names(1, 11)).toEqual(['F1', 'Shelf 2', 'DNA 1', 'Shelf 10', 'F2'])
})

test('a place whose parent is not known stands at the top', () => {
  const rows = visibleRows([...nodes, node(31, 30, 'box', 'Lost')], new Set())
  expect(rows.map((row) => row.node.name)).toEqual(['F1', 'F2', 'Lost'])
})

test('the way to a box; a circle made by two workstations ends', () => {
  expect(placesAbove(nodes, uuid(21)).map(({ name }) => name)).toEqual(['F1', 'Shelf 2'])
  const circle = [node(1, 2, 'shelf', 'A'), node(2, 1, 'shelf', 'B')]
  expect(placesAbove(circle, uuid(1)).map(({ name }) => name)).toEqual(['B'])
})

describe('keys', () => {
  const press = (at: number, key: string, ...open: readonly number[]) =>
    moveInTree(shown(...open), uuid(at), key)

  test('right opens, then goes in; left closes, then goes out', () => {
    expect(press(1, 'ArrowRight')).toEqual({ kind: 'expand', id: uuid(1) })
    expect(press(1, 'ArrowRight', 1)).toEqual({ kind: 'go', id: uuid(11) })
    expect(press(21, 'ArrowRight', 1, 11)).toBeNull()
    expect(press(21, 'ArrowLeft', 1, 11)).toEqual({ kind: 'go', id: uuid(11) })
    expect(press(11, 'ArrowLeft', 1, 11)).toEqual({ kind: 'collapse', id: uuid(11) })
    expect(press(1, 'ArrowLeft')).toBeNull()
  })

  test('up, down, first, last', () => {
    expect(press(11, 'ArrowDown', 1)).toEqual({ kind: 'go', id: uuid(12) })
    expect(press(1, 'ArrowUp', 1)).toBeNull()
    expect(press(12, 'Home', 1)).toEqual({ kind: 'go', id: uuid(1) })
    expect(press(1, 'End', 1)).toEqual({ kind: 'go', id: uuid(2) })
  })
})

test('how full: reserved is taken, out of use is no space, a nearly full place is not 100', () => {
  const count = (occupied: number, reserved: number, outOfUse: number, positions: number) =>
    takenPercent({ positions, occupied, reserved, outOfUse, available: 0, level: 'normal' })
  expect(count(61, 9, 0, 100)).toBe(70)
  expect(count(76, 0, 5, 100)).toBe(80)
  expect(count(999, 0, 0, 1000)).toBe(99)
  expect(count(0, 0, 4, 4)).toBe(100)
  expect(count(0, 0, 0, 0)).toBe(0)
})

import { readdirSync, readFileSync } from 'node:fs'

/** Which processes of a tree are meant, by the name of their program. */
export type Chosen = (program: string) => boolean

const everything: Chosen = () => true
/** What Linux counts processor time in, whatever its kernel was built with. */
const ticksPerSecond = 100
const firstTimeField = 11

/** The proportional set size of a process and all it started, in MB: memory shared with others counts by their number. */
export function measureMemoryMb(pid: number, chosen: Chosen = everything): number {
  const kilobytes = listTree(pid, chosen).reduce((sum, each) => sum + readPssKb(each), 0)
  return kilobytes / 1_024
}

/** The processor time that a process and all it started have taken so far, in milliseconds, to the next 10. */
export function measureProcessorMs(pid: number, chosen: Chosen = everything): number {
  const ticks = listTree(pid, chosen).reduce((sum, each) => sum + readTicks(each), 0)
  return (ticks / ticksPerSecond) * 1_000
}

function listTree(pid: number, chosen: Chosen): readonly number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = readParent(Number(name))
    if (parent !== null) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const collect = (each: number): number[] => [each, ...(children.get(each) ?? []).flatMap(collect)]
  return collect(pid).filter((each) => chosen(readOrNothing(`/proc/${each}/comm`).trim()))
}

function readParent(pid: number): number | null {
  const found = /^PPid:\s*(\d+)/m.exec(readOrNothing(`/proc/${pid}/status`))
  return found === null ? null : Number(found[1])
}

function readPssKb(pid: number): number {
  return Number(/^Pss:\s*(\d+) kB/m.exec(readOrNothing(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0)
}

function readTicks(pid: number): number {
  const [user = 0, system = 0] = readOrNothing(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(firstTimeField, firstTimeField + 2)
    .map(Number)
  return user + system
}

/** A process may end between being listed and being read. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

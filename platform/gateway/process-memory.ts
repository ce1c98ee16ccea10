import { readFile } from 'node:fs/promises'

export interface ProcessMemory {
  readonly rssBytes: number
  /** Proportional set size: shared pages counted by share. Null where the system does not tell (not on Linux). */
  readonly pssBytes: number | null
  readonly heapUsedBytes: number
  readonly externalBytes: number
}

/** Memory of this process with all its threads. */
export async function measureProcessMemory(): Promise<ProcessMemory> {
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rssBytes: rss, pssBytes: await readPss(), heapUsedBytes: heapUsed, externalBytes: external }
}

async function readPss(): Promise<number | null> {
  if (process.platform !== 'linux') return null
  const rollup = await readFile('/proc/self/smaps_rollup', 'utf8').catch(() => '')
  const kibibytes = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) * 1024
}

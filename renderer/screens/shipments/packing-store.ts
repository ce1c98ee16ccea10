import { useSyncExternalStore } from 'react'
import { z } from 'zod'
import { SampleId } from '../../../services/samples/contract.ts'

const Packing = z.object({
  /** Whose parcel it is: nobody finds another person's. */
  userId: z.string().nullable(),
  samples: z.array(z.object({ id: SampleId, name: z.string(), code: z.string().nullable() })),
  laboratoryId: z.string().nullable(),
  carrier: z.string(),
  reference: z.string(),
  reason: z.string(),
})
type Packing = z.output<typeof Packing>

/** As many as one shipment may have. */
export const samplesAtMost = 200
const key = 'tracseq.packing'
const nothing: Packing = {
  ...{ userId: null, samples: [], laboratoryId: null },
  ...{ carrier: '', reference: '', reason: '' },
}

/*
 * Not React state: scans follow each other faster than the screen is drawn, and a look at a sample or a reload must not
 * unpack anything.
 */
let packing: Packing = readKept()
const listeners = new Set<() => void>()

function set(next: Packing): void {
  packing = next
  sessionStorage.setItem(key, JSON.stringify(next))
  for (const listener of listeners) listener()
}

function readKept(): Packing {
  try {
    return Packing.parse(JSON.parse(sessionStorage.getItem(key) ?? 'null'))
  } catch {
    // Nothing was kept, or by another version: an empty parcel is a good beginning.
    return nothing
  }
}

/** What this person packs. */
export function usePacking(): Packing {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => packing,
  )
}

export function readPacking(): Packing {
  return packing
}

/** Begins a parcel; the one of somebody else is forgotten. */
export function beginPacking(userId: string): void {
  if (packing.userId !== userId) set({ ...nothing, userId })
}

export function changeParcel(change: Partial<Omit<Packing, 'userId' | 'samples'>>): void {
  set({ ...packing, ...change })
}

/** Packs samples that are not in the parcel yet; gives those that there was room for. */
export function pack(samples: Packing['samples']): Packing['samples'] {
  const isNew = ({ id }: { readonly id: string }) => !packing.samples.some((packed) => packed.id === id)
  const added = samples.filter(isNew).slice(0, samplesAtMost - packing.samples.length)
  set({ ...packing, samples: [...packing.samples, ...added] })
  return added
}

export function unpack(ids: readonly string[]): void {
  set({ ...packing, samples: packing.samples.filter(({ id }) => !ids.includes(id)) })
}

/** It was sent, or is not wanted any more. */
export function emptyPacking(): void {
  set({ ...nothing, userId: packing.userId })
}

import { z } from 'zod'
import type { JournalEntry } from '../../platform/journal/entry.ts'
import type { Surroundings } from './laboratory-client.ts'
import type { ShipmentStore } from './shipment-store.ts'

const entriesAtOnce = 200

/**
 * Looks through what the log has of samples since the last look, and notes of which shipped ones something was written.
 * The place is noted with it in one step: whatever stops the Hub, and whatever hint is lost, the next look goes on there.
 */
export async function noteNews(
  store: ShipmentStore,
  around: Pick<Surroundings, 'at' | 'journal'>,
): Promise<void> {
  const head = (await around.journal.domainHead('samples'))?.domainSequence ?? 0
  const looked = await store.lookedUpTo()
  // Before the first look nothing is known; a log that ends before it is one that was restored.
  if (looked === null || looked > head) return store.noteNews('all', head)
  // Samples that arrive later count as news anyway, so nobody needs to look until then.
  if (!(await store.hasStubs())) return looked === head ? undefined : store.noteNews([], head)
  let after = looked
  while (after < head) {
    const reading = { domain: 'samples', afterDomainSequence: after, limit: entriesAtOnce }
    const entries = await around.journal.readDomain(reading)
    const last = entries.at(-1)
    if (last === undefined) return
    after = last.domainSequence
    await store.noteNews(await samplesIn(entries, around), after)
  }
}

const Cells = z.record(z.string(), z.string().nullable())
const Payload = z.object({
  body: z.object({
    laboratoryId: z.string().nullish(),
    changes: z
      .array(z.object({ table: z.string(), key: z.object({ id: z.string() }), values: Cells }))
      .default([]),
  }),
})

/** Whose changes need not name the sample. */
const tablesOfOwners = new Set(['sample_container', 'sample_code', 'sample_relation'])

/** Of which samples these entries write; of any, where a content was removed. */
async function samplesIn(
  entries: readonly Pick<JournalEntry, 'payload'>[],
  { at }: Pick<Surroundings, 'at'>,
): Promise<readonly string[] | 'all'> {
  const found = new Set<string>()
  for (const { payload } of entries) {
    if (payload === null) return 'all'
    const { laboratoryId, changes } = Payload.parse(JSON.parse(payload)).body
    const rowIds: string[] = []
    for (const { table, key, values } of changes) {
      const named = table === 'sample' ? key.id : (values['sample_id'] ?? null)
      if (named !== null) found.add(named)
      // A changed row names only what was changed.
      else if (tablesOfOwners.has(table)) rowIds.push(key.id)
    }
    if (rowIds.length === 0 || laboratoryId == null) continue
    const { sampleIds } = await at(laboratoryId, null).samples.shippingOwners({ rowIds })
    for (const id of sampleIds) found.add(id)
  }
  return [...found]
}

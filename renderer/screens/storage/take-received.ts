import { SampleId } from '../../../services/samples/contract.ts'
import type { Container } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { readSession } from '../../session/session-store.ts'
import { takeInHand } from './placing.ts'
import { tookResult } from './placing-acts.ts'
import { beginSitting, changePlacing } from './placing-store.ts'

const t = i18n.getFixedT(null, 'storage')

/** As many samples as one question may name. */
const samplesInOneQuestion = 500

/**
 * Opens the storage screen with the tubes of these samples in hand, in this order; those that have a place stay there.
 * When they cannot be read the screen opens with an empty hand and says why.
 */
export async function putAwaySamples(
  which: { readonly importId: string } | readonly string[],
): Promise<void> {
  try {
    const ids = 'importId' in which ? await readSamplesOf(which.importId) : SampleId.array().parse(which)
    const tubes = await readUnplaced(ids)
    const session = readSession()
    if (session.stage !== 'signed-in') return
    beginSitting(session.me.user.id)
    if (tubes.length > 0) changePlacing((placing) => takeInHand({ ...placing, filling: false }, tubes, null))
    scanEngine.announce(
      tubes.length > 0 ? tookResult(tubes) : { tone: 'ok', sentence: t('received.allPlaced') },
    )
  } catch (error) {
    scanEngine.announce({ tone: 'bad', sentence: t('received.notRead'), detail: problemWords(error) })
  }
  goTo({ to: '/storage' })
}

/** The samples that an import saved, in the order of its sheet. */
async function readSamplesOf(importId: string): Promise<readonly SampleId[]> {
  const ids: SampleId[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof client.samples.list>> = await client.samples.list({
      importId,
      sort: 'createdAt',
      limit: samplesInOneQuestion,
      ...(cursor === null ? {} : { cursor }),
    })
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== null)
  return ids
}

async function readUnplaced(ids: readonly SampleId[]): Promise<readonly Container[]> {
  const tubes: Container[] = []
  for (let from = 0; from < ids.length; from += samplesInOneQuestion) {
    const sampleIds = ids.slice(from, from + samplesInOneQuestion)
    const found = await client.storage.containersOfSamples({ sampleIds })
    tubes.push(
      ...sampleIds.flatMap((id) =>
        found.filter(({ sampleId, state }) => sampleId === id && state === 'unplaced'),
      ),
    )
  }
  return tubes
}

import type { KeyObject } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { v7 as newId } from 'uuid'
import { fingerprintOf, type WorkstationKey } from '../../platform/journal/workstation-key.ts'
import { type Bundle, BundleProblem, BundleWriter, openBundle } from '../../platform/sync/bundle.ts'
import {
  LogPart,
  type ManifestToHub,
  ManifestToWorkstation,
  Tally,
} from '../../platform/sync/bundle-content.ts'
import { type BundleFolder, nameOfBundle } from '../../platform/sync/bundle-folder.ts'
import type { BroughtBundle, MadeBundle } from '../../platform/sync/contract.ts'
import type { PushRun } from '../../platform/sync/push-run.ts'
import { sealingKeyFrom } from '../../platform/sync/sealing-key.ts'
import { compareVersions, type Migrations } from '../../platform/sync/versions.ts'
import type { Domains } from './domains.ts'
import type { EnrolmentFile } from './enrolment-file.ts'
import { ForgedLog, type Pulling } from './pulling.ts'
import type { Pushing } from './pushing.ts'

/** What of a workstation takes part in sync by hand. */
export interface BenchBundlesOptions {
  readonly workstation: { readonly name: string }
  readonly key: WorkstationKey
  readonly sealingKey: KeyObject
  readonly file: EnrolmentFile
  readonly domains: Domains
  readonly migrations: Migrations
  readonly pushing: Pushing
  readonly pulling: Pulling
}

/** A bundle that was brought, and what its manifest told beside the log. */
export interface Brought {
  readonly brought: BroughtBundle
  readonly manifest: ManifestToWorkstation
}

/** Puts into a file what was made here and the Hub does not have, as far as is known here. */
export async function makeBundle(options: BenchBundlesOptions, folder: BundleFolder): Promise<MadeBundle> {
  const { workstation, key, file } = options
  const { laboratoryId, hubKey, hubSealingKey } = file.require()
  if (hubSealingKey === null)
    throw new BundleProblem(
      'OTHER_KEY',
      'This workstation does not know yet how to seal something for the Hub: it is told when they next speak over the network',
    )
  const id = newId()
  const madeAt = new Date().toISOString()
  const path = await folder.newPath()
  const about = {
    id,
    direction: 'to-hub',
    laboratoryId,
    from: key.fingerprint,
    to: fingerprintOf(hubKey),
    madeAt,
  } as const
  const writer = await BundleWriter.create({
    path,
    about,
    signer: key,
    recipient: sealingKeyFrom(hubSealingKey),
  })
  try {
    const { sizeBytes, sum, isWhole } = await writeRuns(options, writer)
    const name = nameOfBundle(workstation.name, 'hub', madeAt)
    await folder.hold({ id, laboratoryId, name, path })
    return { id, name, sizeBytes, direction: about.direction, partner: 'TracSeq Hub', ...sum, isWhole }
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await writer.close()
  }
}

async function writeRuns({ file, migrations, pushing, pulling }: BenchBundlesOptions, writer: BundleWriter) {
  const after = await pushing.beginning()
  const tally = new Tally()
  let end = after
  let isWhole = true
  for (let next = await pushing.nextRun(end); next !== null; next = await pushing.nextRun(end)) {
    isWhole = await writer.add(next.run satisfies PushRun)
    if (!isWhole) break
    for (const { recordedAt } of next.pushed) tally.add(recordedAt)
    end = next.end
  }
  const { sum } = tally
  const manifest: ManifestToHub = {
    ...sum,
    isWhole,
    migrations: Object.fromEntries(Object.entries(migrations).map(([domain, names]) => [domain, [...names]])),
    enrolledAt: file.require().journal,
    after,
    followed: pulling.followed,
  }
  const sizeBytes = await writer.finish({ after: after.sequence, upTo: end.sequence }, manifest)
  return { sizeBytes, sum, isWhole }
}

/** Takes a bundle of this workstation's own Hub: its log is followed as if it had come over the network. */
export function bringBundle(
  options: BenchBundlesOptions,
  folder: BundleFolder,
  content: Blob,
): Promise<Brought> {
  return folder.withContent(content, async (path) => {
    const bundle = await openBundle(path, ({ direction, from, to, laboratoryId }) => {
      const { hubKey, laboratoryId: own } = options.file.require()
      if (direction !== 'to-workstation')
        throw new BundleProblem('WRONG_DIRECTION', 'This bundle is for the Hub: bring it there')
      if (from !== fingerprintOf(hubKey) || laboratoryId !== own)
        throw new BundleProblem('FOREIGN', 'This bundle is not of the Hub of this laboratory')
      if (to !== options.key.fingerprint)
        throw new BundleProblem('WRONG_RECIPIENT', 'This bundle was made for another workstation')
      return hubKey
    })
    try {
      return await take(options, bundle)
    } catch (error) {
      if (error instanceof ForgedLog)
        throw new BundleProblem('ANOTHER_HISTORY', error.message, { cause: error })
      throw error
    } finally {
      await bundle.close()
    }
  })
}

async function take(options: BenchBundlesOptions, bundle: Bundle): Promise<Brought> {
  const { sealingKey, migrations, domains, pushing, pulling } = options
  const manifest = await bundle.manifest(ManifestToWorkstation, sealingKey)
  requireSameVersion(migrations, manifest.migrations)
  const waitedBefore = await countWaiting(domains)
  let { after } = manifest
  let taken = 0
  for (let index = 0; index < bundle.parts; index += 1) {
    const { entries } = await bundle.part(index, LogPart, sealingKey)
    const came = await pulling.take({ after, entries, head: manifest.head.position })
    if (came === null)
      throw new BundleProblem(
        'OUT_OF_TURN',
        `This workstation follows the Hub up to entry ${pulling.position}, and the bundle begins after ${after.position}. ` +
          'Take a bundle from here to the Hub first: then the Hub knows where to begin.',
      )
    taken += came
    const last = entries.at(-1)
    if (last !== undefined) after = { position: last.position, hash: last.hash }
  }
  await pushing.begin(manifest.pushed)
  const { direction, madeAt } = bundle.header
  const brought: BroughtBundle = {
    direction,
    partner: 'TracSeq Hub',
    partnerId: null,
    madeAt,
    // A workstation that has started anew is dealt some entries again that its domains pass over.
    taken: Math.min(taken, manifest.changes),
    known: Math.max(0, manifest.changes - taken),
    confirmed: Math.max(0, waitedBefore - (await countWaiting(domains))),
    toDecide: 0,
    isWhole: manifest.isWhole,
  }
  return { brought, manifest }
}

/** As over the network: who is older is brought up to date first. */
function requireSameVersion(here: Migrations, there: Migrations): void {
  switch (compareVersions(here, there)) {
    case 'behind':
      throw new BundleProblem('TOO_OLD_HERE', 'The Hub has a newer version: update this workstation')
    case 'ahead':
      throw new BundleProblem(
        'TOO_OLD_THERE',
        'This workstation has a newer version: the Hub must be updated first, and the bundle made again',
      )
    case 'same':
  }
}

async function countWaiting(domains: Domains): Promise<number> {
  return (await domains.pending()).reduce((sum, { sets }) => sum + sets, 0)
}

import { rm } from 'node:fs/promises'
import type { z } from 'zod'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import type { LogPlace } from '../../platform/sync/domain-contract.ts'
import type { FileShelf } from '../../platform/sync/file-shelf.ts'
import type { FoundAnswer, FoundRequest } from '../../platform/sync/wire.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Decisions } from './decisions.ts'
import type { Domains } from './domains.ts'
import { SyncProblem } from './sync-problem.ts'
import type { SyncStore, Workstation } from './sync-store.ts'

export interface FoundingOptions {
  readonly gateway: Gateway
  readonly store: SyncStore
  readonly domains: Domains
  readonly decisions: Decisions
  readonly filesOf: (laboratoryId: string) => FileShelf
  readonly reader: LogReader
}

/** Takes a founder's laboratory in, domain by domain. Asked again it goes on where it was, and answers the same. */
export class Founding {
  readonly #options: FoundingOptions

  constructor(options: FoundingOptions) {
    this.#options = options
  }

  found(
    workstation: Workstation,
    request: z.output<typeof FoundRequest>,
  ): Promise<z.output<typeof FoundAnswer>> {
    if (!workstation.isFounder)
      throw new SyncProblem(403, 'NOT_FOUNDER', 'This workstation joined a laboratory that was here already')
    return this.#options.decisions.inTurn(workstation.laboratoryId, () => this.#found(workstation, request))
  }

  async #found(
    { id, laboratoryId }: Workstation,
    { files: sent, credentials }: z.output<typeof FoundRequest>,
  ) {
    const { gateway, store, domains } = this.#options
    // Nobody signs in before the people are there, so nothing of the laboratory is written beside its founding.
    const order = domains.names.toSorted((left, right) => Number(left === 'auth') - Number(right === 'auth'))
    for (const domain of order) {
      const done = await store.foundedDomains(laboratoryId)
      if (!done.has(domain))
        await store.noteFoundedDomain(
          laboratoryId,
          domain,
          await this.#foundDomain(laboratoryId, domain, sent[domain]),
        )
    }
    await gateway.call({
      path: ['auth', 'takeCredentials'],
      input: { laboratoryId, credentials },
      origin: { from: 'host', actor: null },
    })
    await store.noteFounded(id)
    // The rows are in the databases; nobody asks for them in one piece again.
    for (const sha256 of Object.values(sent))
      await rm(this.#options.filesOf(laboratoryId).pathOf(sha256), { force: true })
    return { places: Object.fromEntries(await store.foundedDomains(laboratoryId)) }
  }

  /** Where the domain stands in the log once its rows are in. */
  async #foundDomain(laboratoryId: string, domain: string, sha256: string | undefined): Promise<LogPlace> {
    const { domains, reader } = this.#options
    const files = this.#options.filesOf(laboratoryId)
    if (sha256 === undefined)
      throw new SyncProblem(400, 'BAD_REQUEST', `files.${domain}: the rows of this domain are missing`)
    if (!files.has(sha256))
      throw new SyncProblem(409, 'FILE_MISSING', `The file with the rows of ${domain} has not arrived`)
    await domains.client(domain).syncFound({ laboratoryId, path: files.pathOf(sha256) })
    return reader.placeOfDomain(laboratoryId, domain, Number.MAX_SAFE_INTEGER)
  }
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LogPlace } from '../../platform/sync/domain-contract.ts'
import { digestHeader, digestOf, snapshotHeaders } from '../../platform/sync/wire.ts'
import type { Domains } from './domains.ts'
import { type HubConnection, HubUnreachable } from './hub-connection.ts'

const attempts = 5
const transferWithinMs = 30 * 60_000

/** Fetches the Hub's rows of a domain and takes them in place of what is here. A transfer that breaks off is gone on with. */
export async function installSnapshot(
  {
    home,
    domains,
    connection,
  }: { readonly home: string; readonly domains: Domains; readonly connection: HubConnection },
  domain: string,
): Promise<LogPlace> {
  const folder = join(home, 'sync')
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${domain}.snapshot`)
  await rm(path, { force: true })
  try {
    const place = await fetchSnapshot(connection, domain, path)
    const { laboratoryId } = await domains.client(domain).syncState()
    if (laboratoryId === null) throw new Error(`${domain} is not enrolled`)
    await domains.client(domain).syncInstall({ laboratoryId, path, place })
    domains.noteInstalled(domain, place)
    return place
  } finally {
    await rm(path, { force: true })
  }
}

async function fetchSnapshot(connection: HubConnection, domain: string, path: string): Promise<LogPlace> {
  let sha256: string | null = null
  for (let attempt = 1; ; attempt += 1) {
    try {
      const known = sha256 === null ? '' : `&sha256=${sha256}`
      const have = sha256 === null ? 0 : (await stat(path)).size
      const response = await connection.open(`/snapshot?domain=${domain}${known}`, {
        withinMs: transferWithinMs,
        headers: have === 0 ? {} : { range: `bytes=${have}-` },
      })
      const told = readHeaders(response.headers)
      sha256 = told.sha256
      await save(response, path, response.status === 206)
      const found = await hashOf(path)
      if (found === sha256) return told.place
      sha256 = null
      throw new HubUnreachable(`The rows of ${domain} did not arrive as the Hub sent them`)
    } catch (error) {
      if (!(error instanceof HubUnreachable) || attempt === attempts) throw error
    }
  }
}

/** What comes with the bytes. */
function readHeaders(headers: Headers): { readonly place: LogPlace; readonly sha256: string } {
  const position = headers.get(snapshotHeaders.position) ?? ''
  const hash = headers.get(snapshotHeaders.hash) ?? ''
  const sha256 = headers.get(snapshotHeaders.sha256) ?? ''
  const place = LogPlace.safeParse({ position: Number(position), hash })
  if (!place.success || headers.get(digestHeader) !== digestOf(`${position} ${hash} ${sha256}`))
    throw new HubUnreachable('What the Hub says of its snapshot was changed on the way')
  return { place: place.data, sha256 }
}

async function save(response: Response, path: string, isContinued: boolean): Promise<void> {
  const file = await open(path, isContinued ? 'a' : 'w', 0o600)
  try {
    if (response.body !== null)
      // The two declarations of the same stream, the web's and Node's, do not know each other.
      await pipeline(
        Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]),
        file.createWriteStream(),
      )
  } catch (error) {
    throw new HubUnreachable('The transfer broke off', { cause: error })
  } finally {
    await file.close().catch(() => undefined)
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array)
  return hash.digest('hex')
}

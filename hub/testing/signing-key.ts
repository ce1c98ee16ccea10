import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { createDomainKeys } from '../../platform/gateway/domain-keys.ts'
import { openLog } from '../../platform/gateway/log.ts'
import { createFileStore, secretsFolder } from '../../platform/journal/secret-store.ts'
import { createSeal } from '../../services/auth/seal.ts'

/** The key with which a running Hub signs, taken by force: as whoever holds both its database and its home. */
export async function takeSigningKey(home: string): Promise<{
  readonly kid: string
  readonly stored: string
  readonly privateKey: KeyObject
}> {
  const port = readFileSync(join(home, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[3]
  const password = readFileSync(join(home, 'postgres/administrator'), 'utf8')
  const client = new Client({
    connectionString: `postgres://postgres:${password}@127.0.0.1:${port ?? ''}/tracseq_auth`,
  })
  await client.connect()
  const { rows } = await client.query<{ id: string; private_key: string }>(
    'select id, private_key from signing_key where retired_at is null order by created_at desc',
  )
  await client.end()
  const [row] = rows
  if (row === undefined) throw new Error('The Hub has no key that signs')
  const log = openLog({ home, level: 'error', stderr: false })
  const key = createDomainKeys(createFileStore(secretsFolder(home)), log)('auth')
  log.close()
  const opened = createSeal(key).open(row.private_key, row.id)
  if (opened === null) throw new Error('The key that signs does not open')
  return { kid: row.id, stored: row.private_key, privateKey: createPrivateKey(opened) }
}

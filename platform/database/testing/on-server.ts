import { randomUUID } from 'node:crypto'
import { Client } from 'pg'

/** Works on a PostgreSQL server over a connection of its own. */
export async function onServer<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** An empty database on a server. */
export interface ServerDatabase {
  readonly url: string
  /** Also while somebody is connected. */
  drop(): Promise<void>
}

export async function makeServerDatabase(serverUrl: string): Promise<ServerDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(serverUrl, (client) => client.query(`create database ${name}`))
  return {
    url: new URL(name, serverUrl).href,
    async drop() {
      await onServer(serverUrl, (client) => client.query(`drop database ${name} with (force)`))
    },
  }
}

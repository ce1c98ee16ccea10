// Writes texts as documents into a database of its own, then replicates them to a peer and says how long that took.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import PouchDB from 'pouchdb'

const [, , folder = '.', texts = '', url = ''] = process.argv
const documents = JSON.parse(readFileSync(texts, 'utf8')).map((text, index) => ({ _id: `${index}`, text }))
const local = new PouchDB(join(folder, 'local'))
for (let from = 0; from < documents.length; from += 1_000) {
  await local.bulkDocs(documents.slice(from, from + 1_000))
}
const startedAt = performance.now()
const { docs_written: written } = await local.replicate.to(url)
process.stdout.write(`${JSON.stringify({ written, tookMs: performance.now() - startedAt })}\n`)

// The far end of a replication: PouchDB behind HTTP, its databases in the folder given.
import { join } from 'node:path'
import express from 'express'
import expressPouchDB from 'express-pouchdb'
import PouchDB from 'pouchdb'

const [, , folder = '.'] = process.argv
const Peer = PouchDB.defaults({ prefix: `${folder}/` })
const settings = { logPath: join(folder, 'log.txt'), configPath: join(folder, 'config.json') }
const server = express()
  .use('/', expressPouchDB(Peer, { mode: 'minimumForPouchDB', ...settings }))
  .listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { Gateway } from '../../platform/gateway/gateway.ts'
import { openLog } from '../../platform/gateway/log.ts'
import { domainSyncContract } from '../../platform/sync/domain-contract.ts'
import { emptyLog } from '../../platform/sync/log.ts'
import { Domains } from './domains.ts'

it('what waits is asked again of a domain that could not tell, and the log says so', async () => {
  const home = makeTestFolder('tracseq-domains-')
  const log = openLog({ home, level: 'warn', stderr: false })
  const gateway = new Gateway({
    services: [],
    bootData: () => {
      throw new Error('There are no workers')
    },
    openJournalPort: () => new MessageChannel().port1,
    resolveSession: () => Promise.resolve({ problem: 'UNAUTHORIZED' }),
    log,
  })
  let asked = 0
  gateway.addLocal({
    name: 'samples',
    contract: domainSyncContract('samples'),
    call: () => {
      asked += 1
      if (asked === 1) return Promise.reject(new Error('The disk was pulled out'))
      const { position, hash } = emptyLog
      const state = { laboratoryId: null, place: { position, hash }, hasRows: false, migrations: [] }
      return Promise.resolve({ ...state, pending: 3, oldestPending: null })
    },
  })
  const domains = new Domains(gateway, ['samples'])
  expect(await domains.pending()).toEqual([{ domain: 'samples', sets: 0 }])
  expect(await domains.pending()).toEqual([{ domain: 'samples', sets: 3 }])
  expect(await domains.pending()).toEqual([{ domain: 'samples', sets: 3 }])
  expect(asked).toBe(2)
  await gateway.close()
  log.close()
  expect(readFileSync(join(home, 'logs/tracseq.log'), 'utf8')).toContain('What of samples waits for the Hub')
})

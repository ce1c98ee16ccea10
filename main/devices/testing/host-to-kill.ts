import { createDeviceHost } from '../device-host.ts'
import { forkDeviceProcess } from '../forked-device-process.ts'

/** A host of its own process, for the test that kills it; says when the scanner is ready. */
const host = createDeviceHost({
  spawn: () => forkDeviceProcess((words) => process.stderr.write(`${words}\n`)),
  onScan: () => undefined,
  onHealth: (health) => {
    if (health[0]?.state === 'ready') process.send?.('ready')
  },
  log: (_level, words) => process.stderr.write(`${words}\n`),
})
await host.configure([{ id: 'bench', name: 'Bench', path: process.argv[2] ?? '' }])

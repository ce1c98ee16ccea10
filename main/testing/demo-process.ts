import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openHttpFrontDoor } from '../../platform/gateway/http-front-door.ts'
import { fillDemoLaboratory, setUpDemoLaboratory } from '../demo-laboratory.ts'
import { forkDeviceProcess } from '../devices/forked-device-process.ts'
import { startWorkstation } from '../workstation.ts'

const { values } = parseArgs({ options: { home: { type: 'string' }, port: { type: 'string' } } })

/** A workstation that opens the demo laboratory as the app does: usable at once, filled meanwhile. */
const workstation = await startWorkstation({
  home: values.home ?? '',
  root: resolve(import.meta.dirname, '../..'),
  version: '0.0.0-test',
  logLevel: 'info',
  logToStderr: false,
  spawnDeviceProcess: forkDeviceProcess,
})
await setUpDemoLaboratory(workstation.gateway)
const door = await openHttpFrontDoor(workstation.gateway, {
  host: '127.0.0.1',
  port: Number(values.port ?? 0),
  title: 'Demo laboratory',
  version: '0.0.0-test',
  isReady: () => true,
  loopbackOnly: true,
})
process.stdout.write(`${JSON.stringify({ url: door.url, home: workstation.home })}\n`)
process.on('SIGTERM', () => {
  void door
    .close()
    .then(() => workstation.close())
    .then(() => process.exit(0))
})
await fillDemoLaboratory(workstation)

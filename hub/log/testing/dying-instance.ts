import { openWorkstationKey } from '../../../platform/journal/workstation-key.ts'
import { startHubLog } from '../hub-log.ts'
import { type NotePlace, openNoteInstance } from './note-instance.ts'

/** What the process is told on its command line, as JSON. */
export interface DyingInstance {
  readonly logUrl: string
  readonly keyFolder: string
  readonly places: readonly NotePlace[]
}

const writersOfEach = 4

// An instance of the Hub in a process of its own that writes until it is killed. Each line is a change set that was confirmed.
const { logUrl, keyFolder, places } = JSON.parse(process.argv[2] ?? '') as DyingInstance
const log = await startHubLog({
  url: logUrl,
  key: openWorkstationKey(keyFolder),
  checkpointEvery: 20,
  log: (words) => process.stderr.write(`${words}\n`),
})
for (const place of places) {
  const instance = await openNoteInstance(log, place)
  for (let writer = 0; writer < writersOfEach; writer += 1) void writeForEver(instance)
}

async function writeForEver({
  write,
  rewrite,
}: Awaited<ReturnType<typeof openNoteInstance>>): Promise<never> {
  for (;;) {
    process.stdout.write(`${await write()}\n`)
    process.stdout.write(`${await rewrite()}\n`)
  }
}

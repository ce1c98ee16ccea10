import { setTimeout as delay } from 'node:timers/promises'
import { ORPCError } from '@orpc/client'
import { createHostClient } from '../../main/host-client.ts'
import { forkDeviceProcess } from '../../main/devices/forked-device-process.ts'
import { readVersion, startWorkstation, type Workstation } from '../../main/workstation.ts'
import type { sync } from '../../platform/sync/contract.ts'
import { LaboratoryHereAnswer } from '../../services/auth/contract.ts'
import { type Command, CommandRefused, required } from './command.ts'

const pollMs = 200
const followsWithinMs = 10 * 60_000

export const enroll: Command = {
  name: 'enroll',
  parameters: '--hub URL --code CODE',
  summary:
    'takes this workstation to a Hub: with its laboratory as its founder, or empty into one that is there',
  options: ['hub', 'code'],
  async run(context) {
    const hubUrl =
      context.option('hub') ??
      process.env['TRACSEQ_HUB_URL'] ??
      required(context, 'hub', 'https://hub.laboratory.org')
    const code = required(context, 'code', 'XXXXX-XXXXX-…')
    const workstation = await startWorkstation({
      home: context.home,
      root: context.root,
      version: readVersion(context.root),
      logLevel: 'info',
      logToStderr: false,
      spawnDeviceProcess: forkDeviceProcess,
    })
    try {
      context.say(await enrol(workstation, { hubUrl, code }))
      return 0
    } catch (error) {
      if (error instanceof ORPCError) throw new CommandRefused(error.message)
      throw error
    } finally {
      await workstation.close()
    }
  },
}

/** Enrols, waits until everything is on both sides, and says what came of it. */
async function enrol(
  { gateway }: Workstation,
  given: { readonly hubUrl: string; readonly code: string },
): Promise<string> {
  const { laboratory } = LaboratoryHereAnswer.parse(
    await gateway.call({
      path: ['auth', 'laboratoryHere'],
      input: undefined,
      origin: { from: 'host', actor: null },
    }),
  )
  // Whoever holds the files of a home may do with it what its administrator may.
  const actor = {
    userId: 'terminal',
    name: 'Terminal',
    sessionId: null,
    laboratoryId: laboratory?.id ?? '',
    permissions: ['sync:manage'],
    service: null,
  }
  const client = createHostClient<typeof sync>(gateway, 'sync', actor)
  const { role } = laboratory === null ? await client.join(given) : await client.enroll(given)
  const until = Date.now() + followsWithinMs
  for (let status = await client.status(); status.state !== 'online'; status = await client.status()) {
    if (Date.now() > until) return `Enrolled. Not everything is on both sides yet: ${status.words}`
    await delay(pollMs)
  }
  return role === 'founder'
    ? `The laboratory is at ${given.hubUrl} now, with all that was here.`
    : `This workstation has the laboratory of ${given.hubUrl}.`
}

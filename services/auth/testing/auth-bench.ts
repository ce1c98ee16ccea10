import type { Actor } from '../../../platform/contract/envelope.ts'
import { openServiceBench, type ServiceBench } from '../../../platform/service/testing/service-bench.ts'
import { allPermissions } from '../domain/roles.ts'
import { authService } from '../service.ts'

export const administrator = {
  name: 'Ada Okafor',
  email: 'Ada.Okafor@example.org',
  password: 'seven quiet herons',
}

/** A bench with the auth service and a laboratory that was just set up. */
export async function openAuthBench() {
  const bench = await openServiceBench([authService], { permissions: allPermissions })
  const auth = bench.client(authService)
  const first = await auth.setUp({ laboratoryName: 'Heron Genomics', administrator })
  return { bench, auth, first }
}

/** What the gateway makes of an access token; fails unless its session is live. */
export async function actorOf(bench: ServiceBench, accessToken: string): Promise<Actor> {
  const answer = await bench.client(authService).resolveSession({ accessToken })
  if (answer.state !== 'live') throw new Error(`The session is ${answer.state}`)
  const { userId, name, sessionId, laboratoryId, permissions } = answer
  return { userId, name, sessionId, laboratoryId, permissions, service: null }
}

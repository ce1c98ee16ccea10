import type { FastifyInstance } from 'fastify'
import type { Gateway } from '../platform/gateway/gateway.ts'
import { noteRetryAfter } from '../platform/gateway/http-front-door.ts'

const syncPath = '/v1/sync/'
/** Here an enrolment code could be guessed. */
const guessable: ReadonlySet<string> = new Set([`${syncPath}enroll`])

/** What workstations speak does not pass the gateway; the limits of an address hold for it all the same. */
export function limitSync(app: FastifyInstance, gateway: Gateway): void {
  app.addHook('onRequest', async (request, reply) => {
    const { url = '' } = request.routeOptions
    if (!url.startsWith(syncPath)) return
    try {
      await gateway.admitClient(request.ip, { scan: false, guessable: guessable.has(url) })
    } catch (error) {
      noteRetryAfter(reply, error)
      throw error
    }
  })
}

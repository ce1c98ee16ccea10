import type { FastifyInstance } from 'fastify'
import type { Gateway } from '../platform/gateway/gateway.ts'

/** Serves the keys that verify the Hub's access tokens, for programs that are handed one. */
export function serveKeySet(app: FastifyInstance, gateway: Gateway): void {
  app.get('/.well-known/jwks.json', async (_request, reply) => {
    const keySet = await gateway.call({
      path: ['auth', 'publicKeys'],
      input: undefined,
      origin: { from: 'host', actor: null },
    })
    return reply.header('cache-control', 'public, max-age=300').send(keySet)
  })
}

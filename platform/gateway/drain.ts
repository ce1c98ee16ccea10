import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Lets a server end its work: what runs is finished, what comes is refused. */
export interface Drain {
  /** Aborts when the server begins to end: feeds have no end of their own and stop at this. */
  readonly signal: AbortSignal
  /** Refuses what comes from now on. Resolves when nothing runs any more, or when the time is over. */
  finish(withinMs: number): Promise<void>
}

/**
 * Counts the requests of a server, and answers with `refuse` whatever comes after it began to end. The port stays open
 * meanwhile, so that a client hears a refusal it can act on, and not a broken line.
 */
export function addDrain(
  app: FastifyInstance,
  refuse: (request: FastifyRequest, reply: FastifyReply) => FastifyReply,
): Drain {
  const ending = new AbortController()
  let running = 0
  let noteIdle: () => void = () => undefined
  app.addHook('onRequest', async (request, reply) => {
    if (ending.signal.aborted) return refuse(request, reply.header('connection', 'close'))
    running += 1
    reply.raw.once('close', () => {
      running -= 1
      if (running === 0) noteIdle()
    })
  })
  return {
    signal: ending.signal,
    async finish(withinMs) {
      ending.abort()
      if (running === 0) return
      let late: NodeJS.Timeout | undefined
      const idle = new Promise<void>((resolve) => (noteIdle = resolve))
      const enough = new Promise<void>((resolve) => (late = setTimeout(resolve, withinMs)))
      await Promise.race([idle, enough])
      clearTimeout(late)
    },
  }
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import helmet from '@fastify/helmet'
import serveFiles from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/**
 * Serves the renderer's build: the same screens as on the bench. A page may load its own files and speak to this Hub,
 * and nothing else; no other site may embed it or read from it (no CORS headers are ever sent).
 */
export async function serveWebUi(app: FastifyInstance, folder: string): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // Mantine sets styles from script, hence the one exception.
        styleSrc: ["'self'", "'unsafe-inline'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'", 'data:', 'blob:'],
        mediaSrc: ["'self'", 'blob:'],
        connectSrc: ["'self'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
      },
    },
  })
  if (!existsSync(folder)) return
  await app.register(serveFiles, {
    root: folder,
    wildcard: false,
    cacheControl: false,
    // The build names these files by their content.
    setHeaders: (reply, path) => {
      if (path.startsWith(join(folder, 'assets')))
        reply.header('cache-control', 'public, max-age=31536000, immutable')
    },
  })
}

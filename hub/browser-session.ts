import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { ORPCError } from '@orpc/client'
import { clientHeader } from '../platform/contract/envelope.ts'
import type { AroundCall } from '../platform/gateway/http-front-door.ts'

const cookieName = 'tracseq_refresh'
/** Sent with nothing but what concerns the session. */
const cookiePath = '/v1/auth'

const Tokens = z.looseObject({ refreshToken: z.string(), expiresAt: z.string() })

/**
 * Keeps the refresh token of a page in a browser in a cookie that no script can read and no other site can send. Pages
 * say by a header of their own what they are, which another site cannot set either; programs get the token in the answer.
 */
export const keepRefreshTokenInCookie: AroundCall = async ({ path, input, request, reply }, next) => {
  if (request.headers[clientHeader.name] !== clientHeader.browser) return next(input)
  switch (path.join('.')) {
    case 'auth.login':
    case 'auth.setUp':
      return hideToken(request, reply, await next(input))
    case 'auth.refresh':
      return exchange(request, reply, next)
    case 'auth.logout':
      writeCookie(request, reply, '', 0)
      return next(input)
    default:
      return next(input)
  }
}

async function exchange(
  request: FastifyRequest,
  reply: FastifyReply,
  next: (input: unknown) => Promise<unknown>,
): Promise<unknown> {
  const refreshToken = readCookie(request.headers.cookie)
  try {
    return hideToken(request, reply, await next(refreshToken === null ? {} : { refreshToken }))
  } catch (error) {
    // It opens nothing any more, so it need not be sent again.
    if (refreshToken !== null && error instanceof ORPCError && error.code === 'UNAUTHORIZED')
      writeCookie(request, reply, '', 0)
    throw error
  }
}

function hideToken(request: FastifyRequest, reply: FastifyReply, answer: unknown): unknown {
  const tokens = Tokens.parse(answer)
  const livesSeconds = Math.max(0, Math.floor((Date.parse(tokens.expiresAt) - Date.now()) / 1_000))
  writeCookie(request, reply, tokens.refreshToken, livesSeconds)
  return { ...tokens, refreshToken: '' }
}

function writeCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  value: string,
  livesSeconds: number,
): void {
  const attributes = [`Path=${cookiePath}`, `Max-Age=${livesSeconds}`, 'HttpOnly', 'SameSite=Strict']
  if (request.protocol === 'https') attributes.push('Secure')
  reply.header('set-cookie', [`${cookieName}=${value}`, ...attributes].join('; '))
}

function readCookie(header: string | undefined): string | null {
  for (const pair of header?.split(';') ?? []) {
    const [name, value] = pair.trim().split('=')
    if (name === cookieName && value !== undefined && value !== '') return value
  }
  return null
}

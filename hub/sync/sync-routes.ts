import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ORPCError } from '@orpc/client'
import { z } from 'zod'
import { describeIssue } from '../../platform/journal/entry.ts'
import { WrongContent } from '../../platform/sync/file-shelf.ts'
import { PassedOnRequest } from '../../platform/sync/passed-on.ts'
import { PushRun } from '../../platform/sync/push-run.ts'
import { compareVersions } from '../../platform/sync/versions.ts'
import {
  ChallengeRequest,
  digestHeader,
  digestOf,
  EnrolRequest,
  FoundRequest,
  LackingRequest,
  ProofRequest,
  ResolutionRequest,
  snapshotHeaders,
  TokenRequest,
} from '../../platform/sync/wire.ts'
import type { HubSync } from './hub-sync.ts'
import { readJson, sendJson, streamOf } from './http-body.ts'
import type { PassedOn } from './passed-on.ts'
import { SyncProblem } from './sync-problem.ts'
import type { Workstation } from './sync-store.ts'

const smallBytes = 256 * 1024
const foundingBytes = 8 * 1024 * 1024
/** A change set may have 4 MB; a run of several is kept below by the workstation, one alone must always fit. */
const runBytes = 32 * 1024 * 1024
const answerBytes = 4 * 1024 * 1024
const entriesAtOnce = 1_000
const fileBytes = 4 * 1024 * 1024 * 1024

const PullQuery = z.object({
  after: z.coerce.number().int().min(0),
  hash: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(entriesAtOnce).default(entriesAtOnce),
})
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 hash in hexadecimal')
const SnapshotQuery = z.object({ domain: z.string().min(1), sha256: Sha256.optional() })
const FileParameters = z.object({ sha256: Sha256 })

/** The part of sync that workstations speak, below `/v1/sync/`. Bodies are JSON, gzip or plain; files are bytes. */
export async function serveSync(app: FastifyInstance, sync: HubSync, passedOn: PassedOn): Promise<void> {
  await app.register(
    async (routes) => {
      routes.removeAllContentTypeParsers()
      routes.addContentTypeParser('*', (_request, body, done) => done(null, body))
      routes.setErrorHandler((error, request, reply) => sendError(sync, error, request, reply))
      serveTrust(routes, sync)
      routes.post('/passed-on', async (request, reply) => {
        const workstation = await sync.trust.holderOf(request.headers.authorization)
        const asked = await readJson(request, PassedOnRequest, smallBytes)
        return sendJson(request, reply, { answer: await passedOn.ask(workstation, asked) })
      })
      serveLog(routes, sync)
      serveFiles(routes, sync)
    },
    { prefix: '/v1/sync' },
  )
}

function serveTrust(routes: FastifyInstance, sync: HubSync): void {
  const { trust, founding, people, decisions } = sync
  routes.post('/challenge', async (request, reply) =>
    sendJson(request, reply, await trust.challenge(await readJson(request, ChallengeRequest, smallBytes))),
  )
  routes.post('/enroll', async (request, reply) =>
    sendJson(request, reply, await trust.enrol(await readJson(request, EnrolRequest, smallBytes))),
  )
  routes.post('/token', async (request, reply) => {
    const { answer } = await trust.token(await readJson(request, TokenRequest, smallBytes))
    return sendJson(request, reply, answer)
  })
  routes.post('/found', async (request, reply) => {
    const workstation = await trust.holderOf(request.headers.authorization)
    await requireSameVersion(sync, workstation)
    return sendJson(
      request,
      reply,
      await founding.found(workstation, await readJson(request, FoundRequest, foundingBytes)),
    )
  })
  routes.get('/people', async (request, reply) => {
    const workstation = await trust.holderOf(request.headers.authorization)
    return sendJson(request, reply, await people.of(workstation))
  })
  routes.post('/proof', async (request, reply) => {
    const workstation = await trust.holderOf(request.headers.authorization)
    return sendJson(
      request,
      reply,
      await people.prove(workstation, await readJson(request, ProofRequest, smallBytes)),
    )
  })
  routes.post('/resolution', async (request, reply) => {
    const { laboratoryId } = await trust.holderOf(request.headers.authorization)
    const { actorId, ...resolution } = await readJson(request, ResolutionRequest, foundingBytes)
    await people.requirePermission(laboratoryId, actorId, 'sync:resolve')
    await decisions.resolve(laboratoryId, resolution, actorId)
    return sendJson(request, reply, {})
  })
}

function serveLog(routes: FastifyInstance, sync: HubSync): void {
  const { trust, intake, reader, feed, snapshots, store } = sync
  routes.post('/push', async (request, reply) => {
    const workstation = await trust.holderOf(request.headers.authorization)
    if ((await standingOf(sync, workstation)) === 'ahead') throw hubTooOld()
    return sendJson(
      request,
      reply,
      await intake.push(workstation, await readJson(request, PushRun, runBytes)),
    )
  })
  routes.get('/pull', async (request, reply) => {
    const workstation = await trust.holderOf(request.headers.authorization)
    const { after, hash, limit } = PullQuery.parse(request.query)
    const { laboratoryId } = workstation
    await requireSameVersion(sync, workstation)
    const known = await reader.hashAt(laboratoryId, after)
    if (known === null || (hash !== undefined && hash !== known))
      throw new SyncProblem(
        409,
        'ANOTHER_LOG',
        `The Hub's log does not have what the workstation followed up to ${after}`,
      )
    await store.notePosition(workstation.id, after)
    const rows = await reader.laboratoryEntries(laboratoryId, after, { entries: limit, bytes: answerBytes })
    const entries = rows.map(({ payload, ...entry }) => {
      if (payload !== null) return { ...entry, payload }
      throw new SyncProblem(410, 'GONE', `Entry ${entry.position} is served no longer: take a snapshot`)
    })
    return sendJson(request, reply, { entries, head: await reader.laboratoryHead(laboratoryId) })
  })
  routes.get('/events', async (request, reply) => {
    const workstation = await trust.holderOf(request.headers.authorization)
    reply.hijack()
    feed.follow(workstation, reply.raw)
  })
  routes.get('/snapshot', async (request, reply) => {
    const workstation = await trust.holderOf(request.headers.authorization)
    await requireSameVersion(sync, workstation)
    const { domain, sha256 } = SnapshotQuery.parse(request.query)
    if (!sync.domains.has(domain)) throw new SyncProblem(404, 'NOT_FOUND', `There is no domain ${domain}`)
    const { laboratoryId } = workstation
    const snapshot =
      sha256 === undefined
        ? await snapshots.make(laboratoryId, domain)
        : snapshots.find(laboratoryId, domain, sha256)
    void reply
      .header(snapshotHeaders.position, snapshot.place.position)
      .header(snapshotHeaders.hash, snapshot.place.hash)
      .header(snapshotHeaders.sha256, snapshot.sha256)
      .header(digestHeader, digestOf(`${snapshot.place.position} ${snapshot.place.hash} ${snapshot.sha256}`))
    return sendBytes(request, reply, snapshot.bytes, (start) => createReadStream(snapshot.path, { start }))
  })
}

function serveFiles(routes: FastifyInstance, { trust, filesOf }: HubSync): void {
  const find = async (request: FastifyRequest) => {
    const { laboratoryId } = await trust.holderOf(request.headers.authorization)
    const { sha256 } = FileParameters.parse(request.params)
    return { files: filesOf(laboratoryId), sha256 }
  }
  const require = async (request: FastifyRequest) => {
    const found = await find(request)
    if (!found.files.has(found.sha256))
      throw new SyncProblem(404, 'NOT_FOUND', 'No file with this hash is here')
    return found
  }
  routes.head('/files/:sha256', async (request, reply) => {
    const { files, sha256 } = await require(request)
    return reply.header('content-length', await files.sizeOf(sha256)).send()
  })
  routes.get('/files/:sha256', { exposeHeadRoute: false }, async (request, reply) => {
    const { files, sha256 } = await require(request)
    return sendBytes(request, reply, await files.sizeOf(sha256), (start) => files.read(sha256, start))
  })
  routes.post('/files/lacking', async (request, reply) => {
    const { laboratoryId } = await trust.holderOf(request.headers.authorization)
    const { sha256 } = await readJson(request, LackingRequest, smallBytes)
    const files = filesOf(laboratoryId)
    return sendJson(request, reply, { lacking: sha256.filter((each) => !files.has(each)) })
  })
  routes.put('/files/:sha256', async (request, reply) => {
    const { files, sha256 } = await find(request)
    if (!files.has(sha256)) await files.receive(sha256, streamOf(request), fileBytes)
    return sendJson(request, reply, {})
  })
}

/** Sends bytes, from a place on where the client has the beginning already. */
function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  size: number,
  open: (start: number) => Readable,
): FastifyReply {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
  if (start > size) throw new SyncProblem(416, 'BAD_REQUEST', `There are ${size} bytes only`)
  void reply
    .type('application/octet-stream')
    .header('accept-ranges', 'bytes')
    .header('content-length', size - start)
  if (request.headers.range !== undefined)
    void reply.status(206).header('content-range', `bytes ${start}-${Math.max(start, size - 1)}/${size}`)
  return reply.send(open(start))
}

async function standingOf({ domains }: HubSync, { migrations }: Workstation) {
  return compareVersions(migrations, await domains.migrations())
}

async function requireSameVersion(sync: HubSync, workstation: Workstation): Promise<void> {
  switch (await standingOf(sync, workstation)) {
    case 'ahead':
      throw hubTooOld()
    case 'behind':
      throw new SyncProblem(
        426,
        'WORKSTATION_TOO_OLD',
        'The Hub has a newer version: update this workstation',
      )
    case 'same':
  }
}

function hubTooOld(): SyncProblem {
  return new SyncProblem(
    409,
    'HUB_TOO_OLD',
    'This workstation has a newer version: the Hub must be updated first',
  )
}

function sendError(
  sync: HubSync,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemOf(error)
  if (problem !== null) {
    const { status, code, message, data } = problem
    return reply.status(status).type('application/json; charset=utf-8').send({ code, message, data })
  }
  sync.log('error', `A defect at ${request.method} ${request.url.split('?')[0] ?? ''}`, { error })
  const message = 'Something is wrong at the Hub. Its log explains it'
  return reply
    .status(500)
    .type('application/json; charset=utf-8')
    .send({ code: 'INTERNAL_SERVER_ERROR', message, data: null })
}

function problemOf(error: unknown): SyncProblem | null {
  if (error instanceof SyncProblem) return error
  if (error instanceof WrongContent) return new SyncProblem(422, 'WRONG_CONTENT', error.message)
  if (error instanceof ORPCError && error.status !== 500)
    return new SyncProblem(error.status, String(error.code), error.message)
  if (error instanceof z.ZodError) return new SyncProblem(400, 'BAD_REQUEST', describeIssue(error))
  return null
}

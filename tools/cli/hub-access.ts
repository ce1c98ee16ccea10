import { z } from 'zod'
import { defaultHome } from '../../platform/host/home.ts'
import { createFileStore, secretsFolder } from '../../platform/journal/secret-store.ts'
import { type CommandContext, CommandRefused } from './command.ts'

const defaultUrl = 'http://127.0.0.1:8089'
const answerWithinMs = 30_000
const Problem = z.object({
  message: z.string(),
  data: z
    .object({ issues: z.array(z.object({ message: z.string() })) })
    .optional()
    .catch(undefined),
})

/**
 * Asks a running Hub as its operator: whoever can read the Hub's home. The home is the Hub's default one unless `--home`
 * was given, the address is `--url`.
 */
export async function askHub<T>(
  context: CommandContext,
  request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: object },
  answer: z.ZodType<T>,
): Promise<T> {
  const home = context.option('home') === null ? `${defaultHome()}-hub` : context.home
  const token = createFileStore(secretsFolder(home)).read('operator')
  if (token === null)
    throw new CommandRefused(`${home} is no home of a TracSeq Hub that has run. Name it with --home.`)
  const url = context.option('url') ?? defaultUrl
  const response = await fetch(new URL(request.path, url), {
    method: request.method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    signal: AbortSignal.timeout(answerWithinMs),
  }).catch((error: unknown) => {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    throw new CommandRefused(
      `The Hub does not answer at ${url} (${why}). Start it, or name its address with --url.`,
    )
  })
  const body: unknown = await response.json()
  if (response.ok) return answer.parse(body)
  const problem = Problem.safeParse(body)
  if (!problem.success) throw new CommandRefused(`The Hub answers ${response.status}.`)
  const { message, data } = problem.data
  throw new CommandRefused(data?.issues[0]?.message ?? message)
}

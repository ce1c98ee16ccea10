import { z } from 'zod'
import { command, domainContract, query } from '../../contract/procedure.ts'

const Note = z.object({ note: z.string() })

/** A domain that can misbehave on demand; `alpha` and `beta` are two instances of the same behaviour. */
export function testContract(domain: string) {
  return domainContract(domain, {
    echo: query({ permission: 'public', summary: 'Answers the note' }).input(Note).output(Note),
    whoAmI: query({ permission: 'signed-in', summary: 'Answers what the envelope says' }).output(
      z.object({
        userId: z.string().nullable(),
        service: z.string().nullable(),
        correlationId: z.string(),
        idempotencyKey: z.string().nullable(),
        traceParent: z.string().nullable(),
      }),
    ),
    write: command({ permission: 'test:write', summary: 'A command that works', scan: true })
      .input(Note)
      .output(z.object({ note: z.string(), idempotencyKey: z.string() })),
    limited: command({ permission: 'signed-in', summary: 'A command that is rate limited' })
      .input(z.object({}))
      .output(z.object({})),
    guess: command({ permission: 'public', summary: 'A command with a secret to guess', guessable: true })
      .input(z.object({}))
      .output(z.object({})),
    search: query({ permission: 'public', path: '/things/{id}', summary: 'Answers its parsed input' })
      .input(
        z.object({
          id: z.string(),
          limit: z.number().int().min(1).max(500).default(50),
          all: z.boolean().optional(),
          states: z.array(z.enum(['new', 'old'])).optional(),
        }),
      )
      .output(
        z.object({
          id: z.string(),
          limit: z.number(),
          all: z.boolean().optional(),
          states: z.array(z.string()).optional(),
        }),
      ),
    fail: query({ permission: 'public', summary: 'Ends with a rule broken, or with a defect' })
      .input(z.object({ how: z.enum(['rule', 'defect']) }))
      .output(z.object({})),
    hang: query({ permission: 'public', summary: 'Keeps the thread busy', deadlineMs: 1_000 })
      .input(z.object({ ms: z.number() }))
      .output(z.object({})),
    hangLong: query({
      permission: 'public',
      summary: 'Like hang, but declared long',
      deadlineMs: 1_000,
      long: true,
    })
      .input(z.object({ ms: z.number() }))
      .output(z.object({})),
    slow: query({
      permission: 'public',
      summary: 'Answers late, without keeping the thread',
      deadlineMs: 1_000,
    })
      .input(z.object({ ms: z.number() }))
      .output(z.object({})),
    slowWrite: command({ permission: 'public', summary: 'A command that answers late', deadlineMs: 1_000 })
      .input(z.object({ ms: z.number() }))
      .output(z.object({})),
    leave: query({ permission: 'public', summary: 'Ends the thread' })
      .input(z.object({}))
      .output(z.object({})),
    leaveWriting: command({ permission: 'public', summary: 'Ends the thread in a command' })
      .input(z.object({}))
      .output(z.object({})),
    hidden: query({ permission: 'signed-in', internal: true, summary: 'For services only' }).output(
      z.object({ caller: z.string() }),
    ),
    askOther: query({ permission: 'public', summary: 'Asks another service through the gateway' })
      .input(z.object({ domain: z.string() }))
      .output(z.object({ caller: z.string() })),
  })
}

export const alpha = testContract('alpha')
export const beta = testContract('beta')

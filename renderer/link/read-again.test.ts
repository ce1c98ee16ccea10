import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { expect, test, vi } from 'vitest'
import { createReadAgain } from './read-again.ts'

/** A screen that shows a procedure's answer: the number of times it was read, each after a while. */
function show(queries: QueryClient, domain: string, takesMs: number) {
  let begun = 0
  let brokenOff = 0
  const observer = new QueryObserver(queries, {
    queryKey: [[domain, 'list'], { type: 'query' }],
    queryFn: async ({ signal }) => {
      begun += 1
      const number = begun
      signal.addEventListener('abort', () => (brokenOff += 1))
      await new Promise((resume) => setTimeout(resume, takesMs))
      return number
    },
  })
  const stop = observer.subscribe(() => undefined)
  return {
    shown: () => observer.getCurrentResult().data,
    begun: () => begun,
    brokenOff: () => brokenOff,
    stop,
  }
}

test('only what changed is read again, and the audit trail with it', async () => {
  const queries = new QueryClient()
  const [samples, storage, system] = ['samples', 'storage', 'system'].map((each) => show(queries, each, 1))
  const readAgain = createReadAgain(queries)
  await vi.waitFor(() => expect(system?.shown()).toBe(1))
  readAgain(['samples'])
  await vi.waitFor(() => expect([samples?.shown(), system?.shown()]).toEqual([2, 2]))
  expect(storage?.begun()).toBe(1)
  readAgain(null)
  await vi.waitFor(() => expect([samples, storage, system].map((each) => each?.shown())).toEqual([3, 2, 3]))
  for (const each of [samples, storage, system]) each?.stop()
})

test('a slow reading is finished and shown while changes come faster than it, and the last change is read', async () => {
  const queries = new QueryClient()
  const slow = show(queries, 'samples', 300)
  const readAgain = createReadAgain(queries)
  await vi.waitFor(() => expect(slow.shown()).toBe(1))
  const until = Date.now() + 1_500
  while (Date.now() < until) {
    readAgain(['samples'])
    await new Promise((resume) => setTimeout(resume, 20))
  }
  expect(slow.shown()).toBeGreaterThan(2)
  const begunBefore = slow.begun()
  await vi.waitFor(() => expect(slow.shown()).toBe(begunBefore + 1), 2_000)
  await new Promise((resume) => setTimeout(resume, 500))
  expect(slow.begun()).toBe(begunBefore + 1)
  expect(slow.brokenOff()).toBe(0)
  slow.stop()
})

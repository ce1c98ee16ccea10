import type { HubConnection } from './hub-connection.ts'

const longestMs = 15 * 60_000
/** The Hub speaks at least every fifteen seconds; one that is silent for so long is gone. */
const silenceMs = 45_000

/**
 * Listens to how far the Hub's log has come. Ends when the line does; whoever needs hints listens anew. They only wake:
 * what came is found out by pulling.
 */
export async function listenForHead(
  connection: HubConnection,
  onHead: (position: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), silenceMs)
  try {
    const response = await connection.open('/events', {
      withinMs: longestMs,
      signal: AbortSignal.any([signal, silence.signal]),
    })
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), silenceMs)
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const position = Number(/^data: \{"position":(\d+)\}$/m.exec(block)?.[1])
        if (Number.isSafeInteger(position)) onHead(position)
      }
    }
  } finally {
    clearTimeout(timer)
  }
}

import { Agent, request as open } from 'node:http'
import type { HttpRequest } from '../main/testing/http-client.ts'
import { timed } from './benchmark.ts'

const answersWithinMs = 30_000

/** Clients that keep their connections, each with one request at a time. */
export class Load {
  readonly #clients: number
  readonly #agent: Agent

  constructor(clients: number) {
    this.#clients = clients
    this.#agent = new Agent({ keepAlive: true, maxSockets: clients })
  }

  /** Sends requests until there were so many; how long that took, in milliseconds. Throws for an answer that is not 200. */
  send(many: number, requestOf: (number: number) => HttpRequest): Promise<number> {
    let next = 0
    const client = async () => {
      while (next < many) await this.#ask(requestOf(next++))
    }
    return timed(() => Promise.all(Array.from({ length: this.#clients }, client)))
  }

  close(): void {
    this.#agent.destroy()
  }

  #ask({ url, method, headers, body }: HttpRequest): Promise<void> {
    return new Promise((answered, fail) => {
      const options = { agent: this.#agent, method, headers, timeout: answersWithinMs }
      const request = open(url, options, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.once('error', fail)
        response.once('end', () => {
          if (response.statusCode === 200) answered()
          else fail(new Error(`${url} answered ${String(response.statusCode)}: ${text.slice(0, 300)}`))
        })
      })
      request.once('timeout', () => request.destroy(new Error(`${url} did not answer in time`)))
      request.once('error', fail)
      request.end(body)
    })
  }
}

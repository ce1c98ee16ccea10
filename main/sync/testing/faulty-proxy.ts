import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** What happens to each piece of data on its way. */
export interface Faults {
  /** Of 1: how often the connection is cut off instead. */
  readonly cut: number
  /** Of 1: how often one byte of it is changed. */
  readonly corrupt: number
  /** It waits up to so long. */
  readonly delayMs: number
}

export const noFaults: Faults = { cut: 0, corrupt: 0, delayMs: 0 }

/** A network between a workstation and its Hub that does what networks do. */
export interface FaultyProxy {
  readonly url: string
  /** Where it leads; null leads nowhere, as when the cable is out. */
  leadTo(url: string | null): void
  behave(faults: Faults): void
  /** How often it did something to the data. */
  readonly counts: Readonly<Record<'cut' | 'delayed' | 'corrupted', number>>
  close(): Promise<void>
}

/** `random` gives numbers from 0 to 1, so that a run can be played again. */
export async function startFaultyProxy(target: string | null, random: () => number): Promise<FaultyProxy> {
  let leads = target
  let faults = noFaults
  const counts = { cut: 0, delayed: 0, corrupted: 0 }
  const open = new Set<Socket>()
  const server = createServer((client) => {
    hold(client)
    if (leads === null) {
      client.destroy()
      return
    }
    const { hostname, port } = new URL(leads)
    const hub = connect(Number(port), hostname)
    hold(hub)
    const cut = () => {
      client.destroy()
      hub.destroy()
    }
    client.on('close', cut)
    hub.on('close', cut)
    void carry(client, hub, cut)
    void carry(hub, client, cut)
  })

  function hold(socket: Socket): void {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    // The other end hears of it by the connection's end.
    socket.on('error', () => socket.destroy())
  }

  async function carry(from: Socket, to: Socket, cut: () => void): Promise<void> {
    try {
      for await (const piece of from as AsyncIterable<Buffer>) {
        if (faults.delayMs > 0) {
          await delay(random() * faults.delayMs)
          counts.delayed += 1
        }
        if (random() < faults.cut) {
          counts.cut += 1
          cut()
          return
        }
        if (random() < faults.corrupt) {
          const at = Math.floor(random() * piece.length)
          piece[at] = (piece[at] ?? 0) ^ (1 << Math.floor(random() * 8))
          counts.corrupted += 1
        }
        if (!to.destroyed) to.write(piece)
      }
      to.end()
    } catch {
      cut()
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const endAll = () => {
    for (const socket of open) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${port}`,
    counts,
    leadTo(url) {
      leads = url
      endAll()
    },
    behave(next) {
      faults = next
    },
    async close() {
      endAll()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

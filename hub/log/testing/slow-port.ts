import { MessageChannel, type MessagePort } from 'node:worker_threads'

/** A way into the log on which every message takes so long, as when its thread has other things to do. Order is kept. */
export function slowPort(port: MessagePort, delayMs: number): MessagePort {
  const { port1, port2 } = new MessageChannel()
  relay(port, port1)
  relay(port1, port)
  return port2

  function relay(from: MessagePort, to: MessagePort): void {
    from.on('message', (message: unknown) => setTimeout(() => to.postMessage(message), delayMs))
    from.on('close', () => to.close())
  }
}

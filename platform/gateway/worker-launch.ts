import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ServiceBoot } from '../service/boot.ts'

/** What is needed to start one life of a worker. */
export interface WorkerLaunch {
  readonly url: URL
  readonly boot: ServiceBoot
  readonly transfer: readonly MessagePort[]
  /** The gateway's end of the port on which it calls the service. */
  readonly servicePort: MessagePort
  /** Closes the host's ends when the worker has ended. */
  readonly dispose: () => void
}

export type BootData = Omit<ServiceBoot, 'domain' | 'follows' | 'servicePort' | 'gatewayPort' | 'journalPort'>

export interface LaunchOptions {
  readonly domain: string
  readonly url: URL
  readonly bootData: BootData
  readonly follows: boolean
  /** A new port to the journal for this domain. */
  readonly journalPort: MessagePort
  /** Serves the calls this worker makes to other services; returns what ends it. */
  readonly serveGatewayPort: (port: MessagePort) => () => void
}

/** Makes the ports of a worker and joins them with what the host says about its surroundings. */
export function prepareLaunch(options: LaunchOptions): WorkerLaunch {
  const service = new MessageChannel()
  const gateway = new MessageChannel()
  const stopServing = options.serveGatewayPort(gateway.port1)
  return {
    url: options.url,
    boot: {
      ...options.bootData,
      domain: options.domain,
      follows: options.follows,
      servicePort: service.port2,
      gatewayPort: gateway.port2,
      journalPort: options.journalPort,
    },
    transfer: [service.port2, gateway.port2, options.journalPort],
    servicePort: service.port1,
    dispose: () => {
      stopServing()
      service.port1.close()
      gateway.port1.close()
    },
  }
}

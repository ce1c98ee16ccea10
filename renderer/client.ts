import { type ClientLink, createORPCClient } from '@orpc/client'
import type { ContractRouterClient } from '@orpc/contract'
import { createTanstackQueryUtils } from '@orpc/tanstack-query'
import { QueryClient } from '@tanstack/react-query'
import { devices } from '../main/devices/contract.ts'
import { system } from '../platform/gateway/contract.ts'
import { sync } from '../platform/sync/contract.ts'
import { auth } from '../services/auth/contract.ts'
import { barcodes } from '../services/barcodes/contract.ts'
import { samples } from '../services/samples/contract.ts'
import { shipments } from '../services/shipments/contract.ts'
import { storage } from '../services/storage/contract.ts'
import { templates } from '../services/templates/contract.ts'
import { findBridge } from './bridge.ts'
import { type CallContext, makeCallLink, type WireContext } from './link/call-link.ts'
import { makeHttpWire } from './link/http-wire.ts'
import { withPageDevices } from './link/page-devices.ts'
import { makePortWire, openPort } from './link/port-wire.ts'
import { createReadAgain } from './link/read-again.ts'
import { isWorthRepeating } from './problem.ts'

const contracts = { auth, barcodes, devices, samples, shipments, storage, sync, system, templates }

/** Who listens to the calls: set once by the session, so that this module need not know it. */
const session: {
  readToken: () => string | null
  onRefused: (code: 'UNAUTHORIZED' | 'SESSION_LOCKED') => void
} = { readToken: () => null, onRefused: () => undefined }

let wire: Promise<ClientLink<WireContext>> | null = null

const link = makeCallLink({
  wire: {
    call: async (path, input, options) => (await connectApplication()).call(path, input, options),
  },
  contracts,
  readToken: () => session.readToken(),
  onSessionRefused: (code) => session.onRefused(code),
  onCommandDone: readAllAgainSoon,
})

/** Everything that may be asked of TracSeq, typed by the contracts. Calls throw; `problemWords` says what to show. */
export const client: ContractRouterClient<typeof contracts, CallContext> = createORPCClient(link)

/** The same as options for `useQuery`, `useInfiniteQuery` and `useMutation`. */
export const api = createTanstackQueryUtils(client)

/** The store of what was read. Data is this workstation's own, so it is read again whenever a screen opens. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 0,
      gcTime: 5 * 60_000,
      refetchOnWindowFocus: true,
      networkMode: 'always',
      retry: (tries, error) => tries < 3 && isWorthRepeating(error),
      retryDelay: (tries) => 250 * 4 ** tries,
    },
    mutations: { networkMode: 'always', retry: false },
  },
})

/** What is on the screen of these domains, or with null all of it, is read again soon. */
export const readAgainSoon = createReadAgain(queries)

function readAllAgainSoon(command: string): void {
  // The feed has a state of its own; what a scan changes is changed by the commands that follow it.
  if (command !== 'devices.recordScan' && command !== 'devices.settleScan') readAgainSoon(null)
}

/** Tells the client where the token is and who wants to hear that it is refused. */
export function connectSession(hooks: typeof session): void {
  Object.assign(session, hooks)
}

/** Waits for the application to open, which takes its time after a power cut. Rejects with what it says it cannot do. */
export function connectApplication(): Promise<ClientLink<WireContext>> {
  wire ??= openWire().catch((error: unknown) => {
    // The next try asks anew.
    wire = null
    throw error
  })
  return wire
}

/** The one place that chooses how calls travel: by the desktop's port, or from a browser to the Hub that served it. */
async function openWire(): Promise<ClientLink<WireContext>> {
  const bridge = findBridge()
  if (bridge === null) return withPageDevices(makeHttpWire(contracts, window.location.origin), sessionStorage)
  const port = await openPort(bridge)
  // A host that restarted its gateway closes the port; the next call asks for a new one.
  port.addEventListener('close', () => (wire = null))
  return makePortWire(port)
}

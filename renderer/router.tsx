import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router'
import { isInBrowser } from './bridge.ts'
import { ApplicationFrame } from './frame/application-frame.tsx'
import { CrashPage, NotFoundPage } from './frame/fallback-pages.tsx'
import { AuditSearch } from './screens/audit/audit-search.ts'
import { PeopleSearch } from './screens/people/people-search.ts'
import { ReceiveSearch } from './screens/receive/receive-search.ts'
import { SampleFilters } from './screens/samples/sample-filters.ts'
import { ShipmentsSearch } from './screens/shipments/shipments-search.ts'
import { StorageSearch } from './screens/storage/storage-search.ts'
import { SyncSearch } from './screens/sync/sync-search.ts'

const root = createRootRoute({
  component: ApplicationFrame,
  notFoundComponent: NotFoundPage,
  errorComponent: CrashPage,
})

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/bench' })
  },
})
const bench = createRoute({
  getParentRoute: () => root,
  path: '/bench',
  component: lazyRouteComponent(() => import('./screens/bench/bench-screen.tsx'), 'BenchScreen'),
})
const samples = createRoute({
  getParentRoute: () => root,
  path: '/samples',
  validateSearch: SampleFilters,
  component: lazyRouteComponent(() => import('./screens/samples/samples-route.tsx'), 'SamplesRoute'),
})
const sample = createRoute({
  getParentRoute: () => root,
  path: '/samples/$id',
  component: lazyRouteComponent(() => import('./screens/sample/sample-route.tsx'), 'SampleRoute'),
})
const storage = createRoute({
  getParentRoute: () => root,
  path: '/storage',
  validateSearch: StorageSearch,
  component: lazyRouteComponent(() => import('./screens/storage/storage-screen.tsx'), 'StorageScreen'),
})
const box = createRoute({
  getParentRoute: () => root,
  path: '/storage/$boxId',
  validateSearch: StorageSearch,
  component: lazyRouteComponent(() => import('./screens/storage/storage-screen.tsx'), 'StorageScreen'),
})
const receive = createRoute({
  getParentRoute: () => root,
  path: '/receive',
  validateSearch: ReceiveSearch,
  component: lazyRouteComponent(() => import('./screens/receive/receive-screen.tsx'), 'ReceiveScreen'),
})
const shipments = createRoute({
  getParentRoute: () => root,
  path: '/shipments',
  validateSearch: ShipmentsSearch,
  component: lazyRouteComponent(() => import('./screens/shipments/shipments-screen.tsx'), 'ShipmentsScreen'),
})
const packing = createRoute({
  getParentRoute: () => root,
  path: '/shipments/new',
  component: lazyRouteComponent(() => import('./screens/shipments/packing-screen.tsx'), 'PackingScreen'),
})
const shipment = createRoute({
  getParentRoute: () => root,
  path: '/shipments/$id',
  component: lazyRouteComponent(() => import('./screens/shipments/shipment-route.tsx'), 'ShipmentRoute'),
})
const devices = createRoute({
  getParentRoute: () => root,
  path: '/devices',
  beforeLoad: () => {
    if (isInBrowser()) throw redirect({ to: '/bench' })
  },
  component: lazyRouteComponent(() => import('./screens/devices/devices-screen.tsx'), 'DevicesScreen'),
})
const sync = createRoute({
  getParentRoute: () => root,
  path: '/sync',
  validateSearch: SyncSearch,
  component: lazyRouteComponent(() => import('./screens/sync/sync-screen.tsx'), 'SyncScreen'),
})
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: AuditSearch,
  component: lazyRouteComponent(() => import('./screens/audit/audit-screen.tsx'), 'AuditScreen'),
})
const system = createRoute({
  getParentRoute: () => root,
  path: '/system',
  component: lazyRouteComponent(() => import('./screens/system/system-screen.tsx'), 'SystemScreen'),
})
const people = createRoute({
  getParentRoute: () => root,
  path: '/people',
  validateSearch: PeopleSearch,
  component: lazyRouteComponent(() => import('./screens/people/people-screen.tsx'), 'PeopleScreen'),
})

/** All pages. The address stands behind `#`: pages come from files, and a reload must find the same file. */
export const router = createRouter({
  routeTree: root.addChildren([
    home,
    bench,
    samples,
    sample,
    storage,
    box,
    receive,
    shipments,
    packing,
    shipment,
    devices,
    sync,
    audit,
    system,
    people,
  ]),
  history: createHashHistory(),
  defaultNotFoundComponent: NotFoundPage,
  defaultErrorComponent: CrashPage,
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

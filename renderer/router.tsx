import { createHashHistory, createRootRoute, createRouter } from '@tanstack/react-router'

const root = createRootRoute({ component: () => <p>ready</p> })
export const router = createRouter({ routeTree: root, history: createHashHistory() })

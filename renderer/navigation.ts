import type { NavigateOptions } from '@tanstack/react-router'

type Go = (options: NavigateOptions) => void

let go: Go | null = null

/** Set once by the router, so that what is no component (scans, the palette's actions) can open pages. */
export function connectNavigation(navigate: Go): void {
  go = navigate
}

/** Opens a page, typed like the router's own `navigate`. */
export function goTo(options: NavigateOptions): void {
  go?.(options)
}

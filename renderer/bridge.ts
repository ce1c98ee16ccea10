/** What the preload script of the desktop app offers; a browser has none of it. */
export interface Bridge {
  readonly platform: string
  /** How to sign in to the demo laboratory; null in a real one. The sign-in page shows it. */
  readonly demoSignIn: { readonly email: string; readonly password: string } | null
  requestPort(): void
  openDemo(): Promise<void>
}

declare global {
  interface Window {
    readonly tracseq?: Bridge
  }
}

/** Whether the page runs in a browser, served by the Hub, and not in the desktop app. */
export function isInBrowser(): boolean {
  return findBridge() === null
}

/** The desktop's bridge, or null in a plain browser. */
export function findBridge(): Bridge | null {
  return window.tracseq ?? null
}

import { useEffect, useSyncExternalStore } from 'react'

interface PageSubject {
  readonly subject: string
  readonly context: string
}

let page: PageSubject = { subject: '', context: '' }
const listeners = new Set<() => void>()

/** Says in the bar what the page is about, and in its context what stands in it: counts, a path, a date. */
export function usePageSubject(subject: string, context = ''): void {
  useEffect(() => {
    page = { subject, context }
    document.title = `${subject} · TracSeq Bench`
    for (const listener of listeners) listener()
  }, [subject, context])
}

export function useShownSubject(): PageSubject {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => page,
  )
}

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]']

/** A request that is refused before anything else is looked at, in words. */
export type HostDecision = { readonly allowed: true } | { readonly allowed: false; readonly why: string }

/**
 * Decides whether a request really comes from this machine's own programs: a foreign Host is DNS rebinding, a foreign
 * Origin is some web page in a browser here.
 */
export function decideLoopback(
  host: string | undefined,
  origin: string | undefined,
  port: number,
): HostDecision {
  const own = loopbackNames.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`]))
  if (host === undefined || !own.includes(host.toLowerCase()))
    return { allowed: false, why: 'This address answers only to its own name on this machine' }
  if (origin !== undefined && !own.some((name) => origin.toLowerCase() === `http://${name}`))
    return { allowed: false, why: 'Web pages of other origins may not call this address' }
  return { allowed: true }
}

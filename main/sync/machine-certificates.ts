import { getCACertificates, setDefaultCACertificates } from 'node:tls'

let isDone = false

/**
 * Lets certificates count that the machine trusts, beside those that come with the program: a laboratory's Hub often has one
 * of an authority of its own. Reading them takes a moment, so it is done before the first connection that needs them.
 */
export function trustMachineCertificates(): void {
  if (isDone) return
  isDone = true
  setDefaultCACertificates([...new Set([...getCACertificates('default'), ...getCACertificates('system')])])
}

/** What OpenSSL says of a certificate that does not hold. */
const ofCertificate = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_|ERR_TLS_CERT_)/

/** Why the certificate of whoever answered does not count, in words; null for any other failure. */
export function explainCertificate(error: unknown): string | null {
  const cause = error instanceof Error ? error.cause : null
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return ofCertificate.test(code)
    ? `this machine does not trust its certificate (${code}). Install the certificate of whoever issued it on this machine, or set the machine's clock right if it is wrong`
    : null
}

/** Why the Hub does not do what a workstation asks. The workstation acts on the code; people read the words. */
export class SyncProblem extends Error {
  override readonly name = 'SyncProblem'
  readonly status: number
  readonly code: string
  readonly data: unknown

  constructor(status: number, code: string, message: string, data: unknown = null) {
    super(message)
    this.status = status
    this.code = code
    this.data = data
  }
}

export function unauthorized(message: string): SyncProblem {
  return new SyncProblem(401, 'UNAUTHORIZED', message)
}

export function revoked(): SyncProblem {
  return new SyncProblem(
    403,
    'REVOKED',
    'This workstation was revoked: the Hub takes nothing from it any more',
  )
}

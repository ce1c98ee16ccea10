import { and, eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { Refusal } from '../../platform/contract/refusal.ts'
import { toInstantOrNull } from '../../platform/database/paging.ts'
import type { Transaction } from '../../platform/database/transaction.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { Email } from './contract.ts'
import { judge, type Verdict } from './domain/proof.ts'
import { isPassword } from './offline-people.ts'
import { type Account, findAccount } from './people.ts'
import { credential, signIn } from './schema.ts'

export type Outcome = (typeof signIn.$inferInsert)['outcome']

/** Adds a row to the audit of sign-ins. */
export async function recordSignIn(
  scope: Pick<WriteScope, 'tx' | 'laboratoryId' | 'workstation' | 'now'>,
  email: string,
  userId: string | null,
  outcome: Outcome,
): Promise<void> {
  await scope.tx.insert(signIn).values({
    laboratoryId: scope.laboratoryId,
    id: uuidv7(),
    // People type their password where the address goes; only what looks like an address is kept for ever.
    email: Email.safeParse(email.trim()).success ? email.trim() : '(not an e-mail address)',
    userId,
    outcome,
    at: scope.now,
    workstation: scope.workstation.name,
  })
}

/** How a proof is recorded: what it is called when it succeeds, and when the password is wrong. */
export interface Recorded {
  readonly right: Outcome
  readonly wrong: Outcome
}

/**
 * Lets a person prove by password who they are, then does `then`, all in one change set with the audit row. Wrong
 * passwords are counted, also those given at the same moment. Refuses with one of the sign-in errors.
 */
export async function proveByPassword<T>(
  scope: OrchestrationScope,
  key: string,
  account: Account,
  password: string,
  recorded: Recorded,
  then: (write: WriteScope) => Promise<T>,
): Promise<T> {
  const passwordHash = account.credential?.passwordHash ?? null
  const right = await isPassword(scope, passwordHash, password)
  return settleProof(scope, key, account, right, recorded, then)
}

/** The second half of {@link proveByPassword}, for a password that was compared already. */
export async function settleProof<T>(
  scope: OrchestrationScope,
  key: string,
  account: Account,
  right: boolean,
  recorded: Recorded,
  then: (write: WriteScope) => Promise<T>,
): Promise<T> {
  const { laboratoryId, id: userId } = account.user
  const proof = await scope.change(
    key,
    async (write) => {
      await lockCredential(write.tx, account)
      const current = await findAccount(write.tx, laboratoryId, userId)
      const held = current?.credential ?? null
      const unchanged = held?.passwordHash === account.credential?.passwordHash
      const verdict = judge(
        {
          status: current?.user.status ?? 'deleted',
          lockout:
            held === null
              ? null
              : { failures: held.failures, lockedUntil: toInstantOrNull(held.lockedUntil) },
          right: right && unchanged,
        },
        write.now,
      )
      await recordSignIn(write, account.user.email, userId, outcomeOf(verdict, recorded))
      if (verdict.kind === 'right' || verdict.kind === 'wrong') {
        await updateCredential(write.tx, account, verdict.lockout)
      }
      return verdict.kind === 'right'
        ? { done: true as const, answer: await then(write) }
        : { done: false as const, verdict }
    },
    { laboratoryId, actorId: userId },
  )
  if (!proof.done) throw refusalOf(proof.verdict)
  return proof.answer
}

/** On a server several people guess at once: each waits for the count of the one before. */
async function lockCredential(tx: Transaction, { user }: Account): Promise<void> {
  await tx
    .select({ failures: credential.failures })
    .from(credential)
    .where(and(eq(credential.laboratoryId, user.laboratoryId), eq(credential.userId, user.id)))
    .for('update')
}

/** Changes what is held of a person's secrets. */
export async function updateCredential(
  tx: Transaction,
  { user }: Pick<Account, 'user'>,
  change: Partial<Omit<typeof credential.$inferInsert, 'laboratoryId' | 'userId'>>,
): Promise<void> {
  await tx
    .update(credential)
    .set(change)
    .where(and(eq(credential.laboratoryId, user.laboratoryId), eq(credential.userId, user.id)))
}

export function wrongCredentials(): Refusal {
  return new Refusal('WRONG_CREDENTIALS', 'E-mail or password is not right')
}

function outcomeOf(verdict: Verdict, recorded: Recorded): Outcome {
  switch (verdict.kind) {
    case 'right':
      return recorded.right
    case 'wrong':
      return recorded.wrong
    case 'locked_out':
    case 'not_active':
    case 'reset_required':
      return verdict.kind
  }
}

function refusalOf(verdict: Exclude<Verdict, { readonly kind: 'right' }>): Refusal {
  switch (verdict.kind) {
    case 'wrong':
      return wrongCredentials()
    case 'locked_out':
      return new Refusal(
        'LOCKED_OUT',
        'Too many wrong passwords: this account is locked for 15 minutes at most. An administrator can set a new password.',
        { until: verdict.until },
      )
    case 'not_active':
      return new Refusal('NOT_ACTIVE', 'This account is not active: ask an administrator')
    case 'reset_required':
      return new Refusal(
        'PASSWORD_RESET_REQUIRED',
        'This workstation holds no password for this account: an administrator must set a new one',
      )
  }
}

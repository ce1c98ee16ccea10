import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  primaryKey,
  snakeCase,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { instant, syncedColumns, syncPolicies } from '../../platform/database/policy.ts'
import type { RoleName } from './domain/roles.ts'

/** A tenant. Its id is its own `laboratory_id`. */
export const laboratory = snakeCase.table(
  'laboratory',
  { ...syncedColumns(), name: text().notNull(), createdAt: instant().notNull() },
  (table) => [primaryKey({ columns: [table.laboratoryId, table.id] })],
)

/**
 * A person. That nobody shares a live e-mail address or badge are exclusion constraints, written by hand in the
 * migration: drizzle has no word for them.
 */
export const appUser = snakeCase.table(
  'app_user',
  {
    ...syncedColumns(),
    email: text().notNull(),
    /** The address in small letters, under which it is found and unique. */
    emailKey: text().notNull(),
    name: text().notNull(),
    status: text({ enum: ['active', 'inactive', 'suspended', 'deleted'] }).notNull(),
    roles: jsonb().$type<readonly RoleName[]>().notNull(),
    badgeCode: text(),
    createdAt: instant().notNull(),
    createdBy: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('app_user_created').on(table.laboratoryId, table.createdAt, table.id),
  ],
)

/** What a laboratory lets a role do; null means the bundle as delivered, which later versions may extend. */
export const role = snakeCase.table(
  'role',
  {
    ...syncedColumns(),
    name: text().$type<RoleName>().notNull(),
    permissions: jsonb().$type<readonly string[]>(),
  },
  (table) => [primaryKey({ columns: [table.laboratoryId, table.id] })],
)

/** Every attempt to prove who one is, and what came of it. */
export const signIn = snakeCase.table(
  'sign_in',
  {
    ...syncedColumns(),
    email: text().notNull(),
    userId: uuid(),
    outcome: text({
      enum: [
        'signed_in',
        'wrong_password',
        'unknown_user',
        'locked_out',
        'not_active',
        'reset_required',
        'unlocked',
        'unlock_refused',
        'signed_out',
        'refresh_reused',
        'password_changed',
        'password_reset',
        'pin_changed',
      ],
    }).notNull(),
    at: instant().notNull(),
    workstation: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('sign_in_at').on(table.laboratoryId, table.at, table.id),
    index('sign_in_of_user').on(table.laboratoryId, table.userId, table.at),
  ],
)

/** Secrets of a person on this workstation: argon2id hashes, never captured. */
export const credential = snakeCase.table(
  'credential',
  {
    laboratoryId: uuid().notNull(),
    userId: uuid().notNull(),
    passwordHash: text().notNull(),
    pinHash: text(),
    failures: integer().notNull().default(0),
    lockedUntil: instant(),
  },
  (table) => [primaryKey({ columns: [table.laboratoryId, table.userId] })],
)

/** Who is signed in here, with the reading of both clocks when it began. */
export const session = snakeCase.table(
  'session',
  {
    laboratoryId: uuid().notNull(),
    id: uuid().notNull(),
    userId: uuid().notNull(),
    startedAt: instant().notNull(),
    startedMonotonicMs: bigint({ mode: 'number' }).notNull(),
    locked: boolean().notNull().default(false),
    endedAt: instant(),
    pinFailures: integer().notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.laboratoryId, table.id] }),
    index('session_of_user').on(table.laboratoryId, table.userId),
  ],
)

/** Each may be exchanged once; a second use means that somebody copied it. Only the SHA-256 is kept. */
export const refreshToken = snakeCase.table('refresh_token', {
  tokenHash: text().primaryKey(),
  laboratoryId: uuid().notNull(),
  sessionId: uuid().notNull(),
  usedAt: instant(),
})

/**
 * The keys that sign this host's access tokens, sealed with a key of the host's; one signs, those that retired verify for
 * as long as their tokens live. A new one is made when they are lost.
 */
export const signingKey = snakeCase.table('signing_key', {
  id: text().primaryKey(),
  privateKey: text().notNull(),
  createdAt: instant().notNull(),
  retiredAt: instant(),
})

export const authTables = syncPolicies([
  [laboratory, 'hub-only'],
  [appUser, 'hub-only'],
  [role, 'hub-only'],
  [signIn, 'append-only'],
  [credential, 'local'],
  [session, 'local'],
  [refreshToken, 'local'],
  [signingKey, 'local'],
])

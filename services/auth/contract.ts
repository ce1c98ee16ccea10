import { z } from 'zod'
import { event } from '../../platform/contract/event.ts'
import { command, domainContract, query } from '../../platform/contract/procedure.ts'
import {
  id,
  Instant,
  listInput,
  page,
  Reason,
  requiredText,
  Revision,
  text,
  YesNo,
} from '../../platform/contract/values.ts'

export const UserId = id('UserId')
export const RoleId = id('RoleId')
export const SessionId = id('SessionId')

export const UserStatus = z.enum(['active', 'inactive', 'suspended', 'deleted'])
export const RoleName = z.enum([
  'guest',
  'data_analyst',
  'research_scientist',
  'lab_technician',
  'principal_investigator',
  'lab_administrator',
])
export type RoleName = z.infer<typeof RoleName>

export const Email = z.email('Not an e-mail address').max(254)
/** Twelve or more characters; whether it is a common one is checked by the service. */
export const NewPassword = text(200).min(12, 'At least 12 characters')
export const Pin = z.string().regex(/^\d{4,8}$/, 'A PIN has 4 to 8 digits')

export const User = z.object({
  id: UserId,
  email: z.string(),
  name: z.string(),
  status: UserStatus,
  roles: z.array(RoleName),
  badgeCode: z.string().nullable(),
  hasPin: z.boolean(),
  lockedUntil: Instant.nullable(),
  lastSignInAt: Instant.nullable(),
  createdAt: Instant,
  revision: Revision,
})
export type User = z.infer<typeof User>

export const Role = z.object({
  id: RoleId,
  name: RoleName,
  permissions: z.array(z.string()),
  revision: Revision,
})
export type Role = z.infer<typeof Role>

/** Who is signed in, and what they may do. */
export const Me = z.object({
  user: User,
  laboratory: z.object({ id: z.string(), name: z.string() }),
  permissions: z.array(z.string()),
  sessionId: SessionId,
  locked: z.boolean(),
  expiresAt: Instant,
})

const Tokens = z.object({
  accessToken: z.string(),
  /** Empty for a page in a browser, for which the Hub keeps it in a cookie. */
  refreshToken: z.string(),
  expiresAt: Instant,
})

export const SignIn = z.object({
  id: z.string(),
  email: z.string(),
  userId: UserId.nullable(),
  outcome: z.enum([
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
  ]),
  at: Instant,
  workstation: z.string(),
})

const signInErrors = {
  WRONG_CREDENTIALS: { status: 401, message: 'E-mail or password is not right' },
  LOCKED_OUT: {
    status: 401,
    message: 'Too many wrong passwords: this account is locked for a while',
    data: z.object({ until: Instant }),
  },
  NOT_ACTIVE: { status: 401, message: 'This account is not active' },
  OFFLINE_TOO_LONG: {
    status: 401,
    message: 'This workstation has not reached its Hub for too long: connect it, then sign in',
  },
  NEEDS_HUB: {
    status: 401,
    message: 'This account signs in here only while the Hub is reached, and it is not now',
  },
  PASSWORD_RESET_REQUIRED: {
    status: 401,
    message: 'This account has no password here: an administrator must set a new one',
  },
} as const

export const passwordErrors = {
  PASSWORD_TOO_COMMON: { status: 422, message: 'This password is on the list of common passwords' },
} as const

/** A laboratory, and who is to manage it. */
export const NewLaboratory = z.object({
  laboratoryName: requiredText(120),
  administrator: z.object({ name: requiredText(120), email: Email, password: NewPassword }),
})

/** What the gateway learns of an access token. */
export const ResolvedSessionAnswer = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('live'),
    userId: z.string(),
    name: z.string(),
    sessionId: z.string(),
    laboratoryId: z.string(),
    permissions: z.array(z.string()),
    expiresAt: Instant,
  }),
  z.object({ state: z.literal('locked') }),
  z.object({ state: z.literal('none') }),
])

/** What sync asks about people. */
export const PeopleOfAnswer = z.object({
  /** Whether the laboratory is here at all. */
  known: z.boolean(),
  people: z.array(
    z.object({ userId: UserId, name: z.string(), status: UserStatus, permissions: z.array(z.string()) }),
  ),
})
export const CredentialsAnswer = z.object({
  credentials: z.array(z.object({ userId: z.uuid(), passwordHash: z.string() })),
})

export const ProofAnswer = z.object({ outcome: z.enum(['right', 'wrong', 'locked_out', 'not_active']) })
export const LaboratoryHereAnswer = z.object({
  laboratory: z.object({ id: z.string(), name: z.string() }).nullable(),
})

/** What anybody may know before signing in. */
export const LaboratoryStatus = z.object({
  setUp: z.boolean(),
  laboratory: z.object({ id: z.string(), name: z.string() }).nullable(),
  workstationName: z.string(),
})

/** The first calls of all wait for this service to start, and for its database to be made on a busy machine. */
const firstStartMs = 60_000

/** What other parts of the system may ask of the auth domain: people, roles, sessions. */
export const auth = domainContract('auth', {
  status: query({
    permission: 'public',
    summary: 'Whether a laboratory has been set up here',
    deadlineMs: firstStartMs,
  }).output(LaboratoryStatus),
  setUp: command({
    permission: 'public',
    summary: 'Set up the laboratory with its first administrator',
    deadlineMs: firstStartMs,
    secretAnswer: true,
    guessable: true,
  })
    .errors({
      ALREADY_SET_UP: { status: 409, message: 'A laboratory has been set up here already' },
      FOUNDER_CODE_NEEDED: { status: 403, message: 'A Hub is set up with the code that its operator has' },
      ...passwordErrors,
    })
    .input(
      NewLaboratory.extend({
        /** What a Hub asks for: the code in its folder. A workstation asks for none. */
        founderCode: z.string().max(200).optional(),
      }),
    )
    .output(Tokens.extend({ me: Me })),
  login: command({
    permission: 'public',
    summary: 'Sign in',
    secretAnswer: true,
    deadlineMs: firstStartMs,
    guessable: true,
  })
    .errors(signInErrors)
    .input(
      z.object({
        email: text(254),
        password: text(200),
        /** Needed only where several laboratories share a Hub and a person works in more than one. */
        laboratoryId: z.uuid().optional(),
      }),
    )
    .output(Tokens.extend({ me: Me })),
  refresh: command({
    permission: 'public',
    summary: 'Exchange a refresh token, once',
    secretAnswer: true,
    guessable: true,
  })
    /** Left out by a page in a browser: the Hub takes it from the cookie. */
    .input(z.object({ refreshToken: text(500).optional() }))
    .output(Tokens),
  logout: command({ permission: 'signed-in', summary: 'Sign out' }).input(z.object({})).output(z.object({})),
  lock: command({ permission: 'signed-in', summary: 'Lock the session' })
    .input(z.object({}))
    .output(z.object({})),
  unlock: command({
    permission: 'public',
    summary: 'Unlock a live session by password, or by badge and PIN',
    secretAnswer: true,
    guessable: true,
  })
    .errors({
      ...signInErrors,
      SESSION_ENDED: { status: 401, message: 'The session has ended: sign in again' },
      PIN_BLOCKED: { status: 401, message: 'Too many wrong PINs: unlock with your password' },
    })
    .input(
      z.object({
        accessToken: text(4_000),
        password: text(200).optional(),
        badgeCode: text(200).optional(),
        pin: Pin.optional(),
      }),
    )
    .output(z.object({ expiresAt: Instant })),
  me: query({ permission: 'signed-in', summary: 'Who is signed in' }).output(Me),
  changePassword: command({
    permission: 'signed-in',
    summary: 'Change the own password',
    secretAnswer: true,
  })
    .errors({
      ...signInErrors,
      ...passwordErrors,
      AT_HUB_ONLY: { status: 422, message: 'This laboratory has a Hub: change your password there' },
    })
    .input(z.object({ currentPassword: text(200), newPassword: NewPassword }))
    .output(z.object({})),
  setPin: command({ permission: 'signed-in', summary: 'Set the own PIN', secretAnswer: true })
    .errors(signInErrors)
    .input(z.object({ password: text(200), pin: Pin.nullable() }))
    .output(z.object({})),
  sessions: query({
    permission: 'signed-in',
    summary: 'The live sessions: the own, or all for who may manage users',
  })
    .input(z.object({ all: YesNo.default(false) }))
    .output(
      z.array(
        z.object({
          id: SessionId,
          userId: UserId,
          userName: z.string(),
          createdAt: Instant,
          expiresAt: Instant,
          locked: z.boolean(),
          current: z.boolean(),
        }),
      ),
    ),
  revokeSession: command({ permission: 'signed-in', summary: 'End a session' })
    .input(z.object({ sessionId: SessionId }))
    .output(z.object({})),

  listUsers: query({ permission: 'users:read', path: '/users', summary: 'People of the laboratory' })
    .input(
      z.object({
        ...listInput,
        sort: z.enum(['name', '-name', 'email', '-email', 'createdAt', '-createdAt']).default('name'),
        status: UserStatus.optional(),
        search: text(200).optional(),
      }),
    )
    .output(page(User)),
  getUser: query({ permission: 'users:read', path: '/users/{id}', summary: 'One person' })
    .input(z.object({ id: UserId }))
    .output(User),
  createUser: command({ permission: 'users:manage', summary: 'Add a person', secretAnswer: true })
    .errors({
      EMAIL_TAKEN: { status: 409, message: 'Somebody has this e-mail address already' },
      ...passwordErrors,
    })
    .input(
      z.object({
        name: requiredText(120),
        email: Email,
        password: NewPassword,
        roles: z.array(RoleName).min(1, 'At least one role'),
        badgeCode: requiredText(120).nullable().default(null),
      }),
    )
    .output(User),
  updateUser: command({
    permission: 'users:manage',
    summary: 'Change name, roles or badge of a person',
  })
    .input(
      z.object({
        id: UserId,
        revision: Revision,
        name: requiredText(120).optional(),
        roles: z.array(RoleName).min(1).optional(),
        badgeCode: requiredText(120).nullable().optional(),
      }),
    )
    .output(User),
  setUserStatus: command({
    permission: 'users:manage',
    summary: 'Activate, suspend or delete a person',
  })
    .input(z.object({ id: UserId, status: UserStatus, reason: Reason }))
    .output(User),
  resetPassword: command({
    permission: 'users:manage',
    summary: 'Set a new password for a person',
    secretAnswer: true,
  })
    .errors(passwordErrors)
    .input(z.object({ id: UserId, newPassword: NewPassword, reason: Reason }))
    .output(z.object({})),
  listRoles: query({
    permission: 'users:read',
    path: '/roles',
    summary: 'Roles and what they may do',
  }).output(z.array(Role)),
  updateRole: command({
    permission: 'users:manage',
    summary: 'Change what a role may do in this laboratory',
  })
    .input(
      z.object({
        name: RoleName,
        revision: Revision,
        permissions: z.array(text(80)),
        reason: Reason,
      }),
    )
    .output(Role),
  signIns: query({ permission: 'audit:read', summary: 'Audit of sign-ins, newest first' })
    .input(z.object({ ...listInput, userId: UserId.optional() }))
    .output(page(SignIn)),

  publicKeys: query({
    permission: 'public',
    internal: true,
    summary: 'The keys that verify access tokens, as a JSON Web Key Set',
  }).output(
    z.object({
      keys: z.array(
        z.object({
          kty: z.string(),
          crv: z.string(),
          x: z.string(),
          kid: z.string(),
          use: z.string(),
          alg: z.string(),
        }),
      ),
    }),
  ),
  rotateSigningKey: command({
    permission: 'public',
    internal: true,
    summary: 'Sign access tokens with a new key from now on',
  })
    .input(z.object({}))
    .output(z.object({ kid: z.string() })),
  laboratories: query({
    permission: 'public',
    internal: true,
    summary: 'The laboratories that share this host, oldest first',
  }).output(z.array(z.object({ id: z.string(), name: z.string(), createdAt: Instant }))),
  /** On a Hub; a workstation has the one laboratory of its set-up. */
  addLaboratory: command({
    permission: 'public',
    internal: true,
    summary: 'Add a laboratory with its first administrator',
    secretAnswer: true,
  })
    .errors(passwordErrors)
    .input(NewLaboratory)
    .output(z.object({ id: z.string(), name: z.string() })),

  peopleOf: query({
    permission: 'public',
    internal: true,
    largeInput: true,
    summary: 'Who people are now and what they may do',
  })
    .input(z.object({ laboratoryId: z.uuid(), userIds: z.array(z.uuid()).max(10_000) }))
    .output(PeopleOfAnswer),
  credentialsOf: query({
    permission: 'public',
    internal: true,
    largeInput: true,
    summary: 'Password hashes of active people, for sync alone',
  })
    .input(z.object({ laboratoryId: z.uuid(), administrators: z.boolean() }))
    .output(CredentialsAnswer),
  takeCredentials: command({
    permission: 'public',
    internal: true,
    secretAnswer: true,
    summary: "Take a founder's password hashes",
  })
    .input(CredentialsAnswer.extend({ laboratoryId: z.uuid() }))
    .output(z.object({})),
  keepOfflinePeople: command({
    permission: 'public',
    internal: true,
    secretAnswer: true,
    summary: 'Say who may sign in here without the Hub, and until when',
  })
    .input(CredentialsAnswer.extend({ laboratoryId: z.uuid(), until: Instant }))
    .output(z.object({})),
  prove: command({
    permission: 'public',
    internal: true,
    secretAnswer: true,
    summary: 'At the Hub: whether somebody at a workstation is who they say',
  })
    .input(z.object({ laboratoryId: z.uuid(), userId: z.uuid(), password: text(200) }))
    .output(ProofAnswer),
  laboratoryHere: query({
    permission: 'public',
    internal: true,
    deadlineMs: firstStartMs,
    summary: 'The laboratory of this workstation',
  }).output(LaboratoryHereAnswer),

  /** The gateway asks this for every session it does not know. */
  resolveSession: query({ permission: 'public', internal: true, summary: 'Who holds this access token' })
    .input(z.object({ accessToken: text(4_000) }))
    .output(ResolvedSessionAnswer),
})

export const authEvents = {
  LaboratorySetUp: event('LaboratorySetUp', z.object({ laboratoryId: z.string(), name: z.string() })),
  UserChanged: event('UserChanged', z.object({ userId: z.string(), status: UserStatus })),
  RoleChanged: event('RoleChanged', z.object({ name: RoleName })),
}

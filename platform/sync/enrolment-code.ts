import { hash } from 'node:crypto'

/** What an enrolment code carries. */
export interface EnrolmentCode {
  /** Known to the Hub by its hash alone, good for one workstation. */
  readonly secret: string
  /** The beginning of the Hub's fingerprint, by which a workstation knows the Hub it was meant for. */
  readonly hub: string
}

/** Crockford's alphabet: no letter that is read as a digit or as another letter. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** 85 random bits: nobody guesses them in the days that a code lives. */
const secretLength = 17
/** 85 bits of the fingerprint: making another key that begins alike is out of reach. */
const hubLength = 17
const groupLength = 5

/** Writes a code in groups of five, with a check character at its end, for people to read out and type. */
export function formatEnrolmentCode({ secret, hub }: EnrolmentCode): string {
  const body = `${secret}${hub}`
  const whole = `${body}${checkCharacter(body)}`
  return (whole.match(new RegExp(`.{1,${groupLength}}`, 'g')) ?? []).join('-')
}

/** Reads a code as a person typed it; null when it cannot be one or a character is wrong. */
export function parseEnrolmentCode(typed: string): EnrolmentCode | null {
  const letters = typed
    .toUpperCase()
    .replace(/[\s_–-]/g, '')
    .replace(/[IL]/g, '1')
    .replaceAll('O', '0')
  if (letters.length !== secretLength + hubLength + 1) return null
  if ([...letters].some((letter) => !alphabet.includes(letter))) return null
  const body = letters.slice(0, -1)
  if (checkCharacter(body) !== letters.at(-1)) return null
  return { secret: body.slice(0, secretLength), hub: body.slice(secretLength) }
}

/** A secret out of random bytes, at least 17 of them. */
export function secretFrom(random: Uint8Array): string {
  if (random.length < secretLength) throw new Error(`A secret needs ${secretLength} random bytes`)
  return [...random.subarray(0, secretLength)].map(letterOf).join('')
}

/** What a code says of the Hub with this key (SPKI, base64). */
export function hubMarkOf(publicKey: string): string {
  const bytes = hash('sha256', Buffer.from(publicKey, 'base64'), 'buffer')
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  return Array.from({ length: hubLength }, (_, index) =>
    letterOf(Number((bits >> BigInt(256 - 5 * (index + 1))) & 31n)),
  ).join('')
}

/** What the Hub keeps of a secret. */
export function hashOfSecret(secret: string): string {
  return hash('sha256', `tracseq enrolment ${secret}`, 'hex')
}

function letterOf(value: number): string {
  return alphabet.charAt(value & 31)
}

/** Luhn's check over 32 characters: finds every wrong character and nearly every exchange of neighbours. */
function checkCharacter(body: string): string {
  let sum = 0
  for (const [index, letter] of [...body].reverse().entries()) {
    const value = alphabet.indexOf(letter) * (index % 2 === 0 ? 2 : 1)
    sum += Math.floor(value / 32) + (value % 32)
  }
  return letterOf((32 - (sum % 32)) % 32)
}

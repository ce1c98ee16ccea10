import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16
const mark = 'sealed:1:'

/** Seals texts, each for the place it stands in: what was sealed for one place opens in no other. */
export interface Seal {
  readonly seal: (text: string, place: string) => string
  /** Null for what another key sealed, or for another place, or what was changed. */
  readonly open: (sealed: string, place: string) => string | null
}

/** Whether a text was sealed, by whichever key. */
export function isSealed(text: string): boolean {
  return text.startsWith(mark)
}

/** A seal with a key of 32 bytes. */
export function createSeal(key: Buffer): Seal {
  return {
    seal(text, place) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(place))
      const content = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return mark + Buffer.concat([nonce, cipher.getAuthTag(), content]).toString('base64url')
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed.slice(mark.length), 'base64url')
      if (!isSealed(sealed) || bytes.length < nonceBytes + tagBytes) return null
      const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes)
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(place))
        .setAuthTag(tag)
      try {
        const content = bytes.subarray(nonceBytes + tagBytes)
        return Buffer.concat([decipher.update(content), decipher.final()]).toString('utf8')
      } catch {
        // The tag does not fit: the key, the place or the text is another one.
        return null
      }
    },
  }
}

/** Keys that lie beside each other, in the order in which fingers run over them. */
const runs = [
  'abcdefghijklmnopqrstuvwxyz',
  '01234567890',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'yxcvbnm',
  'azertyuiop',
  'qsdfghjklm',
  'wxcvbn',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
  '1q2w3e4r5t6y7u8i9o0p',
  'q1w2e3r4t5y6u7i8o9p0',
] as const

const lookAlikes: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'l',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '8': 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
}

const shortestPersonal = 4
const leftBesidePersonal = 8
const fewestDifferent = 5
const longestRunSteps = 3

/**
 * What makes a password easy to guess, in words for the person who chose it, or null when nothing is found. `common`
 * holds well-known passwords in small letters; `personal` what others know: e-mail, names, the laboratory.
 */
export function findWeakness(
  password: string,
  common: ReadonlySet<string>,
  personal: readonly string[],
): string | null {
  const small = password.toLowerCase()
  if (forms(small).some((form) => common.has(form))) {
    return 'This password is one that many people use: choose one that is your own'
  }
  if (new Set(small).size < fewestDifferent) {
    return `This password has fewer than ${fewestDifferent} different characters: use more`
  }
  if (isRepeated(small))
    return 'This password repeats the same few characters: choose something longer that does not'
  if (isKeyboardRun(small))
    return 'This password follows the keys of the keyboard or the alphabet: choose words instead'
  if (personal.some((text) => isMostly(small, text))) {
    return 'This password is little more than your e-mail address, your name or the laboratory: choose something else'
  }
  return null
}

/** The spellings under which a common password may hide: decorated at its ends, or with look-alikes for letters. */
function forms(small: string): readonly string[] {
  const core = (text: string) => text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
  const letters = [...small].map((character) => lookAlikes[character] ?? character).join('')
  // The decoration goes first: in `password2024` the digits are no letters.
  const coreLetters = [...core(small)].map((character) => lookAlikes[character] ?? character).join('')
  const decorated = small.replace(/[\d\W_]+$/u, '')
  const decoratedLetters = [...decorated].map((character) => lookAlikes[character] ?? character).join('')
  const all = [small, core(small), letters, core(letters), coreLetters, decorated, decoratedLetters]
  return [...all, ...all.map((form) => form.replace(/[\s_.-]+/g, ''))]
}

function isRepeated(small: string): boolean {
  return /^(.{1,8}?)\1+.{0,3}$/su.test(small)
}

/** Whether a few runs over neighbouring keys, there or back, are all there is. */
function isKeyboardRun(small: string): boolean {
  let at = 0
  let steps = 0
  while (at < small.length) {
    at += runLength(small.slice(at))
    steps += 1
  }
  return steps <= longestRunSteps
}

function runLength(text: string): number {
  let longest = 1
  for (const run of runs) {
    const back = [...run].reverse().join('')
    for (const line of [run, back]) {
      while (longest < text.length && line.includes(text.slice(0, longest + 1))) longest += 1
    }
  }
  const same = /^(.)\1*/su.exec(text)?.[0].length ?? 1
  return Math.max(longest, same)
}

function isMostly(small: string, text: string): boolean {
  const password = lettersAndDigits(small)
  const known = [text, text.split('@')[0] ?? '']
    .map((part) => lettersAndDigits(part.toLowerCase()))
    .filter((part) => part.length >= shortestPersonal)
  return known.some(
    (part) => password.includes(part) && password.replaceAll(part, '').length < leftBesidePersonal,
  )
}

function lettersAndDigits(text: string): string {
  return text.replace(/[^\p{L}\p{N}]/gu, '')
}

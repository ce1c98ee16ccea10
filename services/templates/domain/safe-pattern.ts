/**
 * Patterns that templates may use, matched in time proportional to the text: a simulation of all paths at once
 * instead of JavaScript's backtracking, which a pattern such as `(a+)+$` can keep busy for years.
 *
 * Subset: literals, `.`, classes `[a-z]`, `\d \w \s \D \W \S`, escapes, groups `( )` and `(?: )`, alternatives
 * `|`, and `? * + {m} {m,} {m,n}`. The whole text must match; `^` and `$` at the ends are allowed and say nothing new.
 */
export interface SafePattern {
  matches(text: string): boolean
}

/** More than any form needs; `{m,n}` is unrolled, so this also limits repetition. */
const MAX_STATES = 2_000
const MAX_NESTING = 20

type CharacterTest = (code: number) => boolean

/** A step of the machine: reads one character, or goes on to both targets without reading. */
type State =
  | { readonly kind: 'read'; readonly test: CharacterTest; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'end' }

type Node =
  | { readonly kind: 'read'; readonly test: CharacterTest }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly item: Node; readonly least: number; readonly most: number }

/** @throws Error in plain words when the pattern is not in the subset. */
export function compilePattern(source: string): SafePattern {
  const states: State[] = [{ kind: 'end' }]
  const start = build(parsePattern(source), 0, { states, steps: 0 })
  return {
    matches(text) {
      let current = new Set<number>()
      follow(start, states, current)
      for (const character of text) {
        const next = new Set<number>()
        const code = character.codePointAt(0) ?? 0
        for (const index of current) {
          const state = states[index]
          if (state?.kind === 'read' && state.test(code)) follow(state.next, states, next)
        }
        if (next.size === 0) return false
        current = next
      }
      return current.has(0)
    },
  }
}

function follow(start: number, states: readonly State[], reached: Set<number>): void {
  const waiting = [start]
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (reached.has(index)) continue
    reached.add(index)
    const state = states[index]
    if (state?.kind === 'split') waiting.push(state.next, state.other)
  }
}

interface Machine {
  readonly states: State[]
  /** Counted beside the states, because repeating nothing adds none and would still take for ever. */
  steps: number
}

/** Adds the states of a node in front of `next` and returns where they begin. */
function build(node: Node, next: number, machine: Machine): number {
  const { states } = machine
  machine.steps += 1
  if (machine.steps > MAX_STATES) throw new Error('The pattern is too large.')
  switch (node.kind) {
    case 'read':
      return states.push({ kind: 'read', test: node.test, next }) - 1
    case 'sequence':
      return node.items.reduceRight((after, item) => build(item, after, machine), next)
    case 'choice': {
      const starts = node.options.map((option) => build(option, next, machine))
      return starts.reduce((first, second) => states.push({ kind: 'split', next: first, other: second }) - 1)
    }
    case 'repeat':
      return buildRepeat(node, next, machine)
  }
}

function buildRepeat(node: Extract<Node, { kind: 'repeat' }>, next: number, machine: Machine): number {
  const { states } = machine
  let start = next
  if (node.most === Infinity) {
    const loop: State = { kind: 'split', next, other: next }
    start = states.push(loop) - 1
    loop.next = build(node.item, start, machine)
  } else {
    for (let count = node.least; count < node.most; count += 1) {
      const body = build(node.item, start, machine)
      start = states.push({ kind: 'split', next: body, other: next }) - 1
    }
  }
  for (let count = 0; count < node.least; count += 1) start = build(node.item, start, machine)
  return start
}

function parsePattern(source: string): Node {
  const characters = [...source.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')]
  let position = 0
  let depth = 0

  function fail(what: string): never {
    throw new Error(`Pattern “${source}”: ${what}.`)
  }

  function parseChoice(): Node {
    const options = [parseSequence()]
    while (characters[position] === '|') {
      position += 1
      options.push(parseSequence())
    }
    return options.length === 1 && options[0] !== undefined ? options[0] : { kind: 'choice', options }
  }

  function parseSequence(): Node {
    const items: Node[] = []
    while (position < characters.length && characters[position] !== '|' && characters[position] !== ')') {
      items.push(parseRepeat(parseAtom()))
    }
    return { kind: 'sequence', items }
  }

  function parseRepeat(item: Node): Node {
    const character = characters[position]
    if (character === '?' || character === '*' || character === '+') {
      position += 1
      refuseSecondRepeat()
      return {
        kind: 'repeat',
        item,
        least: character === '+' ? 1 : 0,
        most: character === '?' ? 1 : Infinity,
      }
    }
    if (character !== '{') return item
    const match = /^\{(\d{1,3})(,(\d{1,3})?)?\}/.exec(characters.slice(position, position + 12).join(''))
    if (match === null) fail('after { come one or two numbers, such as {2} or {2,5}')
    position += match[0].length
    refuseSecondRepeat()
    const least = Number(match[1])
    const most = match[2] === undefined ? least : match[3] === undefined ? Infinity : Number(match[3])
    if (most < least) fail(`{${least},${most}} counts backwards`)
    return { kind: 'repeat', item, least, most }
  }

  function refuseSecondRepeat(): void {
    if (/[?*+{]/.test(characters[position] ?? '')) fail('a repetition cannot itself be repeated; use a group')
  }

  function parseAtom(): Node {
    const character = characters[position] ?? ''
    position += 1
    if (character === '(') return parseGroup()
    if (character === '[') return { kind: 'read', test: parseClass() }
    if (character === '.') return { kind: 'read', test: () => true }
    if (character === '\\') return { kind: 'read', test: parseEscape() }
    if (/[?*+{]/.test(character)) fail(`${character} has nothing to repeat`)
    if (character === '^' || character === '$')
      fail(`${character} is only allowed at the end of the pattern it marks`)
    return { kind: 'read', test: isCharacter(character) }
  }

  function parseGroup(): Node {
    depth += 1
    if (depth > MAX_NESTING) fail('groups are nested too deeply')
    if (characters[position] === '?') {
      if (characters[position + 1] !== ':') fail('of the special groups only (?: ) is allowed')
      position += 2
    }
    const inside = parseChoice()
    if (characters[position] !== ')') fail('a ( is never closed')
    position += 1
    depth -= 1
    return inside
  }

  function parseEscape(): CharacterTest {
    const character = characters[position] ?? ''
    position += 1
    const digit = (code: number): boolean => code >= 48 && code <= 57
    const word = (code: number): boolean =>
      digit(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
    const blank = (code: number): boolean => /\s/.test(String.fromCodePoint(code))
    switch (character) {
      case 'd':
        return digit
      case 'D':
        return (code) => !digit(code)
      case 'w':
        return word
      case 'W':
        return (code) => !word(code)
      case 's':
        return blank
      case 'S':
        return (code) => !blank(code)
      case 't':
        return isCharacter('\t')
      case 'n':
        return isCharacter('\n')
      default:
        if (character === '' || /[\p{L}\p{N}]/u.test(character)) fail(`\\${character} is not known`)
        return isCharacter(character)
    }
  }

  function parseClass(): CharacterTest {
    const negated = characters[position] === '^'
    if (negated) position += 1
    const tests: CharacterTest[] = []
    while (characters[position] !== ']') {
      if (position >= characters.length) fail('a [ is never closed')
      const first = characters[position] ?? ''
      position += 1
      if (first === '\\') tests.push(parseEscape())
      else if (characters[position] === '-' && characters[position + 1] !== ']') {
        const last = characters[position + 1] ?? fail('a [ is never closed')
        position += 2
        const [from, to] = [first.codePointAt(0) ?? 0, last.codePointAt(0) ?? 0]
        if (last === '\\' || to < from) fail(`${first}-${last} is no range`)
        tests.push((code) => code >= from && code <= to)
      } else tests.push(isCharacter(first))
    }
    position += 1
    return (code) => tests.some((test) => test(code)) !== negated
  }

  const pattern = parseChoice()
  if (position < characters.length) fail('a ) closes nothing')
  return pattern
}

function isCharacter(character: string): CharacterTest {
  const wanted = character.codePointAt(0)
  return (code) => code === wanted
}

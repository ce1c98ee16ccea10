import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findWeakness } from './password-rules.ts'

const lines = readFileSync(new URL('../../../resources/common-passwords.txt', import.meta.url), 'utf8').split(
  '\n',
)
const common = new Set(lines.filter((line) => line !== '' && !line.startsWith('#')))
const personal = ['mara.keller@heron.example', 'Mara Keller', 'Heron Genomics']

describe('passwords', () => {
  it.each([
    'passwordpassword',
    'Password1234',
    'P@ssw0rd2024!',
    '!!Passw0rd!!',
    'Welcome-2024-!',
    'Letmein12345',
    'correct-horse-battery-staple',
    'iloveyou1234',
    'trustno1trustno1',
    'changeme!!!!',
    'adminadmin12',
    'aaaaaaaaaaaa',
    'abababababab',
    'Tr0ub!Tr0ub!',
    'abcabcabcabc',
    'qwertyuiop12',
    'poiuytrewq21',
    'qwertzuiopas',
    'abcdefghijkl',
    'lkjihgfedcba',
    '123456789012',
    '1qaz2wsx3edc',
    'asdfghjklqwe',
    'marakeller12',
    'Mara.Keller-2024',
    'herongenomics',
    'Heron Genomics 1',
    'mara.keller@heron.example',
  ])('refuses %s', (password) => {
    expect(findWeakness(password, common, personal)).toMatch(/^This password/)
  })

  it.each([
    'seven quiet herons',
    'purple-monkey-dishwasher',
    'Zug nach Basel um 8',
    'x9!kLm2#Qw7z',
    'password manager says no',
    'mara likes long walks in rain',
    'grün-gelb-42-kanapee',
    'TestPassword123!',
  ])('takes %s', (password) => {
    expect(findWeakness(password, common, personal)).toBeNull()
  })

  it('takes what is drawn at random', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'bcdfghjkmnpqrstvwxz2456789'), minLength: 14, maxLength: 40 }),
        (password) => new Set(password).size < 9 || findWeakness(password, common, personal) === null,
      ),
      { seed: 7, numRuns: 2_000 },
    )
  })

  it('sees through capitals and decoration of every listed word', () => {
    const words = [...common].filter((word) => /^[a-z]{4,}$/.test(word))
    expect(words.length).toBeGreaterThan(300)
    fc.assert(
      fc.property(
        fc.constantFrom(...words),
        fc.constantFrom('1', '123', '2024', '2024!', '!!', '#1'),
        (word, decoration) => findWeakness(word.toUpperCase() + decoration, common, []) !== null,
      ),
    )
  })

  it('keeps a list that has each entry once and in its bare form', () => {
    const entries = lines.filter((line) => line !== '' && !line.startsWith('#'))
    expect(new Set(entries).size).toBe(entries.length)
    expect(entries.filter((line) => line !== line.toLowerCase().trim())).toEqual([])
  })
})

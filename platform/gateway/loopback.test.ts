import { expect, test } from 'vitest'
import { decideLoopback } from './loopback.ts'

test.each([
  ['127.0.0.1:8080', undefined, true],
  ['localhost:8080', 'http://localhost:8080', true],
  ['[::1]:8080', 'http://127.0.0.1:8080', true],
  ['LOCALHOST:8080', undefined, true],
  ['127.0.0.1:9090', undefined, false],
  ['evil.example:8080', undefined, false],
  ['127.0.0.1.evil.example:8080', undefined, false],
  [undefined, undefined, false],
  ['127.0.0.1:8080', 'https://evil.example', false],
  ['127.0.0.1:8080', 'null', false],
  ['127.0.0.1:8080', 'http://127.0.0.1:9090', false],
])('Host %s, Origin %s: allowed %s', (host, origin, allowed) => {
  expect(decideLoopback(host, origin, 8080).allowed).toBe(allowed)
})

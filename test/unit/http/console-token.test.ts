/** The operator's key against the console's token, and what guessing it costs. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseLocationId } from '../../../src/core/ids.ts'
import { createConsoleTokens } from '../../../src/http/console-token.ts'
import { createKeyGuesses } from '../../../src/http/key-guesses.ts'
import { createPageTokens } from '../../../src/http/page-token.ts'

const KEY = 'operator-key-of-the-test'
const encryptionKeys = () => [randomBytes(32).toString('base64')]

afterEach(() => {
  vi.useRealTimers()
})

describe('the console’s token', () => {
  it('is given for the key alone, and is over after an hour', () => {
    const tokens = createConsoleTokens(encryptionKeys(), KEY)
    expect(tokens.issue(`${KEY}x`)).toBeUndefined()
    expect(tokens.issue('')).toBeUndefined()
    const { token = '', expiresAt } = tokens.issue(KEY) ?? {}
    expect(tokens.read(token)).toEqual({ kind: 'operator', expiresAt })
    vi.useFakeTimers({ now: (expiresAt?.getTime() ?? 0) + 1 })
    expect(tokens.read(token)).toBe('over')
  })

  it('ends with the key, and no other token of ours passes for it', () => {
    const keys = encryptionKeys()
    const token = createConsoleTokens(keys, KEY).issue(KEY)?.token ?? ''
    expect(createConsoleTokens(keys, 'another-operator-key').read(token)).toBeUndefined()
    const page = createPageTokens(keys, KEY).issue({
      locationId: parseLocationId('l'),
      role: 'admin',
      userId: 'u',
    }).token
    const tokens = createConsoleTokens(keys, KEY)
    for (const forged of [
      page,
      page.replace('page.', 'console.'),
      `${token}x`,
      token.slice(0, -3),
      'console..',
      '',
    ])
      expect([forged, tokens.read(forged)]).toEqual([forged, undefined])
  })
})

describe('guessing the operator’s key', () => {
  it('costs more with each wrong one, for that address alone, and nothing after a right one', () => {
    let nowMs = 0
    const guesses = createKeyGuesses(() => nowMs)
    for (let n = 0; n < 4; n++) guesses.wrong('a')
    expect(() => guesses.check('a')).not.toThrow()
    const waits: number[] = []
    for (let n = 0; n < 8; n++) {
      guesses.wrong('a')
      const beganAtMs = nowMs
      expect(() => guesses.check('a')).toThrow(expect.objectContaining({ code: 'TOO_MANY_REQUESTS' }))
      expect(() => guesses.check('b')).not.toThrow()
      for (;;) {
        nowMs += 1_000
        try {
          guesses.check('a')
          break
        } catch {}
      }
      waits.push(nowMs - beganAtMs)
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
    guesses.right('a')
    guesses.wrong('a')
    expect(() => guesses.check('a')).not.toThrow()
  })
})

import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSeal } from '../../../src/store/seal.ts'

const newKey = () => randomBytes(32).toString('base64')
const place = { scope: 'session:s1', kind: 'key/session', id: 'a' }

describe('sealing', () => {
  it('opens what it sealed, text and bytes, empty ones too', () => {
    const seal = createSeal([newKey()])
    for (const text of ['', 'plain ü 🙂\0']) expect(seal.openText(place, seal.seal(place, text))).toBe(text)
    const bytes = randomBytes(1000)
    expect(seal.open(place, seal.seal(place, bytes))).toEqual(bytes)
  })

  it('shows neither the plaintext nor that two values are the same', () => {
    const seal = createSeal([newKey()])
    const [one, two] = [seal.seal(place, 'secret words'), seal.seal(place, 'secret words')]
    expect(one).not.toBe(two)
    expect(Buffer.from(one, 'base64').toString('latin1')).not.toContain('secret')
  })

  it.each([
    ['scope', { scope: 'session:s2' }],
    ['kind', { kind: 'key/pre-key' }],
    ['id', { id: 'b' }],
  ])('does not open a value that was moved to another %s', (_name, change) => {
    const seal = createSeal([newKey()])
    const sealed = seal.seal(place, 'x')
    expect(() => seal.open({ ...place, ...change }, sealed)).toThrow(
      expect.objectContaining({ code: 'STORE_UNSEALABLE' }),
    )
  })

  it('opens with a former key and seals with the first', () => {
    const [former, present] = [newKey(), newKey()]
    const sealedBefore = createSeal([former]).seal(place, 'x')
    const rotated = createSeal([present, former])
    expect(rotated.openText(place, sealedBefore)).toBe('x')
    expect(createSeal([present]).openText(place, rotated.seal(place, 'y'))).toBe('y')
  })

  it('tries every key that shares the id byte', () => {
    const keys = Array.from({ length: 300 }, newKey) // more keys than ids
    const sealed = keys.map((key) => createSeal([key]).seal(place, key))
    const all = createSeal(keys)
    expect(sealed.map((value) => all.openText(place, value))).toEqual(keys)
  })

  it('refuses a wrong key, a damaged value and what is no sealed value, and says what to do', () => {
    const seal = createSeal([newKey()])
    const sealed = seal.seal(place, 'x')
    const damaged = Buffer.from(sealed, 'base64')
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1
    for (const value of [damaged.toString('base64'), '', 'AQ==', 'plain text'])
      expect(() => seal.open(place, value)).toThrow(expect.objectContaining({ code: 'STORE_UNSEALABLE' }))
    expect(() => createSeal([newKey()]).open(place, sealed)).toThrow(
      expect.objectContaining({ action: expect.stringContaining('ENCRYPTION_KEY') as string }),
    )
  })

  it('refuses keys of another length', () => {
    expect(() => createSeal([])).toThrow(TypeError)
    expect(() => createSeal([randomBytes(16).toString('base64')])).toThrow(TypeError)
  })
})

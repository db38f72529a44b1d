import { describe, expect, it } from 'vitest'
import { phoneVariants, samePhone } from '../../src/core/phone.ts'

describe('other ways to write a number', () => {
  it.each([
    ['+5511987654321', ['+551187654321']],
    ['+551187654321', ['+5511987654321']],
    ['+5215512345678', ['+525512345678']],
    ['+525512345678', ['+5215512345678']],
    ['+5491123456789', ['+541123456789']],
    ['+541123456789', ['+5491123456789']],
    ['+15551230001', []],
    ['+4915112345678', []],
  ])('of %s are %j', (phone, variants) => {
    expect(phoneVariants(phone)).toEqual(variants)
  })

  it('reach the same phone, and no other number does', () => {
    expect(samePhone('+5511987654321', '+551187654321')).toBe(true)
    expect(samePhone('+525512345678', '+5215512345678')).toBe(true)
    expect(samePhone('+15551230001', '+15551230001')).toBe(true)
    expect(samePhone('+5511987654321', '+551187654322')).toBe(false)
    expect(samePhone('', '+15551230001')).toBe(false)
  })

  it('lead back to the number itself', () => {
    for (const phone of ['+5511987654321', '+5215512345678', '+5491123456789'])
      expect(phoneVariants(phone).flatMap(phoneVariants)).toEqual([phone])
  })
})

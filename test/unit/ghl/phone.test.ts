import { describe, expect, it } from 'vitest'
import { dialledForm, readPhone } from '../../../src/ghl/phone.ts'

describe('a number as people and GHL write it', () => {
  it.each([
    ['+15551230001', '+15551230001'],
    ['+1 (555) 123-0001', '+15551230001'],
    ['0049 151 23456789', '+4915123456789'],
    ['12025550123', '+12025550123'],
    ['5511987654321', '+5511987654321'],
    // No country to guess from, and no country code in it.
    ['5551230001', undefined],
    ['(11) 98765-4321', undefined],
    ['+12', undefined],
    ['+1234567890123456', undefined],
    ['call me', undefined],
    ['', undefined],
    [null, undefined],
  ])('%s is read as %s', (phone, expected) => {
    expect(readPhone(phone)).toBe(expected)
  })

  it.each([
    ['(11) 98765-4321', '+5511900001111', '+5511987654321'],
    ['5511987654321', '+12025550123', '+5511987654321'],
    ['5511987654321', '+5511900001111', '+5511987654321'],
    ['202-555-0123', '+12025550199', '+12025550123'],
    ['0151 23456789', '+4915100000000', '+4915123456789'],
    // Exists neither in Brazil nor anywhere else.
    ['123 4567', '+5511900001111', undefined],
  ])('%s near %s is read as %s', (phone, near, expected) => {
    expect(readPhone(phone, near)).toBe(expected)
  })
})

describe('the form for GHL', () => {
  it.each([
    ['+551187654321', '+5511987654321'],
    ['+5511987654321', '+5511987654321'],
    ['+551133334444', '+551133334444'],
    ['+5215512345678', '+525512345678'],
    ['+5491123456789', '+5491123456789'],
    ['+4915123456789', '+4915123456789'],
    ['+15551230001', '+15551230001'],
  ])('of %s is %s', (phone, expected) => {
    expect(dialledForm(phone)).toBe(expected)
  })
})

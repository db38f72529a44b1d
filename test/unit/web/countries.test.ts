import { describe, expect, it } from 'vitest'
import {
  COUNTRIES,
  countriesIn,
  homeCountry,
  phoneFrom,
  spacedPhone,
} from '../../../src/web/parts/countries.ts'

const country = (id: string) => COUNTRIES.find((each) => each.id === id) ?? { id, code: '' }

describe('a phone number as people type it', () => {
  it.each([
    ['US', '(555) 000-9999', '+15550009999'],
    ['BR', '011 91234-0001', '+5511912340001'],
    ['GB', '07911 123456', '+447911123456'],
    ['IT', '06 1234 5678', '+390612345678'],
    ['US', '+55 11 91234 0001', '+5511912340001'],
    ['DE', '0049 30 123456', '+4930123456'],
  ])('%s %s is %s', (id, typed, phone) => {
    expect(phoneFrom(typed, country(id))).toBe(phone)
  })

  it.each(['', 'abc', '12', '1234', '555 0009', '+0123456789', '555 CALL NOW', '1'.repeat(20)])(
    '%s is none',
    (typed) => {
      expect(phoneFrom(typed, country('US'))).toBeUndefined()
    },
  )

  it.each([
    ['+15550009999', '+1 555 000 9999'],
    ['+5511912340001', '+55 11 91234 0001'],
    ['+525512345678', '+52 55 1234 5678'],
    ['+5491123456789', '+54 9 11 2345 6789'],
  ])('%s is shown as %s', (phone, shown) => {
    expect(spacedPhone(phone).replaceAll(/\s/g, '')).toBe(phone)
    // With spaces at which no line is broken.
    expect(spacedPhone(phone)).toBe(shown.replaceAll(' ', '\u00a0'))
  })

  it('knows every country once, by its name in the reader’s language', () => {
    expect(new Set(COUNTRIES.map(({ id }) => id)).size).toBe(COUNTRIES.length)
    expect(countriesIn('es').find(({ id }) => id === 'DE')?.name).toBe('Alemania')
    expect(homeCountry(['en', 'pt-BR'])).toBe('BR')
    expect(homeCountry(['en'])).toBe('US')
    expect(homeCountry(['c', 'en-US@posix', 'pt-BR'])).toBe('BR')
  })
})

/** Phone numbers as people and GHL write them. What is valid where is known by libphonenumber. */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { phoneVariants } from '../core/phone.ts'

/**
 * The number in E.164. With country code (`+` or `00`) it is taken at its word; without, it is a guess, and only a number
 * that exists in the guessed numbering plan will do.
 *
 * @param near a number (E.164) whose country a number without country code is read in.
 */
export function readPhone(text: string | null | undefined, near?: string): string | undefined {
  const written = (text ?? '').trim().replace(/^00/, '+')
  if (!/^\+?[\d\s().\-/]+$/.test(written)) return undefined
  const digits = written.replaceAll(/\D/g, '')
  if (digits.length < 7 || digits.length > 15) return undefined
  if (written.startsWith('+')) return `+${digits}`
  const country = countryOf(near)
  const national = country === undefined ? undefined : validNumber(written, country)
  return national ?? validNumber(`+${digits}`)
}

/**
 * The form to give GHL: of the ways to write a number the one that its country's plan knows, which for WhatsApp's own form
 * of some mobile numbers is another one.
 *
 * @param phone E.164.
 */
export const dialledForm = (phone: string): string =>
  [phone, ...phoneVariants(phone)].find((form) => validNumber(form) !== undefined) ?? phone

const countryOf = (phone: string | undefined): CountryCode | undefined =>
  phone === undefined ? undefined : parsePhoneNumberFromString(phone)?.country

function validNumber(text: string, country?: CountryCode): string | undefined {
  const parsed = parsePhoneNumberFromString(text, country)
  return parsed?.isValid() === true ? parsed.number : undefined
}

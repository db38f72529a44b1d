/** Phone numbers as WhatsApp writes them. Pure; what a number means in its country is the GHL adapter's business. */

/**
 * Other ways to write the same mobile number, where WhatsApp's form and the dialled one differ (observed): Brazil with and
 * without the ninth digit, Mexico 52 and 521, Argentina 54 and 549.
 *
 * @param phone E.164.
 */
export function phoneVariants(phone: string): string[] {
  const brazil = /^\+55(\d{2})(9?)(\d{8})$/.exec(phone)
  if (brazil) return [brazil[2] === '9' ? `+55${brazil[1]}${brazil[3]}` : `+55${brazil[1]}9${brazil[3]}`]
  const mexico = /^\+52(1?)(\d{10})$/.exec(phone)
  if (mexico) return [mexico[1] === '1' ? `+52${mexico[2]}` : `+521${mexico[2]}`]
  const argentina = /^\+54(9?)(\d{10})$/.exec(phone)
  if (argentina) return [argentina[1] === '9' ? `+54${argentina[2]}` : `+549${argentina[2]}`]
  return []
}

/** True when two numbers, E.164, reach the same phone. */
export const samePhone = (one: string, other: string): boolean =>
  one === other || phoneVariants(one).includes(other)

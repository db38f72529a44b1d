/** By which number of the location a message came: one line in the GHL thread, never on WhatsApp. */
import type { Via } from './storage/message-rows.ts'

/**
 * A message with its label behind it, where lists, notifications and workflows that read the beginning see the customer's
 * own words. Nothing is added where the location has one number only.
 */
export function labelled(text: string, via: Via): string {
  const label = labelOf(via)
  return via.numbers < 2 || label === undefined ? text : [text, `via ${label}`].filter(Boolean).join('\n\n')
}

/** `Sales (…0199)`, or what of it is known. */
function labelOf({ name, phoneNumber }: Via): string | undefined {
  const digits = phoneNumber === undefined ? undefined : `…${phoneNumber.slice(-4)}`
  if (name === undefined) return digits
  return digits === undefined ? name : `${name} (${digits})`
}

/** Which GHL contact is this chat, and which chat is this GHL contact. */

import { GhlError, WhatsAppError } from '../core/errors.ts'
import type { ChatJid, GhlContactId, SessionId } from '../core/ids.ts'
import { isGroupJid, isPnJid, parseContactId, phoneOfPn, pnOfPhone } from '../core/ids.ts'
import { phoneVariants, samePhone } from '../core/phone.ts'
import type { GhlContacts, WhatsAppNumbers } from './ports.ts'
import type { Contact, ContactStore } from './storage/contacts.ts'
import type { OutboundWork } from './storage/message-rows.ts'
import type { Job } from './storage/outbox.ts'
import type { SessionRow } from './storage/sessions.ts'

export interface ContactDeps {
  readonly contacts: ContactStore
  readonly ghlContacts: GhlContacts
}

/**
 * The GHL contact of a WhatsApp person, looked up or made on first sight and remembered. Costs no call to GHL for a
 * known one. One that GHL has merged away is found where its messages went, else by its number.
 *
 * @param name the person's own push name; used once, for a contact that is new or nameless.
 * @throws {GhlError} as the client settles it.
 */
export async function ghlContactOf(
  deps: ContactDeps,
  contact: Contact,
  name: string | undefined,
): Promise<GhlContactId> {
  if (contact.ghlContactId !== undefined) return contact.ghlContactId
  const { locationId, contactId } = contact
  const phone = contact.pn === undefined ? undefined : phoneOfPn(contact.pn)
  const survivor = contact.lastFiled && (await deps.ghlContacts.findSurvivor(locationId, contact.lastFiled))
  const ghlContactId = survivor ?? (await deps.ghlContacts.findOrCreate(locationId, phone, name))
  const isGroup = contact.chat !== undefined && isGroupJid(contact.chat)
  await deps.contacts.linkGhl(contactId, ghlContactId, {
    owesPhone: phone === undefined && !isGroup,
    owesName: (name ?? '').trim() === '' && !isGroup,
  })
  return ghlContactId
}

/**
 * Gives a GHL contact the number and the name that WhatsApp told after it was made, as a job. When another GHL contact has
 * the number, both stay: the thread goes on where it is, and the report of split contacts names them.
 *
 * @throws {GhlError} as the client settles it.
 */
export async function payContact(deps: ContactDeps, job: Job): Promise<void> {
  const owed = await deps.contacts.findOwed(parseContactId(job.subject))
  if (owed?.contact.ghlContactId === undefined) return
  const { contactId, locationId, ghlContactId, pn, pushName } = owed.contact
  try {
    const paid = await deps.ghlContacts.complete(locationId, ghlContactId, {
      ...(owed.owesPhone && pn !== undefined && { phone: phoneOfPn(pn) }),
      ...(owed.owesName && pushName !== undefined && { name: pushName }),
    })
    await deps.contacts.recordPaid(contactId, ghlContactId, { ...owed, ...paid })
  } catch (thrown) {
    if (!(thrown instanceof GhlError) || thrown.code !== 'GHL_CONTACT_NOT_FOUND') throw thrown
    // The next message finds its new contact, and makes it with what is known by then.
    await deps.contacts.unlinkGhl(locationId, ghlContactId)
  }
}

export interface AddressDeps extends ContactDeps {
  readonly numbers: WhatsAppNumbers
}

/**
 * The chat to answer in: the form WhatsApp used last, or for a first contact what WhatsApp says about the number. While nobody
 * has written from there it stays a first contact: who corrects a mistyped number wants no further word to reach the stranger.
 *
 * @throws {WhatsAppError} `WA_NO_ADDRESS` (no chat and no number), `WA_NOT_ON_WHATSAPP`, `WA_OFFLINE`.
 */
export async function chatOf(deps: AddressDeps, session: SessionRow, work: OutboundWork): Promise<ChatJid> {
  const { locationId } = work.row
  if (isCorrected(work)) await deps.contacts.unlinkGhl(locationId, work.ghlContactId)
  else if (work.contact?.chat !== undefined) return work.contact.chat
  const phone =
    work.phone ?? (await deps.ghlContacts.findPhone(locationId, work.ghlContactId, session.phoneNumber))
  if (phone === undefined) {
    throw new WhatsAppError('WA_NO_ADDRESS', 'This contact has no phone number', {
      action: 'Add a phone number with country code to the contact and send again.',
    })
  }
  const { chat, alt } = await findOnWhatsApp(deps.numbers, session.sessionId, phone)
  const { ghlContactId } = work
  await deps.contacts.settle(locationId, { chat, ghlContactId, ...(alt && { alt }) })
  return chat
}

/** The delivery names another number than the one that was written to, and nobody has answered from that one. */
function isCorrected({ contact, hasWritten, phone }: OutboundWork): boolean {
  if (contact?.pn === undefined || hasWritten || phone === undefined) return false
  return !samePhone(phoneOfPn(contact.pn), phone)
}

/** Asks WhatsApp for the number in each of its forms. */
async function findOnWhatsApp(
  numbers: WhatsAppNumbers,
  session: SessionId,
  phone: string,
): Promise<{ chat: ChatJid; alt?: ChatJid }> {
  for (const form of [phone, ...phoneVariants(phone)]) {
    const pn = pnOfPhone(form)
    const found = await numbers.findOnWhatsApp(session, pn)
    if (found === undefined) continue
    const alt = found.alt ?? (isPnJid(found.chat) ? undefined : pn)
    return { chat: found.chat, ...(alt && { alt }) }
  }
  throw new WhatsAppError('WA_NOT_ON_WHATSAPP', 'This phone number is not on WhatsApp', {
    action: 'Check the number and its country code, or reach the contact another way.',
  })
}

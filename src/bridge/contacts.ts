/** Which GHL contact is this chat, and which chat is this GHL contact. */

import { WhatsAppError } from '../core/errors.ts'
import type { ChatJid, GhlContactId, LocationId, SessionId } from '../core/ids.ts'
import { isPnJid, phoneOfPn, pnOfPhone } from '../core/ids.ts'
import type { GhlContacts, WhatsAppNumbers } from './ports.ts'
import type { Contact, ContactStore, OutboundWork } from './storage.ts'

export interface ContactDeps {
  readonly contacts: ContactStore
  readonly ghlContacts: GhlContacts
}

/**
 * The GHL contact of a WhatsApp person, looked up or made on first sight and remembered. Costs no call to GHL for a
 * known one.
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
  const phone = contact.pn === undefined ? undefined : phoneOfPn(contact.pn)
  const ghlContactId = await deps.ghlContacts.findOrCreate(contact.locationId, phone, name)
  await deps.contacts.linkGhl(contact.contactId, ghlContactId)
  return ghlContactId
}

export interface AddressDeps extends ContactDeps {
  readonly numbers: WhatsAppNumbers
}

/**
 * The chat to answer in: the form WhatsApp used last, or for a first contact what WhatsApp says about the number.
 *
 * @throws {WhatsAppError} `WA_NO_ADDRESS` (no chat and no number), `WA_NOT_ON_WHATSAPP`, `WA_OFFLINE`.
 */
export async function chatOf(deps: AddressDeps, session: SessionId, work: OutboundWork): Promise<ChatJid> {
  if (work.contact?.chat !== undefined) return work.contact.chat
  const locationId = work.row.locationId
  const phone = work.phone ?? (await deps.ghlContacts.findPhone(locationId, work.ghlContactId))
  if (phone === undefined) {
    throw new WhatsAppError('WA_NO_ADDRESS', 'This contact has no phone number', {
      action: 'Add a phone number with country code to the contact and send again.',
    })
  }
  return await findFirstChat(deps, session, locationId, work.ghlContactId, phone)
}

async function findFirstChat(
  deps: AddressDeps,
  session: SessionId,
  locationId: LocationId,
  ghlContactId: GhlContactId,
  phone: string,
): Promise<ChatJid> {
  const pn = pnOfPhone(phone)
  const found = await deps.numbers.findOnWhatsApp(session, pn)
  if (found === undefined) {
    throw new WhatsAppError('WA_NOT_ON_WHATSAPP', 'This phone number is not on WhatsApp', {
      action: 'Check the number and its country code, or reach the contact another way.',
    })
  }
  const alt = found.alt ?? (isPnJid(found.chat) ? undefined : pn)
  await deps.contacts.settle(locationId, { chat: found.chat, ghlContactId, ...(alt && { alt }) })
  return found.chat
}

/**
 * Identifiers: one type per kind of id, each with its scope. Only the `parse` functions here make them,
 * so a PN can never be passed for a LID, nor one system's id for the other's.
 */
import { WhatsAppError } from './errors.ts'

/** Phone-number form of a person's address. Scope: all of WhatsApp. Never carries a device number here. */
export type PnJid = `${string}@s.whatsapp.net`
/** Privacy form of a person's address. Scope: all of WhatsApp. Its digits are never a phone number. */
export type LidJid = `${string}@lid`
/** A group. Scope: all of WhatsApp. */
export type GroupJid = `${string}@g.us`
/** An address that a conversation can be held with. */
export type ChatJid = PnJid | LidJid | GroupJid

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** A GHL sub-account. Made by GHL; scope: all of GHL. */
export type LocationId = Branded<'LocationId'>
/** One linked WhatsApp device of one location. Made by us; scope: this bridge. */
export type SessionId = Branded<'SessionId'>
/** A person or group of one location, our own row. Made by us; scope: this bridge. */
export type ContactId = Branded<'ContactId'>
/** A bridged message, our own row (one per WhatsApp message). Made by us; scope: this bridge. */
export type MessageId = Branded<'MessageId'>
/** A GHL contact. Made by GHL; dies when GHL merges contacts. Scope: one location. */
export type GhlContactId = Branded<'GhlContactId'>
/** A GHL conversation, one per GHL contact. Scope: one location. */
export type GhlConversationId = Branded<'GhlConversationId'>
/** A GHL message. Scope: one location. */
export type GhlMessageId = Branded<'GhlMessageId'>
/** WhatsApp's stanza id. Unique per chat and sender, not globally. */
export type WaMessageId = Branded<'WaMessageId'>

const GHL_ID = /^[A-Za-z0-9_-]{1,64}$/

// Opaque ids: the only check that makes sense is that they cannot smuggle anything into a URL or a key.
function opaque<Id extends string>(name: string, value: string): Id {
  if (!GHL_ID.test(value)) throw new TypeError(`${name} must be 1 to 64 letters, digits, "-" or "_"`)
  return value as Id // the branded types are made here and nowhere else
}

/** @throws {TypeError} when `value` cannot be such an id. */
export const parseLocationId = (value: string): LocationId => opaque('locationId', value)
/** @throws {TypeError} when `value` cannot be such an id. */
export const parseSessionId = (value: string): SessionId => opaque('sessionId', value)
/** @throws {TypeError} when `value` cannot be such an id. */
export const parseContactId = (value: string): ContactId => opaque('contactId', value)
/** @throws {TypeError} when `value` cannot be such an id. */
export const parseMessageId = (value: string): MessageId => opaque('messageId', value)
/** @throws {TypeError} when `value` cannot be such an id. */
export const parseGhlContactId = (value: string): GhlContactId => opaque('GHL contactId', value)
/** @throws {TypeError} when `value` cannot be such an id. */
export const parseGhlConversationId = (value: string): GhlConversationId =>
  opaque('GHL conversationId', value)
/** @throws {TypeError} when `value` cannot be such an id. */
export const parseGhlMessageId = (value: string): GhlMessageId => opaque('GHL messageId', value)
/**
 * WhatsApp lets the sender's app choose the id, so anything that prints is one: `3EB0…`, `false_1@c.us_3A`, `a.b/c=`.
 *
 * @throws {TypeError} for blanks, control characters, anything beyond ASCII, or more than 128 characters.
 */
export function parseWaMessageId(value: string): WaMessageId {
  if (!/^[!-~]{1,128}$/.test(value))
    throw new TypeError('a WhatsApp message id must be 1 to 128 printable characters')
  return value as WaMessageId // the branded types are made here and nowhere else
}

/**
 * The address of a chat without device number or agent part.
 *
 * WhatsApp hands out `user:device@server` and `user_agent@server` in many places; a conversation has neither.
 *
 * @throws {WhatsAppError} `WA_CHAT_UNSUPPORTED` for status broadcasts, newsletters and anything else that is no chat.
 */
export function parseChatJid(value: string): ChatJid {
  const jid = findChatJid(value)
  if (jid !== undefined) return jid
  throw new WhatsAppError('WA_CHAT_UNSUPPORTED', 'This address is not a person or a group', {
    details: { server: value.split('@')[1] ?? '' },
  })
}

/** Like {@link parseChatJid}, but `undefined` for what is no chat. */
export function findChatJid(value: string | null | undefined): ChatJid | undefined {
  const match = /^([0-9-]+)(?:_[0-9]+)?(?::[0-9]+)?@(s\.whatsapp\.net|c\.us|lid|g\.us)$/.exec(value ?? '')
  if (match === null) return undefined
  const [, user = '', server] = match
  if (server === 'lid') return `${user}@lid`
  if (server === 'g.us') return `${user}@g.us`
  return `${user}@s.whatsapp.net`
}

/** True for the phone-number form. */
export const isPnJid = (jid: string): jid is PnJid => jid.endsWith('@s.whatsapp.net')
/** True for the privacy form. */
export const isLidJid = (jid: string): jid is LidJid => jid.endsWith('@lid')
/** True for groups. */
export const isGroupJid = (jid: string): jid is GroupJid => jid.endsWith('@g.us')

/** The E.164 number (with `+`) behind a phone-number JID. */
export const phoneOfPn = (jid: PnJid): string => `+${jid.slice(0, jid.indexOf('@'))}`
/** The phone-number JID of an E.164 number. Whether WhatsApp knows it is another question. */
export const pnOfPhone = (phone: string): PnJid => `${phone.replace(/\D/g, '')}@s.whatsapp.net`

/** `+1555…0001`: enough for a person to recognise the number, too little to dial it. For logs. */
export function maskPhone(phone: string): string {
  return phone.length < 9 ? '…' : `${phone.slice(0, 4)}…${phone.slice(-3)}`
}

/** Raw stanzas in our words: a journaled message, a receipt. What Baileys tells by event comes later, or not at all. */
import {
  type AuthenticationCreds,
  type BinaryNode,
  proto,
  unpadRandomMax16,
  type WAMessage,
} from '@whiskeysockets/baileys'
import {
  type ChatJid,
  findChatJid,
  isGroupJid,
  isLidJid,
  isPnJid,
  phoneOfPn,
  type WaMessageId,
} from '../core/ids.ts'
import type { JournalEntry } from './journal.ts'
import { waIdOf } from './wa-id.ts'

/** E.164, of the first address that tells it. */
export function phoneOf(...jids: readonly (string | null | undefined)[]): string | undefined {
  for (const jid of jids) {
    const chat = findChatJid(jid)
    if (chat !== undefined && isPnJid(chat)) return phoneOfPn(chat)
  }
  return undefined
}

/** Our own addresses, to tell our devices from everybody else's. */
export interface Me {
  readonly pn: ChatJid | undefined
  readonly lid: ChatJid | undefined
}

/** From the credentials, which name the device. */
export const meOf = ({ me }: Pick<AuthenticationCreds, 'me'>): Me => ({
  pn: findChatJid(me?.id),
  lid: findChatJid(me?.lid),
})

export const isMe = (me: Me, jid: ChatJid | undefined): boolean =>
  jid !== undefined && (jid === me.pn || jid === me.lid)

/** The message that a journal entry holds, as Baileys would have emitted it. */
export function messageOf({ attrs, plaintext }: JournalEntry, me: Me): WAMessage {
  return { ...headOf(attrs, me), message: decode(Buffer.from(plaintext, 'base64')) }
}

/** A stanza whose message is not in it: the phone keeps it to itself, or has to be asked for it. */
export function withoutMessage({ attrs, content }: BinaryNode, me: Me): WAMessage | undefined {
  const parts = Array.isArray(content) ? content : []
  const unavailable = parts.find(({ tag }) => tag === 'unavailable')
  if (unavailable === undefined || parts.some(({ tag }) => tag === 'enc' || tag === 'plaintext'))
    return undefined
  if (attrs['category'] === 'peer') return undefined
  const head = headOf(attrs, me)
  return unavailable.attrs['type']?.startsWith('view_once') === true
    ? { ...head, key: { ...head.key, isViewOnce: true } }
    : { ...head, messageStubType: proto.WebMessageInfo.StubType.CIPHERTEXT }
}

/** What Baileys could not decrypt; it has asked the sender to send it again. */
export const isUndecryptable = ({ message, messageStubType }: WAMessage): boolean =>
  !message && messageStubType === proto.WebMessageInfo.StubType.CIPHERTEXT

/** The messages in our own phone's answer to being asked for them; `undefined` when it is no such answer. */
export function resentIn({ key, message }: WAMessage): WAMessage[] | undefined {
  const answer = message?.protocolMessage?.peerDataOperationRequestResponseMessage
  if (!answer) return undefined
  // Anybody else could put words into a customer's mouth.
  if (key.fromMe !== true) return []
  return (answer.peerDataOperationResult ?? []).flatMap(({ placeholderMessageResendResponse }) => {
    const bytes = placeholderMessageResendResponse?.webMessageInfoBytes
    const resent = bytes ? decodeResent(bytes) : undefined
    return resent?.message ? [resent] : []
  })
}

function decodeResent(bytes: Uint8Array): WAMessage | undefined {
  try {
    const { key, ...resent } = proto.WebMessageInfo.decode(bytes)
    return key ? { ...resent, key } : undefined
  } catch {
    return undefined
  }
}

/** Bytes that are no message count as a message that nobody can read: its sender was told that it has come. */
function decode(padded: Uint8Array): proto.IMessage {
  try {
    const { deviceSentMessage, ...decoded } = proto.Message.decode(unpadRandomMax16(padded))
    const context = decoded.messageContextInfo
    return { ...(context && { messageContextInfo: context }), ...(deviceSentMessage?.message ?? decoded) }
  } catch {
    return {}
  }
}

/** Where a stanza belongs, who sent it and when. */
function headOf(attrs: Readonly<Record<string, string>>, me: Me): WAMessage {
  const from = findChatJid(attrs['from'])
  const participant = findChatJid(attrs['participant'])
  const recipient = findChatJid(attrs['recipient'])
  const fromMe = isMe(me, participant ?? from)
  // A broadcast list is a private message to each of its readers; its own address is of no use to them.
  const isList = attrs['from']?.endsWith('@broadcast') === true && attrs['from'] !== 'status@broadcast'
  const chat = isList && !fromMe ? participant : fromMe && recipient !== undefined ? recipient : from
  const participantAlt = findChatJid(attrs['participant_pn'] ?? attrs['participant_lid'])
  const alt = chat !== undefined && !isGroupJid(chat) ? altOf(attrs, chat, fromMe) : undefined
  return {
    key: {
      remoteJid: chat ?? attrs['from'] ?? '',
      id: attrs['id'] ?? '',
      fromMe,
      ...(alt !== undefined && { remoteJidAlt: alt }),
      ...(participant !== undefined && chat !== participant && { participant }),
      ...(participantAlt !== undefined && { participantAlt }),
    },
    // A stanza without a time is from now.
    messageTimestamp: Number(attrs['t']) || Math.floor(Date.now() / 1_000),
    ...(attrs['notify'] !== undefined && { pushName: attrs['notify'] }),
  }
}

/** The chat's other form, where the stanza tells it. */
function altOf(attrs: JournalEntry['attrs'], chat: ChatJid, fromMe: boolean): ChatJid | undefined {
  const form = isLidJid(chat) ? 'pn' : 'lid'
  return fromMe
    ? findChatJid(attrs[`recipient_${form}`] ?? attrs[`peer_recipient_${form}`])
    : findChatJid(attrs[`sender_${form}`])
}

export interface Receipt {
  readonly ids: readonly WaMessageId[]
  readonly state: 'delivered' | 'read'
}

/** A played voice note was listened to, so it was read. Retries and our own devices' bookkeeping say nothing of the reader. */
const STATES: Readonly<Record<string, Receipt['state']>> = {
  delivery: 'delivered',
  read: 'read',
  played: 'read',
}

/** What a receipt says about messages of ours; `undefined` when it says nothing. */
export function receiptOf(stanza: BinaryNode, me: Me): Receipt | undefined {
  const { attrs, content } = stanza
  const state = STATES[attrs['type'] ?? 'delivery']
  const reader = findChatJid(attrs['participant'] ?? attrs['from'])
  if (state === undefined || reader === undefined || isMe(me, reader)) return undefined
  const children = Array.isArray(content) ? content : []
  const list = children.find(({ tag }) => tag === 'list')
  const items = Array.isArray(list?.content) ? list.content.map((item) => item.attrs['id']) : []
  // Those of many members of a group may come as one stanza that names the message per batch (whatsmeow reads it so).
  const batches = children.filter(({ tag }) => tag === 'participants').map((batch) => batch.attrs['key'])
  const ids = [...new Set([attrs['id'], ...items, ...batches])].filter((id) => id !== undefined)
  return { ids: ids.map(waIdOf), state }
}

// Everything a person can send: short wishes turned into the protobuf that the official apps send for them.
import { randomBytes } from 'node:crypto'
import { proto } from '@whiskeysockets/baileys'
import { encryptEventReply, encryptVote } from './addons.ts'
import { type OutgoingMedia, quotable, withContext } from './content.ts'
import { type Account, type Addressing, accountJid } from './directory.ts'
import { SandboxError } from './errors.ts'
import { type Chat, isGroup } from './groups.ts'
import type { PhoneMessage } from './phone-log.ts'

const { Type: ProtocolType } = proto.Message.ProtocolMessage
const { AssociationType } = proto.MessageAssociation
const { EventResponseType } = proto.Message.EventResponseMessage

export interface Place {
  readonly latitude: number
  readonly longitude: number
  readonly name?: string
  readonly address?: string
  /** Moving with its sender; `name` is its caption then. */
  readonly live?: boolean
}

export interface ContactCard {
  readonly name: string
  /** With plus sign, as a person writes it. */
  readonly phone: string
}

export type EventReply = 'GOING' | 'NOT_GOING' | 'MAYBE'

/** One of the contents; `quote`, `ephemeralSeconds`, `viewOnce` and `albumId` go with text or media. */
export interface OutgoingContent {
  readonly text?: string
  readonly media?: OutgoingMedia
  /** A ready protobuf, for kinds that have no short form here. */
  readonly message?: proto.IMessage
  readonly edit?: { readonly id: string; readonly text: string }
  /** Deletes this message for all. */
  readonly revoke?: string
  /** An empty emoji takes the reaction back. */
  readonly reaction?: { readonly id: string; readonly emoji: string }
  readonly poll?: { readonly name: string; readonly options: readonly string[]; readonly selectable?: number }
  /** No options takes the vote back. */
  readonly vote?: { readonly id: string; readonly options: readonly string[] }
  readonly location?: Place
  readonly contacts?: readonly ContactCard[]
  readonly event?: { readonly name: string; readonly startsAt: Date; readonly description?: string }
  readonly eventReply?: { readonly id: string; readonly answer: EventReply }
  /** The head of an album; its media follow with `albumId`. */
  readonly album?: { readonly images: number; readonly videos: number }
  readonly albumId?: string
  /** Id of the message that this one answers. */
  readonly quote?: string
  readonly ephemeralSeconds?: number
  readonly viewOnce?: boolean
}

export interface ComposeContext {
  readonly own: Account
  readonly chat: Chat
  readonly addressing: Addressing
  /** @throws {SandboxError} `MESSAGE_UNKNOWN` */
  find(id: string): { entry: PhoneMessage; author: Account }
  /** Encrypts and stores the media, and gives the message that points to it. */
  upload(media: OutgoingMedia): Promise<proto.IMessage>
}

export async function composeMessage(
  content: OutgoingContent,
  context: ComposeContext,
): Promise<proto.IMessage> {
  if (content.message) return content.message
  const plain = await plainMessage(content, context)
  const quoted = content.quote === undefined ? plain : withQuote(plain, content.quote, context)
  const inAlbum = content.albumId === undefined ? quoted : withAlbum(quoted, content.albumId, context)
  const { ephemeralSeconds } = content
  if (content.viewOnce) return { viewOnceMessageV2: { message: inAlbum } }
  if (ephemeralSeconds === undefined) return inAlbum
  return { ephemeralMessage: { message: withContext(inAlbum, { expiration: ephemeralSeconds }) } }
}

async function plainMessage(content: OutgoingContent, context: ComposeContext): Promise<proto.IMessage> {
  const { text, media, edit, revoke, reaction, poll, vote, location, contacts } = content
  if (media) return await context.upload(media)
  if (edit) return editMessage(edit, context)
  if (revoke !== undefined)
    return { protocolMessage: { key: keyOf(revoke, context), type: ProtocolType.REVOKE } }
  if (reaction) {
    const { id, emoji } = reaction
    return { reactionMessage: { key: keyOf(id, context), text: emoji, senderTimestampMs: Date.now() } }
  }
  if (poll) return pollMessage(poll)
  if (vote) return voteMessage(vote, context)
  if (location) return locationMessage(location)
  if (contacts) return contactsMessage(contacts)
  if (content.event) return eventMessage(content.event)
  if (content.eventReply) return eventReplyMessage(content.eventReply, context)
  if (content.album) {
    const { images, videos } = content.album
    return { albumMessage: { expectedImageCount: images, expectedVideoCount: videos } }
  }
  if (text === undefined)
    throw new SandboxError('REQUEST_INVALID', 'say what to send: a text, media, a poll, ...')
  return { conversation: text }
}

/** The key of a message as this phone names it. */
function keyOf(id: string, context: ComposeContext): proto.IMessageKey {
  const { entry, author } = context.find(id)
  const { chat, addressing } = context
  const key = { id, fromMe: entry.fromMe }
  if (!isGroup(chat)) return { ...key, remoteJid: accountJid(chat, addressing) }
  return { ...key, remoteJid: chat.jid, participant: accountJid(author, addressing) }
}

function editMessage({ id, text }: { id: string; text: string }, context: ComposeContext): proto.IMessage {
  const { entry } = context.find(id)
  const caption = quotable(entry.message)
  const editedMessage = entry.media ? withCaption(caption, text) : { conversation: text }
  const protocolMessage = {
    key: keyOf(id, context),
    type: ProtocolType.MESSAGE_EDIT,
    editedMessage,
    timestampMs: Date.now(),
  }
  return { editedMessage: { message: { protocolMessage } } }
}

function withCaption(message: proto.IMessage, caption: string): proto.IMessage {
  if (message.imageMessage) return { imageMessage: { ...message.imageMessage, caption } }
  if (message.videoMessage) return { videoMessage: { ...message.videoMessage, caption } }
  return { documentMessage: { ...message.documentMessage, caption } }
}

function withQuote(message: proto.IMessage, id: string, context: ComposeContext): proto.IMessage {
  const { entry, author } = context.find(id)
  return withContext(message, {
    stanzaId: id,
    participant: accountJid(author, context.addressing),
    quotedMessage: quotable(entry.message),
  })
}

function withAlbum(message: proto.IMessage, albumId: string, context: ComposeContext): proto.IMessage {
  const messageAssociation = {
    associationType: AssociationType.MEDIA_ALBUM,
    parentMessageKey: keyOf(albumId, context),
  }
  return { ...message, messageContextInfo: { messageAssociation } }
}

function pollMessage({
  name,
  options,
  selectable = 1,
}: NonNullable<OutgoingContent['poll']>): proto.IMessage {
  const creation = {
    name,
    options: options.map((optionName) => ({ optionName })),
    selectableOptionsCount: selectable,
  }
  const messageContextInfo = { messageSecret: randomBytes(32) }
  // The apps use V3 for a single choice.
  return selectable === 1
    ? { pollCreationMessageV3: creation, messageContextInfo }
    : { pollCreationMessage: creation, messageContextInfo }
}

/** Both sides of an encrypted addition, named in the form of the chat. */
function additionTo(id: string, { own, find }: ComposeContext, addressing: Addressing) {
  const { entry, author } = find(id)
  const secret = quotable(entry.message, true).messageContextInfo?.messageSecret
  if (!secret) throw new SandboxError('REQUEST_INVALID', 'that message is neither a poll nor an event')
  return { id, secret, creatorJid: accountJid(author, addressing), senderJid: accountJid(own, addressing) }
}

function voteMessage({ id, options }: { id: string; options: readonly string[] }, context: ComposeContext) {
  const addition = additionTo(id, context, context.addressing)
  const pollUpdateMessage = {
    pollCreationMessageKey: keyOf(id, context),
    vote: encryptVote(addition, options),
    senderTimestampMs: Date.now(),
  }
  return { pollUpdateMessage }
}

function eventMessage({
  name,
  startsAt,
  description,
}: NonNullable<OutgoingContent['event']>): proto.IMessage {
  const startTime = Math.floor(startsAt.getTime() / 1000)
  return {
    eventMessage: { name, startTime, ...(description !== undefined && { description }) },
    messageContextInfo: { messageSecret: randomBytes(32) },
  }
}

function eventReplyMessage(
  { id, answer }: NonNullable<OutgoingContent['eventReply']>,
  context: ComposeContext,
): proto.IMessage {
  // Baileys opens answers to events with phone numbers on both sides, whatever the chat uses.
  const { author } = context.find(id)
  const hidden = author.hidesNumber || context.own.hidesNumber
  const addition = additionTo(id, context, hidden ? 'lid' : 'pn')
  const reply = encryptEventReply(addition, EventResponseType[answer])
  return { encEventResponseMessage: { eventCreationMessageKey: keyOf(id, context), ...reply } }
}

function locationMessage({ latitude, longitude, name, address, live }: Place): proto.IMessage {
  const where = { degreesLatitude: latitude, degreesLongitude: longitude }
  if (live) {
    const caption = name === undefined ? {} : { caption: name }
    return { liveLocationMessage: { ...where, ...caption, accuracyInMeters: 12, sequenceNumber: 1 } }
  }
  return {
    locationMessage: {
      ...where,
      ...(name !== undefined && { name }),
      ...(address !== undefined && { address }),
    },
  }
}

function vcard({ name, phone }: ContactCard): string {
  const digits = phone.replace(/\D/g, '')
  const tel = `item1.TEL;waid=${digits}:${phone}`
  return ['BEGIN:VCARD', 'VERSION:3.0', `N:;${name};;;`, `FN:${name}`, tel, 'END:VCARD'].join('\n')
}

function contactsMessage(cards: readonly ContactCard[]): proto.IMessage {
  const contacts = cards.map((card) => ({ displayName: card.name, vcard: vcard(card) }))
  const [only] = contacts
  if (only && contacts.length === 1) return { contactMessage: only }
  return { contactsArrayMessage: { displayName: `${contacts.length} contacts`, contacts } }
}

/**
 * Messages of a thread: logging what a provider reports, sending what an agent or the API writes, and the status
 * a provider gives back. Sending hands the message to the Delivery URL; logging never does.
 */
import { randomUUID } from 'node:crypto'
import { conversationOf, fullName } from './contacts.ts'
import type { PostOrder } from './deliveries.ts'
import { documentId } from './ids.ts'
import { emitEvent, type SandboxParts } from './sandbox-parts.ts'
import {
  announce,
  type Contact,
  type Conversation,
  type Message,
  type MessageDirection,
  type MessageError,
  type MessageSource,
  type MessageStatus,
  type World,
} from './world.ts'

export interface MessageKind {
  readonly type: number
  readonly messageType: string
  readonly channel: string
}

export const KINDS = {
  customProvider: { type: 22, messageType: 'TYPE_CUSTOM_PROVIDER_SMS', channel: 'Custom' },
  customSms: { type: 20, messageType: 'TYPE_CUSTOM_SMS', channel: 'SMS' },
  sms: { type: 2, messageType: 'TYPE_SMS', channel: 'SMS' },
  whatsApp: { type: 19, messageType: 'TYPE_WHATSAPP', channel: 'WhatsApp' },
  internalComment: { type: 37, messageType: 'TYPE_INTERNAL_COMMENT', channel: 'InternalComment' },
} as const satisfies Record<string, MessageKind>

interface NewMessage {
  contact: Contact
  kind: MessageKind
  direction: MessageDirection
  body: string
  attachments: readonly string[]
  status: MessageStatus
  source: MessageSource
  altId?: string | undefined
  userId?: string | undefined
  conversationProviderId?: string | undefined
  replyToAltId?: string | undefined
  date?: Date | undefined
  error?: MessageError | undefined
  /** Ask the provider to deliver it. */
  forProvider?: boolean
}

/** Stores a message in its thread, by date, and tells the app; the Delivery URL is called only `forProvider`. */
export function addMessage(parts: SandboxParts, input: NewMessage): Message {
  const { world } = parts
  const conversation = conversationOf(world, input.contact)
  const storedAt = new Date()
  const message: Message = {
    id: documentId(),
    altId: input.altId,
    locationId: input.contact.locationId,
    contactId: input.contact.id,
    conversationId: conversation.id,
    ...input.kind,
    direction: input.direction,
    body: input.body,
    attachments: input.attachments,
    status: input.status,
    error: input.error,
    source: input.source,
    userId: input.userId,
    conversationProviderId: input.conversationProviderId,
    replyToAltId: input.replyToAltId,
    dateAdded: input.date ?? storedAt,
    dateUpdated: storedAt,
    storedAt,
    forProvider: input.forProvider ?? false,
    handedOverAt: undefined,
    statusHistory: [{ status: input.status, at: storedAt }],
  }
  world.messages.set(message.id, message)
  insertByDate(conversation.messages, message)
  conversation.dateUpdated = storedAt
  if (message.direction === 'inbound') conversation.unreadCount++
  announceMessage(world, message)
  sendOut(parts, message, input.contact)
  return message
}

/** Applies a status, also one that goes back: the record shows it, the caller counts it. */
export function setStatus(world: World, message: Message, status: MessageStatus, error?: MessageError): void {
  message.status = status
  message.error = error
  message.dateUpdated = new Date()
  message.statusHistory.push({ status, at: message.dateUpdated })
  announceMessage(world, message)
}

const STATUS_ORDER: Record<MessageStatus, number> = { pending: 0, sent: 1, delivered: 2, read: 3, failed: 4 }

/** True for delivered after read, and for anything after failed. */
export function goesBack(from: MessageStatus, to: MessageStatus): boolean {
  return STATUS_ORDER[to] < STATUS_ORDER[from]
}

/** A message as the conversations API shows it. */
export function messageJson(message: Message, contact: Contact | undefined): Record<string, unknown> {
  const phone = contact?.text.phone
  return {
    id: message.id,
    altId: message.altId,
    type: message.type,
    messageType: message.messageType,
    locationId: message.locationId,
    contactId: message.contactId,
    conversationId: message.conversationId,
    dateAdded: message.dateAdded.toISOString(),
    dateUpdated: message.dateUpdated.toISOString(),
    body: message.body,
    direction: message.direction,
    status: message.status,
    contentType: 'text/plain',
    attachments: message.attachments,
    meta: {},
    source: message.source,
    userId: message.userId,
    conversationProviderId: message.conversationProviderId,
    ...(message.direction === 'inbound' ? { from: phone } : { to: phone }),
    error: message.error?.message,
  }
}

export function conversationJson(conversation: Conversation, contact: Contact): Record<string, unknown> {
  const last = conversation.messages.at(-1)
  const name = fullName(contact) || contact.text.phone || ''
  return {
    id: conversation.id,
    contactId: contact.id,
    locationId: conversation.locationId,
    lastMessageBody: last?.body,
    lastMessageDate: lastMessageMs(conversation),
    lastMessageType: last?.messageType,
    lastMessageDirection: last?.direction,
    lastMessageConversationProviderId: last?.conversationProviderId,
    type: 'TYPE_PHONE',
    unreadCount: conversation.unreadCount,
    fullName: name,
    contactName: name,
    email: contact.text.email ?? '',
    phone: contact.text.phone ?? '',
  }
}

/** What a search is sorted by, and goes on from. */
export function lastMessageMs(conversation: Conversation): number {
  return (conversation.messages.at(-1)?.dateAdded ?? conversation.dateAdded).getTime()
}

function insertByDate(messages: Message[], message: Message): void {
  const later = messages.findLastIndex((other) => other.dateAdded.getTime() <= message.dateAdded.getTime())
  messages.splice(later + 1, 0, message)
}

function announceMessage(world: World, message: Message): void {
  announce(world, {
    kind: 'message',
    locationId: message.locationId,
    conversationId: message.conversationId,
    messageId: message.id,
  })
}

function sendOut(parts: SandboxParts, message: Message, contact: Contact): void {
  const event = () =>
    message.channel === KINDS.internalComment.channel
      ? Promise.resolve()
      : emitMessageEvent(parts, message, contact)
  const delivery = () =>
    message.forProvider ? parts.deliveries.post(deliveryOf(parts, message, contact)) : Promise.resolve()
  const [first, second] = parts.settings.firstPost === 'webhook' ? [event, delivery] : [delivery, event]
  if (parts.settings.firstPost === 'together') void Promise.all([first(), second()])
  else void first().then(second)
}

function emitMessageEvent(parts: SandboxParts, message: Message, contact: Contact): Promise<void> {
  const inbound = message.direction === 'inbound'
  const phone = contact.text.phone
  return emitEvent(
    parts,
    inbound ? 'InboundMessage' : 'OutboundMessage',
    message.locationId,
    {
      body: message.body,
      attachments: message.attachments,
      contactId: message.contactId,
      conversationId: message.conversationId,
      messageId: message.id,
      direction: message.direction,
      messageType: message.channel,
      messageTypeId: message.type,
      messageTypeString: message.messageType,
      status: message.status,
      source: message.source,
      userId: message.userId,
      conversationProviderId: message.conversationProviderId,
      contentType: 'text/plain',
      dateAdded: message.dateAdded.toISOString(),
      ...(inbound ? { from: phone } : { to: phone }),
    },
    message.id,
  )
}

function deliveryOf(parts: SandboxParts, message: Message, contact: Contact): PostOrder {
  const { settings, provider, world } = parts
  const autoType = provider.kind === 'custom' ? 'Custom' : 'SMS'
  const leaveOutAttachments = settings.omitEmptyAttachments && message.attachments.length === 0
  return {
    target: 'delivery',
    locationId: message.locationId,
    messageId: message.id,
    payload: {
      contactId: message.contactId,
      locationId: message.locationId,
      messageId: message.id,
      type: settings.deliveryType === 'auto' ? autoType : settings.deliveryType,
      ...(settings.omitPhone ? {} : { phone: contact.text.phone }),
      message: message.body,
      ...(leaveOutAttachments ? {} : { attachments: message.attachments }),
      ...(settings.omitUserId ? {} : { userId: message.userId }),
      conversationId: message.conversationId,
      conversationProviderId: message.conversationProviderId,
      replyToAltId: message.replyToAltId,
      timestamp: message.storedAt.toISOString(),
      webhookId: randomUUID(),
    },
    onFirstAttempt: () => {
      message.handedOverAt ??= new Date()
      announceMessage(world, message)
    },
  }
}

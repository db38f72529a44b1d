/** A person in GHL's inbox: writes answers, retries failed ones, leaves notes. */
import { addMessage, KINDS } from './messages.ts'
import { emitEvent, type SandboxParts } from './sandbox-parts.ts'
import type { Contact, Message, MessageSource } from './world.ts'

export interface AgentReply {
  locationId: string
  contactId: string
  message?: string
  /** Public URLs; `hostFile` makes one. */
  attachments?: readonly string[]
  /** `app`: a person. `workflow`: an automation, which has no user. */
  source?: Extract<MessageSource, 'app' | 'workflow'>
  userId?: string
  /** The `altId` of the message that is answered, when the agent quotes one. */
  replyToAltId?: string
}

/**
 * Stores an outbound message as the UI does and hands it to the Delivery URL in the background.
 *
 * @throws {Error} when the contact is unknown or has no phone although the provider stands for SMS.
 */
export function agentReply(parts: SandboxParts, reply: AgentReply): Message {
  const contact = contactIn(parts, reply.locationId, reply.contactId)
  const { provider, world } = parts
  if (provider.kind === 'sms' && !contact.text.phone) {
    throw new Error('An SMS provider reaches only contacts with a phone: give the contact one first')
  }
  const source = reply.source ?? 'app'
  const conversation = world.conversationOfContact.get(contact.id)
  if (conversation) conversation.unreadCount = 0
  return addMessage(parts, {
    contact,
    kind: provider.kind === 'custom' ? KINDS.customProvider : KINDS.sms,
    direction: 'outbound',
    body: reply.message ?? '',
    attachments: reply.attachments ?? [],
    status: 'pending',
    source,
    userId: source === 'app' ? (reply.userId ?? world.userId) : undefined,
    conversationProviderId: provider.id,
    replyToAltId: reply.replyToAltId,
    forProvider: true,
  })
}

/** Somebody of the team opens the conversation: nothing in it is unread any more, and the app hears so. */
export function openConversation(parts: SandboxParts, contactId: string): void {
  const conversation = parts.world.conversationOfContact.get(contactId)
  if (!conversation || conversation.unreadCount === 0) return
  conversation.unreadCount = 0
  const { id, starred } = conversation
  const payload = { id, contactId, unreadCount: 0, inbox: true, starred, deleted: false }
  void emitEvent(parts, 'ConversationUnreadUpdate', conversation.locationId, payload)
}

/** The "retry" of a failed message: a new message with a new id and no link to the old one. */
export function agentRetry(parts: SandboxParts, messageId: string): Message {
  const message = parts.world.messages.get(messageId)
  if (message?.status !== 'failed') throw new Error(`Only a failed message can be retried: ${messageId}`)
  return agentReply(parts, {
    locationId: message.locationId,
    contactId: message.contactId,
    message: message.body,
    attachments: message.attachments,
  })
}

function contactIn(parts: SandboxParts, locationId: string, contactId: string): Contact {
  const contact = parts.world.contacts.get(contactId)
  if (contact?.locationId === locationId) return contact
  throw new Error(`No contact ${contactId} in location ${locationId}`)
}

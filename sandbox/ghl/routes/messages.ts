/** `/conversations/messages/*`: what a provider reports, what the API sends, and the status given back. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type ApiAnswer, type ApiCall, type ApiRoute, locationIdOf } from '../api.ts'
import { addMessage, goesBack, KINDS, type MessageKind, messageJson, setStatus } from '../messages.ts'
import { refuse, refuseConversation, refuseFields } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { Contact, Message } from '../world.ts'

const text = z.string().optional()
const texts = z.array(z.string()).optional()
const attachments = z
  .array(z.url({ protocol: /^https?$/ }))
  .min(1)
  .optional()

const inboundBody = z.strictObject({
  type: z.enum([
    'SMS',
    'RCS',
    'Email',
    'WhatsApp',
    'GMB',
    'IG',
    'FB',
    'Custom',
    'WebChat',
    'Live_Chat',
    'Call',
    'IVR_Call',
    'Campaign_Call',
    'Campaign_VoiceMail',
    'TIKTOK',
    'ALL_IN_ONE_CHAT',
    'FORM_SUBMISSION',
  ]),
  message: text,
  attachments,
  conversationId: text,
  contactId: text,
  conversationProviderId: text,
  html: text,
  subject: text,
  emailFrom: text,
  emailTo: text,
  emailCc: texts,
  emailBcc: texts,
  emailMessageId: text,
  altId: text,
  direction: z.enum(['inbound', 'outbound']).optional(),
  date: z.iso.datetime({ offset: true }).optional(),
  call: z
    .strictObject({
      to: text,
      from: text,
      status: z.enum([
        'pending',
        'completed',
        'answered',
        'busy',
        'no-answer',
        'failed',
        'canceled',
        'voicemail',
      ]),
    })
    .optional(),
})
type InboundBody = z.infer<typeof inboundBody>

const sendBody = z.strictObject({
  type: z.enum([
    'SMS',
    'RCS',
    'Email',
    'WhatsApp',
    'IG',
    'FB',
    'Custom',
    'Live_Chat',
    'TIKTOK',
    'InternalComment',
  ]),
  subType: z.unknown().optional(),
  contactId: z.string().min(1),
  message: text,
  attachments,
  conversationProviderId: text,
  replyMessageId: text,
  templateId: text,
  threadId: text,
  scheduledTimestamp: z.number().optional(),
  appointmentId: text,
  html: text,
  subject: text,
  emailFrom: text,
  emailTo: text,
  emailCc: texts,
  emailBcc: texts,
  emailReplyMode: z.enum(['reply', 'reply_all']).optional(),
  fromNumber: text,
  toNumber: text,
  customSubtypeId: text,
  forward: z.unknown().optional(),
  status: z.enum(['delivered', 'failed', 'pending', 'read']).optional(),
  usesNativeSchedulingAi: z.boolean().optional(),
  optimizationPeriod: z.enum(['24h', '48h', '72h']).optional(),
  mentions: texts,
  userId: text,
})
type SendBody = z.infer<typeof sendBody>

const statusBody = z.strictObject({
  status: z.enum(['delivered', 'failed', 'pending', 'read']),
  error: z.strictObject({ code: text, type: text, message: z.string() }).optional(),
  emailMessageId: text,
  recipients: texts,
})

export function messageRoutes(parts: SandboxParts): ApiRoute[] {
  const { world } = parts
  return [
    {
      method: 'POST',
      path: '/conversations/messages/inbound',
      scope: 'conversations/message.write',
      caller: 'location',
      handle: (call) => logFromProvider(parts, call),
    },
    {
      method: 'POST',
      path: '/conversations/messages',
      scope: 'conversations/message.write',
      caller: 'location',
      handle: (call) => sendFromApi(parts, call),
    },
    {
      method: 'PUT',
      path: '/conversations/messages/:messageId/status',
      scope: 'conversations/message.write',
      caller: 'location',
      handle: (call) => updateStatus(parts, call),
    },
    {
      method: 'GET',
      path: '/conversations/messages/:messageId',
      scope: 'conversations/message.readonly',
      caller: 'location',
      handle(call) {
        const message = world.messages.get(call.params['messageId'] ?? '')
        if (!message) throw refuse(400, 'Message not found')
        if (message.locationId !== locationIdOf(call)) {
          throw refuse(403, 'The token does not have access to this location.')
        }
        const shown = messageJson(message, world.contacts.get(message.contactId))
        const wrapped = { message: shown, traceId: randomUUID() }
        return { status: 200, body: parts.settings.wrapSingleMessage ? wrapped : shown }
      },
    },
  ]
}

function logFromProvider(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const body = validated(inboundBody, call.body)
  checkAttachments(parts, body.attachments)
  checkContent(body)
  if (body.type === 'Custom' && body.conversationProviderId === undefined) {
    // The trap of the real service: accepted, empty, and nothing is stored.
    parts.callLog.note({
      kind: 'nothing-stored',
      route: call.route,
      detail: 'Custom without conversationProviderId',
    })
    return { status: 201, body: {} }
  }
  checkProvider(parts, call, body)
  const contact = contactOfInbound(parts, call, body)
  noteRepeatedAltId(parts, call, body, contact)
  const message = addMessage(parts, {
    contact,
    kind: inboundKind(parts),
    // The documented default, and the reason why a client must always say which.
    direction: body.direction ?? 'outbound',
    body: body.message ?? '',
    attachments: body.attachments ?? [],
    status: 'delivered',
    source: 'api',
    altId: body.altId,
    conversationProviderId: parts.provider.id,
    date: body.date === undefined ? undefined : new Date(body.date),
  })
  return {
    status: 201,
    body: {
      success: true,
      conversationId: message.conversationId,
      messageId: message.id,
      message: 'Message added successfully',
      contactId: contact.id,
      dateAdded: message.dateAdded.toISOString(),
    },
  }
}

function inboundKind({ provider }: SandboxParts): MessageKind {
  return provider.kind === 'custom' ? KINDS.customProvider : KINDS.sms
}

function checkContent(body: {
  type: string
  message?: string | undefined
  html?: string | undefined
  attachments?: readonly string[] | undefined
}): void {
  const words = body.type === 'Email' ? body.html : body.message
  if (words || body.attachments) return
  throw refuseConversation(
    422,
    'CONVERSATIONS_MSG_NO_CONTENT',
    'There is no message or attachments for this message. Skip sending.',
  )
}

function checkAttachments(parts: SandboxParts, urls: readonly string[] | undefined): void {
  if (parts.settings.attachmentQueryStrings === 'accepted') return
  if (urls?.some((url) => url.includes('?'))) {
    throw refuseFields(['attachments must contain at least 1 elements', 'attachments must be an array'])
  }
}

function checkProvider(parts: SandboxParts, call: ApiCall, body: InboundBody): void {
  const { provider } = parts
  const providerId = body.conversationProviderId ?? (provider.kind === 'sms' ? provider.id : undefined)
  if (providerId === undefined) throw refuse(400, 'No conversationProviderId passed in body')
  if (providerId !== provider.id || call.caller.authClass === 'Private') throw refuseNoAccess(providerId)
  const expectedType = provider.kind === 'custom' ? 'Custom' : 'SMS'
  const isByConversation = body.conversationId !== undefined
  if (body.type !== expectedType || (parts.settings.inboundBy === 'conversation' && !isByConversation)) {
    throw refuseConversation(
      400,
      'CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH',
      'Incorrect conversationProviderId/type',
    )
  }
}

function refuseNoAccess(providerId: string): Error {
  return refuseConversation(
    401,
    'CONVERSATIONS_MSG_PROVIDER_NO_ACCESS',
    `You don't have access to the conversationProvider with id: ${providerId}`,
  )
}

function contactOfInbound(parts: SandboxParts, call: ApiCall, body: InboundBody): Contact {
  if (body.contactId === undefined && body.conversationId === undefined) {
    throw refuseFields(['contactId should not be empty', 'conversationId should not be empty'])
  }
  const conversation = parts.world.conversations.get(body.conversationId ?? '')
  if (body.conversationId !== undefined && conversation?.locationId !== locationIdOf(call)) {
    throw refuse(400, `Conversation with id ${body.conversationId} not found`)
  }
  const contactId = body.contactId ?? conversation?.contactId ?? ''
  if (conversation && conversation.contactId !== contactId) {
    throw refuse(400, 'The conversation does not belong to the contact')
  }
  return knownContact(parts, call, contactId)
}

function knownContact(parts: SandboxParts, call: ApiCall, contactId: string): Contact {
  const contact = parts.world.contacts.get(contactId)
  if (contact?.locationId === locationIdOf(call)) return contact
  throw refuseConversation(400, 'CONVERSATIONS_CONTACT_NOT_FOUND', `Contact not found for id:${contactId}`)
}

/** GHL does not de-duplicate by `altId`; the second one is stored too, and counted so that a test can see it. */
function noteRepeatedAltId(parts: SandboxParts, call: ApiCall, body: InboundBody, contact: Contact): void {
  if (body.altId === undefined) return
  const earlier = parts.world.conversationOfContact.get(contact.id)?.messages ?? []
  if (earlier.some((message) => message.altId === body.altId)) {
    parts.callLog.note({ kind: 'same-alt-id-again', route: call.route, detail: body.altId })
  }
}

function sendFromApi(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const body = validated(sendBody, call.body)
  checkAttachments(parts, body.attachments)
  checkContent(body)
  const contact = knownContact(parts, call, body.contactId)
  const message = addMessage(parts, {
    contact,
    direction: 'outbound',
    body: body.message ?? body.html ?? '',
    attachments: body.attachments ?? [],
    source: 'api',
    userId: body.userId,
    replyToAltId: parts.world.messages.get(body.replyMessageId ?? '')?.altId,
    ...sendingOf(parts, call, body, contact),
  })
  return {
    status: 201,
    body: {
      conversationId: message.conversationId,
      messageId: message.id,
      status: message.status,
      msg: 'Message queued successfully.',
    },
  }
}

type Sending = Pick<
  Parameters<typeof addMessage>[1],
  'kind' | 'status' | 'error' | 'forProvider' | 'conversationProviderId'
>

/** Which channel a send goes out by, and how it fares at first. */
function sendingOf(parts: SandboxParts, call: ApiCall, body: SendBody, contact: Contact): Sending {
  if (body.type === 'InternalComment') return { kind: KINDS.internalComment, status: 'delivered' }
  if (contact.dnd || contact.dndSettings['SMS']?.status === 'active') {
    throw refuseConversation(
      400,
      'CONVERSATIONS_MSG_DND_ACTIVE_SMS',
      'Cannot send message as DND is active for SMS.',
    )
  }
  const { provider } = parts
  const toProvider = body.type === 'SMS' || body.type === 'Custom'
  const providerId =
    body.conversationProviderId ?? (provider.kind === 'sms' && body.type === 'SMS' ? provider.id : undefined)
  if (toProvider && providerId !== undefined) {
    if (providerId !== provider.id || call.caller.authClass === 'Private') throw refuseNoAccess(providerId)
    return {
      kind: sentKind(provider.kind, body.type),
      status: 'pending',
      forProvider: true,
      conversationProviderId: providerId,
    }
  }
  // The native channel of that name, which these locations do not have.
  return {
    kind: body.type === 'WhatsApp' ? KINDS.whatsApp : KINDS.sms,
    status: 'failed',
    error: { message: `No ${body.type} channel is connected in this location.` },
  }
}

function sentKind(providerKind: 'custom' | 'sms', type: SendBody['type']): MessageKind {
  if (providerKind === 'sms') return KINDS.sms
  return type === 'SMS' ? KINDS.customSms : KINDS.customProvider
}

function updateStatus(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const { status, error } = validated(statusBody, call.body)
  if (status === 'failed' && !error) throw refuseFields(['error must be an object'])
  const message = parts.world.messages.get(call.params['messageId'] ?? '')
  if (!message) throw refuse(401, 'No message found for the id')
  const isOurs = message.locationId === locationIdOf(call) && message.forProvider
  if (!isOurs || call.caller.authClass === 'Private') {
    parts.callLog.note({ kind: 'status-for-foreign-message', route: call.route, detail: message.id })
    throw refuseNoProvider()
  }
  if (isTooEarly(parts, message)) throw refuseNoProvider()
  if (goesBack(message.status, status)) {
    parts.callLog.note({
      kind: 'status-went-back',
      route: call.route,
      detail: `${message.status} to ${status}`,
    })
  }
  setStatus(parts.world, message, status, error)
  return { status: 200, body: { success: true, traceId: randomUUID() } }
}

function refuseNoProvider(): Error {
  return refuse(403, 'No conversation provider found for this message')
}

function isTooEarly({ settings }: SandboxParts, message: Message): boolean {
  if (settings.statusEarlyMs === 0) return false
  return !message.handedOverAt || Date.now() - message.handedOverAt.getTime() < settings.statusEarlyMs
}

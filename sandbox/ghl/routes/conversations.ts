/** `/conversations/*`: threads and their messages, read side. */
import { z } from 'zod'
import { type ApiCall, type ApiRoute, checkLocation, locationIdOf } from '../api.ts'
import { contactFor, conversationOf } from '../contacts.ts'
import { conversationJson, lastMessageMs, messageJson } from '../messages.ts'
import { Refusal, refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import { announce, type Conversation } from '../world.ts'

const text = z.string().optional()

const searchQuery = z.strictObject({
  locationId: z.string().min(1),
  contactId: text,
  assignedTo: text,
  followers: text,
  mentions: text,
  query: text,
  id: text,
  limit: z.coerce.number().int().min(1).max(100).default(20),
  startAfterDate: text,
  sort: z.enum(['asc', 'desc']).default('desc'),
  sortBy: z.enum(['last_manual_message_date', 'last_message_date', 'score_profile']).optional(),
  status: z.enum(['all', 'read', 'unread', 'starred', 'recents']).default('all'),
  lastMessageType: text,
  lastMessageAction: z.enum(['automated', 'manual']).optional(),
  lastMessageDirection: z.enum(['inbound', 'outbound']).optional(),
  startDate: text,
  endDate: text,
})
type SearchQuery = z.infer<typeof searchQuery>

const messagesQuery = z.strictObject({
  lastMessageId: text,
  limit: z.coerce.number().int().min(1).max(100).default(20),
  type: text,
})
const createBody = z.strictObject({ locationId: z.string().min(1), contactId: z.string().min(1) })
const updateBody = z.strictObject({
  locationId: z.string().min(1),
  unreadCount: z.number().int().nonnegative().optional(),
  starred: z.boolean().optional(),
  feedback: z.unknown().optional(),
})

export function conversationRoutes(parts: SandboxParts): ApiRoute[] {
  const { world } = parts
  const named = (call: ApiCall) => conversationFor(parts, call)
  return [
    {
      method: 'GET',
      path: '/conversations/search',
      scope: 'conversations.readonly',
      caller: 'location',
      handle(call) {
        const query = validated(searchQuery, call.query)
        checkLocation(call, query.locationId)
        const found = searched(parts, query)
        const shown = found
          .slice(0, query.limit)
          .map((conversation) => shownConversation(parts, conversation))
        return { status: 200, body: { conversations: shown, total: found.length } }
      },
    },
    {
      method: 'POST',
      path: '/conversations/',
      scope: 'conversations.write',
      caller: 'location',
      handle(call) {
        const { locationId, contactId } = validated(createBody, call.body)
        checkLocation(call, locationId)
        const contact = contactFor(world, contactId, locationId)
        const existing = world.conversationOfContact.get(contactId)
        if (existing) {
          throw new Refusal(400, {
            statusCode: 400,
            message: 'Conversation already exists',
            conversationId: existing.id,
          })
        }
        const conversation = conversationOf(world, contact)
        return {
          status: 201,
          body: {
            success: true,
            conversation: {
              id: conversation.id,
              contactId,
              locationId,
              dateAdded: conversation.dateAdded.toISOString(),
              dateUpdated: conversation.dateUpdated.toISOString(),
              deleted: false,
            },
          },
        }
      },
    },
    {
      method: 'GET',
      path: '/conversations/:conversationId',
      scope: 'conversations.readonly',
      caller: 'location',
      handle(call) {
        const conversation = named(call)
        return {
          status: 200,
          body: { ...singleJson(conversation), type: 1 },
        }
      },
    },
    {
      method: 'PUT',
      path: '/conversations/:conversationId',
      scope: 'conversations.write',
      caller: 'location',
      handle(call) {
        const body = validated(updateBody, call.body)
        checkLocation(call, body.locationId)
        const conversation = named(call)
        conversation.unreadCount = body.unreadCount ?? conversation.unreadCount
        conversation.starred = body.starred ?? conversation.starred
        announce(world, { kind: 'contact', locationId: body.locationId, contactId: conversation.contactId })
        return {
          status: 200,
          body: { success: true, conversation: singleJson(conversation) },
        }
      },
    },
    {
      method: 'GET',
      path: '/conversations/:conversationId/messages',
      scope: 'conversations/message.readonly',
      caller: 'location',
      handle(call) {
        const { lastMessageId, limit, type } = validated(messagesQuery, call.query)
        const page = pageOfMessages(named(call), lastMessageId, limit, type)
        const contact = world.contacts.get(page.conversation.contactId)
        return {
          status: 200,
          // Nested, unlike the published API: this is what the service sends.
          body: {
            messages: {
              lastMessageId: page.messages.at(-1)?.id,
              nextPage: page.hasMore,
              messages: page.messages.map((message) => messageJson(message, contact)),
            },
          },
        }
      },
    },
  ]
}

/** One thread is shown in fewer words than a found one. */
function singleJson(conversation: Conversation): Record<string, unknown> {
  return {
    id: conversation.id,
    contactId: conversation.contactId,
    locationId: conversation.locationId,
    deleted: false,
    inbox: true,
    unreadCount: conversation.unreadCount,
    starred: conversation.starred,
  }
}

function conversationFor(parts: SandboxParts, call: ApiCall): Conversation {
  const id = call.params['conversationId'] ?? ''
  const conversation = parts.world.conversations.get(id)
  if (!conversation) throw refuse(400, `Conversation with id ${id} not found`)
  if (conversation.locationId !== locationIdOf(call)) {
    throw refuse(403, 'The token does not have access to this location.')
  }
  return conversation
}

function shownConversation(parts: SandboxParts, conversation: Conversation): Record<string, unknown> {
  const contact = contactFor(parts.world, conversation.contactId, conversation.locationId)
  return conversationJson(conversation, contact)
}

/** Newest activity first unless asked otherwise. Index based, so it lags when the setting says so. */
function searched(parts: SandboxParts, query: SearchQuery): Conversation[] {
  const { world, settings } = parts
  const newestSeen = Date.now() - settings.searchLagMs
  const startAfter = query.startAfterDate === undefined ? undefined : Number(query.startAfterDate)
  const descending = query.sort === 'desc'
  return [...world.conversations.values()]
    .filter((conversation) => conversation.locationId === query.locationId)
    .filter((conversation) => conversation.dateAdded.getTime() <= newestSeen)
    .filter((conversation) => matchesQuery(parts, conversation, query))
    .filter((conversation) => {
      if (startAfter === undefined) return true
      const atMs = lastMessageMs(conversation)
      return descending ? atMs < startAfter : atMs > startAfter
    })
    .sort((a, b) => (descending ? 1 : -1) * (lastMessageMs(b) - lastMessageMs(a)))
}

function matchesQuery(parts: SandboxParts, conversation: Conversation, query: SearchQuery): boolean {
  const last = conversation.messages.at(-1)
  const contact = parts.world.contacts.get(conversation.contactId)
  const words = Object.values(contact?.text ?? {}).map((value) => value.toLowerCase())
  return (
    (query.id === undefined || conversation.id === query.id) &&
    (query.contactId === undefined || conversation.contactId === query.contactId) &&
    (query.query === undefined || words.some((word) => word.includes((query.query ?? '').toLowerCase()))) &&
    (query.lastMessageType === undefined || last?.messageType === query.lastMessageType) &&
    (query.lastMessageDirection === undefined || last?.direction === query.lastMessageDirection) &&
    (query.status !== 'unread' || conversation.unreadCount > 0) &&
    (query.status !== 'read' || conversation.unreadCount === 0) &&
    (query.status !== 'starred' || conversation.starred)
  )
}

function pageOfMessages(
  conversation: Conversation,
  lastMessageId: string | undefined,
  limit: number,
  type: string | undefined,
) {
  const types = type?.split(',')
  const newestFirst = conversation.messages
    .toReversed()
    .filter((message) => types?.includes(message.messageType) ?? true)
  const start = lastMessageId === undefined ? 0 : newestFirst.findIndex(({ id }) => id === lastMessageId) + 1
  const messages = newestFirst.slice(start, start + limit)
  return { conversation, messages, hasMore: start + limit < newestFirst.length }
}

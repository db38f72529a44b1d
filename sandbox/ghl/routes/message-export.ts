/** `GET /conversations/messages/export`: all messages of a location, by cursor. */
import { z } from 'zod'
import { type ApiAnswer, type ApiCall, type ApiRoute, checkLocation } from '../api.ts'
import { messageJson } from '../messages.ts'
import { refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { Message } from '../world.ts'

const text = z.string().optional()
const exportQuery = z.strictObject({
  locationId: z.string().min(1),
  limit: z.coerce.number().int().min(10).max(500).default(100),
  cursor: text,
  conversationId: text,
  contactId: text,
  channel: z.enum(['Call', 'SMS', 'Email', 'WhatsApp', 'Instagram', 'Facebook']).optional(),
  startDate: z.iso.datetime({ offset: true }).optional(),
  endDate: z.iso.datetime({ offset: true }).optional(),
  sortBy: z.enum(['createdAt', 'updatedAt']).default('createdAt'),
  sortOrder: z.enum(['asc', 'desc']).default('desc'),
})
type ExportQuery = z.infer<typeof exportQuery>

export function messageExportRoutes(parts: SandboxParts): ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/conversations/messages/export',
      scope: 'conversations/message.readonly',
      caller: 'location',
      handle: (call) => exported(parts, call),
    },
  ]
}

function exported({ world }: SandboxParts, call: ApiCall): ApiAnswer {
  const query = validated(exportQuery, call.query)
  checkLocation(call, query.locationId)
  const sign = query.sortOrder === 'asc' ? 1 : -1
  const found = [...world.messages.values()]
    .filter((message) => isWanted(message, query))
    .sort((a, b) => sign * (timeOf(a, query) - timeOf(b, query)) || a.id.localeCompare(b.id))
  const first = query.cursor === undefined ? 0 : afterCursor(found, query.cursor)
  const shown = found.slice(first, first + query.limit)
  const last = shown.at(-1)
  return {
    status: 200,
    body: {
      messages: shown.map((message) => messageJson(message, world.contacts.get(message.contactId))),
      ...(last && first + query.limit < found.length ? { nextCursor: cursorOf(last) } : {}),
      total: found.length,
    },
  }
}

function timeOf(message: Message, { sortBy }: ExportQuery): number {
  return (sortBy === 'createdAt' ? message.dateAdded : message.dateUpdated).getTime()
}

function isWanted(message: Message, query: ExportQuery): boolean {
  const atMs = timeOf(message, query)
  return (
    message.locationId === query.locationId &&
    (query.conversationId === undefined || message.conversationId === query.conversationId) &&
    (query.contactId === undefined || message.contactId === query.contactId) &&
    (query.channel === undefined || message.channel === query.channel) &&
    (query.startDate === undefined || atMs >= Date.parse(query.startDate)) &&
    (query.endDate === undefined || atMs <= Date.parse(query.endDate))
  )
}

/** Opaque to the client, as the real one is. */
function cursorOf(message: Message): string {
  return Buffer.from(JSON.stringify({ lastId: message.id })).toString('base64url')
}

function afterCursor(messages: readonly Message[], cursor: string): number {
  const index = messages.findIndex((message) => cursorOf(message) === cursor)
  if (index < 0) throw refuse(400, 'Invalid cursor')
  return index + 1
}

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { MessageStore } from '../bridge/storage.ts'
import { RequestError } from '../core/errors.ts'
import { type LocationId, parseGhlContactId, type SessionId } from '../core/ids.ts'
import type { Envelope, OutboundPart, WaContent } from '../core/message.ts'
import type { Database } from './database.ts'
import { addressColumns } from './person.ts'
import { ContactRow, MessageErrorRow, MessageRowSchema } from './rows.ts'
import type { Seal, SealedPlace } from './seal.ts'

const Accepted = z.enum(['enqueued', 'duplicate'])
const InboundWorkRow = z
  .object({ row: MessageRowSchema, content: z.string(), contact: ContactRow })
  .nullable()
const OutboundWorkRow = z
  .object({
    row: MessageRowSchema,
    content: z.string(),
    composed: z.string().nullable(),
    ghlContactId: z.string().transform(parseGhlContactId),
    contact: ContactRow.nullable(),
  })
  .nullable()
const GhlStatusRow = z
  .object({ status: z.enum(['pending', 'delivered', 'read', 'failed']), error: MessageErrorRow })
  .nullable()
const ComposedRow = z.object({ id: z.string(), composed: z.string() }).nullable()
const MessagePage = z.object({ messages: z.array(MessageRowSchema), lastSeq: z.string().nullable() })

/** What an outbound row holds sealed. */
interface OutboundContent {
  readonly part: OutboundPart
  readonly phone?: string
}

export interface MessageStoreDeps {
  readonly database: Database
  /** The same database, for writes that only a session's owner may make. */
  readonly owned: Database
  readonly seal: Seal
}

export function createMessageStore({ database, owned, seal }: MessageStoreDeps): MessageStore {
  return {
    async acceptInbound(envelope) {
      const id = randomUUID()
      const accepted = await owned.call('accept_inbound', {
        id,
        ...addressColumns(envelope.chat, envelope.chatAlt),
        locationId: envelope.locationId,
        sessionId: envelope.sessionId,
        waMessageId: envelope.waMessageId,
        author: envelope.author,
        fromMe: envelope.fromMe,
        pushName: envelope.pushName,
        kind: kindOf(envelope.content),
        content: seal.seal(
          contentOf(envelope.locationId, id),
          JSON.stringify({ ...envelope, sentAt: envelope.sentAt.getTime() }),
        ),
      })
      return Accepted.parse(accepted)
    },

    async acceptOutbound(message, parts) {
      const accepted = await database.call('accept_outbound', {
        locationId: message.locationId,
        ghlMessageId: message.ghlMessageId,
        ghlContactId: message.ghlContactId,
        ghlConversationId: message.ghlConversationId,
        parts: parts.map(({ part, waMessageId }, partNo) => {
          const id = randomUUID()
          const content: OutboundContent = {
            part,
            ...(message.phone !== undefined && { phone: message.phone }),
          }
          return {
            id,
            partNo,
            kind: part.kind,
            waMessageId,
            content: seal.seal(contentOf(message.locationId, id), JSON.stringify(content)),
          }
        }),
      })
      return Accepted.parse(accepted)
    },

    async findInboundWork(id) {
      const found = InboundWorkRow.parse(await database.call('find_inbound_work', { id }))
      if (found === null) return undefined
      const { row, content, contact } = found
      return { row, contact, envelope: openEnvelope(seal, contentOf(row.locationId, id), content) }
    },

    async findOutboundWork(id) {
      const found = OutboundWorkRow.parse(await database.call('find_outbound_work', { id }))
      if (found === null) return undefined
      const { row, ghlContactId, contact, composed } = found
      const opened = seal.openText(contentOf(row.locationId, id), found.content)
      const content = JSON.parse(opened) as OutboundContent // sealed by acceptOutbound, and nobody else can
      return {
        row,
        part: content.part,
        ghlContactId,
        phone: content.phone,
        contact: contact ?? undefined,
        composed:
          composed === null || row.sessionId === undefined
            ? undefined
            : seal.open(composedOf(row.sessionId, id), composed),
      }
    },

    async recordFiled(id, filed) {
      await database.call('record_filed', { id, ...filed })
    },

    async reserve(id, { sessionId, chat, composed }) {
      await owned.call('reserve', {
        id,
        sessionId,
        chat,
        composed: seal.seal(composedOf(sessionId, id), composed),
      })
    },

    async advance(sessionId, waMessageIds, to) {
      return z.number().parse(await owned.call('advance', { sessionId, waMessageIds, to }))
    },

    async markFailed(id, error) {
      await database.call('mark_failed', { id, error })
    },

    async findGhlStatus(location, ghlMessageId) {
      const answer = await database.call('find_ghl_status', { locationId: location, ghlMessageId })
      const found = GhlStatusRow.parse(answer)
      return found === null
        ? undefined
        : { status: found.status, ...(found.error !== undefined && { error: found.error }) }
    },

    async findComposed(sessionId, waMessageId) {
      const found = ComposedRow.parse(await database.call('find_composed', { sessionId, waMessageId }))
      return found === null ? undefined : seal.open(composedOf(sessionId, found.id), found.composed)
    },

    async isOurs(sessionId, waMessageId) {
      return z.boolean().parse(await database.call('is_ours', { sessionId, waMessageId }))
    },

    async list({ cursor, ...filter }) {
      if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) {
        throw new RequestError('REQUEST_INVALID', 'The cursor is not one that this list has given')
      }
      const answer = await database.call('list_messages', { ...filter, beforeSeq: cursor })
      const { messages, lastSeq } = MessagePage.parse(answer)
      return { messages, nextCursor: messages.length < filter.limit ? undefined : (lastSeq ?? undefined) }
    },
  }
}

const contentOf = (location: LocationId, id: string): SealedPlace => ({
  scope: `location:${location}`,
  kind: 'content',
  id,
})
// The number that a message was composed for is stored with it, and changes only together with the bytes.
const composedOf = (session: SessionId, id: string): SealedPlace => ({
  scope: `session:${session}`,
  kind: 'composed',
  id,
})

function kindOf(content: WaContent): string {
  switch (content.kind) {
    case 'text':
      return content.kind
    case 'media':
      return content.media.mediaKind
    case 'notice':
      return content.waKind
  }
}

function openEnvelope(seal: Seal, place: SealedPlace, sealed: string): Envelope {
  // Sealed by acceptInbound, and nobody else can.
  const stored = JSON.parse(seal.openText(place, sealed)) as Omit<Envelope, 'sentAt'> & { sentAt: number }
  return { ...stored, sentAt: new Date(stored.sentAt) }
}

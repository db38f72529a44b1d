import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { MessageView } from '../bridge/storage/message-rows.ts'
import type { ByHand, MessageStore } from '../bridge/storage/messages.ts'
import { RequestError } from '../core/errors.ts'
import {
  isGroupJid,
  type LocationId,
  parseGhlContactId,
  parseLocationId,
  parseSessionId,
  parseWaMessageId,
  type SessionId,
} from '../core/ids.ts'
import type { Envelope, OutboundPart, WaContent } from '../core/message.ts'
import type { Database } from './database.ts'
import { MessageViewRow, type Openings, viewOf } from './message-view.ts'
import { addressColumns } from './person.ts'
import {
  ContactRow,
  date,
  LedgerRow,
  locationId,
  MessageErrorRow,
  MessageRowSchema,
  OwedReadRow,
  optional,
  ViaRow,
} from './rows.ts'
import { ifItOpens, type Seal, type SealedPlace } from './seal.ts'
import { deliveryColumns } from './webhook-events.ts'

const AcceptedInbound = z.enum(['enqueued', 'duplicate'])
const AcceptedOutbound = z.enum(['enqueued', 'duplicate', 'held'])
const InboundWorkRow = z
  .object({ row: MessageRowSchema, content: z.string(), contact: ContactRow, via: ViaRow })
  .nullable()
const OutboundWorkRow = z
  .object({
    row: MessageRowSchema,
    content: z.string(),
    composed: z.string().nullable(),
    writtenAt: date,
    isReleased: z.boolean(),
    ghlContactId: z.string().transform(parseGhlContactId),
    contact: ContactRow.nullable(),
    hasWritten: z.boolean(),
  })
  .nullable()
const QuotedRow = z
  .object({
    id: z.string(),
    locationId: z.string().transform(parseLocationId),
    sessionId: z.string().transform(parseSessionId),
    origin: z.enum(['customer', 'phone', 'ghl']),
    waMessageId: z.string().transform(parseWaMessageId),
    author: z
      .string()
      .nullable()
      .transform((author) => author ?? undefined),
    fromMe: z.boolean(),
    content: z.string(),
    composed: z.string().nullable(),
  })
  .nullable()
const NoteWorkRow = z
  .object({
    row: MessageRowSchema,
    origin: z.enum(['customer', 'phone', 'ghl']),
    content: z.string(),
    says: z.enum(['died', 'recovered']),
    ghlContactId: z.string().transform(parseGhlContactId),
  })
  .nullable()
const OwedReadsRow = z.object({ locationId, messages: z.array(OwedReadRow) }).nullable()
const ByHandRow = z.object({ wasWaiting: z.boolean(), row: MessageViewRow }).nullable()
const WaitingRow = z.object({
  messages: z.number(),
  held: z.number(),
  locations: z.number(),
  upTo: optional(z.string()),
})
const SettledRow = z.object({ done: z.number(), lastSeq: optional(z.string()) })
const GhlStatusRow = z
  .object({ status: z.enum(['pending', 'delivered', 'read', 'failed']), error: MessageErrorRow })
  .nullable()
const ComposedRow = z.object({ id: z.string(), composed: z.string() }).nullable()
const OriginalRow = z
  .object({
    id: z.string(),
    origin: z.enum(['customer', 'phone', 'ghl']),
    content: z.string(),
    composed: z.string().nullable(),
  })
  .nullable()
const MessagePage = z.object({
  messages: z.array(MessageViewRow),
  lastSeq: z.string().nullable(),
  total: optional(z.number()),
})

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
  const openings: Openings = {
    phoneIn: (row, sealed) =>
      ifItOpens(() => openOutbound(seal, contentOf(row.locationId, row.id), sealed))?.phone,
    contentIn: (row, { origin, sealed }) => {
      const place = contentOf(row.locationId, row.id)
      return ifItOpens(() =>
        origin === 'ghl' ? openOutbound(seal, place, sealed).part : openEnvelope(seal, place, sealed).content,
      )
    },
  }
  const shown = (row: z.output<typeof MessageViewRow>): MessageView => viewOf(row, openings)
  const byHand = (answer: unknown): ByHand | undefined => {
    const found = ByHandRow.parse(answer)
    return found === null ? undefined : { wasWaiting: found.wasWaiting, row: shown(found.row) }
  }

  return {
    async acceptInbound(envelope) {
      const accept = isGroupJid(envelope.chat) ? 'accept_group_message' : 'accept_inbound'
      return AcceptedInbound.parse(await owned.call(accept, inboundColumns(seal, envelope)))
    },

    async acceptForeign(envelope) {
      return AcceptedInbound.parse(await database.call('accept_inbound', inboundColumns(seal, envelope)))
    },

    async acceptOutbound(message, parts, held) {
      const accepted = await database.call('accept_outbound', {
        ...deliveryColumns(seal, message),
        locationId: message.locationId,
        ghlMessageId: message.ghlMessageId,
        ghlContactId: message.ghlContactId,
        ghlConversationId: message.ghlConversationId,
        writtenAt: message.writtenAt?.getTime(),
        held,
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
      return AcceptedOutbound.parse(accepted)
    },

    async splitCaption(id, waMessageId) {
      const found = OutboundWorkRow.parse(await database.call('find_outbound_work', { id }))
      if (found === null) return
      const { locationId } = found.row
      const content = openOutbound(seal, contentOf(locationId, id), found.content)
      const { part } = content
      if (part.kind !== 'attachment' || part.caption === undefined) return
      const { caption: text, replyTo, ...file } = part
      const sealed = (forId: string, now: OutboundPart) =>
        seal.seal(contentOf(locationId, forId), JSON.stringify({ ...content, part: now }))
      const fileId = randomUUID()
      await database.call('split_caption', {
        id,
        captionContent: sealed(id, { kind: 'text', text, ...(replyTo !== undefined && { replyTo }) }),
        fileId,
        fileWaMessageId: waMessageId,
        fileContent: sealed(fileId, file),
      })
    },

    async findQuoted(id, waMessageId) {
      const found = QuotedRow.parse(await database.call('find_quoted', { id, waMessageId }))
      if (found === null) return undefined
      const { sessionId, origin, composed } = found
      const quote = { waMessageId: found.waMessageId, author: found.fromMe ? undefined : found.author }
      if (origin !== 'ghl') {
        const { content } = openEnvelope(seal, contentOf(found.locationId, found.id), found.content)
        return { sessionId, quote: { ...quote, original: { content } } }
      }
      if (composed === null) return undefined
      const original = { composed: seal.open(composedOf(sessionId, found.id), composed) }
      return { sessionId, quote: { ...quote, original } }
    },

    async findInboundWork(id) {
      const found = InboundWorkRow.parse(await database.call('find_inbound_work', { id }))
      if (found === null) return undefined
      const { row, content, contact, via } = found
      return { row, contact, via, envelope: openEnvelope(seal, contentOf(row.locationId, id), content) }
    },

    async findOutboundWork(id) {
      const found = OutboundWorkRow.parse(await database.call('find_outbound_work', { id }))
      if (found === null) return undefined
      const { row, ghlContactId, writtenAt, isReleased, contact, hasWritten, composed } = found
      const { part, phone } = openOutbound(seal, contentOf(row.locationId, id), found.content)
      return {
        row,
        part,
        writtenAt,
        isReleased,
        ghlContactId,
        phone,
        contact: contact ?? undefined,
        hasWritten,
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

    async giveUp({ jobId, token }, failure) {
      await database.call('give_up', { jobId, token, ...failure })
    },

    async hold(id, reason) {
      await database.call('hold', { id, held: reason })
    },

    async retryByHand(id) {
      return byHand(await database.call('retry_message', { id }))
    },

    async discardByHand(id, reason) {
      return byHand(await database.call('discard_message', { id, discarded: reason }))
    },

    async countWaiting(asked) {
      return WaitingRow.parse(await database.call('count_waiting', asked))
    },

    async settleWaiting(asked, batch, deed) {
      const args = {
        ...asked,
        ...batch,
        deed: deed.do,
        ...(deed.do === 'discard' && { discarded: deed.reason }),
      }
      const { done, lastSeq } = SettledRow.parse(await database.call('settle_waiting', args))
      return { done, after: lastSeq }
    },

    async oweReads(by) {
      const { until, ...named } = 'until' in by ? by : { ...by, until: undefined }
      await database.call('owe_reads', { ...named, ...(until !== undefined && { until: until.getTime() }) })
    },

    async findOwedReads(sessionId) {
      return OwedReadsRow.parse(await database.call('find_owed_reads', { sessionId })) ?? undefined
    },

    async settleReads(ids, isRead) {
      await database.call('settle_reads', { ids, isRead })
    },

    async findNoteWork(id) {
      const found = NoteWorkRow.parse(await database.call('find_note_work', { id }))
      if (found === null) return undefined
      const place = contentOf(found.row.locationId, id)
      const content =
        found.origin === 'ghl'
          ? openOutbound(seal, place, found.content).part
          : openEnvelope(seal, place, found.content).content
      return { ...found, content }
    },

    async recordNote(id, said) {
      await database.call('record_note', { id, said })
    },

    async recordToldFailed(location, ghlMessageId) {
      await database.call('record_told_failed', { locationId: location, ghlMessageId })
    },

    async find(id) {
      const found = MessageViewRow.nullable().parse(await database.call('find_message', { id }))
      return found === null ? undefined : shown(found)
    },

    async ledger(location, { from, to }) {
      const span = { fromMs: from.getTime(), toMs: to.getTime() }
      return LedgerRow.parse(await database.call('ledger', { locationId: location, ...span }))
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

    async findOriginal({ locationId, sessionId, waMessageId, chat, chatAlt }) {
      const address = addressColumns(chat, chatAlt)
      const answer = await database.call('find_original', { sessionId, waMessageId, ...address })
      const found = OriginalRow.parse(answer)
      if (found === null) return undefined
      const { id, origin } = found
      const place = contentOf(locationId, id)
      if (origin !== 'ghl') {
        const { content, author, pushName, authorPhone, secret } = openEnvelope(seal, place, found.content)
        return { origin, content, author, pushName, authorPhone, secret, composed: undefined }
      }
      return {
        origin,
        content: openOutbound(seal, place, found.content).part,
        author: undefined,
        secret: undefined,
        composed: found.composed === null ? undefined : seal.open(composedOf(sessionId, id), found.composed),
      }
    },

    async dropPlaceholder(id) {
      return z.boolean().parse(await database.call('drop_placeholder', { id }))
    },

    async isOurs(sessionId, waMessageId) {
      return z.boolean().parse(await database.call('is_ours', { sessionId, waMessageId }))
    },

    async list({ cursor, ...filter }) {
      if (cursor !== undefined && !/^\d{1,18}$/.test(cursor)) {
        throw new RequestError('REQUEST_INVALID', 'The cursor is not one that this list has given')
      }
      const answer = await database.call('list_messages', { ...filter, beforeSeq: cursor })
      const { messages, lastSeq, total } = MessagePage.parse(answer)
      const nextCursor = messages.length < filter.limit ? undefined : (lastSeq ?? undefined)
      return { messages: messages.map(shown), nextCursor, total }
    },
  }
}

/** A message from WhatsApp as the database takes it, under a new id. */
export function inboundColumns(seal: Seal, envelope: Envelope) {
  const id = randomUUID()
  return {
    id,
    ...addressColumns(envelope.chat, envelope.chatAlt),
    locationId: envelope.locationId,
    sessionId: envelope.sessionId,
    waMessageId: envelope.waMessageId,
    author: envelope.author,
    fromMe: envelope.fromMe,
    // A group is not called as the member who speaks.
    pushName: isGroupJid(envelope.chat) ? undefined : envelope.pushName,
    kind: kindOf(envelope.content),
    content: sealedEnvelope(seal, id, envelope),
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
  if (content.kind === 'media') return content.media.mediaKind
  return content.kind === 'notice' ? content.waKind : content.kind
}

const sealedEnvelope = (seal: Seal, id: string, envelope: Envelope): string =>
  seal.seal(
    contentOf(envelope.locationId, id),
    JSON.stringify({ ...envelope, sentAt: envelope.sentAt.getTime() }),
  )

function openOutbound(seal: Seal, place: SealedPlace, sealed: string): OutboundContent {
  return JSON.parse(seal.openText(place, sealed)) as OutboundContent // sealed by acceptOutbound, and nobody else can
}

function openEnvelope(seal: Seal, place: SealedPlace, sealed: string): Envelope {
  // Sealed by acceptInbound, and nobody else can.
  const stored = JSON.parse(seal.openText(place, sealed)) as Omit<Envelope, 'sentAt'> & { sentAt: number }
  return { ...stored, sentAt: new Date(stored.sentAt) }
}

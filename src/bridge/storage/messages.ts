/**
 * Bridged messages, and what becomes of them.
 *
 * What every store of this folder promises: one method is one transaction, safe to repeat with the same arguments, and
 * committed when it resolves. All of them throw {StoreError} `STORE_UNAVAILABLE` when the database cannot be reached; only
 * further errors are named below.
 */
import type {
  ChatJid,
  GhlContactId,
  GhlConversationId,
  GhlMessageId,
  LocationId,
  MessageId,
  SessionId,
  WaMessageId,
} from '../../core/ids.ts'
import type { AgentMessage, Envelope, GhlStatus, MessageState, OutboundPart } from '../../core/message.ts'
import type {
  InboundWork,
  MessageError,
  MessageReference,
  MessageView,
  NoteWork,
  Original,
  OutboundWork,
  OwedRead,
  QuotedMessage,
} from './message-rows.ts'
import type { Job } from './outbox.ts'

/** What a retry or a discard by hand found. */
export interface ByHand {
  /** False: the message is neither dead nor held (or its last attempt is not settled yet), and nothing was changed. */
  readonly wasWaiting: boolean
  readonly row: MessageView
}

/** A stretch of time in a location, mostly a day: what came, and what became of it by now. Counts WhatsApp messages. */
export interface Ledger {
  /** What WhatsApp brought, typed on the phone included: `received = inGhl + waiting + failed + discarded`. */
  readonly inbound: Readonly<Record<'received' | 'inGhl' | 'waiting' | 'failed' | 'discarded', number>>
  /**
   * What GHL gave us to send: `accepted = sent + failed + discarded + held + waiting`. What was delivered was sent too, what
   * was read was delivered too; what failed and was then discarded counts as discarded alone.
   */
  readonly outbound: Readonly<
    Record<'accepted' | 'sent' | 'delivered' | 'read' | 'failed' | 'discarded' | 'held' | 'waiting', number>
  >
}

export interface MessageStore {
  /**
   * Records a WhatsApp message once and enqueues its delivery to GHL on the chat's lane; settles the contact (joining
   * LID and PN rows that turn out to be one person), remembers the number written to, and marks the journal row of
   * this message as recorded. A message that is known already (any address form) is a `duplicate` and changes nothing.
   */
  acceptInbound(envelope: Envelope): Promise<'enqueued' | 'duplicate'>
  /** As {@link acceptInbound}, of another engine: behind it is no ratchet that only the session's owner may turn. */
  acceptForeign(envelope: Envelope): Promise<'enqueued' | 'duplicate'>
  /**
   * Records one agent's message once, by its id and by that of its delivery, cut into parts, each with the WhatsApp id it will be sent under, and enqueues
   * them in order on the contact's lane. With `held` (why) it is recorded and waits for a person instead.
   */
  acceptOutbound(
    message: AgentMessage,
    parts: readonly { readonly part: OutboundPart; readonly waMessageId: WaMessageId }[],
    held?: MessageError,
  ): Promise<'enqueued' | 'duplicate' | 'held'>
  /**
   * Makes the caption of an outbound file a message of its own, which takes the file's place and WhatsApp id; the file goes
   * to the end of the lane under `waMessageId`. Nothing happens to what has no caption or was composed already.
   */
  splitCaption(id: MessageId, waMessageId: WaMessageId): Promise<void>
  /** The message with this WhatsApp id in the chat of an outbound one, whoever wrote it. */
  findQuoted(id: MessageId, waMessageId: string): Promise<QuotedMessage | undefined>
  findInboundWork(id: MessageId): Promise<InboundWork | undefined>
  findOutboundWork(id: MessageId): Promise<OutboundWork | undefined>
  /** Notes where GHL filed an inbound message (or a message typed on the phone). */
  recordFiled(
    id: MessageId,
    filed: { ghlMessageId: GhlMessageId; ghlConversationId: GhlConversationId },
  ): Promise<void>
  /** Notes session, chat and the composed bytes of an outbound message, before it is sent for the first time. */
  reserve(
    id: MessageId,
    reserved: { sessionId: SessionId; chat: ChatJid; composed: Uint8Array },
  ): Promise<void>
  /**
   * Moves messages forward by a WhatsApp receipt (or the server's ack: `sent`), never back and never out of `failed`;
   * enqueues a status job for GHL for each one that moved and has a GHL message id. Unknown ids are passed over.
   * @returns how many moved.
   */
  advance(
    sessionId: SessionId,
    waMessageIds: readonly WaMessageId[],
    to: 'sent' | 'delivered' | 'read',
  ): Promise<number>
  /**
   * Ends the delivery of the job's message: dead letter, state `failed`, the status for GHL and a note for its people, in
   * one transaction. A message that a receipt has proved delivered stays so. Nothing happens when the claim was lost.
   */
  giveUp(job: Job, failure: MessageError & { readonly mayHaveHappened: boolean }): Promise<void>
  /** The outbound message is not to be sent without a person's word; its job may end. */
  hold(id: MessageId, reason: MessageError): Promise<void>
  /**
   * Enqueues a dead or held message again, at the end of its lane, under the WhatsApp id it has; `undefined` for an unknown
   * one. What earlier attempts may have done stays known, so that nothing is doubled.
   */
  retryByHand(id: MessageId): Promise<ByHand | undefined>
  /**
   * Drops a held message (`ignored`, and GHL is told with `reason`), or the dead letter of a failed one. `undefined` for an
   * unknown one.
   */
  discardByHand(id: MessageId, reason: MessageError): Promise<ByHand | undefined>
  /** How many wait for a person's word, how many of these are held, in how many locations, and the newest of them. */
  countWaiting(asked: WaitingQuery): Promise<Waiting>
  /** {@link retryByHand} or {@link discardByHand} for the oldest of them, a batch at a time, in one transaction. */
  settleWaiting(asked: WaitingQuery, batch: WaitingBatch, deed: WaitingDeed): Promise<WaitingSettled>
  /**
   * The agent has acted, so what the customer wrote is to be marked read on WhatsApp: what stood in GHL when the answer
   * reached us, or (for a conversation that was opened) at `until`. Enqueues one job for each number he wrote to.
   */
  oweReads(
    by:
      | { readonly answeredBy: MessageId }
      | { readonly locationId: LocationId; readonly ghlContactId: GhlContactId; readonly until: Date },
  ): Promise<void>
  /** What is to be marked read by this number now, oldest first, some hundred at a time; `undefined` for a number that is gone. */
  findOwedReads(
    sessionId: SessionId,
  ): Promise<{ readonly locationId: LocationId; readonly messages: readonly OwedRead[] } | undefined>
  /** They are marked read (`isRead`), or are not to be after all. */
  settleReads(ids: readonly MessageId[], isRead: boolean): Promise<void>
  /** What a note is to say now; `undefined` when there is nothing to say, or no GHL contact to say it at. */
  findNoteWork(id: MessageId): Promise<NoteWork | undefined>
  /** The note stands in the conversation; enqueues the next one when the message has moved on meanwhile. */
  recordNote(id: MessageId, said: NoteWork['says']): Promise<void>
  /** GHL shows failed now, for good: {@link findGhlStatus} has nothing more to tell. */
  recordToldFailed(locationId: LocationId, ghlMessageId: GhlMessageId): Promise<void>
  find(id: MessageId): Promise<MessageView | undefined>
  /** Live messages that came in that time (`to` is not included); those imported from the past are not counted. */
  ledger(locationId: LocationId, span: { readonly from: Date; readonly to: Date }): Promise<Ledger>
  /**
   * What GHL should be told about one of its messages now: the furthest state that all its parts have reached, `failed`
   * when any part failed or was discarded. `undefined` for nothing (more) to tell.
   */
  findGhlStatus(
    locationId: LocationId,
    ghlMessageId: GhlMessageId,
  ): Promise<{ status: GhlStatus; error?: MessageError } | undefined>
  /** The composed bytes of a message we sent, by WhatsApp id alone: receipts name the chat in any form. */
  findComposed(sessionId: SessionId, waMessageId: WaMessageId): Promise<Uint8Array | undefined>
  /** A message of either direction by WhatsApp id within one chat; `undefined` when the bridge has not carried it. */
  findOriginal(reference: MessageReference): Promise<Original | undefined>
  /** Forgets a placeholder that has not reached GHL: its message has come. False when it has. */
  dropPlaceholder(id: MessageId): Promise<boolean>
  /** True when this WhatsApp id is one that we reserved for sending: its echo is not an own-device message. */
  isOurs(sessionId: SessionId, waMessageId: WaMessageId): Promise<boolean>
  /** Newest first unless told otherwise. `cursor` is the `nextCursor` of the page before; `total` is there with `waitsFor`. */
  list(query: MessageQuery): Promise<{
    messages: readonly MessageView[]
    nextCursor: string | undefined
    total: number | undefined
  }>
}

/** Failed or held messages that nobody has discarded. */
export interface WaitingQuery {
  /** Both when absent. */
  readonly state?: 'failed' | 'held'
  readonly locationId?: LocationId
  readonly sessionId?: SessionId
}

export interface Waiting {
  readonly messages: number
  /** How many of them are held. */
  readonly held: number
  readonly locations: number
  /** Names the newest; undefined when there is none. */
  readonly upTo: string | undefined
}

export type WaitingDeed = { readonly do: 'retry' } | { readonly do: 'discard'; readonly reason: MessageError }

export interface WaitingBatch {
  readonly limit: number
  /** As {@link Waiting} named it: what came later is left alone. */
  readonly upTo?: string
  /** As the batch before named it: one that failed again is not met twice. */
  readonly after?: string
}

export interface WaitingSettled {
  readonly done: number
  /** Where the next batch begins; undefined after the last. */
  readonly after: string | undefined
}

export interface MessageQuery {
  readonly state?: MessageState
  /** For a person: failed or held, and not discarded. For its delivery: what is live and on its way. */
  readonly waitsFor?: 'person' | 'delivery'
  readonly oldestFirst?: boolean
  /** Opens what each says: it is sealed otherwise. */
  readonly withContent?: boolean
  readonly locationId?: LocationId
  readonly sessionId?: SessionId
  /** 1 to 200. */
  readonly limit: number
  readonly cursor?: string
}

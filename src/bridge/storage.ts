/**
 * What must survive a kill, and the promises of the store. One method is one transaction, safe to repeat with the same
 * arguments, and committed when it resolves. All of them throw {StoreError} `STORE_UNAVAILABLE` when the database
 * cannot be reached; only further errors are named below.
 */
import type {
  ChatJid,
  ContactId,
  GhlContactId,
  GhlConversationId,
  GhlMessageId,
  LidJid,
  LocationId,
  MessageId,
  PnJid,
  SessionId,
  WaMessageId,
} from '../core/ids.ts'
import type {
  AgentMessage,
  Direction,
  Envelope,
  GhlStatus,
  MessageState,
  OutboundPart,
  Quote,
  SessionNotice,
  SessionProblem,
  SessionStatus,
  WaContent,
} from '../core/message.ts'
import type { LocationSettings } from '../core/settings.ts'

/** A person or group of one location; LID and PN joined here and nowhere else. */
export interface Contact {
  readonly contactId: ContactId
  readonly locationId: LocationId
  readonly lid: LidJid | undefined
  readonly pn: PnJid | undefined
  /** The address to answer to: the form WhatsApp used last. */
  readonly chat: ChatJid | undefined
  readonly pushName: string | undefined
  readonly ghlContactId: GhlContactId | undefined
  /** The number of ours that the person wrote to last. */
  readonly lastSessionId: SessionId | undefined
  /** The last message filed in GHL for a person without a live GHL contact: it tells where GHL has merged him. */
  readonly lastFiled?: GhlMessageId
}

/** One bridged message as everybody may see it: no body. */
export interface MessageRow {
  readonly id: MessageId
  readonly locationId: LocationId
  readonly sessionId: SessionId | undefined
  readonly contactId: ContactId | undefined
  readonly direction: Direction
  readonly kind: string
  readonly state: MessageState
  readonly chat: ChatJid | undefined
  readonly waMessageId: WaMessageId | undefined
  readonly ghlMessageId: GhlMessageId | undefined
  readonly attempts: number
  readonly nextAttemptAt: Date | undefined
  readonly error: MessageError | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Whom a message is from or for. */
export interface MessageContact {
  /** Of a person: as he calls himself on WhatsApp. Of a group: its subject. */
  readonly name: string | undefined
  /** E.164. */
  readonly phoneNumber: string | undefined
  readonly isGroup: boolean
}

/** A message as people see it: with a name, and with what it waits for. */
export interface MessageView extends MessageRow {
  readonly contact: MessageContact | undefined
  /** While it is on its way. */
  readonly queue:
    | {
        /** How many messages of the same chat go before it. */
        readonly ahead: number
        /** What the first of them met last; a park's reason, too. */
        readonly reason: { readonly code: string; readonly message: string } | undefined
      }
    | undefined
  /** From GHL or of history: when it was written, by the clock of where it was written. */
  readonly writtenAt: Date | undefined
  /** When a person said to drop it. */
  readonly discardedAt: Date | undefined
  /** What it says; for {@link MessageQuery.withContent} only. */
  readonly content: WaContent | OutboundPart | undefined
}

export interface MessageError {
  readonly code: string
  readonly message: string
  readonly action?: string
}

/** An inbound message that waits for GHL, opened by its worker. */
export interface InboundWork {
  readonly row: MessageRow
  readonly envelope: Envelope
  readonly contact: Contact
  readonly via: Via
}

/** The number of ours that a message came by. */
export interface Via {
  readonly name: string | undefined
  /** E.164. */
  readonly phoneNumber: string | undefined
  /** How many numbers of the location are linked. */
  readonly numbers: number
}

/** A customer's message as a read receipt names it. */
export interface OwedRead {
  readonly id: MessageId
  readonly chat: ChatJid
  /** As in {@link Envelope}. */
  readonly author: string
  readonly waMessageId: WaMessageId
}

/** An outbound WhatsApp message that waits to be sent. */
export interface OutboundWork {
  readonly row: MessageRow
  readonly part: OutboundPart
  /** When the agent wrote it, by GHL's clock. */
  readonly writtenAt: Date
  /** A person has said to send it, whatever its age. */
  readonly isReleased: boolean
  readonly ghlContactId: GhlContactId
  /** E.164 as GHL's delivery said it. */
  readonly phone: string | undefined
  /** The WhatsApp contact behind the GHL contact, once known. */
  readonly contact: Contact | undefined
  /** The person has written to us before, so the chat is certainly his. */
  readonly hasWritten: boolean
  /** WhatsApp's protobuf of an earlier attempt: send exactly this again. */
  readonly composed: Uint8Array | undefined
}

/** A message that another one answers. */
export interface QuotedMessage {
  readonly sessionId: SessionId
  readonly quote: Quote
}

/** Something that the people in a contact's GHL conversation should hear about a message. */
export interface NoteWork {
  readonly row: MessageRow
  /** `died`: it was given up. `recovered`: given up, tried again by hand, and through. */
  readonly says: 'died' | 'recovered'
  /** customer: written to us; phone: typed on the business' own device; ghl: written by an agent or a workflow. */
  readonly origin: 'customer' | 'phone' | 'ghl'
  readonly content: OutboundPart | WaContent
  readonly ghlContactId: GhlContactId
}

/** Names a message as another one does that is about it. */
export type MessageReference = Pick<Envelope, 'locationId' | 'sessionId' | 'chat' | 'chatAlt' | 'waMessageId'>

/** The message that a reaction, an edit, a deletion or a vote is about. */
export interface Original {
  /** As in {@link NoteWork}. */
  readonly origin: NoteWork['origin']
  readonly content: OutboundPart | WaContent
  /** Who wrote it, as the stanza named him; `undefined` for `ghl`. */
  readonly author: string | undefined
  /** As in {@link Envelope}, of what a customer wrote. */
  readonly pushName?: string | undefined
  readonly authorPhone?: string | undefined
  /** As in {@link Envelope}; what we sent has it inside `composed`. */
  readonly secret: string | undefined
  /** WhatsApp's protobuf of what we sent. */
  readonly composed: Uint8Array | undefined
}

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

export interface SettingsStore {
  /** What holds for the location now. A change made on any node is seen within a second. */
  read(locationId: LocationId): Promise<LocationSettings>
  /**
   * Changes what the patch names and answers what holds then. Give only values that {@link LocationSettings} allows.
   *
   * @throws {RequestError} `SESSION_UNKNOWN` when the number to pin is not one of the location's: nothing is changed.
   */
  write(locationId: LocationId, patch: Partial<LocationSettings>): Promise<LocationSettings>
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
  /** How many wait for a person's word, in how many locations, and the newest of them. */
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
  readonly state: 'failed' | 'held'
  readonly locationId?: LocationId
  readonly sessionId?: SessionId
}

export interface Waiting {
  readonly messages: number
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

/** What a GHL contact lacks because WhatsApp had not told it when the contact was made. */
export interface Owed {
  readonly owesPhone: boolean
  readonly owesName: boolean
}

export interface SplitContacts {
  /** One person, and other GHL contacts that were his; they may be gone. */
  readonly several: readonly { readonly contact: Contact; readonly others: readonly GhlContactId[] }[]
  /** Several people with one GHL contact. */
  readonly shared: readonly { readonly ghlContactId: GhlContactId; readonly contacts: readonly Contact[] }[]
  /** A number that came with another LID than before. */
  readonly moved: readonly { readonly former: Contact; readonly owner: Contact }[]
  /** A person whose number is on another GHL contact than his thread. */
  readonly held: readonly { readonly contact: Contact; readonly holder: GhlContactId }[]
}

export interface ContactStore {
  /**
   * Joins our contact with its GHL contact; also replaces a dead GHL id after a merge. What it still owes the GHL contact
   * becomes a job as soon as it is known.
   */
  linkGhl(contactId: ContactId, ghlContactId: GhlContactId, owed?: Partial<Owed>): Promise<void>
  /** Forgets a GHL contact that GHL says is gone, so that it is looked up again. */
  unlinkGhl(locationId: LocationId, ghlContactId: GhlContactId): Promise<void>
  /**
   * Joins a GHL contact with an address found on WhatsApp and returns the contact, new or known. A person who has a GHL
   * contact keeps it; the other one is remembered beside it.
   */
  settle(
    locationId: LocationId,
    person: { chat: ChatJid; alt?: ChatJid; ghlContactId: GhlContactId },
  ): Promise<Contact>
  /** WhatsApp says which number belongs to which LID: joins the people we have met. Answers how many were joined. */
  learn(locationId: LocationId, pairs: readonly { lid: LidJid; pn: PnJid }[]): Promise<number>
  /** What can be paid now; `undefined` for nothing. */
  findOwed(contactId: ContactId): Promise<({ readonly contact: Contact } & Owed) | undefined>
  /** @param phoneHolder the other GHL contact that has the number already. */
  recordPaid(
    contactId: ContactId,
    ghlContactId: GhlContactId,
    paid: Owed & { readonly phoneHolder?: GhlContactId },
  ): Promise<void>
  /** People who exist twice, or may, newest first, at most 500 of each kind. */
  listSplit(locationId: LocationId): Promise<SplitContacts>
}

/** What a job does: the lane's kind of work. */
export type JobKind = 'inbound' | 'outbound' | 'ghl_status' | 'note' | 'contact' | 'read'

/** One claimed job. It is ours until the lease ends; `token` proves it. */
export interface Job {
  readonly jobId: string
  readonly lane: string
  readonly locationId: LocationId
  readonly token: string
  readonly kind: JobKind
  /**
   * The message for `inbound`, `outbound` and `note`; `<locationId>/<ghlMessageId>` for `ghl_status`; our contact for
   * `contact`; the session for `read`.
   */
  readonly subject: string
  /** This attempt included. */
  readonly attempts: number
  /** An earlier attempt may have had its effect (it crashed, or failed with certainty `unknown`). */
  readonly mayHaveHappened: boolean
}

export interface Claim {
  readonly jobs: readonly Job[]
  /** Milliseconds until the next lane can be claimed; undefined when none waits, or only for a location's full hands. */
  readonly nextInMs: number | undefined
}

/** How many jobs of one location the claimer has in hand at most, and how many it has. */
export interface ClaimShare {
  readonly perLocation: number
  readonly inHand: ReadonlyMap<LocationId, number>
}

/** What has become well again; the codes of the failures that it caused begin with it. */
export type Cure = 'WA' | 'GHL'

/** Lanes + jobs: strict order in a lane, lanes independent of each other (storage.md 4). */
export interface Outbox {
  /**
   * Takes the oldest job of up to `limit` ready lanes of these locations (of all, when none are named), for `leaseMs`;
   * within `share`, those first whose location has fewest.
   */
  claim(limit: number, leaseMs: number, locations?: readonly LocationId[], share?: ClaimShare): Promise<Claim>
  /** Keeps a job for `leaseMs` from now. False when the claim was lost: somebody else has the job. */
  extend(job: Job, leaseMs: number): Promise<boolean>
  /** Ends the job and hands back the lane's next one, leased anew, if there is one. A lost lease changes nothing. */
  complete(job: Job, leaseMs: number): Promise<Job | undefined>
  /** The attempt failed: the lane waits `retryInMs`, then the same job comes again. */
  retry(
    job: Job,
    retryInMs: number,
    failure: { code: string; message: string; mayHaveHappened: boolean },
  ): Promise<void>
  /** Waits for an outside change without spending the attempt; {@link wake} ends the wait early. */
  park(job: Job, parkMs: number, reason: { code: string; message: string }): Promise<void>
  /** Gives the job up and keeps it as a dead letter; the lane goes on. */
  bury(job: Job, failure: { code: string; message: string }): Promise<void>
  /**
   * Makes a location's parked lanes ready now. With `cured` (a number, or GHL, is well again) also those that back off
   * because of it.
   */
  wake(locationId: LocationId, cured?: Cure): Promise<void>
  /** Waiting jobs by state, for health pages. */
  depth(): Promise<{ waiting: number; parked: number; dead: number }>
}

export interface SessionRow {
  readonly sessionId: SessionId
  readonly locationId: LocationId
  readonly status: SessionStatus
  /** E.164. */
  readonly phoneNumber: string | undefined
  readonly lid: LidJid | undefined
  readonly name: string | undefined
  readonly isDefault: boolean
  readonly problem: SessionProblem | undefined
  readonly notice: SessionNotice | undefined
  /** When it connects again by itself; undefined while that is not planned. */
  readonly nextAttemptAt: Date | undefined
  /** E.164; pairing any other number is undone. */
  readonly expectedPhone: string | undefined
  /** What is to be scanned or typed right now. Sealed at rest. */
  readonly live: Invitation | undefined
  readonly wish: SessionWish | undefined
  readonly lastSeenAt: Date | undefined
  /** When the device was linked last; undefined before the first time. */
  readonly pairedAt: Date | undefined
  readonly createdAt: Date
}

/** How to pair at this moment: the QR's text, or the code to type. */
export interface Invitation {
  readonly qr?: string
  readonly pairingCode?: string
  /** ISO 8601: until when it can be used. */
  readonly expiresAt?: string
}

/** What a session's owner is asked to do. `codeFor` (E.164) asks for a pairing code instead of a QR. */
export type SessionWish =
  | { readonly id: string; readonly kind: 'pair'; readonly codeFor?: string }
  | { readonly id: string; readonly kind: 'restart' | 'log_out' }

/** `name` is WhatsApp's: one that is there already stays. */
export type SessionPatch = Partial<
  Pick<SessionRow, 'status' | 'phoneNumber' | 'lid' | 'name' | 'lastSeenAt' | 'pairedAt'>
> & {
  /** `null` clears it. */
  readonly problem?: SessionProblem | null
  /** `null` clears it. */
  readonly notice?: SessionNotice | null
  /** `null` clears it. */
  readonly nextAttemptAt?: Date | null
  /** `null` clears it. */
  readonly live?: Invitation | null
}

export interface SessionEdit {
  readonly name?: string | null
  readonly isDefault?: true
}

export interface SessionStore {
  /** The first number of a location is its default. */
  create(session: {
    sessionId: SessionId
    locationId: LocationId
    expectedPhone?: string
    wish?: SessionWish
  }): Promise<SessionRow>
  find(sessionId: SessionId): Promise<SessionRow | undefined>
  list(locationId?: LocationId): Promise<readonly SessionRow[]>
  /** The sessions of these locations. */
  listOf(locationIds: readonly LocationId[]): Promise<readonly SessionRow[]>
  update(sessionId: SessionId, patch: SessionPatch): Promise<void>
  /**
   * What people change, on any node: the name (`null` clears it), and which number is the location's default: the others
   * cease to be it. False when the location has no such number.
   */
  edit(locationId: LocationId, sessionId: SessionId, change: SessionEdit): Promise<boolean>
  /** Asks the owner, on whichever node, to do something. A newer wish replaces one that was not begun. */
  wish(sessionId: SessionId, wish: SessionWish): Promise<void>
  /** Of these locations, those with a wish that waits: one question for all that a node works for. */
  wished(locations: readonly LocationId[]): Promise<readonly LocationId[]>
  /** The owner begins to fulfil it. False when another wish has taken its place. */
  takeWish(sessionId: SessionId, wishId: string): Promise<boolean>
  /** Removes credentials, Signal keys and journal; the row stays, as messages name it. */
  forgetCredentials(sessionId: SessionId): Promise<void>
  /** When it was the default, the oldest number that is left becomes it. */
  remove(sessionId: SessionId): Promise<void>
  createPairingLink(tokenHash: string, sessionId: SessionId, ttlMs: number): Promise<void>
  /** The session a pairing link is for, `undefined` when unknown or older than its time. */
  findPairingLink(tokenHash: string): Promise<{ sessionId: SessionId; expiresAt: Date } | undefined>
}

/** One Signal key (or `null` to delete it), as Baileys names them. Values are JSON text. */
export interface SignalKeyWrite {
  readonly kind: string
  readonly id: string
  readonly value: string | null
}

/** A decrypted stanza, kept until its message is recorded. `entry` is JSON text of the WhatsApp adapter's own making. */
export interface JournalWrite {
  readonly waMessageId: string
  /** The author as the stanza names it: ids are unique only per sender. */
  readonly sender: string
  readonly entry: string
}

export interface SignalStore {
  loadCredentials(sessionId: SessionId): Promise<string | undefined>
  read(sessionId: SessionId, kind: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  /**
   * Everything in one transaction: keys, credentials and journal rows. When it resolves, all of it is durable; values
   * are sealed before they leave the process.
   */
  write(
    sessionId: SessionId,
    change: {
      readonly keys?: readonly SignalKeyWrite[]
      readonly credentials?: string
      readonly journal?: readonly JournalWrite[]
    },
  ): Promise<void>
  /** Journal entries whose message is not recorded yet, oldest first. */
  readJournal(sessionId: SessionId): Promise<readonly JournalWrite[]>
  /** The plaintext of a stanza that Signal can decrypt only once. */
  findJournal(sessionId: SessionId, waMessageId: string, sender: string): Promise<string | undefined>
  /** The stanza needs no message (protocol noise and the like): its journal row is settled. */
  settleJournal(sessionId: SessionId, waMessageId: string, sender: string): Promise<void>
}

/** The right to work for a location. A later owner's `fence` is always higher. */
export interface Lease {
  readonly locationId: LocationId
  readonly fence: string
}

/** Leases of nodes on locations; expiry by the database's clock. */
export interface LeaseStore {
  /**
   * Renews every lease of the node, takes its share of the free locations, and says how many are more than its share.
   *
   * @param beat `isAlone`: nobody else can be using this store, so that a lease of another node is a dead one's.
   */
  tend(beat: {
    node: string
    ttlMs: number
    isAlone: boolean
  }): Promise<{ readonly held: readonly Lease[]; readonly excess: number }>
  /** Gives leases back before their time: these, or all of the node's. */
  release(node: string, locations?: readonly LocationId[]): Promise<void>
}

/** Under which fence this node writes for a session; what the leases say goes in here. */
export interface Fences {
  grant(lease: Lease): void
  revoke(location: LocationId): void
}

/**
 * What the bridge needs from the world, and what the adapters promise. Only methods that are called stand here.
 * The durable side is in `storage.ts`.
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
  Direction,
  GhlStatus,
  MediaFile,
  MessageState,
  Quote,
  SessionNotice,
  SessionProblem,
  SessionStatus,
  WaMedia,
} from '../core/message.ts'
import type { OwedRead } from './storage/message-rows.ts'
import type {
  Ledger,
  MessageQuery,
  Waiting,
  WaitingBatch,
  WaitingQuery,
  WaitingSettled,
} from './storage/messages.ts'
import type { SessionEdit } from './storage/sessions.ts'

/** A message for a GHL conversation, as the inbound endpoint takes it (ghl.md 4.1). */
export interface GhlInboundMessage {
  readonly locationId: LocationId
  readonly ghlContactId: GhlContactId
  readonly direction: Direction
  /** WhatsApp's id. A label at GHL, never a key: GHL stores a repeated one twice. */
  readonly altId: WaMessageId
  readonly text: string
  /** URLs that GHL can reach; empty for none. */
  readonly attachments: readonly string[]
  /** When it was sent on WhatsApp; undefined lets GHL stamp it with its own time of arrival. */
  readonly sentAt?: Date
}

/** Where GHL filed a message. */
export interface GhlFiling {
  readonly ghlMessageId: GhlMessageId
  readonly ghlConversationId: GhlConversationId
}

export interface GhlConversations {
  /**
   * Adds a message to the contact's conversation without sending anything.
   *
   * @throws {GhlError} `GHL_CONTACT_NOT_FOUND` when the contact was deleted or merged; `GHL_TIMEOUT` with certainty
   * `unknown`: look with {@link findByAltId} before repeating; otherwise as the client settles it.
   */
  addInbound(message: GhlInboundMessage): Promise<GhlFiling>
  /**
   * The message with this altId in the contact's conversation, `undefined` when it is not there.
   * The only way to learn the outcome of an {@link addInbound} whose answer was lost.
   *
   * @param since when it was sent: it cannot be filed under an earlier date, and no further back is looked.
   */
  findByAltId(
    locationId: LocationId,
    contact: GhlContactId,
    altId: WaMessageId,
    since: Date,
  ): Promise<GhlFiling | undefined>
  /**
   * Sets the status of a message that GHL gave us to send. Repeatable.
   *
   * @throws {GhlError} `GHL_STATUS_TOO_EARLY` in the first seconds after the delivery (retry); it is also GHL's answer
   * for a message of another provider, so give up after a minute or two.
   */
  setStatus(update: GhlStatusUpdate): Promise<void>
  /**
   * Adds a comment that only the team sees; nothing is sent to the contact.
   *
   * @throws {GhlError} as {@link addInbound}; after certainty `unknown` look with {@link hasNote}.
   */
  addNote(note: GhlNote): Promise<void>
  /** True when this very text was added to the contact's conversation after `since`. */
  hasNote(note: GhlNote, since: Date): Promise<boolean>
  /** Uploads one file for a conversation and returns its public URL. */
  upload(locationId: LocationId, contact: GhlContactId, file: MediaFile): Promise<string>
}

export interface GhlNote {
  readonly locationId: LocationId
  readonly ghlContactId: GhlContactId
  readonly text: string
}

export interface GhlStatusUpdate {
  readonly locationId: LocationId
  readonly ghlMessageId: GhlMessageId
  readonly status: GhlStatus
  /** Required by GHL when `failed`: an agent reads the message. */
  readonly error?: { readonly code: string; readonly type: string; readonly message: string }
}

export interface GhlContacts {
  /**
   * The contact with this number, made when there is none. Sends the number only, so that nothing a person typed is
   * overwritten; `name` is written afterwards, and only when the contact is new or has no name.
   *
   * @param phone E.164 with `+`; undefined for a person whose number WhatsApp hides: then a contact without phone is
   * created, so call it once per person.
   */
  findOrCreate(
    locationId: LocationId,
    phone: string | undefined,
    name: string | undefined,
  ): Promise<GhlContactId>
  /**
   * The contact's number in E.164, `undefined` when it has none or the contact is gone.
   *
   * @param near a number (E.164) in whose country a number without country code is read.
   */
  findPhone(locationId: LocationId, contact: GhlContactId, near?: string): Promise<string | undefined>
  /**
   * Gives a contact that was made without them its number and name, where people have typed none. Repeatable.
   *
   * @returns the other contact that has the number already, when GHL therefore keeps it from this one.
   * @throws {GhlError} `GHL_CONTACT_NOT_FOUND`; otherwise as the client settles it.
   */
  complete(
    locationId: LocationId,
    contact: GhlContactId,
    known: { readonly phone?: string; readonly name?: string },
  ): Promise<{ readonly phoneHolder?: GhlContactId }>
  /**
   * The contact in whose conversation a message stands now: where GHL has merged its first one. `undefined` when message
   * or contact are gone.
   */
  findSurvivor(locationId: LocationId, message: GhlMessageId): Promise<GhlContactId | undefined>
  /** False when the contact was deleted or merged away. */
  exists(locationId: LocationId, contact: GhlContactId): Promise<boolean>
}

export interface GhlAttachments {
  /**
   * Opens an agent's attachment. Refuses private addresses, follows redirects with the same checks, sniffs the type.
   *
   * @throws {MediaError} `MEDIA_ADDRESS_REFUSED`, `MEDIA_TOO_LARGE` (dead), `MEDIA_FETCH_FAILED` (retry).
   */
  open(url: string): Promise<MediaFile>
}

/** What can be sent on WhatsApp. The adapter turns it into WhatsApp's own message, uploads included. */
export type WaOutgoing =
  | { readonly kind: 'text'; readonly text: string; readonly quote?: Quote }
  | {
      readonly kind: 'file'
      readonly file: MediaFile
      readonly caption?: string
      readonly quote?: Quote
    }

export interface WhatsAppNumbers {
  /** True while the number can send. */
  isReady(session: SessionId): boolean
  /**
   * The person's address on WhatsApp, `undefined` when the number is not on WhatsApp. Asks WhatsApp, for a first contact.
   *
   * @throws {WhatsAppError} `WA_OFFLINE` when the session is not ready, `WA_REACHOUT_LOCKED`.
   */
  findOnWhatsApp(session: SessionId, phone: PnJid): Promise<{ chat: ChatJid; alt?: ChatJid } | undefined>
  /**
   * The group as WhatsApp knows it now, `undefined` for a chat that is none. Asks WhatsApp once per connection and change.
   *
   * @throws {WhatsAppError} `WA_OFFLINE`, `WA_NOT_IN_GROUP`.
   */
  findGroup(session: SessionId, chat: ChatJid): Promise<{ subject: string } | undefined>
  /**
   * Encodes a message (and uploads its file) without sending it: WhatsApp's own protobuf bytes, to be stored before
   * {@link send} and after a crash sent again unchanged.
   */
  compose(session: SessionId, chat: ChatJid, message: WaOutgoing): Promise<Uint8Array>
  /**
   * Sends composed bytes under the given id and resolves when WhatsApp's server has acknowledged that id on the wire.
   * Repeatable with the same id: WhatsApp shows it once.
   *
   * @throws {WhatsAppError} `WA_OFFLINE` (certainly not sent), `WA_SEND_TIMEOUT` (unknown), `WA_SEND_REJECTED`,
   * `WA_DEVICES_STALE`, `WA_REACHOUT_LOCKED` by the server's ack; the latter also without asking, where it was refused before.
   */
  send(session: SessionId, chat: ChatJid, id: WaMessageId, composed: Uint8Array): Promise<void>
  /**
   * Tells the senders that their messages were read. Repeatable.
   *
   * @throws {WhatsAppError} `WA_OFFLINE`.
   */
  markRead(session: SessionId, messages: readonly OwedRead[]): Promise<void>
  /** A fresh message id in WhatsApp's own form. */
  newMessageId(): WaMessageId
  /**
   * Opens a file that a customer sent, decrypted and checked against its hash as it is read.
   *
   * @throws {MediaError} `MEDIA_GONE`, `MEDIA_FETCH_FAILED`.
   */
  openMedia(session: SessionId, media: WaMedia): Promise<MediaFile>
}

/** A message as everybody may see it (design.md 3): no body. Times are ISO 8601, null stands for absent. */
export interface MessageSnapshot {
  readonly id: MessageId
  readonly locationId: LocationId
  readonly sessionId: SessionId | null
  readonly direction: Direction
  readonly kind: string
  readonly state: MessageState
  readonly chat: ChatJid | null
  readonly waMessageId: WaMessageId | null
  readonly ghlMessageId: GhlMessageId | null
  readonly attempts: number
  readonly nextAttemptAt: string | null
  readonly error: { readonly code: string; readonly message: string; readonly action: string | null } | null
  /** Whom it is from or for; null when nothing is known. The number is E.164. */
  readonly contact: {
    readonly name: string | null
    readonly phoneNumber: string | null
    readonly isGroup: boolean
  } | null
  /** While it is on its way: how many of its chat go before it, and what the first of them met last. */
  readonly queue: {
    readonly ahead: number
    readonly reason: { readonly code: string; readonly message: string } | null
  } | null
  /** When it was written, where that is known apart from when it reached us. */
  readonly writtenAt: string | null
  /** When a person said to drop it. */
  readonly discardedAt: string | null
  /** Its first words, or what it is; null for whoever may not read them, and where nothing was asked to be read. */
  readonly preview: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

/** The messages of all locations, for the routes and pages that people use. */
export interface MessageDesk {
  /**
   * Newest first unless told otherwise; `total` where the query says what they wait for.
   *
   * @throws {RequestError} `REQUEST_INVALID` for a cursor that no page gave.
   */
  list(query: MessageQuery): Promise<{
    readonly messages: readonly MessageSnapshot[]
    readonly nextCursor: string | null
    readonly total: number | null
  }>
  /**
   * Sends a dead or held message once more.
   *
   * @throws {RequestError} `MESSAGE_UNKNOWN`, `MESSAGE_NOT_WAITING`.
   */
  retry(id: MessageId): Promise<MessageSnapshot>
  /**
   * Drops a held message, or the dead letter of a failed one: it waits for nobody's word any more.
   *
   * @throws {RequestError} `MESSAGE_UNKNOWN`, `MESSAGE_NOT_WAITING`.
   */
  discard(id: MessageId): Promise<MessageSnapshot>
  /** How many failed or held messages wait for a person's word. */
  waiting(asked: WaitingQuery): Promise<Waiting>
  /** {@link retry} for a batch of them, the oldest first; ask again with its `after` until there is none. */
  retryWaiting(asked: WaitingQuery, batch: Omit<WaitingBatch, 'limit'>): Promise<WaitingSettled>
  /** {@link discard} for a batch of them, likewise. */
  discardWaiting(asked: WaitingQuery, batch: Omit<WaitingBatch, 'limit'>): Promise<WaitingSettled>
  find(id: MessageId): Promise<MessageSnapshot | undefined>
  /** Live messages that came from `from` until before `to`. */
  ledger(locationId: LocationId, span: { readonly from: Date; readonly to: Date }): Promise<Ledger>
}

/** What may be missing inside is null where everybody sees it. */
type Shown<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K]
}

/** A number as everybody may see it (design.md 3). */
export interface SessionSnapshot {
  readonly id: SessionId
  readonly locationId: LocationId
  readonly status: SessionStatus
  /** E.164. */
  readonly phoneNumber: string | null
  readonly name: string | null
  readonly isDefault: boolean
  /** The raw text that the phone's camera reads; null when not waiting for a scan. */
  readonly qr: string | null
  /** Eight characters to type on the phone; null when none is waited for. */
  readonly pairingCode: string | null
  /** ISO 8601: until when the QR or the code can be used; then WhatsApp gives another one, or the pairing ends. */
  readonly expiresAt: string | null
  /** E.164; any other number that is paired is unlinked again. */
  readonly expectedPhone: string | null
  /** Null when ready and while a scan is waited for. */
  readonly problem: Shown<SessionProblem> | null
  /** What it cannot do for a while although it is connected; null when it can do everything. */
  readonly notice: SessionNotice | null
  /** ISO 8601: when it connects again by itself; null while that is not planned. */
  readonly nextAttemptAt: string | null
  /** ISO 8601. */
  readonly lastSeenAt: string | null
}

/** The numbers of all locations, for the routes and pages that people use. */
export interface SessionDesk {
  /**
   * Makes a session and starts pairing it.
   *
   * @param wish `phoneNumber` (E.164) asks for a pairing code instead of a QR; `expectedPhone` undoes the pairing of any
   * other number.
   * @throws {RequestError} `WRONG_NUMBER` when the two are different phones.
   */
  create(
    locationId: LocationId,
    wish: { phoneNumber?: string; expectedPhone?: string },
  ): Promise<SessionSnapshot>
  list(locationId?: LocationId): Promise<readonly SessionSnapshot[]>
  /** The sessions of these locations, in one look. */
  listOf(locationIds: readonly LocationId[]): Promise<readonly SessionSnapshot[]>
  /** `undefined` also when the session belongs to another location. */
  find(locationId: LocationId, sessionId: SessionId): Promise<SessionSnapshot | undefined>
  /**
   * Renames a number (`null` takes WhatsApp's name at the next connection), or makes it the location's default.
   *
   * @throws {RequestError} `SESSION_UNKNOWN` also when it belongs to another location.
   */
  edit(locationId: LocationId, sessionId: SessionId, change: SessionEdit): Promise<SessionSnapshot>
  /**
   * Connects anew; a logged-out number starts pairing again.
   *
   * @param phoneNumber E.164: pair by a code for this number instead of by QR.
   * @throws {RequestError} `WRONG_NUMBER` when that is another phone than the number's; nothing was changed.
   */
  restart(sessionId: SessionId, phoneNumber?: string): Promise<SessionSnapshot>
  /** Unlinks the device at WhatsApp, forgets its keys and removes the session. */
  logOut(sessionId: SessionId): Promise<void>
  /** Calls back with every change until the returned function is called. */
  watch(sessionId: SessionId, listener: (snapshot: SessionSnapshot) => void): () => void
  /**
   * Calls back when a number of the location may have changed (`session`) or its messages have (`work`), until the returned
   * function is called.
   */
  watchLocation(locationId: LocationId, listener: (what: 'session' | 'work') => void): () => void
  /** As {@link watchLocation}, of every location. */
  watchAll(listener: (locationId: LocationId, what: 'session' | 'work') => void): () => void
}

export const SPLIT_KINDS = [
  'several_ghl_contacts',
  'shared_ghl_contact',
  'number_moved',
  'number_elsewhere',
] as const

/** A WhatsApp person as the report shows him; null stands for unknown. */
export interface SplitPerson {
  readonly contactId: ContactId
  readonly lid: LidJid | null
  /** E.164. */
  readonly phoneNumber: string | null
  readonly pushName: string | null
  readonly ghlContactId: GhlContactId | null
}

/** One case of somebody who exists twice, in words. */
export interface SplitContact {
  readonly kind: (typeof SPLIT_KINDS)[number]
  readonly people: readonly SplitPerson[]
  /** The contacts in GHL that it is about; the one with the chat first. */
  readonly ghlContactIds: readonly GhlContactId[]
  readonly message: string
  readonly action: string
}

export interface SplitDesk {
  /** Asks GHL which of the contacts still live. @throws {GhlError} as the client settles it. */
  list(locationId: LocationId): Promise<readonly SplitContact[]>
}

/** One bridged message: as everybody may see it, as a person sees it, as its job needs it. */
import type {
  ChatJid,
  ContactId,
  GhlContactId,
  GhlMessageId,
  LocationId,
  MessageId,
  SessionId,
  WaMessageId,
} from '../../core/ids.ts'
import type { Direction, Envelope, MessageState, OutboundPart, Quote, WaContent } from '../../core/message.ts'
import type { Contact } from './contacts.ts'

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

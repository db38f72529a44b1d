/**
 * What the bridge carries: WhatsApp's and GHL's messages in one shape that belongs to neither.
 * Everything here survives JSON, because it waits in the outbox.
 */
import type {
  ChatJid,
  GhlContactId,
  GhlConversationId,
  GhlMessageId,
  LocationId,
  SessionId,
  WaMessageId,
} from './ids.ts'

/** From the contact to the business, or the other way; the same meaning on both sides of the bridge. */
export type Direction = 'inbound' | 'outbound'

export const MESSAGE_STATES = [
  'received',
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'failed',
  'held',
  'ignored',
] as const
export type MessageState = (typeof MESSAGE_STATES)[number]

export const MEDIA_KINDS = ['image', 'video', 'audio', 'document', 'sticker'] as const
export type MediaKind = (typeof MEDIA_KINDS)[number]

/** Where WhatsApp keeps an encrypted file and how to open it. Binary fields are base64. A capability: keep sealed. */
export interface WaMedia {
  readonly mediaKind: MediaKind
  readonly mimeType: string
  /** Size of the decrypted file, as the sender claims. */
  readonly sizeBytes?: number
  readonly fileName?: string
  readonly url?: string
  readonly directPath?: string
  readonly mediaKey: string
  /** `url` is a plain file somewhere on the web, from another WhatsApp engine: there is no key, no hash, no type. */
  readonly isForeign?: true
  /** SHA-256 of the decrypted file. */
  readonly sha256?: string
  /** SHA-256 of the file as stored. */
  readonly encryptedSha256?: string
}

/** How a file is meant to be shown, where its kind alone does not say. */
export type MediaForm = 'gif' | 'round' | 'voice'

/** A person as WhatsApp hands him on. */
export interface ContactCard {
  readonly name?: string
  /** RFC 2426 or 6350, as the sender's phone wrote it. */
  readonly vcard: string
}

/** What became of a call, as far as a linked device hears of it. */
export type CallOutcome = 'missed' | 'answered' | 'declined' | 'failed' | 'unknown'

/** What a customer, or the business on its own phone, put into a chat. `of` names the message that it is about. */
export type WaContent =
  | { readonly kind: 'text'; readonly text: string; readonly link?: LinkPreview }
  | {
      readonly kind: 'media'
      readonly media: WaMedia
      readonly caption?: string
      readonly form?: MediaForm
      /** Length of sound and film. */
      readonly seconds?: number
      /** The sender meant it to be seen once. */
      readonly isViewOnce?: true
      /** The file of an earlier message again, in better quality. */
      readonly isBetterCopy?: true
    }
  | {
      readonly kind: 'location'
      readonly latitude: number
      readonly longitude: number
      readonly accuracyMeters?: number
      readonly name?: string
      readonly address?: string
      readonly comment?: string
      readonly isLive?: true
    }
  | { readonly kind: 'contacts'; readonly cards: readonly ContactCard[] }
  | { readonly kind: 'poll'; readonly question: string; readonly options: readonly string[] }
  /** `choices` is empty when the vote was taken back, and absent when it cannot be opened. */
  | {
      readonly kind: 'vote'
      readonly of: WaMessageId
      readonly question?: string
      readonly choices?: readonly string[]
    }
  /** `emoji` is empty when the reaction was taken back. */
  | { readonly kind: 'reaction'; readonly of: WaMessageId; readonly emoji: string }
  | { readonly kind: 'edit'; readonly of: WaMessageId; readonly content: WaContent }
  | { readonly kind: 'revoke'; readonly of: WaMessageId }
  /** An answer to buttons, a list or a template. */
  | { readonly kind: 'choice'; readonly text: string; readonly description?: string }
  | {
      readonly kind: 'call'
      readonly outcome: CallOutcome
      readonly isVideo?: boolean
      readonly seconds?: number
    }
  /** The message `of` has come but cannot be read yet; it follows under its own id, if it can be had. */
  | { readonly kind: 'placeholder'; readonly of: WaMessageId }
  /** Anything else that can be read: `text` is for the agent, `waKind` WhatsApp's name for it. */
  | { readonly kind: 'notice'; readonly waKind: string; readonly text: string }

/** The preview that the sender's phone made of a link. */
export interface LinkPreview {
  readonly title?: string
  readonly description?: string
}

/** The advertisement that a customer tapped to open the chat. */
export interface AdContext {
  readonly headline?: string
  readonly body?: string
  readonly sourceUrl?: string
}

/** What surrounds a message of any kind. */
export interface WaContext {
  /** The message that this one answers; `content` when WhatsApp sent it along. */
  readonly quoted?: {
    readonly of: WaMessageId
    readonly content?: WaContent
    readonly isStatus?: true
    /** Its author: ours, or, where WhatsApp told it, his number, E.164. */
    readonly isOurs?: true
    readonly authorPhone?: string
  }
  readonly ad?: AdContext
}

/** One WhatsApp message with everything its way to GHL needs. */
export interface Envelope {
  readonly locationId: LocationId
  readonly sessionId: SessionId
  readonly waMessageId: WaMessageId
  /** The chat, in the form that WhatsApp used. */
  readonly chat: ChatJid
  /** The same chat in its other form (PN for LID, LID for PN) when known. */
  readonly chatAlt?: ChatJid
  /** Who wrote it, without device number, as the stanza names him: message ids are unique only per author. */
  readonly author: string
  /** In a group: the author's number, E.164, when known. */
  readonly authorPhone?: string
  /** Typed on the business' own phone or another of its devices. */
  readonly fromMe: boolean
  /** The name that the sender gave himself; our own when `fromMe`. */
  readonly pushName?: string
  readonly sentAt: Date
  readonly content: WaContent
  /** The new name of the group, in the line that tells of it. */
  readonly groupSubject?: string
  /** From before the pairing: brought to GHL behind what is live. */
  readonly isHistory?: boolean
  readonly context?: WaContext
  /** Opens what WhatsApp encrypts apart with this message as its key: votes, responses, edits. Base64. */
  readonly secret?: string
}

export const IGNORE_REASONS = [
  'status_broadcast',
  'newsletter',
  'group',
  /** Talk between devices: keys, settings, history. */
  'protocol',
  /** What we sent for an agent, coming back. */
  'own_echo',
  'empty',
  /** Notes of the business to itself. */
  'peer',
  /** The frame around pictures, which come by themselves. */
  'album',
  'pin',
  'keep_in_chat',
  /** A placeholder whose message is here already. */
  'superseded',
] as const
/** Why something that WhatsApp delivered does not go to GHL, on purpose. Counted by name. */
export type IgnoreReason = (typeof IGNORE_REASONS)[number]

/** One message an agent (or a workflow) wrote in GHL, as its provider delivery says. */
export interface AgentMessage {
  readonly locationId: LocationId
  readonly ghlMessageId: GhlMessageId
  readonly ghlContactId: GhlContactId
  readonly ghlConversationId?: GhlConversationId
  readonly webhookId?: string
  /** By GHL's clock; a repeated delivery carries the first one's. */
  readonly writtenAt?: Date
  /** E.164, when GHL sent one. */
  readonly phone?: string
  readonly text: string
  /** Public URLs, in the agent's order; GHL gives neither name nor type. */
  readonly attachments: readonly string[]
  /** The message that is answered: its `altId`, which is WhatsApp's id. */
  readonly replyTo?: string
}

/** One WhatsApp message to be: an agent's message is cut into as many of these as WhatsApp needs. */
export type OutboundPart =
  | { readonly kind: 'text'; readonly text: string; readonly replyTo?: string }
  | {
      readonly kind: 'attachment'
      readonly url: string
      readonly caption?: string
      /** As in {@link AgentMessage}; only the first part answers. */
      readonly replyTo?: string
    }

/** The message of the same chat that is answered. */
export interface Quote {
  readonly waMessageId: WaMessageId
  /** As the message named him; undefined when it was ours. */
  readonly author: string | undefined
  /** WhatsApp's own protobuf where we have it. */
  readonly original: { readonly composed: Uint8Array } | { readonly content: WaContent }
}

/** A file on its way out. `bytes` is read once. */
export interface MediaFile {
  readonly fileName: string
  readonly mimeType: string
  readonly bytes: AsyncIterable<Uint8Array>
  readonly sizeBytes?: number
}

/** GHL's words for what became of an outbound message; `pending < delivered < read`, `failed` is final. */
export type GhlStatus = 'pending' | 'delivered' | 'read' | 'failed'

export const SESSION_STATUSES = [
  'initializing',
  'qr',
  'pairing',
  'connecting',
  'ready',
  'disconnected',
  'logged_out',
  'replaced',
  'restricted',
  'banned',
  'outdated',
] as const
export type SessionStatus = (typeof SESSION_STATUSES)[number]

/** The one thing that is wrong with a number, in words for its owner, and the cure. */
export interface SessionProblem {
  readonly code: string
  readonly message: string
  readonly action: string
  /** ISO 8601: when WhatsApp said that it ends by itself. */
  readonly until?: string
  /** E.164: what was paired instead of the right number. */
  readonly scannedPhone?: string
  /** The name of the number as which that phone is connected here already. */
  readonly connectedAs?: string
}

/** What a number that is connected cannot do for a while. */
export interface SessionNotice {
  readonly code: string
  readonly message: string
  readonly action: string
  /** ISO 8601. */
  readonly until: string
}

/** Messages that another WhatsApp engine has received: they go the same way as our own, from step 3 on. */
import { RequestError } from '../core/errors.ts'
import type { ChatJid, LocationId } from '../core/ids.ts'
import { findChatJid, isGroupJid, parseSessionId, parseWaMessageId, pnOfPhone } from '../core/ids.ts'
import type { Envelope, MediaKind, WaContent } from '../core/message.ts'
import type { GhlAttachments, WhatsAppNumbers } from './ports.ts'
import type { SessionRow, SessionStore } from './storage/sessions.ts'
import { type AcceptFromWhatsAppDeps, acceptFromWhatsApp } from './whatsapp-to-ghl.ts'

/** One message as an engine posts it. */
export interface EnginePost {
  /** E.164 with or without `+`, or a JID. */
  readonly from: string
  readonly message: string
  readonly messageType: EngineMessageType
  readonly mediaUrl?: string
  /** Ours, or the reference guide's `location_<locationId>_<sessionId>`. */
  readonly sessionId: string
  readonly whatsappMsgId: string
  readonly pushName?: string
  readonly sentAt?: Date
}

export const ENGINE_MESSAGE_TYPES = ['text', 'image', 'video', 'audio', 'document', 'sticker'] as const
export type EngineMessageType = (typeof ENGINE_MESSAGE_TYPES)[number]

export interface AcceptFromEngineDeps extends AcceptFromWhatsAppDeps {
  readonly sessions: Pick<SessionStore, 'find'>
}

/**
 * Repeatable: a message is known by its WhatsApp id.
 *
 * @param check called with the session's location before anything is changed.
 * @throws {RequestError} `SESSION_UNKNOWN`, `REQUEST_INVALID`.
 */
export async function acceptFromEngine(
  deps: AcceptFromEngineDeps,
  post: EnginePost,
  check: (locationId: LocationId) => void,
): Promise<'enqueued' | 'duplicate'> {
  const session = await sessionOf(deps, post.sessionId)
  check(session.locationId)
  const chat = chatOf(post.from)
  const envelope: Envelope = {
    locationId: session.locationId,
    sessionId: session.sessionId,
    waMessageId: parseWaMessageId(post.whatsappMsgId),
    chat,
    author: chat,
    fromMe: false,
    ...(post.pushName !== undefined && { pushName: post.pushName }),
    sentAt: post.sentAt ?? new Date(),
    content: contentOf(post),
  }
  return await acceptFromWhatsApp(deps, envelope, 'acceptForeign')
}

/**
 * The files of such messages lie anywhere on the web, unencrypted. They are fetched with the guards of an agent's attachment.
 */
export function openingForeignMedia(
  numbers: Pick<WhatsAppNumbers, 'openMedia'>,
  attachments: GhlAttachments,
): WhatsAppNumbers['openMedia'] {
  return async (session, media) =>
    media.isForeign === true && media.url !== undefined
      ? await attachments.open(media.url)
      : await numbers.openMedia(session, media)
}

async function sessionOf({ sessions }: AcceptFromEngineDeps, name: string): Promise<SessionRow> {
  const whole = await sessions.find(parseSessionId(name))
  if (whole !== undefined) return whole
  const [, location, id] = /^location_([A-Za-z0-9-]+)_(.+)$/.exec(name) ?? []
  const named = id === undefined ? undefined : await sessions.find(parseSessionId(id))
  if (named !== undefined && named.locationId === location) return named
  throw new RequestError('SESSION_UNKNOWN', 'There is no such session', {
    action: 'Make it with POST /ghl/location/:locationId/session and use the session_id of the answer.',
  })
}

function chatOf(from: string): ChatJid {
  const chat = from.includes('@') ? findChatJid(from) : undefined
  if (chat !== undefined && !isGroupJid(chat)) return chat
  const digits = from.replaceAll(/[\s().-]/g, '').replace(/^\+/, '')
  if (!from.includes('@') && /^[1-9]\d{6,14}$/.test(digits)) return pnOfPhone(digits)
  throw new RequestError(
    'REQUEST_INVALID',
    'body/from: must be a number like +15551230001, or a person’s JID',
  )
}

function contentOf({ message, messageType, mediaUrl }: EnginePost): WaContent {
  if (mediaUrl === undefined) {
    if (messageType === 'text' && message.trim() !== '') return { kind: 'text', text: message }
    throw new RequestError(
      'REQUEST_INVALID',
      messageType === 'text'
        ? 'body/message: must not be empty'
        : 'body/mediaUrl: is needed for this messageType',
    )
  }
  const mediaKind: MediaKind = messageType === 'text' ? 'document' : messageType
  const media = {
    mediaKind,
    mimeType: 'application/octet-stream',
    url: mediaUrl,
    mediaKey: '',
    isForeign: true,
  } as const
  return { kind: 'media', media, ...(message !== '' && { caption: message }) }
}

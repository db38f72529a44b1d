/** Text, and what surrounds a message of any kind: the quote, the advertisement. */
import type { proto } from '@whiskeysockets/baileys'
import { lines } from '../bridge/sentences.ts'
import { findChatJid } from '../core/ids.ts'
import type { AdContext, LinkPreview, WaContext } from '../core/message.ts'
import type { Opened } from './containers.ts'
import { type Content, ignored, lineOf, linesOf, listOf, notice, textOf } from './content.ts'
import { isMe, type Me, phoneOf } from './stanza.ts'
import { waIdOf } from './wa-id.ts'

/** Every kind whose words stand in one field. WhatsApp's formatting (`*bold*`, `~struck~`) stays as typed. */
export function fromText(message: proto.IMessage): Content {
  const raw =
    message.conversation ??
    message.extendedTextMessage?.text ??
    message.questionResponseMessage?.text ??
    message.statusQuestionAnswerMessage?.text ??
    message.statusQuotedMessage?.text
  // Sent on purpose, even if it is one blank.
  if (typeof raw !== 'string' || raw === '') return ignored('empty')
  const link = linkOf(message.extendedTextMessage)
  return { kind: 'text', text: textOf(raw) ?? '', ...(link !== undefined && { link }) }
}

function linkOf(text: proto.Message.IExtendedTextMessage | null | undefined): LinkPreview | undefined {
  const title = lineOf(text?.title)
  const description = lineOf(text?.description)
  if (title === undefined && description === undefined) return undefined
  return { ...(title !== undefined && { title }), ...(description !== undefined && { description }) }
}

/** An answer of WhatsApp's own assistant, forwarded or invoked in the chat. */
export function fromRichResponse(response: proto.IAIRichResponseMessage | null | undefined): Content {
  const text = linesOf(...listOf(response?.submessages).map(({ messageText }) => messageText))
  return text === ''
    ? notice('richResponseMessage', lines.other('an answer of Meta AI'))
    : { kind: 'text', text }
}

/** @param convert what a quoted message says. @param me to know our own words by. */
export function contextOf(
  opened: Opened,
  me: Me,
  convert: (quoted: proto.IMessage) => Content,
): WaContext | undefined {
  const info = contextInfoOf(opened)
  if (info === undefined) return undefined
  const quoted = quotedOf(info, me, convert)
  const ad = adOf(info)
  if (quoted === undefined && ad === undefined) return undefined
  return { ...(quoted !== undefined && { quoted }), ...(ad !== undefined && { ad }) }
}

/** Most kinds carry it under this name. */
function contextInfoOf({ message, field }: Opened): proto.IContextInfo | undefined {
  const value: unknown = field === undefined ? undefined : message[field]
  if (typeof value !== 'object' || value === null || !('contextInfo' in value)) return undefined
  return (value.contextInfo as proto.IContextInfo | null) ?? undefined // by the schema
}

function quotedOf(
  { stanzaId, quotedMessage, remoteJid, participant }: proto.IContextInfo,
  me: Me,
  convert: (quoted: proto.IMessage) => Content,
): WaContext['quoted'] {
  if (typeof stanzaId !== 'string' || stanzaId === '') return undefined
  const content = quotedMessage ? convert(quotedMessage) : undefined
  const phone = phoneOf(participant)
  return {
    of: waIdOf(stanzaId),
    ...(content !== undefined && 'kind' in content && { content }),
    ...(remoteJid === 'status@broadcast' && { isStatus: true }),
    ...(isMe(me, findChatJid(participant))
      ? { isOurs: true }
      : phone !== undefined && { authorPhone: phone }),
  }
}

/** Click-to-WhatsApp: the advertisement that opened the chat travels with the customer's first message. */
function adOf({ externalAdReply, quotedAd }: proto.IContextInfo): AdContext | undefined {
  const headline = lineOf(externalAdReply?.title) ?? lineOf(quotedAd?.advertiserName)
  const body = lineOf(externalAdReply?.body) ?? lineOf(quotedAd?.caption)
  const sourceUrl = webAddress(externalAdReply?.sourceUrl)
  const isAd = externalAdReply?.sourceType === 'ad' || lineOf(externalAdReply?.ctwaClid) !== undefined
  if (headline === undefined && body === undefined && sourceUrl === undefined && !isAd) return undefined
  return {
    ...(headline !== undefined && { headline }),
    ...(body !== undefined && { body }),
    ...(sourceUrl !== undefined && { sourceUrl }),
  }
}

function webAddress(value: unknown): string | undefined {
  const line = lineOf(value)
  return line !== undefined && /^https?:\/\//i.test(line) && URL.canParse(line) ? line : undefined
}

/** The message that an answer quotes, as WhatsApp wants it repeated inside the answer. */
import { getContentType, normalizeMessageContent, proto } from '@whiskeysockets/baileys'
import { isLidJid, parseChatJid } from '../core/ids.ts'
import type { Quote } from '../core/message.ts'
import type { Me } from './stanza.ts'

/** @param chat where the answer goes. */
export function contextOf(
  { waMessageId, author, original }: Quote,
  chat: string,
  me: Me,
): proto.IContextInfo {
  // Our own address in the form the chat uses.
  const own = isLidJid(parseChatJid(chat)) ? (me.lid ?? me.pn) : me.pn
  const participant = author ?? own
  return {
    stanzaId: waMessageId,
    ...(participant !== undefined && { participant }),
    quotedMessage: quotedOf(original),
  }
}

/** The customer's app has the original and shows that; this is for where it has been deleted. */
function quotedOf(original: Quote['original']): proto.IMessage {
  if ('composed' in original) return withoutContext(proto.Message.decode(original.composed))
  const { content } = original
  if (content.kind !== 'media') return { conversation: 'text' in content ? content.text : '' }
  const { mediaKind, mimeType, fileName } = content.media
  const named = mediaKind === 'document' && fileName !== undefined ? { fileName } : {}
  const caption = content.caption === undefined ? {} : { caption: content.caption }
  return { [`${mediaKind}Message`]: { mimetype: mimeType, ...named, ...caption } }
}

/** A quote inside a quote is not shown, and the message's secret is its own. */
function withoutContext(message: proto.IMessage): proto.IMessage {
  const content = normalizeMessageContent(message)
  const kind = getContentType(content)
  const part = kind && content?.[kind]
  if (kind === undefined || !part) return { conversation: '' }
  return { [kind]: typeof part === 'object' ? { ...part, contextInfo: undefined } : part }
}

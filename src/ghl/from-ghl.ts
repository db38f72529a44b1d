/** An agent's message becomes WhatsApp messages. Pure. */
import { convert, type FormatCallback, type HtmlToTextOptions } from 'html-to-text'
import type { AgentMessage, OutboundPart } from '../core/message.ts'
import { kindOfExtension } from './file-types.ts'

/** Longest text WhatsApp is known to take, in UTF-16 units (observed, not documented). @see mautrix/whatsapp. */
export const MAX_TEXT_LENGTH = 65_536
/** Longest caption that every WhatsApp client shows and sends. @see WhatsApp Cloud API, media captions. */
export const MAX_CAPTION_LENGTH = 1_024

/** Tags that GHL's editors write; in a text without any of them angle brackets are the agent's own. */
const BLOCKS = /<\/?(?:p|div|br|ul|ol|li|h[1-6]|blockquote|table|tr|hr)(?:\s[^<>]*)?\/?>/i
const INLINE = /<(a|b|strong|i|em|u|s|del|span|font|img|code|pre)(?:\s[^<>]*)?>/i

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
}

/** GHL's editor escapes HTML here and there and lets control characters through; neither belongs into a chat. */
export function cleanText(text: string): string {
  return plainText(text)
    .replaceAll(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll(STRAY_CONTROLS, '')
    .replace(/^\n+/, '')
    .trimEnd()
}

/** HTML as WhatsApp writes it: its own marks for bold and the like, a link's address behind its words. */
function plainText(text: string): string {
  const hasBlocks = BLOCKS.test(text)
  if (!hasBlocks && !INLINE.test(text)) return decodeEntities(text)
  // Where lines are not made of tags, the line ends are.
  return convert(text, { ...AS_WHATSAPP, preserveNewlines: !hasBlocks }).replaceAll(/\n{3,}/g, '\n\n')
}

const marked = (mark: string): FormatCallback => {
  return (element, walk, builder) => {
    builder.addLiteral(mark)
    walk(element.children, builder)
    builder.addLiteral(mark)
  }
}

const AS_WHATSAPP: HtmlToTextOptions = {
  wordwrap: false,
  formatters: { bold: marked('*'), italic: marked('_'), struck: marked('~'), mono: marked('```') },
  selectors: [
    {
      selector: 'a',
      options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['(', ')'], ignoreHref: false },
    },
    { selector: 'img', format: 'skip' },
    { selector: 'p', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: 'ul', options: { itemPrefix: '- ', leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: 'ol', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({
      selector,
      options: { uppercase: false, leadingLineBreaks: 1, trailingLineBreaks: 1 },
    })),
    ...['b', 'strong'].map((selector) => ({ selector, format: 'bold' })),
    ...['i', 'em'].map((selector) => ({ selector, format: 'italic' })),
    ...['s', 'del'].map((selector) => ({ selector, format: 'struck' })),
    { selector: 'code', format: 'mono' },
  ],
}

/** C0 and C1 controls except tab and newline, and the byte order mark. */
const STRAY_CONTROLS = /[^\P{Cc}\t\n]|\uFEFF/gu

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (typeof name === 'string') return ENTITIES[name.toLowerCase()] ?? whole
    const code = typeof decimal === 'string' ? Number.parseInt(decimal, 10) : Number.parseInt(String(hex), 16)
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole
  })
}

/**
 * The WhatsApp messages that an agent's message needs, in order: text alone is one; the first attachment carries the
 * text as its caption when its kind can; audio and unknown kinds cannot, so the text goes first on its own. An answer
 * is the first of them.
 */
export function toParts(message: AgentMessage): OutboundPart[] {
  const [first, ...rest] = partsOf(message)
  if (first === undefined) return []
  return [{ ...first, ...(message.replyTo !== undefined && { replyTo: message.replyTo }) }, ...rest]
}

function partsOf(message: AgentMessage): OutboundPart[] {
  const [first, ...rest] = message.attachments
  if (first === undefined) return textParts(message.text)
  const others = rest.map((url): OutboundPart => ({ kind: 'attachment', url }))
  if (message.text === '') return [{ kind: 'attachment', url: first }, ...others]
  if (message.text.length <= MAX_CAPTION_LENGTH && carriesCaption(first))
    return [{ kind: 'attachment', url: first, caption: message.text }, ...others]
  return [...textParts(message.text), { kind: 'attachment', url: first }, ...others]
}

function carriesCaption(url: string): boolean {
  const path = URL.canParse(url) ? new URL(url).pathname : url
  const kind = kindOfExtension(/\.([a-z\d]{1,8})$/i.exec(path)?.[1] ?? '')
  return kind === 'image' || kind === 'video' || kind === 'document'
}

const textParts = (text: string): OutboundPart[] =>
  splitText(text, MAX_TEXT_LENGTH).map((part) => ({ kind: 'text', text: part }))

/** Cuts at the last line end, else the last space, else hard but never inside a character. */
export function splitText(text: string, maxLength: number): string[] {
  const parts: string[] = []
  let rest = text
  while (rest.length > maxLength) {
    const cut = cutAt(rest, maxLength)
    parts.push(rest.slice(0, cut).trimEnd())
    rest = rest.slice(cut).trimStart()
  }
  return rest === '' ? parts : [...parts, rest]
}

function cutAt(text: string, maxLength: number): number {
  const head = text.slice(0, maxLength + 1)
  const edge = Math.max(head.lastIndexOf('\n'), head.lastIndexOf(' '))
  if (edge > maxLength / 2) return edge
  // A low surrogate at the cut belongs to the high one before it.
  return /[\uDC00-\uDFFF]/.test(text.charAt(maxLength)) ? maxLength - 1 : maxLength
}

/** How a WhatsApp message reads in GHL: text for people, made of what it says and of what it is about. No I/O. */
import { assertNever } from '../core/errors.ts'
import { isGroupJid, type WaMessageId } from '../core/ids.ts'
import type { AdContext, Envelope, OutboundPart, WaContent, WaContext } from '../core/message.ts'
import { A_MESSAGE, aFile, callLine, lines, PHRASES } from './sentences.ts'
import { readCard } from './vcard.ts'

type AnyContent = WaContent | OutboundPart

/** Enough to know which message is meant. */
const QUOTE_LENGTH = 80

/** What is known of the message that another one is about. */
export interface Subject {
  /** `undefined` when the bridge does not know it. */
  readonly content?: AnyContent | undefined
  /** In a group: who wrote what is quoted. */
  readonly author?: string | undefined
}

/** The message that a reader needs to understand this one; `undefined` when it explains itself. */
export function subjectOf({
  chat,
  content,
  context,
}: Pick<Envelope, 'chat' | 'content' | 'context'>): WaMessageId | undefined {
  if (content.kind === 'reaction' || content.kind === 'edit' || content.kind === 'revoke') return content.of
  const { quoted: answered } = context ?? {}
  // A group's reader wants to know whose words they are, too.
  return answered?.content === undefined || isGroupJid(chat) ? answered?.of : undefined
}

/**
 * The whole text for GHL; never blank. The caption, for a file.
 *
 * @param subject the message of {@link subjectOf}.
 */
export function readable(
  envelope: Pick<Envelope, 'content' | 'context' | 'fromMe'>,
  subject: Subject = {},
): string {
  const { content, context } = envelope
  const said = words(content, envelope.fromMe, subject.content)
  const parts = [...contextLines(context, subject), said].filter((part) => part.trim() !== '')
  const text = parts.join('\n')
  return text === '' && content.kind !== 'media' ? lines.blank() : text
}

/** What a file's message says beside the file when the file itself could not be brought. */
export function withoutFile(
  envelope: Pick<Envelope, 'content' | 'context' | 'fromMe'>,
  why: string,
  subject: Subject = {},
): string {
  const { content } = envelope
  const what = content.kind === 'media' ? fileOf(content) : 'a file'
  return [readable(envelope, subject), lines.fileLost(what, why)].filter(Boolean).join('\n\n')
}

/** A message in a few words: `“See you at 5”`, `a voice note (0:12)`. */
export function gist(content: AnyContent | undefined): string {
  if (content === undefined) return A_MESSAGE
  switch (content.kind) {
    case 'text':
    case 'choice':
      return quoted(content.text)
    case 'notice':
      return shortened(content.text)
    case 'attachment':
      return content.caption === undefined ? 'a file' : `a file ${quoted(content.caption)}`
    case 'media': {
      const what = fileOf(content)
      return content.caption === undefined ? what : `${what} ${quoted(content.caption)}`
    }
    case 'location':
      return content.isLive ? PHRASES.liveLocation : PHRASES.location
    case 'contacts':
      return content.cards.length === 1 ? PHRASES.contact : PHRASES.contacts
    case 'poll':
      return `the poll ${quoted(content.question)}`
    case 'vote':
      return PHRASES.vote
    case 'reaction':
      return PHRASES.reaction
    case 'edit':
      return gist(content.content)
    case 'call':
      return PHRASES.call
    case 'revoke':
    case 'placeholder':
      return A_MESSAGE
    default:
      return assertNever(content)
  }
}

/** One line, cut between characters as people see them. */
export function shortened(text: string): string {
  const line = text
    .slice(0, QUOTE_LENGTH * 20)
    .replaceAll(/\s+/g, ' ')
    .trim()
  const characters = Array.from(new Intl.Segmenter().segment(line), ({ segment }) => segment)
  return characters.length <= QUOTE_LENGTH ? line : `${characters.slice(0, QUOTE_LENGTH - 1).join('')}…`
}

function quoted(text: string): string {
  const short = shortened(text)
  return short === '' ? A_MESSAGE : `“${short}”`
}

/** The customer's own words, or the bridge's in brackets. */
function words(content: WaContent, fromMe: boolean, subject: AnyContent | undefined): string {
  switch (content.kind) {
    case 'text':
      return textWithLink(content)
    case 'media':
      return caption(content)
    case 'location':
      return location(content)
    case 'contacts':
      return contacts(content)
    case 'poll':
      return [
        lines.poll(),
        ...(content.question === '' ? [] : [content.question]),
        ...content.options.map((option, at) => `${at + 1}. ${option.trim() || '–'}`),
      ].join('\n')
    case 'vote':
      return vote(content)
    case 'reaction':
      return content.emoji === ''
        ? lines.reactionTakenBack(gist(subject))
        : lines.reacted(content.emoji, gist(subject))
    case 'edit':
      return [lines.edited(subject && gist(subject)), words(content.content, fromMe, undefined)]
        .filter(Boolean)
        .join('\n')
    case 'revoke':
      return lines.revoked(gist(subject))
    case 'choice':
      return [`${lines.chose()} ${content.text}`, content.description].filter(Boolean).join('\n')
    case 'call':
      return callLine({ ...content, fromMe })
    case 'placeholder':
      return lines.placeholder()
    case 'notice':
      return content.text
    default:
      return assertNever(content)
  }
}

function contextLines(context: WaContext | undefined, { content, author }: Subject): string[] {
  const { ad, quoted: answered } = context ?? {}
  const about = answered && gist(answered.content ?? content)
  return [
    ...(ad === undefined ? [] : [adLine(ad)]),
    ...(about === undefined
      ? []
      : [answered?.isStatus ? lines.quoteOfStatus(about) : lines.quote(about, author)]),
  ]
}

function adLine({ headline, body, sourceUrl }: AdContext): string {
  const what = quoted(headline ?? body ?? '')
  return [
    lines.ad(headline === undefined && body === undefined ? 'on Facebook or Instagram' : what),
    sourceUrl,
  ]
    .filter(Boolean)
    .join(' ')
}

/** The preview follows the text, unless it says nothing that the text does not say. */
function textWithLink({ text, link }: Extract<WaContent, { kind: 'text' }>): string {
  const preview = [link?.title, link?.description]
    .map((line) => shortened(line ?? ''))
    .filter((line) => line !== '' && !text.includes(line))
  return preview.length === 0 ? text : `${text}\n[${preview.join(' – ')}]`
}

type FileContent = Extract<WaContent, { kind: 'media' }>

const fileOf = ({ media, form, seconds }: FileContent): string =>
  aFile({ mediaKind: media.mediaKind, form, seconds, fileName: media.fileName })

function caption(content: FileContent): string {
  return [
    ...(content.form === 'voice' ? [lines.voiceNote(content.seconds)] : []),
    ...(content.isViewOnce ? [lines.viewOnce()] : []),
    ...(content.isBetterCopy ? [lines.betterCopy()] : []),
    ...(content.caption === undefined ? [] : [content.caption]),
  ].join('\n')
}

function location(content: Extract<WaContent, { kind: 'location' }>): string {
  const { latitude, longitude, name, address, comment, accuracyMeters } = content
  return [
    content.isLive ? lines.liveLocation() : lines.location(),
    name,
    address === name ? undefined : address,
    comment,
    `https://maps.google.com/?q=${latitude},${longitude}`,
    accuracyMeters && lines.accuracy(accuracyMeters),
  ]
    .filter(Boolean)
    .join('\n')
}

/** Cards of one message beyond these are counted, and only attached. */
const MAX_CARDS_SHOWN = 20

function contacts({ cards }: Extract<WaContent, { kind: 'contacts' }>): string {
  const shown = cards.slice(0, MAX_CARDS_SHOWN).map((card) => {
    const { name, organisation, phones, mails } = readCard(card.vcard)
    return [name ?? card.name, organisation, ...phones, ...mails].filter(Boolean).join('\n')
  })
  return [lines.contacts(cards.length), shown.filter(Boolean).join('\n\n')].filter(Boolean).join('\n')
}

function vote({ question, choices }: Extract<WaContent, { kind: 'vote' }>): string {
  const poll = question === undefined ? PHRASES.poll : quoted(question)
  if (choices === undefined) return lines.voteUnreadable(poll)
  return choices.length === 0
    ? lines.voteTakenBack(poll)
    : lines.voted(poll, choices.map((choice) => shortened(choice)).join(', '))
}

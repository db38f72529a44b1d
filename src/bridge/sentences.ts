/**
 * Every sentence that the bridge itself writes into a conversation, in one place and one language. In brackets, so that
 * nobody takes the bridge's words for the customer's. What is quoted must be short and on one line already.
 */
import type { CallOutcome, MediaForm, MediaKind } from '../core/message.ts'

const bracketed = (sentence: string): string => `[${sentence}]`

/** `1:05`, `1:02:03`. */
export function duration(seconds: number): string {
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60]
  const [first, ...others] = parts[0] === 0 ? parts.slice(1) : parts
  return [String(first), ...others.map((part) => String(part).padStart(2, '0'))].join(':')
}

const A_FILE: Readonly<Record<MediaKind, string>> = {
  image: 'an image',
  video: 'a video',
  audio: 'an audio file',
  document: 'a document',
  sticker: 'a sticker',
}
const A_FORM: Readonly<Record<MediaForm, string>> = {
  gif: 'a GIF',
  round: 'a video message',
  voice: 'a voice note',
}

/** `a voice note (0:12)`, `the file "plan.pdf"`. */
export function aFile(file: {
  mediaKind: MediaKind
  form?: MediaForm | undefined
  seconds?: number | undefined
  fileName?: string | undefined
}): string {
  if (file.fileName !== undefined) return `the file "${file.fileName}"`
  const what = file.form === undefined ? A_FILE[file.mediaKind] : A_FORM[file.form]
  return file.seconds === undefined ? what : `${what} (${duration(file.seconds)})`
}

const ON_THE_PHONE = 'It can be seen on the phone.'

/** Lines of the bridge. `what` is a phrase such as `“See you at 5”` or `a voice note`. */
export const lines = {
  voiceNote: (seconds: number | undefined) =>
    bracketed(seconds === undefined ? 'Voice note' : `Voice note, ${duration(seconds)}`),
  viewOnce: () => bracketed('Sent to be seen once'),
  betterCopy: () => bracketed('The same in better quality'),
  /** View-once files and the like, which linked devices are not given. */
  phoneOnly: (what: string) => bracketed(`Sent ${what} that can only be opened on the phone.`),
  fileLost: (what: string, why: string) =>
    bracketed(`Sent ${what}, but it could not be carried over: ${why}. ${ON_THE_PHONE}`),
  /** @param who wrote what is answered, where several people talk. */
  quote: (what: string, who: string | undefined) =>
    bracketed(who === undefined ? `Replying to ${what}` : `Replying to ${who}: ${what}`),
  quoteOfStatus: (what: string) => bracketed(`Replying to your status: ${what}`),
  ad: (what: string) => bracketed(`From the ad ${what}`),
  location: () => bracketed('Location'),
  liveLocation: () => bracketed('Live location: where the phone is now'),
  accuracy: (meters: number) => `Accurate to ${meters} m`,
  contacts: (count: number) => bracketed(count === 1 ? 'Contact card' : `${count} contact cards`),
  poll: () => bracketed('Poll'),
  pollResults: () => bracketed('Result of a poll'),
  voted: (poll: string, choices: string) => bracketed(`Voted in ${poll}: ${choices}`),
  voteTakenBack: (poll: string) => bracketed(`Took back the vote in ${poll}`),
  voteUnreadable: (poll: string) => bracketed(`Voted in ${poll}. The vote can be seen on the phone.`),
  reacted: (emoji: string, what: string) => bracketed(`Reacted ${emoji} to ${what}`),
  reactionTakenBack: (what: string) => bracketed(`Took back the reaction to ${what}`),
  /** Without `what`, the words it replaces are not known. */
  edited: (what: string | undefined) => bracketed(what === undefined ? 'Edited' : `Edited, it was ${what}`),
  revoked: (what: string) => bracketed(`Deleted ${what}`),
  chose: () => bracketed('Chose'),
  placeholder: () => bracketed('A message is on its way. Open WhatsApp on the phone if it does not come.'),
  blank: () => bracketed('Sent a message without visible text.'),
  /** For what has no better form: its name is shown, so that nothing is hidden. */
  other: (what: string) => bracketed(`Sent ${what}. ${ON_THE_PHONE}`),
  unknown: (name: string | undefined) =>
    lines.other(name === undefined ? 'something new to the bridge' : `something new to the bridge (${name})`),
  did: (sentence: string) => bracketed(sentence),
} as const

/** The message that something is about, when nobody knows its words. */
export const A_MESSAGE = 'a message'

/** Phrases for messages without words of their own. */
export const PHRASES = {
  location: 'a location',
  liveLocation: 'a live location',
  contact: 'a contact card',
  contacts: 'contact cards',
  vote: 'a vote',
  reaction: 'a reaction',
  call: 'a call',
  poll: 'a poll',
} as const

const CALLS: Readonly<Record<CallOutcome, (call: string) => string>> = {
  missed: (call) => `Missed ${call}`,
  answered: (call) => `${capital(call)}, answered on the phone`,
  declined: (call) => `${capital(call)}, declined on the phone`,
  failed: (call) => `${capital(call)} that did not connect`,
  unknown: (call) => capital(call),
}
const OWN_CALLS: Readonly<Record<CallOutcome, (call: string) => string>> = {
  missed: (call) => `${capital(call)} from the phone, not answered`,
  answered: (call) => `${capital(call)} from the phone`,
  declined: (call) => `${capital(call)} from the phone, declined`,
  failed: (call) => `${capital(call)} from the phone that did not connect`,
  unknown: (call) => `${capital(call)} from the phone`,
}

/** @param fromMe the business called. */
export function callLine(call: {
  outcome: CallOutcome
  isVideo?: boolean | undefined
  seconds?: number | undefined
  fromMe: boolean
}): string {
  const what = call.isVideo === undefined ? 'call' : call.isVideo ? 'video call' : 'voice call'
  const sentence = (call.fromMe ? OWN_CALLS : CALLS)[call.outcome](what)
  return bracketed(call.seconds === undefined ? sentence : `${sentence}, ${duration(call.seconds)}`)
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)

/**
 * What WhatsApp encrypts once more inside a message: votes, responses to events, edits. The key is made of a secret that
 * the message it is about came with, and of the addresses of both authors; which of a person's two addresses the sender's
 * app took cannot be told, so each is tried (Baileys issues 1678, 2121, 2342).
 */
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import { proto } from '@whiskeysockets/baileys'
import type { Original } from '../bridge/storage/message-rows.ts'
import { findChatJid, type WaMessageId } from '../core/ids.ts'
import { open } from './containers.ts'
import { listOf } from './content.ts'
import { waIdOf } from './wa-id.ts'

const LABELS = ['Poll Vote', 'Event Response', 'Event Edit', 'Message Edit', 'Enc Reaction'] as const
type Label = (typeof LABELS)[number]

/** An encrypted part of a message. */
export interface Sealed {
  readonly label: Label
  /** The message whose secret opens it, by the id of the wire. */
  readonly of: string
  readonly payload: Uint8Array
  readonly iv: Uint8Array
}

/** An encrypted part, opened as far as it can be. */
export interface Unsealed {
  readonly of: WaMessageId
  /** The message it is about, when the bridge has carried it. */
  readonly original: Original | undefined
  /** WhatsApp's protobuf of what was encrypted; `undefined` when nothing opens it. */
  readonly plain: Uint8Array | undefined
}

const TAG_BYTES = 16

/** The encrypted part of a message, if it has one. */
export function sealedIn(outermost: proto.IMessage): Sealed | undefined {
  const { message } = open(outermost)
  const { pollUpdateMessage, encEventResponseMessage, encReactionMessage, secretEncryptedMessage } = message
  if (pollUpdateMessage)
    return sealed('Poll Vote', pollUpdateMessage.pollCreationMessageKey, pollUpdateMessage.vote)
  if (encEventResponseMessage)
    return sealed('Event Response', encEventResponseMessage.eventCreationMessageKey, encEventResponseMessage)
  if (encReactionMessage)
    return sealed('Enc Reaction', encReactionMessage.targetMessageKey, encReactionMessage)
  if (!secretEncryptedMessage) return undefined
  const { SecretEncType } = proto.Message.SecretEncryptedMessage
  const isEvent = secretEncryptedMessage.secretEncType === SecretEncType.EVENT_EDIT
  const label = isEvent ? 'Event Edit' : 'Message Edit'
  return sealed(label, secretEncryptedMessage.targetMessageKey, secretEncryptedMessage)
}

function sealed(
  label: Label,
  key: proto.IMessageKey | null | undefined,
  box: { encPayload?: Uint8Array | null; encIv?: Uint8Array | null } | null | undefined,
): Sealed | undefined {
  const { encPayload, encIv } = box ?? {}
  if (!key?.id || !encPayload?.length || !encIv?.length) return undefined
  return { label, of: key.id, payload: encPayload, iv: encIv }
}

/**
 * @param authors who may have written the original, in each form of the address.
 * @param senders who may have encrypted, likewise.
 */
export function unseal(
  box: Sealed,
  original: Original | undefined,
  authors: readonly string[],
  senders: readonly string[],
): Unsealed {
  const secret = original && secretOf(original)
  const unsealed = { of: waIdOf(box.of), original }
  if (secret === undefined) return { ...unsealed, plain: undefined }
  for (const author of authors) {
    for (const sender of senders) {
      const plain = opened(box, secret, author, sender)
      if (plain !== undefined) return { ...unsealed, plain }
    }
  }
  return { ...unsealed, plain: undefined }
}

function secretOf({ secret, composed }: Original): Uint8Array | undefined {
  if (secret !== undefined) return Buffer.from(secret, 'base64')
  if (composed === undefined) return undefined
  const { contexts } = open(proto.Message.decode(composed))
  return contexts.find(({ messageSecret }) => messageSecret?.length)?.messageSecret ?? undefined
}

/** @see whatsmeow msgsecret.go for derivation and associated data (2026-08) */
function opened(
  { label, of, payload, iv }: Sealed,
  secret: Uint8Array,
  author: string,
  sender: string,
): Uint8Array | undefined {
  const info = `${of}${author}${sender}${label}`
  const key = Buffer.from(hkdfSync('sha256', secret, '', info, 32))
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
    if (label === 'Poll Vote' || label === 'Event Response') decipher.setAAD(Buffer.from(`${of}\0${sender}`))
    decipher.setAuthTag(payload.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(payload.subarray(0, -TAG_BYTES)), decipher.final()])
  } catch {
    return undefined
  }
}

/** The poll behind a vote, whoever made it. */
export function pollOf({
  content,
  composed,
}: Original): { question: string; options: readonly string[] } | undefined {
  if (content.kind === 'poll') return content
  if (composed === undefined) return undefined
  const { message } = open(proto.Message.decode(composed))
  const poll =
    message.pollCreationMessage ??
    message.pollCreationMessageV2 ??
    message.pollCreationMessageV3 ??
    message.pollCreationMessageV5
  if (!poll) return undefined
  const options = listOf(poll.options).map(({ optionName }) => optionName ?? '')
  return { question: poll.name ?? '', options }
}

/** The names of the options that a vote names by their hashes. */
export function chosenOptions(vote: Uint8Array, options: readonly string[]): string[] {
  const byHash = new Map(options.map((option) => [sha256(option), option]))
  const { selectedOptions } = proto.Message.PollVoteMessage.decode(vote)
  return selectedOptions.map(
    (hash) => byHash.get(Buffer.from(hash).toString('hex')) ?? 'an option that was added later',
  )
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The forms of a person's address that are known, without device. */
export const formsOf = (...jids: readonly (string | null | undefined)[]): string[] => [
  ...new Set(jids.map((jid) => findChatJid(jid)).filter((jid) => jid !== undefined)),
]

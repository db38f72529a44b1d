// What a simulated phone remembers and shows to tests: the messages of its chats and the receipts it was given.
import { EventEmitter } from 'node:events'
import type { proto } from '@whiskeysockets/baileys'
import { openVote } from './addons.ts'
import { type OutgoingMedia, quotable, readMessage } from './content.ts'
import type { Account, Addressing, DeviceAddress } from './directory.ts'
import { SandboxError } from './errors.ts'
import { type Chat, chatName } from './groups.ts'
import { sha256 } from './media-crypto.ts'
import { waitUntil } from './wait.ts'

export interface PhoneMedia {
  readonly mimetype: string
  readonly fileName: string | undefined
  readonly directPath: string
  /** Hex, of the plaintext. Checked against the bytes for received media. */
  readonly sha256: string
  readonly sizeBytes: number
  readonly bytes: Buffer
}

/**
 * Sent by this phone or by its companion: pending -> sent -> delivered -> read -> played, or failed.
 * Received: received -> read -> played.
 */
type PhoneMessageStatus = 'pending' | 'sent' | 'delivered' | 'read' | 'played' | 'failed' | 'received'

export interface PhoneMessage {
  readonly id: string
  /** Phone number of the other side, or the group's JID. */
  readonly chat: string
  /** Phone number of the sender. */
  readonly from: string
  /** Device of the sender: 0 is a phone, more is a companion. */
  readonly fromDevice: number
  readonly fromMe: boolean
  readonly addressing: Addressing
  /** See `Reading` in content.ts. */
  readonly kind: string
  /** Text, caption, emoji, or the name of a poll, event or place; the newest wording when it was edited. */
  text: string | undefined
  /** Id of the message that this one answers. */
  readonly quotedId: string | undefined
  /** Id of the message that this edit, delete, reaction, vote or answer is about. */
  readonly targetId: string | undefined
  /** Audio that was recorded in the chat. */
  readonly voiceNote: boolean
  edited: boolean
  /** Deleted for all. */
  revoked: boolean
  /** Phone number -> emoji. */
  readonly reactions: Record<string, string>
  /** Of a poll: phone number -> chosen options. */
  readonly votes: Record<string, readonly string[]>
  readonly media: PhoneMedia | undefined
  /** Why the media could not be downloaded or verified. */
  readonly mediaError: string | undefined
  readonly message: proto.IMessage
  readonly receivedAt: Date
  status: PhoneMessageStatus
  /** Error code of the server's ack, when it refused the message. */
  errorCode: string | undefined
}

/** A receipt that came to this phone about a message of its account. */
export interface PhoneReceipt {
  readonly messageId: string
  readonly from: string
  readonly fromDevice: number
  readonly type: 'delivered' | 'read' | 'played' | 'sender' | 'retry'
  readonly at: Date
}

const RANK: Record<PhoneMessageStatus, number> = {
  failed: 0,
  pending: 1,
  sent: 2,
  received: 3,
  delivered: 3,
  read: 4,
  played: 5,
}

/** Moves a status forward and never back; says whether it moved. */
function advance(message: PhoneMessage, status: PhoneMessageStatus): boolean {
  if (RANK[status] <= RANK[message.status]) return false
  message.status = status
  return true
}

/** Where a message stands, as its envelope says. */
export interface Envelope {
  readonly id: string
  readonly chat: Chat
  readonly sender: DeviceAddress
  readonly addressing: Addressing
  readonly status: PhoneMessageStatus
  /** When it was said; now unless it is of the past. */
  readonly at?: Date
}

type LogEvents = {
  message: [PhoneMessage]
  receipt: [PhoneReceipt]
  /** A message's status moved. */
  status: [PhoneMessage]
}

export class PhoneLog extends EventEmitter<LogEvents> {
  readonly messages: PhoneMessage[] = []
  readonly receipts: PhoneReceipt[] = []
  readonly #owner: Account
  readonly #ownById = new Map<string, PhoneMessage>()
  readonly #authors = new Map<PhoneMessage, Account>()

  constructor(owner: Account) {
    super()
    this.setMaxListeners(0)
    this.#owner = owner
  }

  /** `media` is what was attached, or why a download failed. */
  record(envelope: Envelope, message: proto.IMessage, media: PhoneMedia | string | undefined): void {
    const { id, chat, sender, addressing, status, at = new Date() } = envelope
    const { media: _part, ...reading } = readMessage(message)
    const fromMe = sender.account === this.#owner
    const entry: PhoneMessage = {
      id,
      chat: chatName(chat),
      from: sender.account.phone,
      fromDevice: sender.deviceId,
      fromMe,
      addressing,
      ...reading,
      edited: false,
      revoked: false,
      reactions: {},
      votes: {},
      media: typeof media === 'string' ? undefined : media,
      mediaError: typeof media === 'string' ? media : undefined,
      message,
      receivedAt: at,
      status,
      errorCode: undefined,
    }
    const before = this.messages.findLastIndex(({ receivedAt }) => receivedAt <= at)
    this.messages.splice(before + 1, 0, entry)
    this.#authors.set(entry, sender.account)
    if (fromMe) this.#ownById.set(id, entry)
    this.#apply(entry)
    this.emit('message', entry)
  }

  /** Received messages of one chat that are not yet in this status; all of the chat unless ids are given. */
  markReceived(chat: Chat, ids: readonly string[] | undefined, status: 'read' | 'played'): PhoneMessage[] {
    return this.messages.filter(
      (message) =>
        !message.fromMe &&
        message.chat === chatName(chat) &&
        (ids === undefined || ids.includes(message.id)) &&
        advance(message, status),
    )
  }

  find(id: string): PhoneMessage | undefined {
    return this.#ownById.get(id) ?? this.messages.find((message) => message.id === id)
  }

  /** @throws {SandboxError} `MESSAGE_UNKNOWN` */
  get(id: string): { entry: PhoneMessage; author: Account } {
    const entry = this.find(id)
    const author = entry && this.#authors.get(entry)
    if (!entry || !author) throw new SandboxError('MESSAGE_UNKNOWN', 'this phone has no message with this id')
    return { entry, author }
  }

  /** What an addition changes in the message it is about. Only its author edits or deletes a message. */
  #apply(addition: PhoneMessage): void {
    const target = addition.targetId === undefined ? undefined : this.find(addition.targetId)
    if (!target) return
    const { kind, from, text } = addition
    if (kind === 'edit' && target.from === from) Object.assign(target, { text, edited: true })
    else if (kind === 'revoke' && target.from === from) target.revoked = true
    else if (kind === 'reaction' && text === undefined) Reflect.deleteProperty(target.reactions, from)
    else if (kind === 'reaction' && text !== undefined) target.reactions[from] = text
    else if (kind === 'vote') this.#applyVote(addition, target)
  }

  #applyVote(addition: PhoneMessage, poll: PhoneMessage): void {
    const creator = this.#authors.get(poll)
    const voter = this.#authors.get(addition)
    const vote = addition.message.pollUpdateMessage?.vote
    const options =
      creator && voter && vote && openVote(quotable(poll.message, true), poll.id, vote, { creator, voter })
    if (options) poll.votes[addition.from] = options
  }

  applyReceipt(receipt: PhoneReceipt): void {
    this.receipts.push(receipt)
    const message = this.#ownById.get(receipt.messageId)
    const { type } = receipt
    if (message && type !== 'sender' && type !== 'retry' && advance(message, type)) {
      this.emit('status', message)
    }
    this.emit('receipt', receipt)
  }

  applyAck(id: string, errorCode: string | undefined): void {
    const message = this.#ownById.get(id)
    if (!message) return
    if (errorCode !== undefined) {
      message.status = 'failed'
      message.errorCode = errorCode
      this.emit('status', message)
    } else if (advance(message, 'sent')) this.emit('status', message)
  }

  /** @throws {SandboxError} `WAIT_TIMEOUT` */
  async waitForMessage(
    matches: (message: PhoneMessage) => boolean,
    timeoutMs: number,
  ): Promise<PhoneMessage> {
    const attempt = () => this.messages.find(matches)
    return await waitUntil(this, ['message', 'status'], attempt, timeoutMs, 'the message')
  }

  /** @throws {SandboxError} `WAIT_TIMEOUT` */
  async waitForReceipt(
    matches: (receipt: PhoneReceipt) => boolean,
    timeoutMs: number,
  ): Promise<PhoneReceipt> {
    const attempt = () => this.receipts.find(matches)
    return await waitUntil(this, ['receipt'], attempt, timeoutMs, 'the receipt')
  }
}

export function describeSentMedia(media: OutgoingMedia, message: proto.IMessage): PhoneMedia {
  const bytes = Buffer.from(media.bytes)
  return {
    mimetype: media.mimetype,
    fileName: media.fileName,
    directPath: readMessage(message).media?.directPath ?? '',
    bytes,
    sizeBytes: bytes.length,
    sha256: sha256(bytes).toString('hex'),
  }
}

// A simulated phone: the primary device of one account, with real Signal sessions and real media encryption.
// Everything it sends or receives goes through one queue, so that its Signal ratchets step in order.
// Online it answers at once as a phone does; offline it does nothing and the server keeps its stanzas.
import type { BinaryNode, proto } from '@whiskeysockets/baileys'
import type { OutgoingMedia } from './content.ts'
import { type Account, type Addressing, accountJid, type DeviceAddress, type Directory } from './directory.ts'
import { SandboxError } from './errors.ts'
import { type Chat, type Groups, isGroup } from './groups.ts'
import {
  type HistoryDeps,
  type HistoryPiece,
  historyMessage,
  pairingPieces,
  requestedHistory,
} from './history.ts'
import { composeMessage, type OutgoingContent } from './kinds.ts'
import type { Outlet } from './mailboxes.ts'
import type { MediaHost } from './media-host.ts'
import type { PastChat, PastMessage } from './past.ts'
import { Inbox } from './phone-inbox.ts'
import { describeSentMedia, PhoneLog, type PhoneMessage, type PhoneReceipt } from './phone-log.ts'
import { newMessageId, Outbox, type OutgoingMessage } from './phone-outbox.ts'
import { resendAnswer } from './resend-request.ts'
import { SignalDevice } from './signal-device.ts'
import { stanza, unixSeconds } from './stanzas.ts'

const PRE_KEY_COUNT = 20

/** The server as a phone sees it. */
export interface PhoneNetwork {
  readonly directory: Directory
  readonly groups: Groups
  readonly media: MediaHost
  submit(from: DeviceAddress, node: BinaryNode): void
  connectPhone(address: DeviceAddress, outlet: Outlet): void
  disconnectPhone(address: DeviceAddress): void
}

export class Phone {
  readonly account: Account
  readonly address: DeviceAddress
  readonly signal = new SignalDevice()
  /** Everything this phone has sent and got, and a way to wait for more. */
  readonly log: PhoneLog
  /** False holds the second tick back: messages are taken, but no delivery receipt is sent. */
  sendsDeliveryReceipts = true
  /** False when its owner has cleared the files from it: there is nothing to upload again. */
  keepsMedia = true
  readonly #network: PhoneNetwork
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  #work: Promise<void> = Promise.resolve()
  #online = false
  #hasPast = false

  constructor(network: PhoneNetwork, account: Account) {
    this.#network = network
    this.account = account
    this.log = new PhoneLog(account)
    this.address = { account, deviceId: 0 }
    const { directory, groups, media } = network
    const { address, signal, log } = this
    const submit = (node: BinaryNode) => this.#submit(node)
    this.#outbox = new Outbox({ address, directory, media, signal, submit })
    this.#inbox = new Inbox({
      ...{ address, directory, groups, media, signal, log, submit },
      outbox: this.#outbox,
      tellsDelivery: () => this.sendsDeliveryReceipts,
      keepsMedia: () => this.keepsMedia,
      onRequest: (requestId, companion, request) => this.#onRequest(requestId, companion, request),
    })
    this.#register()
  }

  get messages(): readonly PhoneMessage[] {
    return this.log.messages
  }

  get receipts(): readonly PhoneReceipt[] {
    return this.log.receipts
  }

  goOnline(): void {
    if (this.#online) return
    this.#online = true
    this.#network.connectPhone(this.address, (node) => this.#receive(node))
  }

  goOffline(): void {
    this.#online = false
    this.#network.disconnectPhone(this.address)
  }

  close(): void {
    this.goOffline()
    this.signal.close()
  }

  topUpPreKeys(): void {
    this.account.devices.get(0)?.oneTimePreKeys.push(...this.signal.createPreKeys(PRE_KEY_COUNT))
  }

  /**
   * Sends to the other side's devices and, as a copy, to this account's companions. Resolves with the message id
   * once it is on its way; ticks follow in `status`.
   *
   * @throws {SandboxError} `PHONE_OFFLINE`, `ACCOUNT_UNKNOWN`, `MESSAGE_UNKNOWN`, `REQUEST_INVALID`
   */
  async send(outgoing: OutgoingMessage): Promise<string> {
    this.#requireOnline()
    const chat = this.#chat(outgoing.to)
    const addressing = isGroup(chat) ? chat.addressing : (outgoing.addressing ?? 'lid')
    if (addressing === 'pn' && !isGroup(chat) && (chat.hidesNumber || this.account.hidesNumber)) {
      throw new SandboxError('REQUEST_INVALID', 'who hides the number is only reached by LID')
    }
    const id = outgoing.id ?? newMessageId()
    const { media } = outgoing
    await this.#enqueue(async () => {
      const message = await this.#compose(outgoing, this.account, chat, addressing)
      const envelope = { id, chat, sender: this.address, addressing, status: 'pending' } as const
      this.log.record(envelope, message, media && describeSentMedia(media, message))
      await this.#outbox.transmit(id, { chat, addressing, message }, outgoing)
    })
    return id
  }

  /** Several pictures and videos at once: the album's head, then each of them. Resolves with their ids in order. */
  async sendAlbum(to: string, items: readonly OutgoingMedia[]): Promise<{ id: string; items: string[] }> {
    const count = (kind: string) => items.filter((item) => item.kind === kind).length
    const id = await this.send({ to, album: { images: count('image'), videos: count('video') } })
    const ids: string[] = []
    for (const media of items) ids.push(await this.send({ to, media, albumId: id }))
    return { id, items: ids }
  }

  /** Turns received messages of one chat blue for their senders; all unread ones unless ids are given. */
  async markRead(from: string, ids?: readonly string[], type: 'read' | 'played' = 'read'): Promise<string[]> {
    this.#requireOnline()
    const chat = this.#chat(from)
    const changed = this.log.markReceived(chat, ids, type)
    const receipts = Map.groupBy(changed, (message) => `${message.addressing} ${message.from}`)
    for (const messages of receipts.values()) this.#submit(this.#readReceipt(chat, messages, type))
    return changed.map((message) => message.id)
  }

  /** What it said and was told before it had a companion. */
  async remember(past: readonly PastChat[]): Promise<void> {
    this.#hasPast = true
    for (const { chat: name, addressing: wanted = 'lid', messages } of past) {
      const chat = this.#chat(name)
      const addressing = isGroup(chat) ? chat.addressing : wanted
      for (const message of messages) await this.#enqueue(() => this.#rememberOne(chat, addressing, message))
    }
  }

  /** All of this phone's messages and the own LID mapping: at once, or in chunks when it was given a past. */
  async sendHistory(companion: DeviceAddress, kind: 'bootstrap' | 'recent'): Promise<void> {
    const { messages } = this.log
    const inChunks = kind === 'bootstrap' && this.#hasPast
    const pieces = inChunks ? pairingPieces(messages, new Date()) : [{ kind, messages }]
    for (const piece of pieces) await this.#enqueue(() => this.#giveHistory(companion, piece))
  }

  /** @throws {SandboxError} `WAIT_TIMEOUT` */
  async waitForMessage(
    matches: (message: PhoneMessage) => boolean,
    timeoutMs = 10_000,
  ): Promise<PhoneMessage> {
    return await this.log.waitForMessage(matches, timeoutMs)
  }

  /** @throws {SandboxError} `WAIT_TIMEOUT` */
  async waitForReceipt(
    matches: (receipt: PhoneReceipt) => boolean,
    timeoutMs = 10_000,
  ): Promise<PhoneReceipt> {
    return await this.log.waitForReceipt(matches, timeoutMs)
  }

  #register(): void {
    const { registrationId, signedPreKey } = this.signal.creds
    const { keyId, keyPair, signature } = signedPreKey
    this.account.devices.set(0, {
      id: 0,
      keyIndex: 0,
      registrationId,
      identityKey: this.signal.identityKey,
      signedPreKey: { keyId, publicKey: keyPair.public, signature },
      oneTimePreKeys: this.signal.createPreKeys(PRE_KEY_COUNT),
      noiseKey: undefined,
      historySent: true,
    })
  }

  #requireOnline(): void {
    if (!this.#online) throw new SandboxError('PHONE_OFFLINE', 'this phone is offline; take it online first')
  }

  #chat(name: string): Chat {
    const group = this.#network.groups.find(name)
    if (group) {
      if (group.members.has(this.account)) return group
      throw new SandboxError('REQUEST_INVALID', 'this phone is no member of the group; add it first')
    }
    const account = this.#network.directory.find(name)
    if (!account) throw new SandboxError('ACCOUNT_UNKNOWN', 'the receiver has no account; add it first')
    return account
  }

  #submit(node: BinaryNode): void {
    this.#network.submit(this.address, node)
  }

  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#work.then(task)
    this.#work = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }

  /** One receipt for messages of one chat, one sender and one way of addressing. */
  #readReceipt(chat: Chat, messages: readonly PhoneMessage[], type: 'read' | 'played'): BinaryNode {
    const [first, ...rest] = messages
    const addressing = first?.addressing ?? 'lid'
    const author = this.#network.directory.find(first?.from ?? '')
    const where = isGroup(chat)
      ? { to: chat.jid, participant: author && accountJid(author, addressing) }
      : { to: accountJid(chat, addressing) }
    const items = rest.map(({ id }) => stanza('item', { id }))
    const list = items.length > 0 ? [stanza('list', {}, items)] : undefined
    return stanza('receipt', { id: first?.id, ...where, type, t: unixSeconds() }, list)
  }

  get #historyDeps(): HistoryDeps {
    const { directory, groups } = this.#network
    return { account: this.account, directory, groups }
  }

  async #compose(content: OutgoingContent, own: Account, chat: Chat, addressing: Addressing) {
    return await composeMessage(content, {
      ...{ own, chat, addressing },
      find: (id) => this.log.get(id),
      upload: (media) => this.#outbox.upload(media),
    })
  }

  async #rememberOne(chat: Chat, addressing: Addressing, past: PastMessage): Promise<void> {
    const { media, at, id = newMessageId() } = past
    const from = this.#network.directory.find(past.from ?? '')
    const author = from ?? (isGroup(chat) ? chat.creator : chat)
    const message = await this.#compose(past, author, chat, addressing)
    const status = author === this.account ? 'read' : 'received'
    const sender = { account: author, deviceId: 0 }
    this.log.record(
      { id, chat, sender, addressing, status, at },
      message,
      media && describeSentMedia(media, message),
    )
  }

  async #giveHistory(companion: DeviceAddress, piece: HistoryPiece): Promise<void> {
    await this.#outbox.toCompanion(companion, await historyMessage(this.#historyDeps, piece))
  }

  async #onRequest(requestId: string, companion: DeviceAddress, request: proto.IMessage): Promise<void> {
    const messages = requestedHistory(request, this.log, this.#network.directory)
    if (messages) await this.#giveHistory(companion, { kind: 'onDemand', requestId, messages })
    const resend = resendAnswer(this.#historyDeps, requestId, request, this.log)
    if (resend) await this.#outbox.toCompanion(companion, resend)
  }

  #receive(node: BinaryNode): void {
    const handled = this.#enqueue(async () => {
      if (this.#online) await this.#inbox.handle(node)
    })
    handled.catch((error: unknown) => {
      // A broken stanza must not stop the phone; what it could not handle shows up as an unknown stanza.
      this.#submit(stanza('phone-error', { stanza: node.tag, reason: String(error) }))
    })
  }
}

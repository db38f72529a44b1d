// A simulated phone: the primary device of one account, with real Signal sessions and real media encryption.
// Everything it sends or receives goes through one queue, so that its Signal ratchets step in order.
// Online it answers at once as a phone does; offline it does nothing and the server keeps its stanzas.
import { randomBytes } from 'node:crypto'
import { type BinaryNode, jidDecode, type proto } from '@whiskeysockets/baileys'
import { mediaMessage, type OutgoingMedia, readMessage, stanzaTypes, textMessage } from './content.ts'
import {
  type Account,
  type Addressing,
  accountJid,
  addressingOf,
  type DeviceAddress,
  type Directory,
  deviceJid,
} from './directory.ts'
import { SandboxError } from './errors.ts'
import { type HistoryPiece, historyMessage, requestedHistory } from './history.ts'
import type { Outlet } from './mailboxes.ts'
import { decryptMedia, encryptMedia, sha256 } from './media-crypto.ts'
import type { MediaHost } from './media-host.ts'
import { mediaRetryAnswer } from './media-retry.ts'
import {
  describeSentMedia,
  PhoneLog,
  type PhoneMedia,
  type PhoneMessage,
  type PhoneReceipt,
} from './phone-log.ts'
import { parseRetryKeys, registrationStanza, retryKeyStanzas } from './prekeys.ts'
import { type Ciphertext, SignalDevice } from './signal-device.ts'
import { bytesOf, child, receiptIds, stanza, unixSeconds } from './stanzas.ts'

const PRE_KEY_COUNT = 20
const MAX_RETRIES = 5

/** The server as a phone sees it. */
export interface PhoneNetwork {
  readonly directory: Directory
  readonly media: MediaHost
  submit(from: DeviceAddress, node: BinaryNode): void
  connectPhone(address: DeviceAddress, outlet: Outlet): void
  disconnectPhone(address: DeviceAddress): void
}

export interface OutgoingMessage {
  /** Phone number, or a JID in either form. */
  readonly to: string
  readonly text?: string
  readonly media?: OutgoingMedia
  /** A ready protobuf, for kinds that have no short form here. */
  readonly message?: proto.IMessage
  /** New chats are LID-addressed on the real network too. */
  readonly addressing?: Addressing
  readonly id?: string
  /** Spoils the ciphertext, so that receivers have to ask for a retry. */
  readonly corrupt?: boolean
  /** Phones alone get it, as when the network fails the companions: these can learn of it by history only. */
  readonly phonesOnly?: boolean
}

interface SentRecord {
  readonly chat: Account
  readonly addressing: Addressing
  readonly message: proto.IMessage
}

export class Phone {
  readonly account: Account
  readonly address: DeviceAddress
  readonly signal = new SignalDevice()
  /** Everything this phone has sent and got, and a way to wait for more. */
  readonly log: PhoneLog
  /** False holds the second tick back: messages are taken, but no delivery receipt is sent. */
  sendsDeliveryReceipts = true
  readonly #network: PhoneNetwork
  readonly #sent = new Map<string, SentRecord>()
  /** Messages taken already, by sender and id; the server may deliver one twice. */
  readonly #taken = new Set<string>()
  readonly #retries = new Map<string, number>()
  #work: Promise<void> = Promise.resolve()
  #online = false

  constructor(network: PhoneNetwork, account: Account) {
    this.#network = network
    this.account = account
    this.log = new PhoneLog(account)
    this.address = { account, deviceId: 0 }
    const { registrationId, signedPreKey } = this.signal.creds
    account.devices.set(0, {
      id: 0,
      keyIndex: 0,
      registrationId,
      identityKey: this.signal.identityKey,
      signedPreKey: {
        keyId: signedPreKey.keyId,
        publicKey: signedPreKey.keyPair.public,
        signature: signedPreKey.signature,
      },
      oneTimePreKeys: this.signal.createPreKeys(PRE_KEY_COUNT),
      noiseKey: undefined,
      historySent: true,
    })
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
   * @throws {SandboxError} `PHONE_OFFLINE`, `ACCOUNT_UNKNOWN`, `REQUEST_INVALID`
   */
  async send(outgoing: OutgoingMessage): Promise<string> {
    this.#requireOnline()
    const chat = this.#network.directory.find(outgoing.to)
    if (!chat) throw new SandboxError('ACCOUNT_UNKNOWN', 'the receiver has no account; add it first')
    const id = outgoing.id ?? `3EB0${randomBytes(9).toString('hex').toUpperCase()}`
    const addressing = outgoing.addressing ?? 'lid'
    const { media } = outgoing
    await this.#enqueue(async () => {
      const message = outgoing.message ?? (await this.#compose(outgoing))
      this.#sent.set(id, { chat, addressing, message })
      const envelope = { id, chat, sender: this.address, addressing, status: 'pending' } as const
      this.log.record(envelope, message, media && describeSentMedia(media, message))
      await this.#transmit(id, outgoing)
    })
    return id
  }

  /** Turns received messages of one chat blue for their sender; all unread ones unless ids are given. */
  async markRead(from: string, ids?: readonly string[], type: 'read' | 'played' = 'read'): Promise<string[]> {
    this.#requireOnline()
    const chat = this.#network.directory.find(from)
    if (!chat) throw new SandboxError('ACCOUNT_UNKNOWN', 'no account has this number; add it first')
    const changed = this.log.markReceived(chat, ids, type)
    for (const addressing of ['lid', 'pn'] as const) {
      const [first, ...rest] = changed.filter((message) => message.addressing === addressing)
      if (!first) continue
      const items = rest.map((message) => stanza('item', { id: message.id }))
      this.#submit(
        stanza(
          'receipt',
          { id: first.id, to: accountJid(chat, addressing), type, t: unixSeconds() },
          items.length > 0 ? [stanza('list', {}, items)] : undefined,
        ),
      )
    }
    return changed.map((message) => message.id)
  }

  /** Gives a companion all of this phone's messages and the own LID mapping. */
  async sendHistory(companion: DeviceAddress, kind: 'bootstrap' | 'recent'): Promise<void> {
    await this.#enqueue(() => this.#giveHistory(companion, { kind }, this.log.messages))
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

  #requireOnline(): void {
    if (!this.#online) throw new SandboxError('PHONE_OFFLINE', 'this phone is offline; take it online first')
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

  async #compose({ text, media }: OutgoingMessage): Promise<proto.IMessage> {
    if (!media) {
      if (text === undefined) throw new SandboxError('REQUEST_INVALID', 'give a text, media or a message')
      return textMessage(text)
    }
    const encrypted = await encryptMedia(media.bytes, media.kind)
    const stored = this.#network.media.store(`/${media.kind}`, encrypted.body)
    return mediaMessage(media, { ...encrypted, ...stored })
  }

  async #encryptFor(receiver: DeviceAddress, message: proto.IMessage): Promise<Ciphertext> {
    const jid = deviceJid(receiver, 'lid')
    if (!(await this.signal.hasSession(jid))) {
      const bundle = this.#network.directory.takeBundle(receiver)
      if (!bundle) throw new SandboxError('ACCOUNT_UNKNOWN', 'the receiving device was removed meanwhile')
      await this.signal.openSession(jid, bundle)
    }
    return await this.signal.encrypt(jid, message)
  }

  async #giveHistory(
    companion: DeviceAddress,
    piece: HistoryPiece,
    messages: readonly PhoneMessage[],
  ): Promise<void> {
    const { directory } = this.#network
    const message = await historyMessage({ account: this.account, directory }, piece, messages)
    const enc = await this.#encryptFor(companion, message)
    this.#submit(
      stanza(
        'message',
        {
          id: `3EB0${randomBytes(9).toString('hex').toUpperCase()}`,
          to: deviceJid(companion, 'pn'),
          type: 'text',
          category: 'peer',
          push_priority: 'high_force',
        },
        [encStanza(enc)],
      ),
    )
  }

  async #transmit(
    id: string,
    { corrupt, phonesOnly }: Pick<OutgoingMessage, 'corrupt' | 'phonesOnly'>,
  ): Promise<void> {
    const { chat, addressing, message } = this.#sentRecord(id)
    const { type, mediaType } = stanzaTypes(message)
    const copy = ownCopy(message, accountJid(chat, addressing))
    const participants: BinaryNode[] = []
    for (const account of new Set([chat, this.account])) {
      for (const deviceId of account.devices.keys()) {
        if (account === this.account && deviceId === 0) continue
        if (phonesOnly && deviceId !== 0) continue
        const receiver = { account, deviceId }
        const enc = await this.#encryptFor(receiver, account === this.account ? copy : message)
        const sealed = corrupt ? spoiled(enc) : enc
        participants.push(
          stanza('to', { jid: deviceJid(receiver, addressing) }, [
            encStanza(sealed, { mediatype: mediaType }),
          ]),
        )
      }
    }
    this.#submit(
      stanza('message', { id, to: accountJid(chat, addressing), type }, [
        stanza('participants', {}, participants),
      ]),
    )
  }

  #sentRecord(id: string): SentRecord {
    const record = this.#sent.get(id)
    if (!record) throw new SandboxError('MESSAGE_UNKNOWN', 'this phone has sent no message with this id')
    return record
  }

  #receive(node: BinaryNode): void {
    this.#enqueue(() => this.#handle(node)).catch((error: unknown) => {
      // A broken stanza must not stop the phone; what it could not handle shows up as an unknown stanza.
      this.#submit(stanza('phone-error', { stanza: node.tag, reason: String(error) }))
    })
  }

  async #handle(node: BinaryNode): Promise<void> {
    if (!this.#online) return
    if (node.tag === 'message') await this.#onMessage(node)
    else if (node.tag === 'receipt') await this.#onReceipt(node)
    else if (node.tag === 'ack') this.#onAck(node)
    else this.#submit(stanza('ack', { id: node.attrs['id'], class: node.tag, type: node.attrs['type'] }))
  }

  async #onMessage(node: BinaryNode): Promise<void> {
    const { id = '', from = '', category } = node.attrs
    const sender = this.#network.directory.findDevice(from)
    const enc = child(node, 'enc')
    if (!sender || !enc) return this.#ackMessage(node)
    const key = `${sender.account.phone} ${id}`
    if (this.#taken.has(key)) return this.#answerMessage(node, sender)
    const type = enc.attrs['type'] === 'pkmsg' ? 'pkmsg' : 'msg'
    let message: proto.Message
    try {
      message = await this.signal.decrypt(deviceJid(sender, 'lid'), { type, bytes: bytesOf(enc) })
    } catch {
      return this.#askForRetry(node)
    }
    this.#taken.add(key)
    if (category !== 'peer') await this.#take(node, sender, message)
    this.#answerMessage(node, sender)
    if (category === 'peer' && sender.account === this.account) await this.#onRequest(id, sender, message)
  }

  async #onRequest(requestId: string, companion: DeviceAddress, request: proto.IMessage): Promise<void> {
    const messages = requestedHistory(request, this.log, this.#network.directory)
    if (messages) await this.#giveHistory(companion, { kind: 'onDemand', requestId }, messages)
  }

  async #take(node: BinaryNode, sender: DeviceAddress, received: proto.Message): Promise<void> {
    const { id = '', from = '', recipient } = node.attrs
    const own = sender.account === this.account
    const message = received.deviceSentMessage?.message ?? received
    const destination = recipient ?? received.deviceSentMessage?.destinationJid ?? from
    const chat = own ? this.#network.directory.find(destination) : sender.account
    const addressing = addressingOf(own ? destination : from)
    const reading = readMessage(message)
    const media =
      reading.media && (await this.#download(reading.media).catch((error: unknown) => String(error)))
    const envelope = {
      id,
      chat: chat ?? sender.account,
      sender,
      addressing,
      status: own ? 'sent' : 'received',
    } as const
    this.log.record(envelope, message, media)
  }

  async #download(part: NonNullable<ReturnType<typeof readMessage>['media']>): Promise<PhoneMedia> {
    const bytes = await decryptMedia(this.#network.media.read(part.directPath), part, part.kind)
    const { mimetype, fileName, directPath } = part
    return {
      mimetype,
      fileName,
      directPath,
      bytes,
      sizeBytes: bytes.length,
      sha256: sha256(bytes).toString('hex'),
    }
  }

  #answerMessage(node: BinaryNode, sender: DeviceAddress): void {
    const { id, from, recipient, category } = node.attrs
    if (category === 'peer') this.#submit(stanza('receipt', { id, to: from, type: 'peer_msg' }))
    else if (sender.account === this.account) {
      this.#submit(stanza('receipt', { id, to: from, type: 'sender', recipient }))
    } else if (this.sendsDeliveryReceipts) this.#submit(stanza('receipt', { id, to: from }))
    else this.#ackMessage(node)
  }

  #ackMessage(node: BinaryNode): void {
    this.#submit(stanza('ack', { id: node.attrs['id'], class: 'message', to: node.attrs['from'] }))
  }

  #askForRetry(node: BinaryNode): void {
    const { id = '', from, recipient, t } = node.attrs
    const count = (this.#retries.get(id) ?? 0) + 1
    if (count > MAX_RETRIES) {
      this.#ackMessage(node)
      return
    }
    this.#retries.set(id, count)
    const { registrationId, signedPreKey } = this.signal.creds
    const { keyId, keyPair, signature } = signedPreKey
    const keys = retryKeyStanzas({
      registrationId,
      identityKey: this.signal.identityKey,
      signedPreKey: { keyId, publicKey: keyPair.public, signature },
      preKey: this.signal.createPreKeys(1)[0],
    })
    this.#submit(
      stanza('receipt', { id, to: from, type: 'retry', recipient, t: unixSeconds() }, [
        stanza('retry', { count: String(count), id, t, v: '1' }),
        registrationStanza(registrationId),
        // The first request leaves it to the sender to fetch keys, as official clients do.
        ...(count > 1 ? keys : []),
      ]),
    )
  }

  async #onReceipt(node: BinaryNode): Promise<void> {
    const { id, from = '', type = 'delivered' } = node.attrs
    this.#submit(stanza('ack', { id, class: 'receipt', to: from, type: node.attrs['type'] }))
    if (type === 'server-error') {
      this.#submit(await mediaRetryAnswer(node, this.log.find(id ?? ''), this.#network.media))
      return
    }
    const account = this.#network.directory.find(from)
    if (!account) return
    const fromDevice = jidDecode(from)?.device ?? 0
    // Only these types are forwarded by the server.
    const known = type as PhoneReceipt['type']
    for (const messageId of receiptIds(node)) {
      this.log.applyReceipt({ messageId, from: account.phone, fromDevice, type: known, at: new Date() })
    }
    if (type === 'retry') await this.#resend(node, { account, deviceId: fromDevice })
  }

  async #resend(receipt: BinaryNode, receiver: DeviceAddress): Promise<void> {
    const id = receipt.attrs['id'] ?? ''
    const sent = this.#sent.get(id)
    const bundle = parseRetryKeys(receipt) ?? this.#network.directory.takeBundle(receiver)
    if (!sent || !bundle) return
    const { chat, addressing, message } = sent
    const own = receiver.account === this.account
    const { type, mediaType } = stanzaTypes(message)
    const jid = deviceJid(receiver, 'lid')
    await this.signal.openSession(jid, bundle)
    const enc = await this.signal.encrypt(jid, own ? ownCopy(message, accountJid(chat, addressing)) : message)
    const count = child(receipt, 'retry')?.attrs['count'] ?? '1'
    const recipient = own ? accountJid(chat, addressing) : undefined
    this.#submit(
      stanza(
        'message',
        { id, to: deviceJid(receiver, addressing), type, recipient, device_fanout: 'false' },
        [encStanza(enc, { count, mediatype: mediaType })],
      ),
    )
  }

  #onAck({ attrs }: BinaryNode): void {
    if (attrs['class'] === 'message' && attrs['id']) this.log.applyAck(attrs['id'], attrs['error'])
  }
}

function encStanza(enc: Ciphertext, extra: Record<string, string | undefined> = {}): BinaryNode {
  return stanza('enc', { v: '2', type: enc.type, ...extra }, enc.bytes)
}

function ownCopy(message: proto.IMessage, destinationJid: string): proto.IMessage {
  return { deviceSentMessage: { destinationJid, message } }
}

/** Flips the last byte, which belongs to the MAC. */
function spoiled({ type, bytes }: Ciphertext): Ciphertext {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 0xff, changed.length - 1)
  return { type, bytes: changed }
}

// What reaches a simulated phone: messages are decrypted, kept in the log and answered with receipts; what cannot be
// decrypted is asked for again. Its calls run in the phone's queue, one at a time.
import { type BinaryNode, jidDecode, type proto } from '@whiskeysockets/baileys'
import { readMessage } from './content.ts'
import { addressingOf, type DeviceAddress, type Directory, deviceJid } from './directory.ts'
import type { Chat, Groups } from './groups.ts'
import { decryptMedia, sha256 } from './media-crypto.ts'
import type { MediaHost } from './media-host.ts'
import { mediaRetryAnswer } from './media-retry.ts'
import type { PhoneLog, PhoneMedia, PhoneReceipt } from './phone-log.ts'
import type { Outbox } from './phone-outbox.ts'
import { registrationStanza, retryKeyStanzas } from './prekeys.ts'
import type { SignalDevice } from './signal-device.ts'
import { bytesOf, child, children, receiptIds, stanza, unixSeconds } from './stanzas.ts'

const MAX_RETRIES = 5

interface InboxDeps {
  readonly address: DeviceAddress
  readonly directory: Directory
  readonly groups: Groups
  readonly media: MediaHost
  readonly signal: SignalDevice
  readonly log: PhoneLog
  readonly outbox: Outbox
  readonly submit: (node: BinaryNode) => void
  /** Whether the second tick is given at once. */
  readonly tellsDelivery: () => boolean
  readonly keepsMedia: () => boolean
  /** A companion of this account asks for something. */
  readonly onRequest: (requestId: string, companion: DeviceAddress, request: proto.IMessage) => Promise<void>
}

export class Inbox {
  readonly #deps: InboxDeps
  /** Messages taken already, by sender and id; the server may deliver one twice. */
  readonly #taken = new Set<string>()
  readonly #retries = new Map<string, number>()

  constructor(deps: InboxDeps) {
    this.#deps = deps
  }

  async handle(node: BinaryNode): Promise<void> {
    if (node.tag === 'message') await this.#onMessage(node)
    else if (node.tag === 'receipt') await this.#onReceipt(node)
    else if (node.tag === 'ack') this.#onAck(node)
    else this.#onNews(node)
  }

  #submit(node: BinaryNode): void {
    this.#deps.submit(node)
  }

  /** Notifications and calls need no more than an ack, except that who leaves a group must not read on. */
  #onNews(node: BinaryNode): void {
    const { id, from, type } = node.attrs
    const group = this.#deps.groups.find(from ?? '')
    if (group && child(node, 'remove')) this.#deps.outbox.renewSenderKey(group)
    this.#submit(stanza('ack', { id, class: node.tag, to: from, type }))
  }

  async #onMessage(node: BinaryNode): Promise<void> {
    const { id = '', from = '', participant, category } = node.attrs
    const sender = this.#deps.directory.findDevice(participant ?? from)
    if (!sender || !child(node, 'enc')) return this.#ackMessage(node)
    const key = `${sender.account.phone} ${id}`
    if (this.#taken.has(key)) return this.#answerMessage(node, sender)
    let message: proto.Message
    try {
      message = await this.#decrypt(node, sender)
    } catch {
      return this.#askForRetry(node)
    }
    this.#taken.add(key)
    if (category !== 'peer') await this.#take(node, sender, message)
    this.#answerMessage(node, sender)
    if (category === 'peer' && sender.account === this.#deps.address.account) {
      await this.#deps.onRequest(id, sender, message)
    }
  }

  /** In a group the first ciphertext may carry the sender key for the second. The last one is the message. */
  async #decrypt(node: BinaryNode, sender: DeviceAddress): Promise<proto.Message> {
    const { signal } = this.#deps
    const { from = '' } = node.attrs
    const jid = deviceJid(sender, 'lid')
    let message: proto.Message | undefined
    for (const enc of children(node, 'enc')) {
      const { type } = enc.attrs
      message =
        type === 'skmsg'
          ? await signal.decryptFromGroup(from, jid, bytesOf(enc))
          : await signal.decrypt(jid, { type: type === 'pkmsg' ? 'pkmsg' : 'msg', bytes: bytesOf(enc) })
      const key = message.senderKeyDistributionMessage
      if (key) await signal.takeSenderKey(jid, key)
    }
    if (!message) throw new Error('a message without ciphertext')
    return message
  }

  async #take(node: BinaryNode, sender: DeviceAddress, received: proto.Message): Promise<void> {
    const { id = '' } = node.attrs
    const own = sender.account === this.#deps.address.account
    const message = received.deviceSentMessage?.message ?? received
    const reading = readMessage(message)
    const media =
      reading.media && (await this.#download(reading.media).catch((error: unknown) => String(error)))
    const { chat, addressing } = this.#place(node, sender, received)
    const status = own ? 'sent' : 'received'
    this.#deps.log.record({ id, chat, sender, addressing, status }, message, media)
  }

  /** The chat a message belongs to, seen from this phone. */
  #place(node: BinaryNode, sender: DeviceAddress, { deviceSentMessage }: proto.Message) {
    const { from = '', recipient } = node.attrs
    const group = this.#deps.groups.find(from)
    if (group) return { chat: group, addressing: group.addressing }
    const own = sender.account === this.#deps.address.account
    const other = own ? (recipient ?? deviceSentMessage?.destinationJid ?? from) : from
    const chat: Chat = (own ? this.#deps.directory.find(other) : undefined) ?? sender.account
    return { chat, addressing: addressingOf(other) }
  }

  async #download(part: NonNullable<ReturnType<typeof readMessage>['media']>): Promise<PhoneMedia> {
    const bytes = await decryptMedia(this.#deps.media.read(part.directPath), part, part.kind)
    const { mimetype, fileName, directPath } = part
    const digest = sha256(bytes).toString('hex')
    return { mimetype, fileName, directPath, bytes, sizeBytes: bytes.length, sha256: digest }
  }

  #answerMessage(node: BinaryNode, sender: DeviceAddress): void {
    const { id, from: to, participant, recipient, category } = node.attrs
    if (category === 'peer') this.#submit(stanza('receipt', { id, to, type: 'peer_msg' }))
    else if (sender.account === this.#deps.address.account) {
      this.#submit(stanza('receipt', { id, to, participant, type: 'sender', recipient }))
    } else if (this.#deps.tellsDelivery()) this.#submit(stanza('receipt', { id, to, participant }))
    else this.#ackMessage(node)
  }

  #ackMessage(node: BinaryNode): void {
    this.#submit(stanza('ack', { id: node.attrs['id'], class: 'message', to: node.attrs['from'] }))
  }

  #askForRetry(node: BinaryNode): void {
    const { id = '', from: to, participant, recipient, t } = node.attrs
    const count = (this.#retries.get(id) ?? 0) + 1
    if (count > MAX_RETRIES) {
      this.#ackMessage(node)
      return
    }
    this.#retries.set(id, count)
    const { signal } = this.#deps
    const { registrationId, signedPreKey } = signal.creds
    const { keyId, keyPair, signature } = signedPreKey
    const keys = retryKeyStanzas({
      registrationId,
      identityKey: signal.identityKey,
      signedPreKey: { keyId, publicKey: keyPair.public, signature },
      preKey: signal.createPreKeys(1)[0],
    })
    this.#submit(
      stanza('receipt', { id, to, participant, type: 'retry', recipient, t: unixSeconds() }, [
        stanza('retry', { count: String(count), id, t, v: '1' }),
        registrationStanza(registrationId),
        // The first request leaves it to the sender to fetch keys, as official clients do.
        ...(count > 1 ? keys : []),
      ]),
    )
  }

  async #onReceipt(node: BinaryNode): Promise<void> {
    const { id, from = '', participant, type = 'delivered' } = node.attrs
    const { directory, keepsMedia, log, media, outbox } = this.#deps
    this.#submit(stanza('ack', { id, class: 'receipt', to: from, participant, type: node.attrs['type'] }))
    if (type === 'server-error') {
      const message = keepsMedia() ? log.find(id ?? '') : undefined
      this.#submit(await mediaRetryAnswer(node, message, media))
      return
    }
    const device = participant ?? from
    const account = directory.find(device)
    if (!account) return
    const fromDevice = jidDecode(device)?.device ?? 0
    // Only these types are forwarded by the server.
    const known = type as PhoneReceipt['type']
    for (const messageId of receiptIds(node)) {
      log.applyReceipt({ messageId, from: account.phone, fromDevice, type: known, at: new Date() })
    }
    if (type === 'retry') await outbox.resend(node, { account, deviceId: fromDevice })
  }

  #onAck({ attrs }: BinaryNode): void {
    if (attrs['class'] === 'message' && attrs['id']) this.#deps.log.applyAck(attrs['id'], attrs['error'])
  }
}

// What a simulated phone sends: composed, encrypted for each device and, on a retry receipt, encrypted again.
// Its calls run in the phone's queue, one at a time.
import { randomBytes } from 'node:crypto'
import type { BinaryNode, proto } from '@whiskeysockets/baileys'
import { mediaMessage, type OutgoingMedia, stanzaTypes } from './content.ts'
import {
  type Account,
  type Addressing,
  accountJid,
  addressKey,
  type DeviceAddress,
  type Directory,
  deviceJid,
} from './directory.ts'
import { SandboxError } from './errors.ts'
import { type Chat, type Group, isGroup } from './groups.ts'
import type { OutgoingContent } from './kinds.ts'
import { encryptMedia } from './media-crypto.ts'
import type { MediaHost } from './media-host.ts'
import { parseRetryKeys } from './prekeys.ts'
import type { Ciphertext, SignalDevice } from './signal-device.ts'
import { child, stanza } from './stanzas.ts'

export interface OutgoingMessage extends OutgoingContent {
  /** Phone number, a JID in either form, or a group's JID. */
  readonly to: string
  /** New chats are LID-addressed on the real network too. A group has its own. */
  readonly addressing?: Addressing
  readonly id?: string
  /** Spoils the ciphertext, so that receivers have to ask for a retry. */
  readonly corrupt?: boolean
  /** Phones alone get it, as when the network fails the companions: these can learn of it by history only. */
  readonly phonesOnly?: boolean
  /** Companions get the message without content, as with answers to ads, and ask their phone for it. */
  readonly placeholder?: boolean
}

/** A message on its way, and all that a later retry needs. */
export interface SentRecord {
  readonly chat: Chat
  readonly addressing: Addressing
  readonly message: proto.IMessage
}

interface OutboxDeps {
  readonly address: DeviceAddress
  readonly directory: Directory
  readonly media: MediaHost
  readonly signal: SignalDevice
  readonly submit: (node: BinaryNode) => void
}

type Delivery = Pick<OutgoingMessage, 'corrupt' | 'phonesOnly' | 'placeholder' | 'viewOnce'>

export function newMessageId(): string {
  return `3EB0${randomBytes(9).toString('hex').toUpperCase()}`
}

export class Outbox {
  readonly #deps: OutboxDeps
  readonly #sent = new Map<string, SentRecord>()

  constructor(deps: OutboxDeps) {
    this.#deps = deps
  }

  /** Encrypts and stores the media, and gives the message that points to it. */
  async upload(media: OutgoingMedia): Promise<proto.IMessage> {
    const encrypted = await encryptMedia(media.bytes, media.kind)
    const stored = this.#deps.media.store(`/${media.kind}`, encrypted.body)
    return mediaMessage(media, { ...encrypted, ...stored })
  }

  async transmit(id: string, record: SentRecord, delivery: Delivery): Promise<void> {
    this.#sent.set(id, record)
    if (isGroup(record.chat)) await this.#toGroup(id, record.chat, record.message, delivery)
    else await this.#toAccount(id, record.chat, record, delivery)
  }

  /** Gives a companion of this account something that is no message of a chat: history, answers to its requests. */
  async toCompanion(companion: DeviceAddress, message: proto.IMessage): Promise<void> {
    const enc = await this.#encryptFor(companion, message)
    const to = deviceJid(companion, 'pn')
    const attributes = { id: newMessageId(), to, type: 'text', category: 'peer', push_priority: 'high_force' }
    this.#deps.submit(stanza('message', attributes, [encStanza(enc)]))
  }

  /** Answers a retry receipt, if this phone sent that message. */
  async resend(receipt: BinaryNode, receiver: DeviceAddress): Promise<void> {
    const { directory, signal, submit } = this.#deps
    const id = receipt.attrs['id'] ?? ''
    const sent = this.#sent.get(id)
    const bundle = parseRetryKeys(receipt) ?? directory.takeBundle(receiver)
    if (!sent || !bundle) return
    const { chat, addressing, message } = sent
    const jid = deviceJid(receiver, 'lid')
    await signal.openSession(jid, bundle)
    const enc = await signal.encrypt(jid, await this.#retryContent(sent, receiver))
    const count = child(receipt, 'retry')?.attrs['count'] ?? '1'
    const { type, mediaType, edit } = stanzaTypes(message)
    const device = deviceJid(receiver, addressing)
    const own = receiver.account === this.#own
    const where = isGroup(chat)
      ? { to: chat.jid, participant: device }
      : { to: device, recipient: own ? accountJid(chat, addressing) : undefined, device_fanout: 'false' }
    submit(stanza('message', { id, type, edit, ...where }, [encStanza(enc, { count, mediatype: mediaType })]))
  }

  /** Somebody left: the next message begins a new sender key, which goes to those who stay. */
  renewSenderKey(group: Group): void {
    this.#deps.signal.forgetSenderKey(group.jid, this.#ownJid)
  }

  get #own(): Account {
    return this.#deps.address.account
  }

  get #ownJid(): string {
    return deviceJid(this.#deps.address, 'lid')
  }

  async #retryContent({ chat, addressing, message }: SentRecord, receiver: DeviceAddress) {
    if (!isGroup(chat)) {
      return receiver.account === this.#own ? ownCopy(message, accountJid(chat, addressing)) : message
    }
    // The next group message must open as well, so the key goes along.
    const { distribution } = await this.#deps.signal.encryptForGroup(chat.jid, this.#ownJid, message)
    return { ...message, senderKeyDistributionMessage: distribution }
  }

  async #encryptFor(receiver: DeviceAddress, message: proto.IMessage): Promise<Ciphertext> {
    const { directory, signal } = this.#deps
    const jid = deviceJid(receiver, 'lid')
    if (!(await signal.hasSession(jid))) {
      const bundle = directory.takeBundle(receiver)
      if (!bundle) throw new SandboxError('ACCOUNT_UNKNOWN', 'the receiving device was removed meanwhile')
      await signal.openSession(jid, bundle)
    }
    return await signal.encrypt(jid, message)
  }

  /** Every device of these accounts except this phone itself. */
  #devices(accounts: Iterable<Account>, { phonesOnly }: Delivery): DeviceAddress[] {
    return [...new Set(accounts)]
      .flatMap((account) => [...account.devices.keys()].map((deviceId) => ({ account, deviceId })))
      .filter(({ account, deviceId }) => (deviceId === 0 ? account !== this.#own : !phonesOnly))
  }

  async #sealed(
    receiver: DeviceAddress,
    message: proto.IMessage,
    mediaType?: string,
    corrupt = false,
  ): Promise<BinaryNode> {
    const enc = await this.#encryptFor(receiver, message)
    return encStanza(corrupt ? spoiled(enc) : enc, { mediatype: mediaType })
  }

  async #toAccount(id: string, chat: Account, record: SentRecord, delivery: Delivery): Promise<void> {
    const { addressing, message } = record
    const { type, mediaType, edit } = stanzaTypes(message)
    const copy = ownCopy(message, accountJid(chat, addressing))
    const participants: BinaryNode[] = []
    for (const receiver of this.#devices([chat, this.#own], delivery)) {
      const content = receiver.account === this.#own ? copy : message
      const part =
        withheld(receiver, delivery) ?? (await this.#sealed(receiver, content, mediaType, delivery.corrupt))
      participants.push(stanza('to', { jid: deviceJid(receiver, addressing) }, [part]))
    }
    const to = accountJid(chat, addressing)
    this.#deps.submit(stanza('message', { id, to, type, edit }, [stanza('participants', {}, participants)]))
  }

  async #toGroup(id: string, group: Group, message: proto.IMessage, delivery: Delivery): Promise<void> {
    if (delivery.phonesOnly) {
      throw new SandboxError('REQUEST_INVALID', 'a group message cannot be kept from companions')
    }
    const { type, mediaType, edit } = stanzaTypes(message)
    const { signal, submit } = this.#deps
    const { bytes, distribution } = await signal.encryptForGroup(group.jid, this.#ownJid, message)
    const holders = signal.keyHolders(group.jid)
    const participants: BinaryNode[] = []
    for (const receiver of this.#devices(group.members, delivery)) {
      const part = withheld(receiver, delivery)
      if (!part && holders.has(addressKey(receiver))) continue
      const key = { senderKeyDistributionMessage: distribution }
      const parts = [part ?? (await this.#sealed(receiver, key))]
      participants.push(stanza('to', { jid: deviceJid(receiver, group.addressing) }, parts))
      if (!part) holders.add(addressKey(receiver))
    }
    const skmsg = { type: 'skmsg', bytes } as const
    const shared = encStanza(delivery.corrupt ? spoiled(skmsg) : skmsg, { mediatype: mediaType })
    submit(
      stanza('message', { id, to: group.jid, type, edit, addressing_mode: group.addressing }, [
        stanza('participants', {}, participants),
        shared,
      ]),
    )
  }
}

interface Sealed {
  readonly type: Ciphertext['type'] | 'skmsg'
  readonly bytes: Uint8Array
}

function encStanza(enc: Sealed, extra: Record<string, string | undefined> = {}): BinaryNode {
  return stanza('enc', { v: '2', type: enc.type, ...extra }, enc.bytes)
}

/** What a companion gets in place of the content, when it is not to have it. */
function withheld(receiver: DeviceAddress, { placeholder, viewOnce }: Delivery): BinaryNode | undefined {
  if (receiver.deviceId === 0) return undefined
  if (viewOnce) return stanza('unavailable', { type: 'view_once' })
  return placeholder ? stanza('unavailable') : undefined
}

function ownCopy(message: proto.IMessage, destinationJid: string): proto.IMessage {
  return { deviceSentMessage: { destinationJid, message } }
}

/** Flips the last byte, which belongs to the MAC or the signature. */
function spoiled<T extends Sealed>({ type, bytes }: T): { type: T['type']; bytes: Uint8Array } {
  const changed = Buffer.from(bytes)
  changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 0xff, changed.length - 1)
  return { type, bytes: changed }
}

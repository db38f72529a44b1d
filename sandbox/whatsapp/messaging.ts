// Carries messages and receipts between devices. The server sees only envelopes: who, to whom, which device gets
// which ciphertext. It rewrites the addresses for each receiver as WhatsApp does and acknowledges to the sender.
import { type BinaryNode, jidDecode } from '@whiskeysockets/baileys'
import type { Counters } from './counters.ts'
import {
  type Account,
  type Addressing,
  accountJid,
  addressingOf,
  type DeviceAddress,
  type Directory,
  deviceJid,
  knownJid,
} from './directory.ts'
import { groupDeliveries } from './group-messaging.ts'
import type { Group, Groups } from './groups.ts'
import type { Mailboxes } from './mailboxes.ts'
import { REACH_OUT_LOCKED, type ReachOut } from './reach-out.ts'
import { child, children, stanza, unixSeconds } from './stanzas.ts'

/** Ack error for a message into a group that the sender is not in. */
const FORBIDDEN = 403

/** Receipts that concern only the sender's own phone or privacy and travel no further. */
const UNFORWARDED_RECEIPTS = new Set(['peer_msg', 'hist_sync', 'read-self', 'played-self'])

interface Deps {
  readonly directory: Directory
  readonly groups: Groups
  readonly mailboxes: Mailboxes
  readonly counters: Counters
  readonly reachOut: ReachOut
}

interface Target {
  readonly address: DeviceAddress
  /** Its ciphertext, or the word that there is none for it. */
  readonly part: BinaryNode
}

function isPersonal(jid: string): boolean {
  const server = jidDecode(jid)?.server
  return server === 's.whatsapp.net' || server === 'lid'
}

export class Messaging {
  readonly #deps: Deps
  /** Error codes such as 463 (reach-out lock) and 479 (stale devices), by account. */
  readonly #refused = new Map<Account, string>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Answers messages of this account with an error, and carries them no further, until undefined is given. */
  refuse(sender: Account, error: number | undefined): void {
    if (error === undefined) this.#refused.delete(sender)
    else this.#refused.set(sender, String(error))
  }

  message(sender: DeviceAddress, node: BinaryNode): void {
    const { counters, mailboxes } = this.#deps
    const to = node.attrs['to'] ?? ''
    const group = this.#deps.groups.find(to)
    const chat = this.#deps.directory.find(node.attrs['recipient'] ?? to)
    const error = group ? this.#groupRefusal(sender, group) : this.#refusal(sender, chat)
    const { id } = node.attrs
    mailboxes.of(sender).pass(stanza('ack', { class: 'message', id, from: to, t: unixSeconds(), error }))
    if (error !== undefined) return
    if (group) {
      this.#toGroup(group, sender, node)
      return
    }
    if (!isPersonal(to)) {
      counters.unknown(`message to ${jidDecode(to)?.server ?? 'nobody'}`)
      return
    }
    for (const { address, part } of this.#targets(to, node)) {
      counters.messagesRelayed += 1
      mailboxes.of(address).post(envelope(sender, address, chat, node, part))
    }
  }

  /** Hands a phone's answer to one of its account's companions. */
  notification(sender: DeviceAddress, node: BinaryNode): void {
    const receiver = this.#deps.directory.findDevice(node.attrs['to'] ?? '')
    if (!receiver || receiver.account !== sender.account) return
    const { to: _to, ...attributes } = node.attrs
    this.#deps.mailboxes
      .of(receiver)
      .post(stanza('notification', { ...attributes, from: accountJid(sender.account, 'pn') }, node.content))
  }

  receipt(sender: DeviceAddress, node: BinaryNode): void {
    const { counters, mailboxes } = this.#deps
    const { id, to, type } = node.attrs
    mailboxes.of(sender).settleByReceipt(node)
    mailboxes.of(sender).pass(stanza('ack', { class: 'receipt', id, from: to, type }))
    if (type !== undefined && UNFORWARDED_RECEIPTS.has(type)) return
    if (type === 'retry') counters.retriesRequested += 1
    for (const address of this.#receiptTargets(sender, node)) {
      counters.receiptsRelayed += 1
      mailboxes.of(address).post(forwardedReceipt(sender, node))
    }
  }

  #toGroup(group: Group, sender: DeviceAddress, message: BinaryNode): void {
    const { directory, counters, mailboxes } = this.#deps
    for (const { address, node } of groupDeliveries(directory, group, sender, message)) {
      counters.messagesRelayed += 1
      mailboxes.of(address).post(node)
    }
  }

  #groupRefusal({ account }: DeviceAddress, group: Group): string | undefined {
    return this.#refused.get(account) ?? (group.members.has(account) ? undefined : String(FORBIDDEN))
  }

  #refusal({ account, deviceId }: DeviceAddress, chat: Account | undefined): string | undefined {
    const refused = this.#refused.get(account)
    if (refused !== undefined || !chat) return refused
    const { reachOut } = this.#deps
    // Only what companions begin is held back; phones stay free, so that a test can still prepare a chat.
    if (deviceId !== 0 && reachOut.forbids(account, chat)) return String(REACH_OUT_LOCKED)
    reachOut.remember(account, chat)
    return undefined
  }

  /** A message with `participants` goes to each of them, one with a bare `enc` (a resend) to the device in `to`. */
  #targets(to: string, node: BinaryNode): Target[] {
    const direct = child(node, 'enc')
    const wanted: [string | undefined, BinaryNode | undefined][] = direct
      ? [[to, direct]]
      : children(child(node, 'participants'), 'to').map((each) => [each.attrs['jid'], children(each)[0]])
    return wanted.flatMap(([jid, part]) => {
      const address = jid === undefined ? undefined : this.#deps.directory.findDevice(jid)
      return address && part ? [{ address, part }] : []
    })
  }

  #receiptTargets(sender: DeviceAddress, node: BinaryNode): DeviceAddress[] {
    const { directory } = this.#deps
    const { to: chat, participant, type } = node.attrs
    // In a group the receipt concerns one member's message.
    const to = participant ?? chat
    // A `sender` receipt tells the account's other devices that this one has its copy; `to` may be absent then.
    if (type === 'sender') return otherDevices(sender)
    if (to === undefined) return []
    // The companion asks its own phone to upload media again.
    if (type === 'server-error') return [{ account: sender.account, deviceId: 0 }]
    if (type === 'retry') {
      const device = directory.findDevice(to)
      return device ? [device] : []
    }
    const account = directory.find(to)
    if (!account || account === sender.account) return []
    return [...account.devices.keys()].map((deviceId) => ({ account, deviceId }))
  }
}

function otherDevices({ account, deviceId }: DeviceAddress): DeviceAddress[] {
  return [...account.devices.keys()].filter((id) => id !== deviceId).map((id) => ({ account, deviceId: id }))
}

function envelope(
  sender: DeviceAddress,
  receiver: DeviceAddress,
  chat: Account | undefined,
  node: BinaryNode,
  part: BinaryNode,
): BinaryNode {
  const addressing = addressingOf(node.attrs['recipient'] ?? node.attrs['to'] ?? '')
  const { id, type, category, edit, push_priority } = node.attrs
  const identity = part.attrs['type'] === 'pkmsg' ? child(node, 'device-identity') : undefined
  return stanza(
    'message',
    {
      id,
      from: deviceJid(sender, addressing),
      type,
      t: unixSeconds(),
      category,
      edit,
      push_priority,
      ...(sender.account === receiver.account
        ? ownCopyAttributes(category === undefined ? chat : undefined, addressing)
        : senderAttributes(sender.account, addressing)),
    },
    identity ? [part, identity] : [part],
  )
}

/** What a stranger's device learns: the name, and the sender's other address form. */
function senderAttributes(sender: Account, addressing: Addressing) {
  return addressing === 'lid'
    ? { notify: sender.name, addressing_mode: 'lid', sender_pn: knownJid(sender, 'pn') }
    : { notify: sender.name, sender_lid: accountJid(sender, 'lid') }
}

/** What the sender's own other devices learn: whom the message was for, in both forms. */
function ownCopyAttributes(chat: Account | undefined, addressing: Addressing) {
  if (!chat) return {}
  return addressing === 'lid'
    ? {
        addressing_mode: 'lid',
        recipient: accountJid(chat, 'lid'),
        peer_recipient_pn: knownJid(chat, 'pn'),
      }
    : { recipient: accountJid(chat, 'pn'), peer_recipient_lid: accountJid(chat, 'lid') }
}

function forwardedReceipt(sender: DeviceAddress, node: BinaryNode): BinaryNode {
  const { id, to, type, recipient, participant } = node.attrs
  const device = deviceJid(sender, addressingOf(participant ?? to ?? recipient ?? ''))
  return stanza(
    'receipt',
    {
      id,
      ...(to?.endsWith('@g.us') ? { from: to, participant: device } : { from: device }),
      type: type === 'inactive' ? undefined : type,
      t: node.attrs['t'] ?? unixSeconds(),
      recipient: type === 'sender' || type === 'retry' ? recipient : undefined,
    },
    node.content,
  )
}

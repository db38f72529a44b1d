// The WhatsApp-Web server: accepts sockets, routes every stanza of every device to the part that answers it, and
// is the network on which the simulated phones live.

import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys'
import { WebSocketServer } from 'ws'
import { callStanzas, newCallId, type OutgoingCall } from './calls.ts'
import type { NoiseIdentity } from './certificates.ts'
import { Connection } from './connection.ts'
import { Counters } from './counters.ts'
import { type Account, type DeviceAddress, Directory, deviceJid } from './directory.ts'
import { SandboxError } from './errors.ts'
import type { Faults } from './faults.ts'
import { type Chat, Groups, isGroup } from './groups.ts'
import { Logins } from './logins.ts'
import { Mailboxes, type Outlet } from './mailboxes.ts'
import type { MediaHost } from './media-host.ts'
import { Messaging } from './messaging.ts'
import type { ClientFinish } from './noise.ts'
import { Phone, type PhoneNetwork } from './phone.ts'
import { Pictures } from './pictures.ts'
import { answerQuery, type QueryDeps, queryName } from './queries.ts'
import { ReachOut } from './reach-out.ts'
import { Registrations } from './registration.ts'
import { numberRevealed } from './revelation.ts'
import { child, children, iqResult, stanza } from './stanzas.ts'

/** Below this the owner is told to upload more one-time keys. */
const LOW_PRE_KEYS = 5
const SOCKET_PATH = '/ws/chat'

export interface CompanionState {
  readonly phone: string
  readonly deviceId: number
  readonly jid: string
  readonly connected: boolean
  /** Stanzas it has not answered yet. */
  readonly waiting: number
}

interface ServerOptions {
  readonly identity: NoiseIdentity
  readonly faults: Faults
  readonly media: MediaHost
  readonly mediaAddress: string
}

type ServerEvents = {
  /** A companion went live, left, was linked or unlinked. */
  companions: []
  logout: [DeviceAddress]
}

export class WhatsAppServer extends EventEmitter<ServerEvents> implements PhoneNetwork {
  readonly directory = new Directory()
  readonly counters = new Counters()
  readonly media: MediaHost
  readonly registrations = new Registrations(this.counters)
  readonly logins: Logins
  readonly #options: ServerOptions
  readonly #queryDeps: QueryDeps
  readonly #mailboxes = new Mailboxes()
  readonly groups = new Groups(this.#mailboxes)
  readonly messaging: Messaging
  readonly reachOut = new ReachOut()
  readonly pictures: Pictures
  readonly #phones = new Map<string, Phone>()
  #sockets: WebSocketServer | undefined

  constructor(options: ServerOptions) {
    super()
    this.setMaxListeners(0)
    this.#options = options
    this.media = options.media
    this.pictures = new Pictures(options.media)
    const { directory, groups, counters, reachOut, pictures } = this
    const { media, mediaAddress } = options
    this.#queryDeps = { directory, groups, counters, reachOut, pictures, media, mediaAddress }
    this.messaging = new Messaging({ directory, groups, counters, reachOut, mailboxes: this.#mailboxes })
    this.logins = new Logins({
      directory,
      counters,
      mailboxes: this.#mailboxes,
      onFirstLogin: (address) => this.#sendHistory(address),
    })
    directory.onPreKeysLow = (address, remaining) => this.#onPreKeysLow(address, remaining)
  }

  /** Listens on loopback and returns the URL that companions connect to. */
  async listen(port: number): Promise<string> {
    const sockets = new WebSocketServer({ host: '127.0.0.1', port, path: SOCKET_PATH })
    this.#sockets = sockets
    await new Promise<void>((resolve, reject) => {
      sockets.on('listening', resolve)
      sockets.on('error', reject)
    })
    sockets.on('connection', (socket) => {
      new Connection(socket, this.#options.identity, this.#options.faults, {
        opened: (connection, finish) => this.#onOpened(connection, finish),
        received: (connection, node) => this.#onReceived(connection, node),
        closed: (connection) => this.#onClosed(connection),
        failed: (_connection, error) => this.counters.unknown(`stanza not handled: ${String(error)}`),
      })
    })
    const bound = sockets.address() as AddressInfo // it listens on TCP
    return `ws://127.0.0.1:${bound.port}${SOCKET_PATH}`
  }

  async close(): Promise<void> {
    for (const phone of this.#phones.values()) phone.close()
    for (const socket of this.#sockets?.clients ?? []) socket.terminate()
    await new Promise<void>((resolve) => {
      if (this.#sockets) this.#sockets.close(() => resolve())
      else resolve()
    })
  }

  addPhone(phoneNumber: string, name: string, lid?: string): Phone {
    const phone = new Phone(this, this.directory.add(phoneNumber, name, lid))
    this.#phones.set(phoneNumber, phone)
    phone.goOnline()
    return phone
  }

  /** @throws {SandboxError} `ACCOUNT_UNKNOWN` */
  phone(phoneNumber: string): Phone {
    const phone = this.#phones.get(phoneNumber.replace(/^\+/, ''))
    if (!phone) throw new SandboxError('ACCOUNT_UNKNOWN', 'no simulated phone has this number; add it first')
    return phone
  }

  /** Rings at every device of the one who is called, or of the group's other members. Returns the call's id. */
  call(caller: Account, callee: Chat, call: OutgoingCall): string {
    const called = isGroup(callee) ? [...callee.members].filter((member) => member !== caller) : [callee]
    const id = newCallId()
    for (const account of called) {
      for (const deviceId of account.devices.keys()) {
        for (const node of callStanzas(caller, callee, id, call)) {
          this.#mailboxes.of({ account, deviceId }).post(node)
        }
      }
    }
    return id
  }

  /** Others may know the account's number now; one account's companions are told so. */
  revealNumber(account: Account, to: Account | undefined): void {
    account.hidesNumber = false
    for (const { deviceId } of to ? this.companions(to.phone) : []) {
      if (to) this.#mailboxes.of({ account: to, deviceId }).post(numberRevealed(account, randomUUID()))
    }
  }

  /** Locks new chats of an account until then, or unlocks them, and tells its companions. */
  lockReachOut(account: Account, until: Date | undefined): void {
    this.reachOut.lock(account, until)
    for (const { deviceId } of this.companions(account.phone)) {
      const notification = this.reachOut.notification(account, randomUUID())
      this.#mailboxes.of({ account, deviceId }).post(notification)
    }
  }

  companions(phoneNumber?: string): CompanionState[] {
    return this.directory
      .accounts()
      .filter(({ phone }) => phoneNumber === undefined || phone === phoneNumber)
      .flatMap((account) =>
        [...account.devices.keys()]
          .filter((deviceId) => deviceId !== 0)
          .map((deviceId) => ({ account, deviceId })),
      )
      .map((address) => ({
        phone: address.account.phone,
        deviceId: address.deviceId,
        jid: deviceJid(address, 'pn'),
        connected: this.logins.connectionOf(address) !== undefined,
        waiting: this.#mailboxes.of(address).size,
      }))
  }

  connectPhone(address: DeviceAddress, outlet: Outlet): void {
    const mailbox = this.#mailboxes.of(address)
    mailbox.attach((node) => {
      const { account, deviceId } = address
      this.#options.faults.pass(
        { direction: 'out', account: account.phone, deviceId, connection: 0, stanza: node },
        outlet,
      )
    })
    mailbox.goLive()
  }

  disconnectPhone(address: DeviceAddress): void {
    this.#mailboxes.of(address).detach()
  }

  submit(from: DeviceAddress, node: BinaryNode): void {
    const { account, deviceId } = from
    this.#options.faults.pass(
      { direction: 'in', account: account.phone, deviceId, connection: 0, stanza: node },
      (passed) => this.#route(from, passed),
    )
  }

  #onOpened(connection: Connection, finish: ClientFinish): void {
    if (finish.payload.devicePairingData) this.registrations.begin(connection, finish)
    else this.logins.begin(connection, finish)
    this.emit('companions')
  }

  #onClosed(connection: Connection): void {
    this.registrations.end(connection)
    this.logins.end(connection)
    this.emit('companions')
  }

  #onReceived(connection: Connection, node: BinaryNode): void {
    const { address } = connection
    if (node.tag === 'iq') this.#onQuery(connection, node)
    else if (node.tag === 'ib') this.#onIb(connection, node)
    else if (address) this.#route(address, node)
    // Before login a companion only acknowledges notifications and may announce its name.
    else if (node.tag !== 'ack' && node.tag !== 'presence') this.counters.unknown(node.tag)
  }

  #route(from: DeviceAddress, node: BinaryNode): void {
    if (node.tag === 'message') this.messaging.message(from, node)
    else if (node.tag === 'receipt') this.messaging.receipt(from, node)
    else if (node.tag === 'notification' && from.deviceId === 0) this.messaging.notification(from, node)
    else if (node.tag === 'call') this.#onCall(from, node)
    else if (node.tag === 'ack') this.#mailboxes.of(from).settleByAck(node)
    else if (node.tag === 'chatstate') this.counters.chatStates += 1
    else if (node.tag !== 'presence') this.counters.unknown(node.tag)
  }

  /** A companion rejects a call; the caller's phone needs not know. */
  #onCall(from: DeviceAddress, node: BinaryNode): void {
    const { id, to } = node.attrs
    const type = children(node)[0]?.tag
    if (type !== 'reject') this.counters.unknown(`call ${type ?? 'without content'}`)
    this.#mailboxes.of(from).pass(stanza('ack', { class: 'call', id, from: to, type }))
  }

  #onIb(connection: Connection, node: BinaryNode): void {
    for (const { tag } of children(node)) {
      if (tag === 'offline_batch' && connection.address) {
        this.logins.onOfflineBatch(connection, connection.address)
      } else if (tag !== 'unified_session' && tag !== 'offline_batch') this.counters.unknown(`ib ${tag}`)
    }
  }

  #onQuery(connection: Connection, node: BinaryNode): void {
    if (node.attrs['type'] === 'result') {
      this.registrations.onPairSigned(connection, node)
      return
    }
    const name = queryName(node)
    const { address } = connection
    if (name === 'md set link_code_companion_reg') {
      const answer = this.registrations.onLinkCode(connection, node)
      if (answer) connection.send(answer)
    } else if (!address) {
      // A companion that waits for its scan keeps its socket alive like any other.
      if (name !== 'w:p get ping') this.counters.unknown(`iq ${name} before login`)
      connection.send(iqResult(node))
    } else if (name === 'md set remove-companion-device') {
      this.#onLogout(connection, address, node)
    } else {
      connection.send(answerQuery(this.#queryDeps, address, node))
      if (name === 'passive set active') {
        this.logins.onActive(connection, address)
        this.emit('companions')
      }
    }
  }

  #onLogout(connection: Connection, address: DeviceAddress, request: BinaryNode): void {
    const jid = child(request, 'remove-companion-device')?.attrs['jid']
    const device = jid === undefined ? undefined : this.directory.findDevice(jid)
    connection.send(iqResult(request))
    if (device?.account !== address.account) return
    this.logins.remove(device, device.deviceId === address.deviceId)
    this.emit('logout', device)
    this.emit('companions')
  }

  #sendHistory(address: DeviceAddress): void {
    const phone = this.phone(address.account.phone)
    phone.sendHistory(address, 'bootstrap').catch((error: unknown) => {
      // A companion that is unlinked at once has no use for history.
      if (!address.account.devices.has(address.deviceId)) return
      this.counters.unknown(`history not sent: ${String(error)}`)
    })
  }

  #onPreKeysLow(address: DeviceAddress, remaining: number): void {
    if (remaining >= LOW_PRE_KEYS) return
    if (address.deviceId === 0) {
      this.phone(address.account.phone).topUpPreKeys()
    } else if (this.logins.connectionOf(address)) {
      this.#mailboxes
        .of(address)
        .pass(
          stanza(
            'notification',
            { from: S_WHATSAPP_NET, type: 'encrypt', id: `${Date.now()}-${remaining}` },
            [stanza('count', { value: String(remaining) })],
          ),
        )
    }
  }
}

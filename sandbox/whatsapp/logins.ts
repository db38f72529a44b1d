// Linked companions and their connections. One connection per device: a newer login replaces the older.
// connected -> (passive active) -> offline preview, batch asked for -> live; or straight to live when none waits.
import { randomBytes } from 'node:crypto'
import { type BinaryNode, toNumber } from '@whiskeysockets/baileys'
import type { Connection } from './connection.ts'
import type { Counters } from './counters.ts'
import { addressKey, type DeviceAddress, type Directory, deviceJid } from './directory.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { ClientFinish } from './noise.ts'
import { stanza, unixSeconds } from './stanzas.ts'

const OFFLINE_TAGS = ['message', 'receipt', 'notification', 'call'] as const

interface Deps {
  readonly directory: Directory
  readonly mailboxes: Mailboxes
  readonly counters: Counters
  /** The companion is live for the first time after pairing. */
  readonly onFirstLogin: (address: DeviceAddress) => void
}

/** How logins are refused; a restriction may say how long it lasts. */
export interface Refusal {
  readonly reason: number
  readonly expireSeconds?: number
}

export class Logins {
  readonly #deps: Deps
  readonly #connections = new Map<string, Connection>()
  /** Account -> the `failure` that its logins get. */
  readonly #refused = new Map<string, Refusal>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  connectionOf(address: DeviceAddress): Connection | undefined {
    return this.#connections.get(addressKey(address))
  }

  /** Answers every login of this account with this `failure` until undefined is given. */
  refuse(phone: string, refusal: Refusal | undefined): void {
    if (refusal === undefined) this.#refused.delete(phone)
    else this.#refused.set(phone, refusal)
  }

  begin(connection: Connection, { noiseKey, payload }: ClientFinish): void {
    const account = this.#deps.directory.find(String(toNumber(payload.username)))
    const device = account?.devices.get(payload.device ?? -1)
    const refusal = account && this.#refused.get(account.phone)
    if (!account || !device?.noiseKey || !Buffer.from(device.noiseKey).equals(noiseKey)) {
      fail(connection, 401)
      return
    }
    if (refusal !== undefined) {
      fail(connection, refusal.reason, refusal.expireSeconds)
      return
    }
    const address = { account, deviceId: device.id }
    this.#replace(address)
    connection.address = address
    this.#connections.set(addressKey(address), connection)
    this.#deps.counters.logins += 1
    this.#deps.mailboxes.of(address).attach((node) => connection.send(node))
    connection.send(stanza('success', { t: unixSeconds(), lid: deviceJid(address, 'lid') }))
  }

  end(connection: Connection): void {
    const { address } = connection
    // A replaced connection closes after its successor has opened, and must not take its place away.
    if (!address || this.connectionOf(address) !== connection) return
    this.#connections.delete(addressKey(address))
    this.#deps.mailboxes.of(address).detach()
  }

  /** The companion has uploaded its keys and asks to take part. */
  onActive(connection: Connection, address: DeviceAddress): void {
    const mailbox = this.#deps.mailboxes.of(address)
    connection.send(
      stanza('ib', {}, [stanza('edge_routing', {}, [stanza('routing_info', {}, randomBytes(8))])]),
    )
    if (mailbox.size === 0) {
      this.onOfflineBatch(connection, address)
      return
    }
    const counts = OFFLINE_TAGS.map((tag) => [tag, String(mailbox.countByTag(tag))] as const)
    connection.send(
      stanza('ib', {}, [
        stanza('offline_preview', {
          count: String(mailbox.size),
          appdata: '0',
          ...Object.fromEntries(counts),
        }),
      ]),
    )
  }

  onOfflineBatch(connection: Connection, address: DeviceAddress): void {
    const count = this.#deps.mailboxes.of(address).goLive()
    connection.send(stanza('ib', {}, [stanza('offline', { count: String(count) })]))
    const device = address.account.devices.get(address.deviceId)
    if (!device || device.historySent) return
    device.historySent = true
    this.#deps.onFirstLogin(address)
  }

  /** Takes a companion off the account and, unless it asked for that itself, tells it so. */
  remove(address: DeviceAddress, byItself: boolean): void {
    const connection = this.connectionOf(address)
    address.account.devices.delete(address.deviceId)
    this.#deps.mailboxes.remove(address)
    if (!byItself) {
      connection?.send(
        stanza('stream:error', { code: '401' }, [stanza('conflict', { type: 'device_removed' })]),
      )
    }
    connection?.close()
  }

  #replace(address: DeviceAddress): void {
    const older = this.connectionOf(address)
    if (!older) return
    this.#connections.delete(addressKey(address))
    older.send(stanza('stream:error', {}, [stanza('conflict', { type: 'replaced' })]))
    older.close()
  }
}

export function fail(connection: Connection, reason: number, expireSeconds?: number): void {
  const expire = expireSeconds === undefined ? {} : { code: '101', expire: String(expireSeconds) }
  connection.send(stanza('failure', { reason: String(reason), location: 'sandbox', ...expire }))
  connection.close()
}

export function streamError(code: number): BinaryNode {
  return stanza('stream:error', { code: String(code) })
}

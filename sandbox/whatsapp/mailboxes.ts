// One mailbox per device. A stanza stays in it until the device has answered: a message until its receipt or
// ack, a receipt or notification until its ack. So whatever a device had not answered when it went away is
// delivered again, in the same order and marked `offline`, when it comes back.
//
// States of a mailbox: detached -> attached (offline stanzas wait for the device to ask) -> live -> detached.
import type { BinaryNode } from '@whiskeysockets/baileys'
import { addressKey, type DeviceAddress } from './directory.ts'
import { receiptIds } from './stanzas.ts'

export type Outlet = (stanza: BinaryNode) => void

class Mailbox {
  readonly #waiting = new Map<number, BinaryNode>()
  /** Messages whose retry receipt came; the error ack that follows it must not remove the resent copy. */
  readonly #retried = new Set<string>()
  #sequence = 0
  #outlet: Outlet | undefined
  #live = false

  get size(): number {
    return this.#waiting.size
  }

  get attached(): boolean {
    return this.#outlet !== undefined
  }

  countByTag(tag: string): number {
    return [...this.#waiting.values()].filter((node) => node.tag === tag).length
  }

  /** Keeps the stanza until answered, and delivers it now if the device is there. */
  post(node: BinaryNode): void {
    this.#waiting.set(this.#sequence++, node)
    if (this.#live) this.#outlet?.(node)
  }

  /** Delivers now or never: acks and query answers, which are worth nothing on a later connection. */
  pass(node: BinaryNode): void {
    this.#outlet?.(node)
  }

  attach(outlet: Outlet): void {
    this.#outlet = outlet
    this.#live = false
  }

  /** Delivers what waited, then everything as it comes. Returns how many had waited. */
  goLive(): number {
    const offline = [...this.#waiting.values()]
    this.#live = true
    for (const node of offline) this.#outlet?.({ ...node, attrs: { ...node.attrs, offline: '1' } })
    return offline.length
  }

  detach(outlet?: Outlet): void {
    if (outlet !== undefined && outlet !== this.#outlet) return
    this.#outlet = undefined
    this.#live = false
  }

  settleByReceipt(receipt: BinaryNode): void {
    const isRetry = receipt.attrs['type'] === 'retry'
    for (const id of receiptIds(receipt)) {
      if (isRetry) this.#retried.add(id)
      this.#remove((node) => node.tag === 'message' && node.attrs['id'] === id)
    }
  }

  settleByAck(ack: BinaryNode): void {
    const { id, class: tag, type } = ack.attrs
    if (id === undefined || tag === undefined) return
    if (tag === 'message' && ack.attrs['error'] !== undefined && this.#retried.delete(id)) return
    this.#remove(
      (node) =>
        node.tag === tag && node.attrs['id'] === id && (tag !== 'receipt' || node.attrs['type'] === type),
    )
  }

  #remove(matches: (node: BinaryNode) => boolean): void {
    for (const [sequence, node] of this.#waiting) {
      if (!matches(node)) continue
      this.#waiting.delete(sequence)
      return
    }
  }
}

export class Mailboxes {
  readonly #byDevice = new Map<string, Mailbox>()

  of(address: DeviceAddress): Mailbox {
    const key = addressKey(address)
    let mailbox = this.#byDevice.get(key)
    if (!mailbox) {
      mailbox = new Mailbox()
      this.#byDevice.set(key, mailbox)
    }
    return mailbox
  }

  remove(address: DeviceAddress): void {
    this.#byDevice.delete(addressKey(address))
  }
}

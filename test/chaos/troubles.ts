/**
 * What goes wrong besides the kills. On WhatsApp's side stanzas are delayed, doubled and overtaken, and sockets die; on
 * GHL's side calls fail before and after they took effect. Messages of one chat never overtake each other on the wire:
 * WhatsApp's server keeps that order, and nobody could restore it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BinaryNode } from '@whiskeysockets/baileys'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import type { Faults, Passage } from '../../sandbox/whatsapp/index.ts'
import type { Random } from './random.ts'

const MAX_DELAY_MS = 250

/** Faults on the wire to the companions; the phones' own stanzas pass untouched. */
export class WireTroubles implements Faults {
  readonly #random: Random
  readonly #stop = new AbortController()
  /**
   * Per connection and chat, what is held: nothing may overtake it. A new connection begins with an empty line: the server
   * sends again what was not answered, and would stand in line behind itself for ever.
   */
  readonly #lines = new Map<string, Promise<void>>()
  #isOn = false

  constructor(random: Random) {
    this.#random = random
  }

  set(isOn: boolean): void {
    this.#isOn = isOn
  }

  pass(passage: Passage, forward: (stanza: BinaryNode) => void): void {
    const { connection, deviceId, direction, stanza } = passage
    const key = [connection, direction, stanza.attrs['from'] ?? stanza.attrs['to']].join(' ')
    const ahead = this.#lines.get(key)
    const isTroubled = this.#isOn && deviceId !== 0 && isTraffic(stanza)
    const delayMs = isTroubled && this.#random.chance(0.25) ? this.#random.between(1, MAX_DELAY_MS) : 0
    // A message or receipt that comes twice, as after a reconnect in the middle of its ack.
    const copies = isTroubled && direction === 'out' && this.#random.chance(0.1) ? 2 : 1
    const act = () => {
      for (let copy = 0; copy < copies; copy += 1) forward(stanza)
    }
    if (ahead === undefined && delayMs === 0) {
      act()
      return
    }
    const line = (ahead ?? Promise.resolve())
      .then(() => sleep(delayMs, undefined, { signal: this.#stop.signal }))
      .then(act)
      .catch(() => undefined)
      .finally(() => {
        if (this.#lines.get(key) === line) this.#lines.delete(key)
      })
    this.#lines.set(key, line)
  }

  stop(): void {
    this.#stop.abort()
  }
}

const isTraffic = ({ tag }: BinaryNode): boolean => tag === 'message' || tag === 'receipt' || tag === 'ack'

/** One trouble at GHL, drawn anew by every call. */
export function troubleGhl(ghl: GhlSandbox, random: Random): void {
  const route = random.chance(0.7) ? 'POST /conversations/messages/inbound' : '*'
  const kinds = [
    () => ghl.faults.add({ route, effect: { kind: 'status', status: 500 } }),
    () => ghl.faults.add({ route, effect: { kind: 'status', status: 429 } }),
    () => ghl.faults.add({ route, effect: { kind: 'drop' } }),
    () => ghl.faults.add({ route, when: 'after', effect: { kind: 'drop' } }),
    () => ghl.faults.add({ route, when: 'after', effect: { kind: 'delay', ms: 3_000 } }),
    () => ghl.faults.add({ route, when: 'after', effect: { kind: 'status', status: 502 } }),
  ]
  kinds[random.between(0, kinds.length - 1)]?.()
}

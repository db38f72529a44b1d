/**
 * What goes wrong besides the kills. On WhatsApp's side stanzas are delayed, doubled and overtaken, and sockets die; on
 * GHL's side calls fail before and after they took effect. Messages of one chat never overtake each other on the wire:
 * WhatsApp's server keeps that order, and nobody could restore it.
 */
import type { BinaryNode } from '@whiskeysockets/baileys'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import type { Faults, Passage } from '../../sandbox/whatsapp/index.ts'
import type { Random } from './random.ts'

const MAX_DELAY_MS = 250

/** Faults on the wire to the companions; the phones' own stanzas pass untouched. */
export class WireTroubles implements Faults {
  readonly #random: Random
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Per companion and chat: nothing may overtake what is still held. */
  readonly #clearAtMs = new Map<string, number>()
  #isOn = false

  constructor(random: Random) {
    this.#random = random
  }

  set(isOn: boolean): void {
    this.#isOn = isOn
    if (!isOn) this.#clearAtMs.clear()
  }

  pass(passage: Passage, forward: (stanza: BinaryNode) => void): void {
    if (!this.#isOn || passage.deviceId === 0 || !isTraffic(passage.stanza)) {
      forward(passage.stanza)
      return
    }
    const key = `${passage.account}:${passage.deviceId}:${passage.direction}:${passage.stanza.attrs['from'] ?? passage.stanza.attrs['to'] ?? ''}`
    const delayMs = this.#random.chance(0.25) ? this.#random.between(1, MAX_DELAY_MS) : 0
    this.#forwardAt(key, Math.max(Date.now() + delayMs, this.#clearAtMs.get(key) ?? 0), () => {
      forward(passage.stanza)
      // A message or receipt that comes twice, as after a reconnect in the middle of its ack.
      if (passage.direction === 'out' && this.#random.chance(0.1)) forward(passage.stanza)
    })
  }

  #forwardAt(key: string, atMs: number, act: () => void): void {
    const waitMs = atMs - Date.now()
    if (waitMs <= 0) {
      act()
      return
    }
    this.#clearAtMs.set(key, atMs + 1)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, waitMs)
    this.#timers.add(timer)
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
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

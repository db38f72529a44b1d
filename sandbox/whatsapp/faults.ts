import type { BinaryNode } from '@whiskeysockets/baileys'

/** One stanza on its way between the server and a device. */
export interface Passage {
  /** Seen from the server: `in` comes from the device, `out` goes to it. */
  readonly direction: 'in' | 'out'
  /** Phone number of the account, or `unpaired` while a QR is shown. */
  readonly account: string
  /** 0 is the phone itself, companions count from 1. */
  readonly deviceId: number
  /** Which connection carries it, counted from 1; 0 for a phone. What is held for one that has ended goes nowhere. */
  readonly connection: number
  readonly stanza: BinaryNode
}

/**
 * Every stanza, in and out, of companions and of simulated phones, passes here once.
 * Not calling `forward` drops it, calling it later delays it, twice duplicates it; holding several reorders them.
 */
export interface Faults {
  pass(passage: Passage, forward: (stanza: BinaryNode) => void): void
}

export const noFaults: Faults = { pass: (passage, forward) => forward(passage.stanza) }

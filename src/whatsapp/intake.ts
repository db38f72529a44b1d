/**
 * The way of messages from the journal to whoever records them: one after the other, in the order of decryption. What
 * cannot be recorded now stays first in line; what a kill left behind is recorded before anything new.
 */
import type { WAMessage } from '@whiskeysockets/baileys'
import type { JournalWrite, SignalStore } from '../bridge/storage.ts'
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import { type ChatJid, findChatJid, isLidJid } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Envelope, IgnoreReason } from '../core/message.ts'
import { fromWhatsApp, type Receiver } from './from-whatsapp.ts'
import { authorOfRow, parseEntry } from './journal.ts'
import { patiently } from './patience.ts'
import { type Me, messageOf } from './stanza.ts'

export interface IntakeDeps {
  readonly receiver: Receiver
  readonly signalStore: SignalStore
  /** Resolves when the message is recorded for good. */
  readonly onMessage: (envelope: Envelope) => Promise<void>
  readonly onIgnored: (reason: IgnoreReason) => void
  readonly clock: Clock
  readonly log: Log
}

/** What one connection knows about its messages. */
export interface Origin {
  readonly me: Me
  /** The chat's other form, where somebody knows it. */
  readonly altOf: (chat: ChatJid) => Promise<ChatJid | undefined>
  /** Calls off what is not recorded yet; the journal keeps it. */
  readonly signal: AbortSignal
}

export class Intake {
  readonly #deps: IntakeDeps
  #line: Promise<void> = Promise.resolve()

  constructor(deps: IntakeDeps) {
    this.#deps = deps
  }

  /** Resolves when nothing is in line. */
  async idle(): Promise<void> {
    await this.#line
  }

  /** Puts a journaled message in line. */
  take(row: JournalWrite, origin: Origin): void {
    const { signalStore, receiver } = this.#deps
    void this.#enqueue(origin.signal, async () => {
      const message = messageOf(parseEntry(row.entry), origin.me)
      const author = authorOfRow(row)
      // Recording settles the row that carries the author's bare address.
      if ((await this.#record(message, author, origin)) && author === row.sender) return
      await signalStore.settleJournal(receiver.sessionId, row.waMessageId, row.sender)
    })
  }

  /**
   * Puts a message in line that came without a stanza of its own.
   *
   * @returns false when it could not be recorded, nor ignored on purpose.
   */
  async takeResent(message: WAMessage, origin: Origin): Promise<boolean> {
    let isSettled = false
    await this.#enqueue(origin.signal, async () => {
      await this.#record(message, authorOf(message, origin.me), origin)
      isSettled = true
    })
    return isSettled
  }

  #enqueue(signal: AbortSignal, record: () => Promise<void>): Promise<void> {
    const { clock, log } = this.#deps
    this.#line = this.#line.then(async () => {
      if (signal.aborted) return
      const onWait = (errorCode: string) => {
        log.warn({ errorCode }, 'a message waits to be recorded')
      }
      try {
        await patiently(record, { clock, signal, onWait })
      } catch (thrown) {
        // The journal keeps the row and the next connection tries it again; a bug of ours must not hold back all others.
        const error = toBridgeError(thrown)
        log.error(
          { errorCode: error.code, ...(error.code === 'BUG_INVARIANT' && { err: error.cause }) },
          'a message was not recorded',
        )
      }
    })
    return this.#line
  }

  /** False when it was ignored, and nothing recorded. */
  async #record(message: WAMessage, author: string, { me, altOf }: Origin): Promise<boolean> {
    const { receiver, onIgnored, onMessage } = this.#deps
    const chat = findChatJid(message.key.remoteJid)
    const isAltKnown = findChatJid(message.key.remoteJidAlt) !== undefined
    const alt = chat === undefined || isAltKnown ? undefined : await altOf(chat)
    const converted = fromWhatsApp(receiver, message, author, me, alt)
    if ('ignored' in converted) {
      onIgnored(converted.ignored)
      return false
    }
    await onMessage(converted.envelope)
    return true
  }
}

/** Who wrote a message that has no stanza, as the journal would name him: in the address form of the chat. */
export function authorOf({ key }: WAMessage, me: Me): string {
  const chat = findChatJid(key.remoteJid)
  if (key.fromMe !== true) return findChatJid(key.participant) ?? chat ?? ''
  return (chat !== undefined && isLidJid(chat) ? me.lid : me.pn) ?? ''
}

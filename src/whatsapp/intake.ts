/**
 * The way of messages from the journal to whoever records them: one after the other, in the order of decryption. What
 * cannot be recorded now stays first in line; what a kill left behind is recorded before anything new.
 */
import type { WAMessage } from '@whiskeysockets/baileys'
import type { MessageReference, Original } from '../bridge/storage/message-rows.ts'
import type { JournalWrite, SignalStore } from '../bridge/storage/signal.ts'
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import { type ChatJid, findChatJid, isGroupJid, isLidJid } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Envelope, IgnoreReason } from '../core/message.ts'
import { type Call, callEnvelope } from './calls.ts'
import { type Circumstances, type Converted, fromWhatsApp, type Receiver } from './from-whatsapp.ts'
import { authorOfRow, parseEntry } from './journal.ts'
import { formsOf, sealedIn, type Unsealed, unseal } from './message-secret.ts'
import { patiently } from './patience.ts'
import { type Me, messageOf } from './stanza.ts'
import { waIdOf } from './wa-id.ts'

export interface IntakeDeps {
  readonly receiver: Receiver
  readonly signalStore: SignalStore
  /** Resolves when the message is recorded for good. */
  readonly onMessage: (envelope: Envelope) => Promise<void>
  readonly onIgnored: (reason: IgnoreReason) => void
  /** The message that another one is about, if the bridge has carried it. */
  readonly findOriginal: (reference: MessageReference) => Promise<Original | undefined>
  /** Whether the location wants its groups now. */
  readonly takesGroups: () => Promise<boolean>
  readonly clock: Clock
  readonly log: Log
}

/** What one connection knows about its messages. */
export interface Origin {
  readonly me: Me
  /** A person's other form, where somebody knows it. */
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

  /** Puts the messages of the phone's answer in line that a journal row holds. */
  takeAnswer(row: JournalWrite, resent: readonly WAMessage[], origin: Origin): void {
    const { signalStore, receiver } = this.#deps
    void this.#enqueue(origin.signal, async () => {
      for (const message of resent) await this.#record(message, authorOf(message, origin.me), origin)
      await signalStore.settleJournal(receiver.sessionId, row.waMessageId, row.sender)
    })
  }

  /**
   * Puts in line what is not in the journal, and resolves when it is recorded: WhatsApp forgets it once it is acknowledged.
   *
   * @throws when the connection ends first; WhatsApp then tells of it again.
   */
  async takeUnjournaled(what: WAMessage | Call, origin: Origin): Promise<void> {
    await this.#enqueue(origin.signal, async () => {
      if ('key' in what) await this.#record(what, authorOf(what, origin.me), origin)
      else await this.#pass(await this.#called(what, origin))
    })
    origin.signal.throwIfAborted()
  }

  async #called(call: Call, { me, altOf }: Origin): Promise<Converted> {
    const converted = callEnvelope(this.#deps.receiver, call, me)
    if ('ignored' in converted || converted.envelope.chatAlt !== undefined) return converted
    const chatAlt = await altOf(converted.envelope.chat)
    return { envelope: { ...converted.envelope, ...(chatAlt !== undefined && { chatAlt }) } }
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
    const { remoteJid, remoteJidAlt, participantAlt } = message.key
    const chat = findChatJid(remoteJid)
    const isGroup = chat !== undefined && isGroupJid(chat)
    if (isGroup && !(await this.#deps.takesGroups())) return await this.#pass({ ignored: 'group' })
    const person = isGroup ? findChatJid(author) : chat
    const known = findChatJid(isGroup ? participantAlt : remoteJidAlt)
    const alt = person === undefined || known !== undefined ? known : await altOf(person)
    const circumstances = { receiver: this.#deps.receiver, author, me, alt }
    const unsealed = chat && (await this.#unsealed(message, chat, circumstances))
    return await this.#pass(this.#read(message, { ...circumstances, unsealed }))
  }

  /** A message that trips a bug of ours is told of all the same: nobody else would. */
  #read(message: WAMessage, circumstances: Circumstances): Converted {
    try {
      return fromWhatsApp(message, circumstances)
    } catch (thrown) {
      this.#deps.log.error({ errorCode: 'BUG_INVARIANT', err: thrown }, 'a message could not be read')
      return fromWhatsApp({ key: message.key, message: {} }, circumstances)
    }
  }

  /** What is encrypted once more inside the message: opened with what the message it is about came with. */
  async #unsealed(
    { key, message }: WAMessage,
    chat: ChatJid,
    { receiver, author, me, alt }: Circumstances,
  ): Promise<Unsealed | undefined> {
    const box = message ? sealedIn(message) : undefined
    if (box === undefined) return undefined
    const reference = { ...receiver, chat, ...(alt && { chatAlt: alt }), waMessageId: waIdOf(box.of) }
    const original = await this.#deps.findOriginal(reference)
    const us = formsOf(me.lid, me.pn)
    const them = formsOf(author, chat, alt)
    const authors = original?.origin === 'customer' ? formsOf(original.author, ...them) : us
    return unseal(box, original, authors, key.fromMe === true ? us : them)
  }

  async #pass(converted: Converted): Promise<boolean> {
    const { onIgnored, onMessage } = this.#deps
    if ('ignored' in converted) {
      onIgnored(converted.ignored)
      return false
    }
    const { envelope } = converted
    if (await this.#isHere(envelope)) {
      onIgnored('superseded')
      return false
    }
    await onMessage(envelope)
    return true
  }

  /** True for the placeholder of a message that has come meanwhile. */
  async #isHere(envelope: Envelope): Promise<boolean> {
    const { content } = envelope
    if (content.kind !== 'placeholder') return false
    return (await this.#deps.findOriginal({ ...envelope, waMessageId: content.of })) !== undefined
  }
}

/** Who wrote a message that has no stanza, as the journal would name him: in the address form of the chat. */
export function authorOf({ key }: WAMessage, me: Me): string {
  const chat = findChatJid(key.remoteJid)
  const participant = findChatJid(key.participant)
  if (participant !== undefined) return participant
  if (key.fromMe !== true) return chat ?? ''
  return (chat !== undefined && isLidJid(chat) ? me.lid : me.pn) ?? ''
}

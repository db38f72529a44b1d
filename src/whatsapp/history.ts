/**
 * The second net under live messages. WhatsApp keeps what we have not acknowledged, so normally nothing is missing after
 * an absence; but what it failed to deliver to this device still stands on the phone. Every message of the last hours that
 * the phone shows us takes the way of live ones, where those known already are recognised by id.
 *
 * - What WhatsApp sends by itself (`RECENT` chunks and the bootstrap after pairing) is always used, and stands in the journal
 *   before its receipt (history-pieces.ts).
 * - After an absence the phone is asked, chat by chat, for what it has before the newest message we know. It can only be
 *   asked for what lies before a message: so a chat is asked for when its first message after the absence comes, from
 *   either side, and what a chat missed stays on the phone for as long as nothing more is said in it.
 * - Nothing of it is used before what waited at the server (history-pieces.ts): the phone's memory overlaps the queue, and the
 *   newest of a long queue would otherwise be taken in first.
 * - Nothing from before the pairing is used here: who wants old chats in GHL has them imported (history-pieces.ts).
 *
 * A net, not a promise: nobody waits for it, and a phone that does not answer is asked again after the next absence.
 */
import { toNumber, type WAMessage, type WAMessageKey } from '@whiskeysockets/baileys'
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import { type ChatJid, findChatJid, isGroupJid } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { isMe, type Me } from './stanza.ts'

const WINDOW_MS = 6 * 60 * 60_000
/** A shorter absence is a reconnect like many a day; WhatsApp's own queue bridges it. */
const ABSENCE_MS = 60_000
/** What queued up at the server comes in a burst; the phone is asked for what lies before the last of it. */
const BURST_MS = 3_000
/** Per chat; the number that WhatsApp's own clients ask for. */
const MESSAGE_COUNT = 50
/** Per absence: each question wakes the owner's phone. */
const MAX_CHATS = 20

/** The phone is asked for what lies before it. */
export interface Anchor {
  readonly key: WAMessageKey
  readonly sentAtMs: number
}

/** @throws when the question could not be put. The answer comes as history, or not at all. */
type AskPhone = (anchor: Anchor, count: number) => Promise<unknown>

/** Who is there besides the message. */
export interface Company {
  readonly me: Me
  readonly ask: AskPhone
  /** Calls the question off. */
  readonly signal: AbortSignal
}

export interface HistoryDeps {
  /** Nothing older is used. */
  readonly pairedAt: () => Date
  readonly clock: Clock
  readonly log: Log
}

/** The chats that were asked for after one absence, with the newest known message of each. */
interface Check {
  readonly newest: Map<ChatJid, Anchor>
  readonly endsAtMs: number
}

export class History {
  readonly #deps: HistoryDeps
  /** Before the first connection of this process: an absence of unknown length. */
  #leftAtMs = -Infinity
  #isHere = false
  #check: Check | undefined

  constructor(deps: HistoryDeps) {
    this.#deps = deps
  }

  /** A new device has no absence behind it, and no chats. */
  paired(): void {
    this.#leftAtMs = this.#deps.clock.nowMs()
    this.#isHere = false
    this.#check = undefined
  }

  arrived(): void {
    if (this.#isHere) return
    const nowMs = this.#deps.clock.nowMs()
    if (nowMs - this.#leftAtMs > ABSENCE_MS) this.#check = { newest: new Map(), endsAtMs: nowMs + WINDOW_MS }
    this.#isHere = true
  }

  left(): void {
    if (this.#isHere) this.#leftAtMs = this.#deps.clock.nowMs()
    this.#isHere = false
  }

  /**
   * A message came or went on this connection: the phone can be asked for what lies before it.
   *
   * @param open reads the message; not called when nobody wants to know.
   */
  seen(open: () => Anchor, { me, ask, signal }: Company): void {
    // The first messages may be here before the news that the connection is open.
    this.arrived()
    const check = this.#check
    if (check === undefined || this.#deps.clock.nowMs() > check.endsAtMs) return
    const anchor = open()
    const chat = findPerson(anchor.key, me)
    if (chat === undefined) return
    const isNew = !check.newest.has(chat)
    if (isNew && check.newest.size >= MAX_CHATS) return
    check.newest.set(chat, anchor)
    if (isNew) void this.#askSoon(check, chat, ask, signal)
  }

  async #askSoon({ newest }: Check, chat: ChatJid, ask: AskPhone, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps
    try {
      await clock.sleep(BURST_MS, signal)
      const anchor = newest.get(chat)
      if (anchor !== undefined) await ask(anchor, MESSAGE_COUNT)
    } catch (thrown) {
      // The chat's next message asks again.
      newest.delete(chat)
      log.debug(
        { errorCode: toBridgeError(thrown).code },
        'the phone could not be asked for its last messages',
      )
    }
  }

  /** What of a piece of history is to be taken in, oldest first. */
  usable(messages: readonly WAMessage[], me: Me): WAMessage[] {
    const { pairedAt, clock } = this.#deps
    const sinceMs = Math.max(clock.nowMs() - WINDOW_MS, pairedAt().getTime())
    return inOrder(
      messages.filter(
        (message) =>
          isPresent(message.message) &&
          findPerson(message.key, me) !== undefined &&
          sentAtMs(message) >= sinceMs,
      ),
    )
  }
}

export const anchorOf = (message: WAMessage): Anchor => ({ key: message.key, sentAtMs: sentAtMs(message) })

/** Oldest first. Each chat comes newest first, and many messages share a second. */
export const inOrder = (messages: readonly WAMessage[]): WAMessage[] =>
  messages.toReversed().sort((one, other) => sentAtMs(one) - sentAtMs(other))

/** By WhatsApp's clock, which counts whole seconds. */
export const sentAtMs = ({ messageTimestamp }: Pick<WAMessage, 'messageTimestamp'>): number =>
  toNumber(messageTimestamp) * 1_000

/** Deleted messages, calls and notices of WhatsApp stand in history without content. */
const isPresent = (message: WAMessage['message']): boolean => message !== null && message !== undefined

/** The chat, when it is one with another person. */
function findPerson({ remoteJid }: WAMessageKey, me: Me): ChatJid | undefined {
  const chat = findChatJid(remoteJid)
  return chat === undefined || isGroupJid(chat) || isMe(me, chat) ? undefined : chat
}

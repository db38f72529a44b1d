/**
 * Pieces of the past that the phone pushes, or was asked for. A piece stands in the journal before WhatsApp gets its receipt,
 * and is settled when all that is wanted of it is recorded: a kill in between loses nothing that was pushed once.
 *
 * - What was said since the pairing takes the way of live messages (history.ts), where known ones are recognised.
 * - What is older is recorded for the import, when one was wanted at the pairing (bridge/history-import.ts).
 *
 * Pieces stand in a line of their own: live messages never wait behind one. And none is opened before what waited at the
 * server stands in line: the phone's memory overlaps that queue, and the newest of a long one would come first. Most pieces are files at WhatsApp, which keeps
 * them for some days; a piece whose file is gone by then is given up and said so in the log.
 */
import { once } from 'node:events'
import { downloadAndProcessHistorySyncNotification, proto, type WAMessage } from '@whiskeysockets/baileys'
import type { HistoryStore } from '../bridge/history-import.ts'
import type { JournalWrite, SignalStore } from '../bridge/storage/signal.ts'
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import { type ChatJid, findChatJid, isGroupJid, isLidJid } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Envelope, IgnoreReason } from '../core/message.ts'
import { fromWhatsApp, type Receiver } from './from-whatsapp.ts'
import { type History, inOrder, sentAtMs } from './history.ts'
import { authorOf, type Intake, type Origin } from './intake.ts'
import { parseEntry } from './journal.ts'
import { patiently } from './patience.ts'
import { messageOf } from './stanza.ts'

const DAY_MS = 24 * 60 * 60_000
/** Past this age the file is certainly gone. */
const PIECE_KEPT_MS = 14 * DAY_MS
const DOWNLOAD_ATTEMPTS = 5
const DOWNLOAD_RETRY_MS = 20_000
/** One transaction's worth: live writes go in between. */
const BATCH = 50
/** The pairing is what makes the phone push its past; an import wanted later than this has nothing to come. */
const PAIRING_MS = 60 * 60_000

type Piece = Awaited<ReturnType<typeof downloadAndProcessHistorySyncNotification>>

export interface HistoryPiecesDeps {
  readonly receiver: Receiver
  readonly signalStore: Pick<SignalStore, 'settleJournal'>
  readonly store: HistoryStore
  readonly history: History
  readonly intake: Intake
  readonly pairedAt: () => Date | undefined
  /** How many days of the past are wanted, 0 for none. */
  readonly wantedDays: () => Promise<number>
  readonly onIgnored: (reason: IgnoreReason) => void
  /** Whether the location wants its groups now. */
  readonly takesGroups: () => Promise<boolean>
  /** Something was recorded for the import. */
  readonly onRecorded: () => void
  readonly clock: Clock
  readonly log: Log
}

export class HistoryPieces {
  readonly #deps: HistoryPiecesDeps
  #line: Promise<void> = Promise.resolve()
  /** Open while this connection has caught up with the server. */
  #gate = Promise.withResolvers<void>()
  #isOpen = false

  constructor(deps: HistoryPiecesDeps) {
    this.#deps = deps
  }

  /** Resolves when nothing is in line. */
  async idle(): Promise<void> {
    await this.#line
  }

  /** A number has just been paired: makes the import known before its first piece. Repeatable. */
  async begin(): Promise<void> {
    const { receiver, store, pairedAt, wantedDays, clock } = this.#deps
    const paired = pairedAt()
    if (paired === undefined || clock.nowMs() - paired.getTime() > PAIRING_MS) return
    const days = await wantedDays()
    if (days > 0) await store.begin({ ...receiver, days, pairedAt: paired })
  }

  /** What waited at the server stands in line. */
  caughtUp(): void {
    this.#isOpen = true
    this.#gate.resolve()
  }

  /** The connection has ended. */
  left(): void {
    if (this.#isOpen) this.#gate = Promise.withResolvers()
    this.#isOpen = false
  }

  /** Puts a journaled piece in line. */
  take(row: JournalWrite, origin: Origin): void {
    this.#line = this.#line.then(async () => {
      await this.#untilOpen(origin.signal)
      if (origin.signal.aborted) return
      await this.#takeIn(row, origin).catch((thrown: unknown) => {
        // The journal keeps the piece: the next connection takes it in again.
        const error = toBridgeError(thrown)
        this.#deps.log.warn(
          { errorCode: error.code, ...(error.code === 'BUG_INVARIANT' && { err: error.cause }) },
          'a piece of history was not taken in',
        )
      })
    })
  }

  /** Ends early when the run is ended. */
  async #untilOpen(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const over = new AbortController()
    const aborted = once(signal, 'abort', { signal: over.signal }).catch(() => undefined)
    await Promise.race([this.#gate.promise, aborted])
    over.abort()
  }

  async #takeIn(row: JournalWrite, origin: Origin): Promise<void> {
    const { receiver, signalStore, history, clock, log } = this.#deps
    const { signal } = origin
    const again = <T>(act: () => Promise<T>): Promise<T> => patiently(act, { clock, signal })
    const announcement = messageOf(parseEntry(row.entry), origin.me)
    const piece = await this.#open(announcement, signal)
    if (piece !== undefined) {
      const recent = history.usable(piece.messages, origin.me)
      const areRecorded = await Promise.all(
        recent.map((message) => this.#deps.intake.takeResent(message, origin)),
      )
      if (areRecorded.includes(false)) return
      await again(() => this.begin())
      const past = await again(() => this.#past(piece, new Set(recent), origin))
      for (let start = 0; start < past.length; start += BATCH) {
        if (signal.aborted) return
        await again(() => this.#deps.store.accept(receiver, past.slice(start, start + BATCH)))
      }
      if (past.length > 0) this.#deps.onRecorded()
      log.debug(
        { count: piece.messages.length, usedCount: recent.length, pastCount: past.length },
        'history came',
      )
    }
    await again(() => signalStore.settleJournal(receiver.sessionId, row.waMessageId, row.sender))
  }

  /** `undefined` when there is nothing to open, for good. */
  async #open(announcement: WAMessage, signal: AbortSignal): Promise<Piece | undefined> {
    const { clock, log } = this.#deps
    const notification = announcement.message?.protocolMessage?.historySyncNotification
    // Only our own phone speaks of our past.
    if (!notification || announcement.key.fromMe !== true) return undefined
    for (let attempt = 1; ; attempt++) {
      try {
        return await downloadAndProcessHistorySyncNotification(
          proto.Message.HistorySyncNotification.create(notification),
          { signal },
        )
      } catch (thrown) {
        const isOld = clock.nowMs() - sentAtMs(announcement) > PIECE_KEPT_MS
        log.warn({ attempt, isOld }, 'a piece of history could not be fetched')
        if (isOld) return undefined
        if (attempt === DOWNLOAD_ATTEMPTS) throw thrown
        await clock.sleep(DOWNLOAD_RETRY_MS, signal)
      }
    }
  }

  /** What is older than the pairing and wanted, oldest first in each chat. */
  async #past(piece: Piece, taken: ReadonlySet<WAMessage>, origin: Origin): Promise<Envelope[]> {
    const { receiver, store } = this.#deps
    const wanted = await store.find(receiver.sessionId)
    if (wanted === undefined) return []
    const sinceMs = wanted.pairedAt.getTime() - wanted.days * DAY_MS
    const messages = piece.messages.filter(
      (message) => message.message && !taken.has(message) && sentAtMs(message) >= sinceMs,
    )
    const book = addressBook(piece)
    const envelopes: Envelope[] = []
    for (const message of inOrder(messages)) {
      const envelope = await this.#envelopeOf(message, book, origin)
      if (envelope !== undefined) envelopes.push(envelope)
    }
    return spread(envelopes)
  }

  async #envelopeOf(message: WAMessage, book: AddressBook, origin: Origin): Promise<Envelope | undefined> {
    const { receiver, onIgnored, takesGroups } = this.#deps
    const chat = findChatJid(message.key.remoteJid)
    if (chat === undefined) return undefined
    if (isGroupJid(chat) && !(await takesGroups())) {
      onIgnored('group')
      return undefined
    }
    // A number's LID would be asked of WhatsApp, chat by chat; a LID's number is known here or nowhere.
    const named = withAuthor(message, book.nameOf.get(chat))
    const author = authorOf(named, origin.me)
    const person = isGroupJid(chat) ? findChatJid(author) : chat
    const isAsked = person !== undefined && isLidJid(person) && !book.altOf.has(person)
    const alt = isAsked ? await origin.altOf(person) : person && book.altOf.get(person)
    const converted = fromWhatsApp(named, { receiver, author, me: origin.me, alt })
    if ('envelope' in converted) return { ...converted.envelope, isHistory: true }
    onIgnored(converted.ignored)
    return undefined
  }
}

interface AddressBook {
  readonly altOf: ReadonlyMap<ChatJid, ChatJid>
  readonly nameOf: ReadonlyMap<ChatJid, string>
}

/** What a piece says about its chats: their other address forms, and their names on the owner's phone. */
function addressBook({ lidPnMappings, contacts }: Piece): AddressBook {
  const altOf = new Map<ChatJid, ChatJid>()
  const nameOf = new Map<ChatJid, string>()
  for (const mapping of lidPnMappings) {
    const lid = findChatJid(mapping.lid)
    const pn = findChatJid(mapping.pn)
    if (lid !== undefined && pn !== undefined) altOf.set(lid, pn).set(pn, lid)
  }
  for (const { id, name } of contacts) {
    const chat = findChatJid(id)
    if (chat !== undefined && name) nameOf.set(chat, name)
  }
  return { altOf, nameOf }
}

/** History names the author of a group's message beside its key, and seldom his name. */
function withAuthor(message: WAMessage, name: string | undefined): WAMessage {
  const participant = message.key.participant ?? message.participant
  const isPrivate = !participant
  const pushName = message.pushName ?? (isPrivate && message.key.fromMe !== true ? name : undefined)
  return {
    ...message,
    key: { ...message.key, ...(participant && { participant }) },
    ...(pushName !== undefined && { pushName }),
  } as WAMessage // a plain copy of one
}

/** WhatsApp counts whole seconds; GHL sorts by time, so what shares a second in a chat is set apart by milliseconds. */
function spread(envelopes: readonly Envelope[]): Envelope[] {
  const last = new Map<ChatJid, number>()
  return envelopes.map((envelope) => {
    const { chat } = envelope
    const previousMs = last.get(chat) ?? 0
    const sentMs = envelope.sentAt.getTime()
    const isSameSecond = Math.floor(previousMs / 1_000) === Math.floor(sentMs / 1_000)
    const apartMs = isSameSecond ? Math.min(previousMs + 1, sentMs + 999) : sentMs
    last.set(chat, apartMs)
    return { ...envelope, sentAt: new Date(apartMs) }
  })
}

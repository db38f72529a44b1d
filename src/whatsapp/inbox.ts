/**
 * All that comes in for one number, sorted: messages of the journal, those that came without a stanza, pieces of history.
 * Live messages stand in one line (intake.ts), pieces of history in another (history-pieces.ts), and what the phone is asked
 * for after an absence is decided in history.ts.
 */
import type { WAMessage } from '@whiskeysockets/baileys'
import type { HistoryStore } from '../bridge/history-import.ts'
import type { MessageReference, Original } from '../bridge/storage/message-rows.ts'
import type { SessionRow } from '../bridge/storage/sessions.ts'
import type { SettingsStore } from '../bridge/storage/settings.ts'
import type { JournalWrite, SignalStore } from '../bridge/storage/signal.ts'
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import type { LocationId, SessionId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Envelope, IgnoreReason } from '../core/message.ts'
import type { AddressPair } from './addresses.ts'
import type { Call } from './calls.ts'
import type { Receiver } from './from-whatsapp.ts'
import type { GroupEvent } from './groups.ts'
import { type Anchor, anchorOf, type Company, History } from './history.ts'
import { HistoryPieces } from './history-pieces.ts'
import { Intake, type Origin } from './intake.ts'
import { isPiece, parseEntry } from './journal.ts'
import { messageOf, resentIn } from './stanza.ts'
import { waIdOf } from './wa-id.ts'

export interface InboxDeps {
  readonly signalStore: SignalStore
  readonly historyStore: HistoryStore
  readonly locationSettings: Pick<SettingsStore, 'read'>
  /** Resolves when the message is recorded for good. */
  readonly onMessage: (envelope: Envelope) => Promise<void>
  readonly findOriginal: (reference: MessageReference) => Promise<Original | undefined>
  readonly onIgnored: (reason: IgnoreReason, session: { sessionId: SessionId }) => void
  /** Resolves when it is recorded for good, or not wanted. */
  readonly onGroupEvent: (envelope: Envelope) => Promise<void>
  /** WhatsApp has said which number belongs to which LID. */
  readonly onAddresses: (location: LocationId, pairs: readonly AddressPair[]) => Promise<void>
  /** Something of the past was recorded for the import. */
  readonly onHistory: () => void
  readonly clock: Clock
  readonly log: Log
}

/** One connection, as its messages need it. */
export interface Correspondence extends Origin, Company {}

export class Inbox {
  readonly #deps: InboxDeps
  readonly #receiver: Receiver
  readonly #history: History
  readonly #intake: Intake
  readonly #pieces: HistoryPieces

  /** @param row the number as it is stored now. */
  constructor(deps: InboxDeps, row: () => SessionRow) {
    this.#deps = deps
    const { locationId, sessionId } = row()
    this.#receiver = { locationId, sessionId }
    const { signalStore, clock, log } = deps
    const receiver = this.#receiver
    const onIgnored = (reason: IgnoreReason): void => {
      deps.onIgnored(reason, { sessionId })
    }
    this.#history = new History({ pairedAt: () => row().pairedAt ?? row().createdAt, clock, log })
    const takesGroups = async () => (await deps.locationSettings.read(locationId)).groups
    this.#intake = new Intake({ ...deps, receiver, onIgnored, takesGroups })
    this.#pieces = new HistoryPieces({
      receiver,
      signalStore,
      store: deps.historyStore,
      history: this.#history,
      intake: this.#intake,
      pairedAt: () => row().pairedAt,
      wantedDays: async () => (await deps.locationSettings.read(locationId)).historyDays,
      onIgnored,
      takesGroups,
      onRecorded: deps.onHistory,
      clock,
      log,
    })
  }

  /** Resolves when nothing is in line. */
  async idle(): Promise<void> {
    await this.#pieces.idle()
    await this.#intake.idle()
  }

  /** Takes in what the journal holds from before; resolves when its messages are recorded, pieces of history may follow. */
  async replay(origin: Origin): Promise<void> {
    await this.idle()
    for (const row of await this.#deps.signalStore.readJournal(this.#receiver.sessionId))
      this.#take(row, origin)
    await this.#intake.idle()
  }

  /** A row has become durable on this connection. */
  journaled(row: JournalWrite, company: Correspondence): void {
    this.#take(row, company)
    this.#history.seen(() => anchorOf(messageOf(parseEntry(row.entry), company.me)), company)
  }

  /** A message could not be decrypted. */
  undecryptable(message: WAMessage, origin: Origin): void {
    void this.#intake.takeResent(message, origin)
  }

  /** Something that is not in the journal; resolves when it is recorded, as {@link Intake.takeUnjournaled} says. */
  async unjournaled(what: WAMessage | Call, origin: Origin): Promise<void> {
    await this.#intake.takeUnjournaled(what, origin)
  }

  /** Something happened in a group. Resolves when it is recorded for good, or not wanted. */
  async groupEvent(event: GroupEvent): Promise<void> {
    const { groups } = await this.#deps.locationSettings.read(this.#receiver.locationId)
    if (!groups) {
      this.#deps.onIgnored('group', this.#receiver)
      return
    }
    await this.#deps.onGroupEvent(envelopeOf(this.#receiver, event))
  }

  /** Not learnt now is learnt with the next message, which carries both forms. */
  async learn(pairs: readonly AddressPair[]): Promise<void> {
    await this.#deps.onAddresses(this.#receiver.locationId, pairs).catch((thrown: unknown) => {
      this.#deps.log.warn({ errorCode: toBridgeError(thrown).code }, 'could not learn whose number it is')
    })
  }

  /** A message of ours left on this connection. */
  sent(anchor: Anchor, company: Company): void {
    this.#history.seen(() => anchor, company)
  }

  /** Linked anew. */
  paired(): void {
    this.#history.paired()
  }

  /** Logged in. */
  arrived(): void {
    this.#history.arrived()
    this.#pieces.begin().catch((thrown: unknown) => {
      // The first piece begins it otherwise.
      this.#deps.log.warn({ errorCode: toBridgeError(thrown).code }, 'could not begin the import of history')
    })
  }

  /** What waited at the server stands in line here. */
  caughtUp(): void {
    this.#pieces.caughtUp()
  }

  /** The connection has ended. */
  left(): void {
    this.#history.left()
    this.#pieces.left()
  }

  #take(row: JournalWrite, origin: Origin): void {
    if (!isPiece(row)) {
      this.#intake.take(row, origin)
      return
    }
    const resent = resentIn(messageOf(parseEntry(row.entry), origin.me))
    if (resent === undefined) this.#pieces.take(row, origin)
    else this.#intake.takeAnswer(row, resent, origin)
  }
}

/** What happened in a group, as a message that the group itself says. */
const envelopeOf = (receiver: Receiver, { group, id, at, text, subject }: GroupEvent): Envelope => ({
  ...receiver,
  waMessageId: waIdOf(id),
  chat: group,
  author: group,
  fromMe: false,
  sentAt: at,
  content: { kind: 'notice', waKind: 'groupEvent', text },
  ...(subject !== undefined && { groupSubject: subject }),
})

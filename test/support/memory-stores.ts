/**
 * Sessions, Signal keys and journal in memory, as faithful as the real store: a write is one atomic change, what is read is
 * a copy, a settled journal row is still found but no longer replayed. Every write passes a gate that a test can close.
 */
import type { MessageReference, Original } from '../../src/bridge/storage/message-rows.ts'
import type {
  SessionPatch,
  SessionRow,
  SessionStore,
  SessionWish,
} from '../../src/bridge/storage/sessions.ts'
import type { SignalStore } from '../../src/bridge/storage/signal.ts'
import type { LocationId, SessionId } from '../../src/core/ids.ts'
import type { Envelope } from '../../src/core/message.ts'

export type SignalChange = Parameters<SignalStore['write']>[1]

interface JournalLine {
  readonly waMessageId: string
  readonly sender: string
  entry: string
  isSettled: boolean
}

interface Kept {
  credentials: string | undefined
  readonly keys: Map<string, string>
  readonly journal: JournalLine[]
}

/** Called with each write before it takes effect: waits, or throws, at the test's will. */
export type Gate = (change: SignalChange) => Promise<void> | void

export class MemorySignalStore implements SignalStore {
  /** Every write that took effect, in order. */
  readonly writes: SignalChange[] = []
  gate: Gate = () => undefined
  /** Called before each read; `kind` when Signal keys are read. */
  readGate: (sessionId: SessionId, kind?: string) => Promise<void> | void = () => undefined
  readonly #sessions = new Map<SessionId, Kept>()

  async loadCredentials(sessionId: SessionId): Promise<string | undefined> {
    await this.readGate(sessionId)
    return this.#kept(sessionId).credentials
  }

  async read(sessionId: SessionId, kind: string, ids: readonly string[]): Promise<Map<string, string>> {
    await this.readGate(sessionId, kind)
    const { keys } = this.#kept(sessionId)
    return new Map(
      ids.flatMap((id) => {
        const value = keys.get(keyName(kind, id))
        return value === undefined ? [] : [[id, value] as const]
      }),
    )
  }

  async write(sessionId: SessionId, change: SignalChange): Promise<void> {
    await this.gate(change)
    const kept = this.#kept(sessionId)
    if (change.credentials !== undefined) kept.credentials = change.credentials
    for (const { kind, id, value } of change.keys ?? []) {
      if (value === null) kept.keys.delete(keyName(kind, id))
      else kept.keys.set(keyName(kind, id), value)
    }
    for (const { waMessageId, sender, entry } of change.journal ?? []) {
      const line = this.#line(sessionId, waMessageId, sender)
      if (line !== undefined) line.entry = entry
      else kept.journal.push({ waMessageId, sender, entry, isSettled: false })
    }
    this.writes.push(change)
  }

  async readJournal(sessionId: SessionId) {
    await this.readGate(sessionId)
    return this.#kept(sessionId)
      .journal.filter(({ isSettled }) => !isSettled)
      .map(({ waMessageId, sender, entry }) => ({ waMessageId, sender, entry }))
  }

  async findJournal(sessionId: SessionId, waMessageId: string, sender: string): Promise<string | undefined> {
    await this.readGate(sessionId)
    return this.#line(sessionId, waMessageId, sender)?.entry
  }

  settleJournal(sessionId: SessionId, waMessageId: string, sender: string): Promise<void> {
    const line = this.#line(sessionId, waMessageId, sender)
    if (line !== undefined) line.isSettled = true
    return Promise.resolve()
  }

  /** What a session has left. */
  sizes(sessionId: SessionId): { credentials: boolean; keys: number; unsettled: number } {
    const { credentials, keys, journal } = this.#kept(sessionId)
    return {
      credentials: credentials !== undefined,
      keys: keys.size,
      unsettled: journal.filter(({ isSettled }) => !isSettled).length,
    }
  }

  forget(sessionId: SessionId): void {
    this.#sessions.delete(sessionId)
  }

  #kept(sessionId: SessionId): Kept {
    const kept = this.#sessions.get(sessionId) ?? { credentials: undefined, keys: new Map(), journal: [] }
    this.#sessions.set(sessionId, kept)
    return kept
  }

  #line(sessionId: SessionId, waMessageId: string, sender: string): JournalLine | undefined {
    return this.#kept(sessionId).journal.find(
      (line) => line.waMessageId === waMessageId && line.sender === sender,
    )
  }
}

const keyName = (kind: string, id: string): string => `${kind}/${id}`

type UsedSessionStore = Pick<
  SessionStore,
  'create' | 'find' | 'list' | 'update' | 'forgetCredentials' | 'remove'
>

export class MemorySessionStore implements UsedSessionStore {
  readonly rows = new Map<SessionId, SessionRow>()
  /** Statuses in the order they were stored. */
  readonly statuses: string[] = []
  onChange: (row: SessionRow) => void = () => undefined
  /** Called before each change. */
  gate: () => Promise<void> | void = () => undefined
  readonly #signal: MemorySignalStore

  constructor(signal: MemorySignalStore) {
    this.#signal = signal
  }

  async create(session: Parameters<SessionStore['create']>[0]): Promise<SessionRow> {
    await this.gate()
    const row: SessionRow = {
      status: 'initializing',
      phoneNumber: undefined,
      lid: undefined,
      name: undefined,
      isDefault: true,
      problem: undefined,
      notice: undefined,
      nextAttemptAt: undefined,
      live: undefined,
      lastSeenAt: undefined,
      pairedAt: undefined,
      createdAt: new Date(),
      ...session,
      expectedPhone: session.expectedPhone,
      wish: session.wish,
    }
    this.#set(row)
    return row
  }

  find(sessionId: SessionId): Promise<SessionRow | undefined> {
    return Promise.resolve(this.rows.get(sessionId))
  }

  list(): Promise<SessionRow[]> {
    return Promise.resolve([...this.rows.values()])
  }

  async update(sessionId: SessionId, patch: SessionPatch): Promise<void> {
    await this.gate()
    const row = this.rows.get(sessionId)
    if (row === undefined) return
    const {
      problem = row.problem,
      live = row.live,
      notice = row.notice,
      nextAttemptAt = row.nextAttemptAt,
      ...facts
    } = patch
    if (patch.status !== undefined) this.statuses.push(patch.status)
    this.#set({
      ...row,
      ...facts,
      problem: problem ?? undefined,
      live: live ?? undefined,
      notice: notice ?? undefined,
      nextAttemptAt: nextAttemptAt ?? undefined,
    })
  }

  async wish(sessionId: SessionId, wish: SessionWish): Promise<void> {
    await this.gate()
    const row = this.rows.get(sessionId)
    if (row !== undefined) this.#set({ ...row, wish })
  }

  async wished(locations: readonly LocationId[]): Promise<readonly LocationId[]> {
    await this.gate()
    const wishing = [...this.rows.values()].filter(({ wish }) => wish !== undefined)
    return locations.filter((location) => wishing.some(({ locationId }) => locationId === location))
  }

  async takeWish(sessionId: SessionId, wishId: string): Promise<boolean> {
    await this.gate()
    const row = this.rows.get(sessionId)
    if (row?.wish?.id !== wishId) return false
    this.#set({ ...row, wish: undefined })
    return true
  }

  async forgetCredentials(sessionId: SessionId): Promise<void> {
    await this.gate()
    this.#signal.forget(sessionId)
  }

  async remove(sessionId: SessionId): Promise<void> {
    await this.gate()
    this.rows.delete(sessionId)
    this.#signal.forget(sessionId)
  }

  #set(row: SessionRow): void {
    this.rows.set(row.sessionId, row)
    this.onChange(row)
  }
}

/** Records messages once, as the real store does: by session, id and author; and settles their journal rows. */
export class MemoryInbox {
  readonly accepted: Envelope[] = []
  /** How often it was told of a message, repeats included. */
  offered = 0
  /** Called before each message is recorded. */
  gate: (envelope: Envelope) => Promise<void> | void = () => undefined
  readonly #signal: MemorySignalStore

  constructor(signal: MemorySignalStore) {
    this.#signal = signal
  }

  async accept(envelope: Envelope): Promise<void> {
    this.offered += 1
    await this.gate(envelope)
    const { sessionId, waMessageId, author } = envelope
    const isKnown = this.accepted.some(
      (known) =>
        known.sessionId === sessionId && known.waMessageId === waMessageId && known.author === author,
    )
    if (!isKnown) this.accepted.push(envelope)
    await this.#signal.settleJournal(sessionId, waMessageId, author)
  }

  find({ sessionId, waMessageId }: MessageReference): Original | undefined {
    const found = this.accepted.find(
      (known) => known.sessionId === sessionId && known.waMessageId === waMessageId,
    )
    if (found === undefined) return undefined
    const { content, author, secret, fromMe } = found
    return { origin: fromMe ? 'phone' : 'customer', content, author, secret, composed: undefined }
  }

  /** The texts that were accepted, in order. */
  get texts(): string[] {
    return this.accepted.flatMap(({ content }) => (content.kind === 'text' ? [content.text] : []))
  }
}

/** A door in the way: closed until it is opened, and it tells when somebody stands before it. */
export class Door {
  readonly #knocked = Promise.withResolvers<void>()
  readonly #opened = Promise.withResolvers<void>()

  /** Resolves when somebody waits. */
  get knocked(): Promise<void> {
    return this.#knocked.promise
  }

  async pass(): Promise<void> {
    this.#knocked.resolve()
    await this.#opened.promise
  }

  open(): void {
    this.#opened.resolve()
  }
}

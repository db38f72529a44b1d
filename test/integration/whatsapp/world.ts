/** The WhatsApp adapter on stores in memory, against the real sandbox server, all in this process. */
import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { installSandboxRedirects } from '../../../sandbox/redirects.ts'
import {
  type Passage,
  type Phone,
  startWhatsAppSandbox,
  type WhatsAppSandbox,
} from '../../../sandbox/whatsapp/index.ts'
import type { SessionDesk, SessionSnapshot, WaOutgoing } from '../../../src/bridge/ports.ts'
import { createSessionDesk } from '../../../src/bridge/session-desk.ts'
import type { SessionStore } from '../../../src/bridge/storage/sessions.ts'
import { type Clock, systemClock } from '../../../src/core/clock.ts'
import {
  type ChatJid,
  type LocationId,
  parseLocationId,
  pnOfPhone,
  type SessionId,
  type WaMessageId,
} from '../../../src/core/ids.ts'
import { DEFAULT_SETTINGS, type LocationSettings } from '../../../src/core/settings.ts'
import { createNumbers, type Numbers } from '../../../src/whatsapp/numbers.ts'
import type { SocketSettings } from '../../../src/whatsapp/socket.ts'
import { openSpool, type Spool } from '../../../src/whatsapp/spool.ts'
import { MemoryHistory } from '../../support/memory-history.ts'
import { Door, MemoryInbox, MemorySessionStore, MemorySignalStore } from '../../support/memory-stores.ts'
import { silentLog } from '../../support/silent-log.ts'
import { waitFor } from '../../support/wait-for.ts'

export const OWNER = '15550009999'
export const ANA = '15551230001'
export const LOCATION = parseLocationId('loc1')

/** Waits that are long in life are short here; how long they were meant to be is noted. */
class ShortClock implements Clock {
  readonly sleeps: number[] = []
  longestMs = 30
  nowMs(): number {
    return Date.now()
  }
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms)
    await systemClock.sleep(Math.min(ms, this.longestMs), signal)
  }
}

export interface ReceiptNote {
  readonly ids: readonly string[]
  readonly state: 'delivered' | 'read'
  readonly atMs: number
}

/** What becomes of each stanza between server and devices: not calling `forward` loses it. */
export interface Wire {
  pass(passage: Passage, forward: () => void): void
}

/** One node that serves one location. */
export interface Bridge extends Numbers, SessionDesk {
  start(): Promise<void>
  stop(): Promise<void>
}

export class World {
  readonly sandbox: WhatsAppSandbox
  readonly signal = new MemorySignalStore()
  readonly rows = new MemorySessionStore(this.signal)
  readonly inbox = new MemoryInbox(this.signal)
  readonly history = new MemoryHistory()
  locationSettings: LocationSettings = DEFAULT_SETTINGS
  readonly clock = new ShortClock()
  readonly composed = new Map<string, Uint8Array>()
  readonly receipts: ReceiptNote[] = []
  readonly ignored: string[] = []
  /** Which number belongs to which LID, as it was told. */
  readonly addresses: { readonly lid: string; readonly pn: string }[] = []
  readonly ready: LocationId[] = []
  readonly findComposed: string[] = []
  /** Called before each receipt is taken. */
  receiptGate: () => Promise<void> | void = () => undefined
  readonly wire: Wire
  /** Read by each new connection. */
  readonly settings: Partial<SocketSettings>
  sessions: Bridge
  readonly #doors: Door[] = []

  readonly #spool: Spool

  private constructor(sandbox: WhatsAppSandbox, spool: Spool, wire: Wire, settings: Partial<SocketSettings>) {
    this.#spool = spool
    this.sandbox = sandbox
    this.wire = wire
    this.settings = settings
    this.sessions = this.#create()
  }

  static async begin(settings: Partial<SocketSettings> = {}): Promise<World> {
    const wire: Wire = { pass: (_passage, forward) => forward() }
    const sandbox = await startWhatsAppSandbox({
      faults: { pass: (passage, forward) => wire.pass(passage, () => forward(passage.stanza)) },
    })
    installSandboxRedirects(sandbox)
    sandbox.addAccount({ phone: OWNER, name: 'Dental Care' })
    sandbox.addAccount({ phone: ANA, name: 'Ana' })
    const world = new World(sandbox, await openSpool(randomUUID()), wire, settings)
    await world.sessions.start()
    return world
  }

  /** A closed door that a failing test cannot leave closed: libsignal's queues are those of the whole process. */
  door(): Door {
    const door = new Door()
    this.#doors.push(door)
    return door
  }

  async end(): Promise<void> {
    for (const door of this.#doors) door.open()
    await this.sessions.stop()
    const unknown = this.sandbox.stats().unknownStanzas
    await this.sandbox.stop()
    await this.#spool.close()
    expect(unknown).toEqual({})
  }

  get ana(): Phone {
    return this.sandbox.phone(ANA)
  }

  /** Resolves when the owner has done it. */
  async restart(id: SessionId): Promise<void> {
    await this.sessions.restart(id)
    await waitFor('the restart', () => this.rows.rows.get(id)?.wish === undefined)
  }

  /** As after a kill: the same stores, nothing else. */
  async reborn(): Promise<void> {
    this.sessions = this.#create()
    await this.sessions.start()
  }

  async snapshot(id: SessionId): Promise<SessionSnapshot> {
    const found = await this.sessions.find(LOCATION, id)
    if (found === undefined) throw new Error('there is no such session')
    return found
  }

  async until(
    id: SessionId,
    isWanted: (snapshot: SessionSnapshot) => boolean,
    what = 'the wanted state',
  ): Promise<SessionSnapshot> {
    return await waitFor(what, async () => {
      const snapshot = await this.snapshot(id)
      return isWanted(snapshot) && snapshot
    })
  }

  untilReady = (id: SessionId): Promise<SessionSnapshot> =>
    this.until(id, ({ status }) => status === 'ready', 'ready')

  async qrOf(id: SessionId): Promise<string> {
    const { qr } = await this.until(id, (snapshot) => snapshot.qr !== null, 'a QR')
    return qr ?? ''
  }

  /** A number that is paired and ready. */
  async paired(phone = OWNER): Promise<SessionId> {
    const { id } = await this.sessions.create(LOCATION, {})
    await this.sandbox.scan(phone, await this.qrOf(id))
    await this.untilReady(id)
    await this.settled()
    return id
  }

  /** Waits until nothing is on its way to a companion. */
  async settled(): Promise<void> {
    await waitFor('the companions to answer everything', () =>
      this.sandbox.stats().companions.every(({ connected, waiting }) => !connected || waiting === 0),
    )
  }

  async fromAna(text: string): Promise<string> {
    return await this.sandbox.send(ANA, { to: OWNER, text })
  }

  async accepted(...texts: string[]): Promise<void> {
    await waitFor(`${texts.join(', ')} to be accepted`, () =>
      texts.every((text) => this.inbox.texts.includes(text)),
    )
  }

  /** Ana's address, as the bridge would find it. */
  async chatWithAna(id: SessionId): Promise<ChatJid> {
    const found = await this.sessions.findOnWhatsApp(id, pnOfPhone(`+${ANA}`))
    if (found === undefined) throw new Error('Ana is not on WhatsApp')
    return found.chat
  }

  /** Composes and sends, as the bridge does. */
  async sendTo(id: SessionId, chat: ChatJid, text: string): Promise<WaMessageId> {
    const message: WaOutgoing = { kind: 'text', text }
    const composed = await this.sessions.compose(id, chat, message)
    const waMessageId = this.sessions.newMessageId()
    this.composed.set(waMessageId, composed)
    await this.sessions.send(id, chat, waMessageId, composed)
    return waMessageId
  }

  /** Ticks that the bridge's companion gave. */
  ticks(messageId: string): number {
    return this.ana.receipts.filter((receipt) => receipt.messageId === messageId && receipt.fromDevice > 0)
      .length
  }

  /** A bridge on the same stores, at another server. */
  elsewhere(webSocketUrl: string): Bridge {
    return this.#create(webSocketUrl)
  }

  #create(webSocketUrl = this.sandbox.webSocketUrl): Bridge {
    const sessions = this.rows as unknown as SessionStore // all that is called here is there
    const desk = createSessionDesk({ sessions, newId: randomUUID, clock: this.clock })
    const numbers = createNumbers({
      spool: this.#spool,
      settings: Object.assign(this.settings, { webSocketUrl, version: undefined }),
      signalStore: this.signal,
      sessionStore: sessions,
      findComposed: (_session, id) => {
        this.findComposed.push(id)
        return Promise.resolve(this.composed.get(id))
      },
      historyStore: this.history,
      locationSettings: { read: () => Promise.resolve(this.locationSettings) },
      onHistory: () => undefined,
      onGroupEvent: (envelope) => this.inbox.accept(envelope),
      onMessage: (envelope) => this.inbox.accept(envelope),
      onIgnored: (reason) => {
        this.ignored.push(reason)
      },
      findOriginal: (reference) => Promise.resolve(this.inbox.find(reference)),
      onReceipt: async (_session, ids, state) => {
        await this.receiptGate()
        this.receipts.push({ ids, state, atMs: Date.now() })
      },
      onAddresses: (_location, pairs) => {
        this.addresses.push(...pairs)
        return Promise.resolve()
      },
      onReady: (location) => {
        this.ready.push(location)
        return Promise.resolve()
      },
      clock: this.clock,
      log: silentLog,
    })
    let isServing = false
    const hear = this.rows.onChange
    this.rows.onChange = (row) => {
      hear(row)
      desk.changed(row.locationId, row.sessionId)
      if (isServing && row.wish !== undefined) numbers.look(row.locationId)
    }
    return {
      ...numbers,
      ...desk,
      start: async () => {
        isServing = true
        await numbers.serve(LOCATION)
      },
      stop: async () => {
        isServing = false
        await numbers.leave(LOCATION)
      },
    }
  }
}

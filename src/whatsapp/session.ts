/**
 * One linked WhatsApp device: it connects, stays connected, and says what is wrong.
 *
 * States and who moves them:
 *
 *   initializing --connect--> qr | pairing --scan--> connecting --515, login--> ready
 *   initializing --connect, paired before--> connecting --> ready
 *   ready | connecting --end of the connection--> what disconnect.ts says: again at once, later, slowly, or stopped
 *   any --log out, here or on the phone--> logged_out --restart--> initializing
 *
 * One socket at a time; an attempt whose socket has been replaced is deaf (`#socket` is compared). Messages take their way
 * from the journal, one after the other in the order of decryption; one that cannot be recorded now stays first in line.
 */
import type { WAMessage } from '@whiskeysockets/baileys'
import type { SessionSnapshot, WaOutgoing } from '../bridge/ports.ts'
import type { JournalWrite, SessionPatch, SessionRow, SessionStore, SignalStore } from '../bridge/storage.ts'
import type { Clock } from '../core/clock.ts'
import { toBridgeError, WhatsAppError } from '../core/errors.ts'
import {
  type ChatJid,
  findChatJid,
  isPnJid,
  type LocationId,
  phoneOfPn,
  type SessionId,
  type WaMessageId,
} from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { Envelope, IgnoreReason, SessionProblem, SessionStatus } from '../core/message.ts'
import { openAuth, type SessionAuth } from './auth-state.ts'
import { LOGGED_OUT_BY_US, QR_EXPIRED, reconnectDelayMs, ruleOf, WRONG_NUMBER } from './disconnect.ts'
import { fromWhatsApp } from './from-whatsapp.ts'
import { Journal, parseEntry } from './journal.ts'
import { openSocket, type Socket, type SocketCaches, type SocketSettings } from './socket.ts'
import { type Me, messageOf, type Receipt } from './stanza.ts'
import { compose } from './to-whatsapp.ts'

/** A connection that shows neither QR nor login by then hangs (whatsapp.md 1b: an HTTP answer to the upgrade does that). */
const CONNECT_TIMEOUT_MS = 45_000
const ACCEPT_RETRY_MS = 1_000

export interface SessionDeps {
  readonly settings: SocketSettings
  readonly signalStore: SignalStore
  readonly sessionStore: SessionStore
  readonly findComposed: (session: SessionId, id: WaMessageId) => Promise<Uint8Array | undefined>
  /** Resolves when the message is recorded for good. */
  readonly onMessage: (envelope: Envelope) => Promise<void>
  readonly onIgnored: (reason: IgnoreReason, session: { sessionId: SessionId }) => void
  readonly onReceipt: (
    session: SessionId,
    ids: readonly WaMessageId[],
    state: Receipt['state'],
  ) => Promise<void>
  readonly onReady: (location: LocationId) => Promise<void>
  readonly onChange: (snapshot: SessionSnapshot) => void
  readonly clock: Clock
  readonly log: Log
}

interface Live {
  readonly status: SessionStatus
  readonly problem: SessionProblem | undefined
  readonly qr: string | undefined
  readonly pairingCode: string | undefined
}

export class Session {
  readonly id: SessionId
  readonly locationId: LocationId
  readonly #deps: SessionDeps
  readonly #log: Log
  readonly #caches: SocketCaches
  #row: SessionRow
  #live: Live
  #socket: Socket | undefined
  #auth: SessionAuth | undefined
  /** Ends waiting: for a reconnect, for a retry. */
  #life = new AbortController()
  #failures = 0
  /** E.164 digits when pairing by code was asked for. */
  #codeFor: string | undefined
  #accepting: Promise<void> = Promise.resolve()

  constructor(deps: SessionDeps, row: SessionRow, caches: SocketCaches) {
    this.#deps = deps
    this.#row = row
    this.id = row.sessionId
    this.locationId = row.locationId
    this.#caches = caches
    this.#log = deps.log.child({ session: `location_${row.locationId}_${row.sessionId}` })
    this.#live = { status: row.status, problem: row.problem, qr: undefined, pairingCode: undefined }
  }

  get isReady(): boolean {
    return this.#live.status === 'ready'
  }

  snapshot(): SessionSnapshot {
    const { phoneNumber, name, isDefault, lastSeenAt } = this.#row
    return {
      id: this.id,
      locationId: this.locationId,
      status: this.#live.status,
      phoneNumber: phoneNumber ?? null,
      name: name ?? null,
      isDefault,
      qr: this.#live.qr ?? null,
      pairingCode: this.#live.pairingCode ?? null,
      problem: this.#live.problem ?? null,
      lastSeenAt: lastSeenAt?.toISOString() ?? null,
    }
  }

  /** @param codeFor E.164: pair by code instead of QR. */
  async start(codeFor?: string): Promise<void> {
    this.#life = new AbortController()
    this.#codeFor = codeFor?.replace(/\D/g, '')
    this.#failures = 0
    await this.#move({ status: 'initializing' })
    await this.#connect()
  }

  /** Closes the connection and leaves everything else as it is. */
  async stop(): Promise<void> {
    this.#life.abort(new Error('the session was stopped'))
    const socket = this.#socket
    this.#socket = undefined
    await socket?.end('stopped')
    await this.#accepting
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Unlinks the device at WhatsApp, if it can be reached, and forgets its keys. */
  async logOut(): Promise<void> {
    if (this.isReady) {
      await this.#socket?.logout().catch((thrown: unknown) => {
        this.#log.warn({ errorCode: toBridgeError(thrown).code }, 'could not unlink the device at WhatsApp')
      })
    }
    await this.stop()
    await this.#forget(LOGGED_OUT_BY_US)
  }

  /** @throws {WhatsAppError} `WA_OFFLINE`. */
  async findOnWhatsApp(phone: string): Promise<{ chat: ChatJid; alt?: ChatJid } | undefined> {
    const socket = this.#readySocket()
    const chat = await socket.onWhatsApp(phone)
    const alt = chat && (await socket.altOf(chat))
    // New chats are held under the LID where it is known: it is what answers will come from.
    if (chat === undefined || alt === undefined) return chat && { chat }
    return isPnJid(chat) ? { chat: alt, alt: chat } : { chat, alt }
  }

  /** @throws {WhatsAppError} `WA_OFFLINE`. */
  async compose(chat: ChatJid, message: WaOutgoing): Promise<Uint8Array> {
    const socket = this.#readySocket()
    return await compose(chat, message, { ownJid: socket.me().pn ?? '', upload: socket.upload })
  }

  /** @throws {WhatsAppError} as the port says. */
  async send(chat: ChatJid, id: WaMessageId, composed: Uint8Array): Promise<void> {
    await this.#readySocket().send(chat, id, composed)
  }

  #readySocket(): Socket {
    if (this.#socket !== undefined && this.isReady) return this.#socket
    throw new WhatsAppError('WA_OFFLINE', 'The WhatsApp number is not connected', {
      details: { sessionId: this.id },
    })
  }

  async #connect(): Promise<void> {
    const { signalStore, settings, findComposed } = this.#deps
    const auth = await this.#openAuth()
    this.#auth = auth
    await this.#replay(auth)
    if (this.#life.signal.aborted) return
    const watchdog = setTimeout(() => void socket.end('no sign of life'), CONNECT_TIMEOUT_MS)
    /** Only the newest socket is heard. */
    const mine = <Args extends unknown[]>(act: (...args: Args) => Promise<void>) => {
      return (...args: Args): void => {
        if (this.#socket !== socket) return
        act(...args).catch((thrown: unknown) => {
          this.#log.error({ errorCode: toBridgeError(thrown).code, err: thrown }, 'session event failed')
        })
      }
    }
    const alive = <Args extends unknown[]>(act: (...args: Args) => Promise<void>) => {
      const heard = mine(act)
      return (...args: Args): void => {
        clearTimeout(watchdog)
        heard(...args)
      }
    }
    const socket: Socket = openSocket({
      settings,
      caches: this.#caches,
      auth,
      log: this.#log,
      makeJournal: (onEntry) => new Journal(signalStore, this.id, auth, onEntry),
      findComposed: (id) => findComposed(this.id, id),
      events: {
        qr: alive((text) => this.#onQr(text)),
        paired: alive(() => this.#move({ status: 'connecting' })),
        open: alive(() => this.#onOpen()),
        closed: alive((end) => this.#onClosed(end)),
        journaled: (row) => this.#enqueue(() => this.#acceptRow(row, auth)),
        resent: (message) =>
          this.#enqueue(async () => {
            await this.#acceptMessage(message, findChatJid(message.key.remoteJid) ?? '')
          }),
        receipt: ({ ids, state }) => this.#deps.onReceipt(this.id, ids, state),
      },
    })
    this.#socket = socket
    if (auth.state.creds.me !== undefined)
      await this.#move({ status: 'connecting', problem: this.#live.problem })
  }

  /** Credentials of a pairing by code that nobody finished would log in to nothing (whatsapp.md 1a): begin anew. */
  async #openAuth(): Promise<SessionAuth> {
    const auth = await openAuth(this.#deps.signalStore, this.id)
    if (auth.state.creds.me === undefined || auth.state.creds.account !== undefined) return auth
    await this.#deps.sessionStore.forgetCredentials(this.id)
    return await openAuth(this.#deps.signalStore, this.id)
  }

  async #onQr(text: string): Promise<void> {
    if (this.#codeFor === undefined) {
      await this.#move({ status: 'qr', qr: text })
      return
    }
    // Every later QR of this socket is the same pairing; its code stays.
    if (this.#live.status === 'pairing') return
    const pairingCode = await this.#socket?.requestPairingCode(this.#codeFor)
    await this.#move({ status: 'pairing', ...(pairingCode !== undefined && { pairingCode }) })
  }

  async #onOpen(): Promise<void> {
    this.#failures = 0
    this.#codeFor = undefined
    const me = this.#socket?.me()
    const phoneNumber = me?.pn !== undefined && isPnJid(me.pn) ? phoneOfPn(me.pn) : undefined
    if (this.#row.expectedPhone !== undefined && phoneNumber !== this.#row.expectedPhone) {
      await this.#refuseNumber()
      return
    }
    const name = this.#auth?.state.creds.me?.name
    await this.#move(
      { status: 'ready' },
      {
        lastSeenAt: new Date(this.#deps.clock.nowMs()),
        ...(phoneNumber !== undefined && { phoneNumber }),
        ...(me?.lid?.endsWith('@lid') && { lid: me.lid as NonNullable<SessionPatch['lid']> }), // checked just before
        ...(name !== undefined && this.#row.name === undefined && { name }),
      },
    )
    this.#log.info({}, 'number is ready')
    await this.#deps.onReady(this.locationId)
  }

  async #refuseNumber(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    this.#life.abort(new Error('another number was paired'))
    await socket?.logout().catch(() => undefined)
    await socket?.end('another number was paired')
    await this.#forget(WRONG_NUMBER)
  }

  async #onClosed(end: { code: number | undefined; refsEnded: boolean }): Promise<void> {
    this.#socket = undefined
    const rule = ruleOf(end.code)
    this.#log.info({ disconnectCode: end.code ?? null, reaction: rule.reaction }, 'connection ended')
    const isUnpaired = this.#auth?.state.creds.account === undefined
    if (end.refsEnded && isUnpaired) {
      await this.#forget(QR_EXPIRED)
      return
    }
    if (rule.forgetsCredentials && rule.problem !== undefined) {
      await this.#forget(rule.problem, rule.status)
      return
    }
    await this.#move({ status: rule.status, problem: rule.problem })
    if (rule.reaction === 'stop') return
    if (rule.reaction !== 'now') {
      this.#failures += 1
      await this.#sleep(reconnectDelayMs(rule.reaction, this.#failures, Math.random()))
    }
    if (!this.#life.signal.aborted) await this.#connect()
  }

  async #forget(problem: SessionProblem, status: SessionStatus = 'logged_out'): Promise<void> {
    await this.#accepting
    await this.#deps.sessionStore.forgetCredentials(this.id)
    await this.#move({ status, problem })
  }

  /** Resolves early, without an error, when the session is stopped. */
  async #sleep(ms: number): Promise<void> {
    await this.#deps.clock.sleep(ms, this.#life.signal).catch(() => undefined)
  }

  /** What a kill left between the receipt and the record: recorded now, before anything new. */
  async #replay(auth: SessionAuth): Promise<void> {
    await this.#accepting
    for (const row of await this.#deps.signalStore.readJournal(this.id)) {
      this.#enqueue(() => this.#acceptRow(row, auth))
    }
    await this.#accepting
  }

  #enqueue(accept: () => Promise<void>): void {
    const { signal } = this.#life
    this.#accepting = this.#accepting.then(async () => {
      while (!signal.aborted) {
        try {
          await accept()
          return
        } catch (thrown) {
          const error = toBridgeError(thrown)
          this.#log.warn(
            { errorCode: error.code, ...(error.code === 'BUG_INVARIANT' && { err: error.cause }) },
            'a message waits to be recorded',
          )
          // A bug of ours must not hold back the chat for ever: the journal keeps the row, the next start tries again.
          if (error.disposition === 'dead') return
          await this.#sleep(ACCEPT_RETRY_MS)
        }
      }
    })
  }

  async #acceptRow(row: JournalWrite, auth: SessionAuth): Promise<void> {
    const { creds } = auth.state
    const me: Me = { pn: findChatJid(creds.me?.id), lid: findChatJid(creds.me?.lid) }
    const settled = await this.#acceptMessage(messageOf(parseEntry(row.entry), me), row.sender)
    if (!settled) await this.#deps.signalStore.settleJournal(this.id, row.waMessageId, row.sender)
  }

  /** False when it was ignored, and nothing recorded. */
  async #acceptMessage(message: WAMessage, author: string): Promise<boolean> {
    const receiver = { locationId: this.locationId, sessionId: this.id }
    const chat = findChatJid(message.key.remoteJid)
    const isAltKnown = findChatJid(message.key.remoteJidAlt) !== undefined
    const alt = chat === undefined || isAltKnown ? undefined : await this.#socket?.altOf(chat)
    const converted = fromWhatsApp(receiver, message, author, alt)
    if ('ignored' in converted) {
      this.#deps.onIgnored(converted.ignored, { sessionId: this.id })
      return false
    }
    await this.#deps.onMessage(converted.envelope)
    return true
  }

  /** Moves to a state, stores it, and tells whoever watches. Exactly one problem for what is not well. */
  async #move(
    next: { status: SessionStatus; problem?: SessionProblem | undefined; qr?: string; pairingCode?: string },
    facts: SessionPatch = {},
  ): Promise<void> {
    this.#live = { status: next.status, problem: next.problem, qr: next.qr, pairingCode: next.pairingCode }
    this.#row = { ...this.#row, ...withoutProblem(facts) }
    this.#deps.onChange(this.snapshot())
    await this.#deps.sessionStore.update(this.id, {
      ...facts,
      status: next.status,
      problem: next.problem ?? null,
    })
  }
}

function withoutProblem({ problem: _, ...facts }: SessionPatch): Omit<SessionPatch, 'problem'> {
  return facts
}

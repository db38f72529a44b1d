/**
 * One linked WhatsApp device: it connects, stays connected, and says what is wrong.
 *
 * States and who moves them:
 *
 *   initializing --connect--> qr | pairing --scan--> connecting --515, login--> ready
 *   initializing --connect, paired before--> connecting --> ready
 *   ready | connecting --end of the connection--> what disconnect.ts says: again at once, later, slowly, or stopped
 *   any --log out, here or on the phone--> logged_out --restart--> initializing
 *   any --stop--> disconnected
 *
 * One run is one life: a loop that makes one socket after the other and never two. Whoever wants something else ends the
 * run and waits for its end before the next begins, and those who want something stand in line.
 */
import type { WaOutgoing } from '../bridge/ports.ts'
import type { OwedRead } from '../bridge/storage/message-rows.ts'
import type { SessionRow, SessionStore } from '../bridge/storage/sessions.ts'
import { toBridgeError, WhatsAppError } from '../core/errors.ts'
import {
  type ChatJid,
  findChatJid,
  isGroupJid,
  isLidJid,
  isPnJid,
  type LocationId,
  type SessionId,
  type WaMessageId,
} from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { MediaFile, SessionProblem, SessionStatus, WaMedia } from '../core/message.ts'
import { openAuth, type SessionAuth } from './auth-state.ts'
import {
  isOver,
  LOGGED_OUT_BY_US,
  PAIRING_CODE_REFUSED,
  problemOf,
  QR_EXPIRED,
  restrictionEnd,
  ruleOf,
  STOPPED,
} from './disconnect.ts'
import { Guard } from './guard.ts'
import { type Correspondence, Inbox, type InboxDeps } from './inbox.ts'
import type { Origin } from './intake.ts'
import { Journal } from './journal.ts'
import { openMedia } from './media.ts'
import { patiently } from './patience.ts'
import { ReachOutLock } from './reach-out.ts'
import { Reconnects } from './reconnects.ts'
import { type Facts, type Live, SessionState } from './session-state.ts'
import {
  openSocket,
  pairingMs,
  type Socket,
  type SocketCaches,
  type SocketEnd,
  type SocketSettings,
} from './socket.ts'
import type { Spool } from './spool.ts'
import { meOf, phoneOf, type Receipt } from './stanza.ts'
import { compose } from './to-whatsapp.ts'

/** A connection that shows neither QR nor login by then hangs (whatsapp.md 1b: an HTTP answer to the upgrade does that). */
const CONNECT_TIMEOUT_MS = 45_000

export interface SessionDeps extends InboxDeps {
  readonly settings: SocketSettings
  readonly sessionStore: SessionStore
  readonly spool: Spool
  readonly findComposed: (session: SessionId, id: WaMessageId) => Promise<Uint8Array | undefined>
  readonly onReceipt: (
    session: SessionId,
    ids: readonly WaMessageId[],
    state: Receipt['state'],
  ) => Promise<void>
  readonly onReady: (location: LocationId) => Promise<void>
}

export class Session {
  readonly id: SessionId
  readonly locationId: LocationId
  readonly #deps: SessionDeps
  readonly #log: Log
  readonly #caches: SocketCaches
  readonly #inbox: Inbox
  readonly #state: SessionState
  readonly guard: Guard
  /** Of the connection that is open; nobody else's events count. */
  #socket: Socket | undefined
  /** Aborted to end the run: its connection, its waiting, its retries. */
  #life = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Those who start, stop, restart and log out, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly #reconnects = new Reconnects()
  readonly #lock: ReachOutLock
  /** E.164 digits when pairing by code was asked for. */
  #codeFor: string | undefined
  /** Why the open connection is being given up. */
  #givenUp: SessionProblem | undefined
  /** Credentials that the store did not take before the connection ended. */
  #unsaved: string | undefined

  /** @param siblings all numbers of the location, this one among them. */
  constructor(deps: SessionDeps, row: SessionRow, caches: SocketCaches, siblings: () => Iterable<Session>) {
    this.#deps = deps
    this.id = row.sessionId
    this.locationId = row.locationId
    this.#caches = caches
    this.#log = deps.log.child({ session: `location_${row.locationId}_${row.sessionId}` })
    this.#state = new SessionState({ ...deps, log: this.#log }, row)
    this.#lock = new ReachOutLock({
      notice: () => this.#state.row.notice,
      show: (notice) => this.#state.notify(notice, this.#life.signal),
      onLifted: () => deps.onReady(row.locationId),
      clock: deps.clock,
      log: this.#log,
    })
    this.#inbox = new Inbox({ ...deps, log: this.#log }, () => this.#state.row)
    this.guard = new Guard(
      () => this.#state.row,
      () => [...siblings()].map(({ guard }) => guard),
    )
  }

  get isReady(): boolean {
    return this.#state.live.status === 'ready' && this.#socket !== undefined
  }

  /** As it is called now; `undefined` when nobody has named it. */
  named(name: string | undefined): void {
    this.#state.named(name)
  }

  /**
   * Begins to connect; resolves when the attempt is under way.
   *
   * @param codeFor E.164: pair by code instead of QR.
   */
  async start(codeFor?: string): Promise<void> {
    await this.#inTurn(() => this.#begin(codeFor))
  }

  /** Closes the connection, and keeps credentials and journal for the next start. */
  async stop(): Promise<void> {
    // Before its turn comes: what is in hand may be waiting for something that does not come.
    this.#life.abort(new Error('the session was stopped'))
    await this.#inTurn(async () => {
      await this.#halt()
      if (!isOver(this.#state.live.status)) await this.#move({ status: 'disconnected', problem: STOPPED })
    })
  }

  async restart(): Promise<void> {
    await this.#inTurn(() => this.#begin(undefined))
  }

  /** As {@link start}, but not before the hour that WhatsApp has named for a restricted number. */
  async resume(): Promise<void> {
    await this.#inTurn(() => this.#begin(undefined, untilMs(this.#state.live.problem)))
  }

  /**
   * Unlinks the device at WhatsApp, if it can be reached, and forgets its keys.
   *
   * @throws {WhatsAppError} `WA_OFFLINE` when the bridge is stopping. @throws {StoreError} `STORE_UNAVAILABLE`.
   */
  async logOut(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#unlink()
      // WhatsApp has its receipts: what was journaled must be recorded before the journal goes.
      await this.#inbox.idle()
      if (this.#life.signal.aborted) throw this.#offline('The bridge is stopping')
      await this.#halt()
      this.#life = new AbortController()
      await this.#forget(LOGGED_OUT_BY_US)
    })
  }

  /** For a first contact. @throws {WhatsAppError} `WA_OFFLINE`, `WA_REACHOUT_LOCKED`. */
  async findOnWhatsApp(phone: string): Promise<{ chat: ChatJid; alt?: ChatJid } | undefined> {
    const socket = this.#readySocket()
    this.#lock.requireOpen(undefined)
    const chat = await socket.onWhatsApp(phone)
    const alt = chat && (await socket.altOf(chat))
    // New chats are held under the LID where it is known: it is what answers will come from.
    if (chat === undefined || alt === undefined) return chat && { chat }
    return isPnJid(chat) ? { chat: alt, alt: chat } : { chat, alt }
  }

  /** @throws {WhatsAppError} as the port says. */
  async findGroup(chat: ChatJid): Promise<{ subject: string } | undefined> {
    return isGroupJid(chat) ? await this.#readySocket().findGroup(chat) : undefined
  }

  /** @throws {WhatsAppError} `WA_OFFLINE`. */
  async compose(chat: ChatJid, message: WaOutgoing): Promise<Uint8Array> {
    const socket = this.#readySocket()
    return await compose(chat, message, { me: socket.me(), upload: socket.upload, spool: this.#deps.spool })
  }

  /** @throws {WhatsAppError} as the port says. */
  async send(chat: ChatJid, id: WaMessageId, composed: Uint8Array): Promise<void> {
    const socket = this.#readySocket()
    this.#lock.requireOpen(chat)
    await socket.send(chat, id, composed).catch(async (thrown: unknown) => {
      throw await this.#lock.explain(thrown, chat, socket)
    })
    const sent = { key: { remoteJid: chat, id, fromMe: true }, sentAtMs: this.#deps.clock.nowMs() }
    this.#inbox.sent(sent, correspondence(socket, this.#life.signal))
  }

  /** @throws {WhatsAppError} `WA_OFFLINE`. */
  async markRead(messages: readonly OwedRead[]): Promise<void> {
    const keys = messages.map(({ chat, author, waMessageId }) => ({
      remoteJid: chat,
      id: waMessageId,
      ...(isGroupJid(chat) && { participant: author }),
    }))
    await this.#readySocket().markRead(keys)
  }

  /** @throws {MediaError} as the port says. */
  async openMedia(media: WaMedia): Promise<MediaFile> {
    const askForMediaAgain = this.isReady ? this.#socket?.askForMediaAgain : undefined
    return await openMedia(media, { askForMediaAgain, clock: this.#deps.clock })
  }

  #readySocket(): Socket {
    if (this.#socket !== undefined && this.isReady) return this.#socket
    throw this.#offline('The WhatsApp number is not connected')
  }

  #offline(message: string): WhatsAppError {
    return new WhatsAppError('WA_OFFLINE', message, { details: { sessionId: this.id } })
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #begin(codeFor: string | undefined, notBeforeMs = 0): Promise<void> {
    await this.#halt()
    this.#life = new AbortController()
    this.#codeFor = codeFor?.replace(/\D/g, '')
    this.#reconnects.reset()
    const { signal } = this.#life
    const waitMs = notBeforeMs - this.#deps.clock.nowMs()
    if (waitMs <= 0) await this.#move({ status: 'initializing' })
    this.#running = this.#run(signal, waitMs)
  }

  /** Ends the run; resolves when its connection is closed and nothing of it writes any more. */
  async #halt(): Promise<void> {
    this.#life.abort(new Error('the session was stopped'))
    await this.#running
    await this.#inbox.idle()
  }

  async #run(signal: AbortSignal, firstAfterMs: number): Promise<void> {
    let waitMs: number | undefined = firstAfterMs
    while (waitMs !== undefined) {
      // Ends early when the run is ended.
      if (waitMs > 0) await this.#deps.clock.sleep(waitMs, signal).catch(() => undefined)
      if (signal.aborted) return
      waitMs = await this.#attempt(signal).then(
        (end) => this.#settle(end, signal),
        (thrown: unknown) => this.#explain(thrown, signal),
      )
    }
  }

  /** One connection, from the first byte to the last. `undefined` when there was none because the run was ended. */
  async #attempt(signal: AbortSignal): Promise<SocketEnd | undefined> {
    const auth = await this.#openAuth()
    const origin: Origin = {
      me: meOf(auth.state.creds),
      altOf: (chat) => this.#socket?.altOf(chat) ?? Promise.resolve(undefined),
      signal,
    }
    try {
      this.guard.begin(auth.state.creds)
      if (this.#isRight(auth)) await this.#inbox.replay(origin)
      return signal.aborted ? undefined : await this.#hold(auth, signal)
    } finally {
      this.#unsaved = await auth.close()
    }
  }

  /** Opens the socket and stays with it until it has ended. */
  async #hold(auth: SessionAuth, signal: AbortSignal): Promise<SocketEnd> {
    const { signalStore, settings, findComposed } = this.#deps
    const { creds } = auth.state
    const hear = <Args extends unknown[]>(act: (...args: Args) => Promise<void>) => {
      return (...args: Args): void => {
        clearTimeout(watchdog)
        if (this.#socket !== socket || signal.aborted) return
        act(...args).catch((thrown: unknown) => {
          this.#log.error({ errorCode: toBridgeError(thrown).code, err: thrown }, 'session event failed')
          void socket.end('a session event failed')
        })
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
        qr: hear((text, goodForMs) => this.#onQr(text, goodForMs)),
        codeRefused: hear(async () => {
          this.#givenUp = PAIRING_CODE_REFUSED
          await socket.end('no pairing code')
        }),
        paired: hear(async () => {
          this.guard.paired()
          const pairedAt = new Date(this.#deps.clock.nowMs())
          if (this.#isRight(auth)) this.#inbox.paired()
          await this.#move({ status: 'connecting' }, this.#isRight(auth) ? { pairedAt } : {})
        }),
        open: hear(() => this.#onOpen(auth)),
        reachOutLock: hear((until) => this.#lock.learn(until, signal)),
        caughtUp: () => {
          if (this.#socket === socket) this.#inbox.caughtUp()
        },
        // Another person's messages are none of our business, not even in the moment before the number is unlinked.
        journaled: (row) => {
          if (!this.#isRight(auth)) return
          this.#inbox.journaled(row, correspondence(socket, signal))
          void this.#lock.heard(row.sender, socket).catch(() => undefined)
        },
        undecryptable: (message) => {
          if (this.#isRight(auth)) this.#inbox.undecryptable(message, correspondence(socket, signal))
        },
        unjournaled: async (what) => {
          if (this.#isRight(auth)) await this.#inbox.unjournaled(what, correspondence(socket, signal))
        },
        addresses: (pairs) => void this.#inbox.learn(pairs),
        groupEvent: async (event) => {
          if (this.#isRight(auth)) await this.#inbox.groupEvent(event)
        },
        receipt: ({ ids, state }) => this.#deps.onReceipt(this.id, ids, state),
      },
    })
    const watchdog = setTimeout(
      () => void socket.end('no sign of life'),
      settings.connectMs ?? CONNECT_TIMEOUT_MS,
    )
    const leave = () => void socket.end('stopped')
    this.#socket = socket
    this.#givenUp = undefined
    this.#reconnects.attempt()
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    else if (creds.me !== undefined)
      void this.#move({ status: 'connecting', problem: this.#state.live.problem })
    const end = await socket.closed
    clearTimeout(watchdog)
    signal.removeEventListener('abort', leave)
    this.#socket = undefined
    this.#inbox.left()
    return end
  }

  /** Credentials of a pairing by code that nobody finished would log in to nothing (whatsapp.md 1a): begin anew. */
  async #openAuth(): Promise<SessionAuth> {
    const { signalStore, sessionStore, clock } = this.#deps
    const auth = await openAuth(signalStore, this.id, clock, this.#unsaved)
    this.#unsaved = undefined
    if (auth.state.creds.me === undefined || auth.state.creds.account !== undefined) return auth
    await sessionStore.forgetCredentials(this.id)
    return await openAuth(signalStore, this.id, clock)
  }

  #isRight({ state }: SessionAuth): boolean {
    return this.guard.refusal(state.creds) === undefined
  }

  /** @param goodForMs undefined when a QR replaces the one before within that one's time. */
  async #onQr(text: string, goodForMs: number | undefined): Promise<void> {
    const socket = this.#socket
    const nowMs = this.#deps.clock.nowMs()
    if (this.#codeFor === undefined || socket === undefined) {
      const expiresAt = goodForMs === undefined ? this.#state.live.expiresAt : new Date(nowMs + goodForMs)
      await this.#move({ status: 'qr', qr: text, ...(expiresAt !== undefined && { expiresAt }) })
      return
    }
    // Every later QR of this socket is the same pairing; its code stays.
    if (socket.isCodeRequested()) return
    const pairingCode = await socket.requestPairingCode(this.#codeFor)
    const expiresAt = new Date(nowMs + pairingMs(this.#deps.settings))
    if (this.#socket === socket) await this.#move({ status: 'pairing', pairingCode, expiresAt })
  }

  async #onOpen(auth: SessionAuth): Promise<void> {
    const { clock, onReady } = this.#deps
    this.#codeFor = undefined
    this.#reconnects.opened(clock.nowMs())
    const refusal = this.guard.refusal(auth.state.creds)
    if (refusal !== undefined) {
      this.#givenUp = refusal
      await this.#socket?.logout()
      return
    }
    this.guard.letIn()
    const { me } = auth.state.creds
    const phoneNumber = phoneOf(me?.id)
    const lid = findChatJid(me?.lid)
    await this.#move(
      { status: 'ready' },
      {
        lastSeenAt: new Date(clock.nowMs()),
        ...(phoneNumber !== undefined && { phoneNumber }),
        ...(lid !== undefined && isLidJid(lid) && { lid }),
        ...(me?.name !== undefined && this.#state.row.name === undefined && { name: me.name }),
      },
    )
    this.#inbox.arrived()
    if (this.#socket !== undefined) this.#lock.loggedIn(this.#socket)
    this.#log.info({}, 'number is ready')
    await onReady(this.locationId)
  }

  async #unlink(): Promise<void> {
    if (!this.isReady) return
    await this.#socket?.logout().catch((thrown: unknown) => {
      this.#log.warn({ errorCode: toBridgeError(thrown).code }, 'could not unlink the device at WhatsApp')
    })
  }

  /** What the end of a connection means: milliseconds to the next attempt, `undefined` when there is none. */
  async #settle(end: SocketEnd | undefined, signal: AbortSignal): Promise<number | undefined> {
    if (end === undefined || signal.aborted) return undefined
    const nowMs = this.#deps.clock.nowMs()
    const rule = ruleOf(end.code, restrictionEnd(end.expire, nowMs))
    const { status, problem, reaction, forgetsCredentials } = rule
    this.#log.info({ disconnectCode: end.code ?? null, reaction }, 'connection ended')
    const lost = this.#givenUp ?? (end.refsEnded ? QR_EXPIRED : undefined)
    if (lost !== undefined) await this.#forget(lost)
    else if (forgetsCredentials && problem) await this.#forget(problem, status)
    else if (reaction === 'stop') await this.#move({ status, problem })
    else {
      const delayMs = this.#reconnects.delayMs(reaction, nowMs)
      const waitMs = Math.max(delayMs, untilMs(problem) - nowMs)
      const nextAttemptAt = new Date(nowMs + waitMs)
      await this.#move({ status, problem, ...(waitMs > 0 && { nextAttemptAt }) })
      return waitMs
    }
    return undefined
  }

  /** The connection could not even be tried: mostly the store is away. */
  async #explain(thrown: unknown, signal: AbortSignal): Promise<number | undefined> {
    if (signal.aborted) return undefined
    const error = toBridgeError(thrown)
    const isDead = error.disposition === 'dead'
    this.#log.error({ errorCode: error.code, err: thrown }, 'could not connect a number')
    const nowMs = this.#deps.clock.nowMs()
    const waitMs = this.#reconnects.delayMs(isDead ? 'slow' : 'backoff', nowMs)
    const nextAttemptAt = new Date(nowMs + waitMs)
    const move = this.#move({ status: 'disconnected', problem: problemOf(error), nextAttemptAt })
    if (isDead) await move
    return waitMs
  }

  async #forget(problem: SessionProblem, status: SessionStatus = 'logged_out'): Promise<void> {
    const { sessionStore, clock } = this.#deps
    const { signal } = this.#life
    await this.#inbox.idle()
    this.#unsaved = undefined
    if (signal.aborted) return
    this.guard.forget()
    await patiently(() => sessionStore.forgetCredentials(this.id), { clock, signal })
    await this.#move({ status, problem })
  }

  async #move(next: Live, facts?: Facts): Promise<void> {
    await this.#state.move(next, this.#life.signal, facts)
  }
}

/** When WhatsApp said that it ends by itself; 0 when it has not. */
const untilMs = (problem: SessionProblem | undefined): number =>
  problem?.until === undefined ? 0 : Date.parse(problem.until)

const correspondence = (socket: Socket, signal: AbortSignal): Correspondence => ({
  me: socket.me(),
  altOf: socket.altOf,
  ask: socket.askForHistory,
  signal,
})

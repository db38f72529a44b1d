// An unmodified Baileys client with its credentials in memory, for tests of the sandbox. It reconnects only when told.
import { EventEmitter } from 'node:events'
import makeWASocket, {
  type AuthenticationState,
  type BaileysEventMap,
  type ConnectionState,
  DEFAULT_CONNECTION_CONFIG,
  initAuthCreds,
  type proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type UserFacingSocketConfig,
  type WAMessage,
  type WASocket,
} from '@whiskeysockets/baileys'
import { pino } from 'pino'

/** What the companion heard about a message: from `messages.update`, and from upserts that carry a status. */
export interface StatusUpdate {
  readonly id: string
  readonly status: proto.WebMessageInfo.Status
}

function memoryAuthState(): AuthenticationState {
  const rows = new Map<string, unknown>()
  return {
    creds: initAuthCreds(),
    keys: {
      get: <T extends keyof SignalDataTypeMap>(type: T, ids: string[]) => {
        const found = ids.filter((id) => rows.has(`${type}/${id}`))
        // Rows under "type/..." were stored under that type.
        return Object.fromEntries(found.map((id) => [id, rows.get(`${type}/${id}`) as SignalDataTypeMap[T]]))
      },
      set: (changes: SignalDataSet) => {
        for (const [type, byId] of Object.entries(changes)) {
          for (const [id, value] of Object.entries(byId)) {
            if (value === null) rows.delete(`${type}/${id}`)
            else rows.set(`${type}/${id}`, value)
          }
        }
      },
    },
  }
}

export class Companion extends EventEmitter<{ change: [] }> {
  readonly auth = memoryAuthState()
  readonly messages: { message: WAMessage; type: 'notify' | 'append' }[] = []
  readonly statuses: StatusUpdate[] = []
  readonly groupReceipts: BaileysEventMap['message-receipt.update'] = []
  readonly qrs: string[] = []
  /** Disconnect codes, in order. */
  readonly closes: (number | undefined)[] = []
  state: ConnectionState['connection'] = 'close'
  pendingDelivered = false
  readonly #url: string
  readonly #overrides: Partial<UserFacingSocketConfig>
  readonly #events: { name: string; data: unknown }[] = []
  #socket: WASocket | undefined

  constructor(webSocketUrl: string, overrides: Partial<UserFacingSocketConfig> = {}) {
    super()
    this.#url = webSocketUrl
    this.#overrides = overrides
  }

  get socket(): WASocket {
    if (!this.#socket) throw new Error('call connect() first')
    return this.#socket
  }

  connect(): void {
    this.pendingDelivered = false
    const socket = makeWASocket({
      ...DEFAULT_CONNECTION_CONFIG,
      auth: this.auth,
      waWebSocketUrl: this.#url,
      logger: pino({ level: process.env['BAILEYS_LOG'] ?? 'silent' }),
      ...this.#overrides,
    })
    this.#socket = socket
    socket.ev.on('creds.update', (update) => Object.assign(this.auth.creds, update))
    socket.ev.on('connection.update', (update) => this.#onConnection(update))
    socket.ev.on('messages.upsert', ({ messages, type }) => {
      for (const message of messages) {
        this.messages.push({ message, type })
        if (message.key.id && typeof message.status === 'number') this.#note(message.key.id, message.status)
        // Receipts that come while the own echo is still held back travel with it.
        const receipts = message.userReceipt ?? []
        this.groupReceipts.push(...receipts.map((receipt) => ({ key: message.key, receipt })))
      }
      this.emit('change')
    })
    socket.ev.on('messages.update', (updates) => {
      for (const { key, update } of updates) {
        if (key.id && update.status !== undefined && update.status !== null) this.#note(key.id, update.status)
      }
      this.emit('change')
    })
    socket.ev.on('message-receipt.update', (receipts) => this.groupReceipts.push(...receipts))
    socket.ev.process((events) => {
      for (const [name, data] of Object.entries(events)) this.#events.push({ name, data })
      this.emit('change')
    })
  }

  /** Shows the QR of a new socket. */
  async showQr(): Promise<string> {
    this.connect()
    return await this.until('a QR', () => this.qrs.at(-1))
  }

  /** Reconnects with the same credentials and waits until everything that waited has been delivered. */
  async login(): Promise<void> {
    this.connect()
    await this.until('the login', () => (this.state === 'open' && this.pendingDelivered ? true : undefined))
  }

  async close(): Promise<void> {
    await this.#socket?.end(undefined)
  }

  async until<T>(what: string, attempt: () => T | undefined, timeoutMs = 10_000): Promise<T> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const found = attempt()
      if (found !== undefined) return found
      const remainingMs = deadline - Date.now()
      if (remainingMs <= 0) throw new Error(`${what} did not come within ${timeoutMs} ms`)
      await this.#nextChange(remainingMs)
    }
  }

  async untilClosed(): Promise<number | undefined> {
    const seen = this.closes.length
    await this.until('the close', () => (this.closes.length > seen ? true : undefined))
    return this.closes.at(-1)
  }

  async untilMessage(matches: (message: WAMessage) => boolean): Promise<WAMessage> {
    return await this.until(
      'the message',
      () => this.messages.find(({ message }) => matches(message))?.message,
    )
  }

  async untilStatus(id: string, status: proto.WebMessageInfo.Status): Promise<void> {
    const reached = () => this.statuses.some((update) => update.id === id && update.status === status)
    await this.until(`status ${status}`, () => (reached() ? true : undefined))
  }

  /** Every event of this name so far, in order. */
  heard<T extends keyof BaileysEventMap>(name: T): BaileysEventMap[T][] {
    return this.#events.filter((event) => event.name === name).map(({ data }) => data as BaileysEventMap[T]) // by name
  }

  async untilHeard<T extends keyof BaileysEventMap>(
    name: T,
    matches: (event: BaileysEventMap[T]) => boolean = () => true,
  ): Promise<BaileysEventMap[T]> {
    return await this.until(`the event ${name}`, () => this.heard(name).find(matches))
  }

  /** Waits until each of these members has given a receipt for a group message. */
  async untilGroupReceipts(
    id: string,
    members: readonly string[],
  ): Promise<BaileysEventMap['message-receipt.update']> {
    return await this.until('the receipts of the group', () => {
      const found = this.groupReceipts.filter(
        ({ key, receipt }) => key.id === id && members.includes(receipt.userJid ?? ''),
      )
      return found.length >= members.length ? found : undefined
    })
  }

  #note(id: string, status: proto.WebMessageInfo.Status): void {
    this.statuses.push({ id, status })
  }

  #onConnection(update: Partial<ConnectionState>): void {
    if (update.qr !== undefined) this.qrs.push(update.qr)
    if (update.receivedPendingNotifications) this.pendingDelivered = true
    if (update.connection !== undefined) this.state = update.connection
    if (update.connection === 'close') this.closes.push(statusCodeOf(update.lastDisconnect?.error))
    this.emit('change')
  }

  #nextChange(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.off('change', done)
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      this.on('change', done)
    })
  }
}

function statusCodeOf(error: Error | undefined): number | undefined {
  // Baileys ends its sockets with Boom errors.
  return (error as { output?: { statusCode?: number } } | undefined)?.output?.statusCode
}

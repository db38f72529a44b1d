/**
 * One Baileys socket with everything that must be around it: journal, commit before ack, proof of sending, and the
 * registration refresh that Baileys does not know. Lives from `open` to its one `closed` call; a session makes a new one
 * for each attempt.
 */
import { randomBytes } from 'node:crypto'
import {
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  makeWASocket,
  proto,
  type UserFacingSocketConfig,
  type WAMessage,
} from '@whiskeysockets/baileys'
import type { JournalWrite } from '../bridge/storage.ts'
import {
  type ChatJid,
  findChatJid,
  isLidJid,
  isPnJid,
  parseWaMessageId,
  type WaMessageId,
} from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { SessionAuth } from './auth-state.ts'
import type { Journal } from './journal.ts'
import { PendingSends } from './sends.ts'
import { quietLogger } from './signal-log.ts'
import { type Me, type Receipt, receiptOf } from './stanza.ts'

export interface SocketSettings {
  readonly webSocketUrl: string | undefined
  readonly version: readonly [number, number, number] | undefined
}

/** Caches of Baileys that must outlive a socket: losing them costs extra queries and forgotten retry counts. */
export type SocketCaches = Required<Pick<UserFacingSocketConfig, 'userDevicesCache' | 'msgRetryCounterCache'>>

export interface SocketEvents {
  /** The text of a QR to show. */
  qr(text: string): void
  /** Paired: the server now asks for a login with the new credentials. */
  paired(): void
  open(): void
  /** Once. `code` as in disconnect.ts; `refsEnded` when nobody scanned in time. */
  closed(end: { code: number | undefined; refsEnded: boolean }): void
  /** A journal row is durable and waits for its message to be recorded. */
  journaled(row: JournalWrite): void
  /** A message that came without its own stanza: content that the phone was asked for. */
  resent(message: WAMessage): void
  /** Must resolve when it is durable: the receipt is acknowledged only then, and never comes again after that. */
  receipt(receipt: Receipt): Promise<void>
}

export interface SocketDeps {
  readonly settings: SocketSettings
  readonly caches: SocketCaches
  readonly auth: SessionAuth
  readonly makeJournal: (onEntry: (row: JournalWrite) => void) => Journal
  readonly findComposed: (id: WaMessageId) => Promise<Uint8Array | undefined>
  readonly events: SocketEvents
  readonly log: Log
}

export type Socket = ReturnType<typeof openSocket>

/** Baileys buffers its events for up to 30 s on the first connection after pairing; nobody waits for that. */
const FLUSH_MS = 500

export function openSocket(deps: SocketDeps) {
  const { auth, events } = deps
  const { creds } = auth.state
  const journal = deps.makeJournal((row) => events.journaled(row))
  const sends = new PendingSends()
  let advertisedSecret: string | undefined

  const sock = makeWASocket({
    ...(deps.settings.webSocketUrl !== undefined && { waWebSocketUrl: deps.settings.webSocketUrl }),
    ...(deps.settings.version !== undefined && { version: [...deps.settings.version] }),
    ...deps.caches,
    auth: auth.state,
    browser: ['GHL WhatsApp Bridge', 'Chrome', '24'],
    logger: quietLogger(deps.log),
    // The owner's phone keeps its notifications.
    markOnlineOnConnect: false,
    syncFullHistory: false,
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
    getMessage: async ({ id }) => await messageById(deps, id),
    makeSignalRepository: journal.wrap(DEFAULT_CONNECTION_CONFIG.makeSignalRepository),
  })

  const me = (): Me => ({ pn: findChatJid(creds.me?.id), lid: findChatJid(creds.me?.lid) })

  // Before Baileys' own listener: the journal must know the stanza when it is decrypted.
  sock.ws.prependListener('CB:message', (stanza: BinaryNode) => journal.watch(stanza))
  sock.ws.on('CB:ack,class:message', (ack: BinaryNode) => sends.settle(ack))
  commitReceiptsBeforeAck(sock, async (stanza) => {
    const receipt = receiptOf(stanza, me())
    if (receipt !== undefined) await events.receipt(receipt)
  })
  sock.ws.on('CB:notification,type:companion_reg_refresh', (stanza: BinaryNode) => {
    advertisedSecret ??= creds.advSecretKey
    creds.advSecretKey = randomBytes(32).toString('base64')
    sock.ev.emit('creds.update', { advSecretKey: creds.advSecretKey })
    if (lastQr !== undefined) events.qr(withSecret(lastQr, creds.advSecretKey))
    // Baileys' own ack throws while nobody is logged in.
    const ack = {
      to: stanza.attrs['from'] ?? '',
      id: stanza.attrs['id'] ?? '',
      class: 'notification',
      type: stanza.attrs['type'] ?? '',
    }
    sock.sendNode({ tag: 'ack', attrs: ack }).catch(() => undefined)
  })

  let lastQr: string | undefined
  const flusher = setInterval(() => {
    if (sock.ev.isBuffering()) sock.ev.flush()
  }, FLUSH_MS)

  sock.ev.on('creds.update', () => {
    auth.saveCredentials().catch(() => {
      // Without its credentials in the store the login would be lost at the next start: begin again from what is there.
      void sock.end(new Error('credentials could not be saved'))
    })
  })
  sock.ev.on('messages.upsert', ({ messages, requestId }) => {
    if (requestId === undefined) return
    for (const message of messages) if (message.message) events.resent(message)
  })
  sock.ev.on('connection.update', ({ connection, qr, isNewLogin, lastDisconnect }) => {
    if (qr !== undefined) {
      lastQr = qr
      events.qr(advertisedSecret === undefined ? qr : withSecret(qr, creds.advSecretKey))
    }
    if (isNewLogin === true) events.paired()
    if (connection === 'open') {
      auth.saveCredentials().then(
        () => events.open(),
        () => undefined,
      )
    }
    if (connection === 'close') {
      clearInterval(flusher)
      sends.abandon()
      events.closed(endOf(lastDisconnect?.error))
    }
  })

  return {
    me,
    /** The chat's other form, from what this device has learnt. */
    async altOf(chat: ChatJid): Promise<ChatJid | undefined> {
      const { lidMapping } = sock.signalRepository
      if (isLidJid(chat)) return findChatJid(await lidMapping.getPNForLID(chat))
      return isPnJid(chat) ? findChatJid(await lidMapping.getLIDForPN(chat)) : undefined
    },
    onWhatsApp: async (phone: string): Promise<ChatJid | undefined> => {
      const [found] = (await sock.onWhatsApp(phone)) ?? []
      return found?.exists === true ? findChatJid(found.jid) : undefined
    },
    requestPairingCode: (digits: string) => sock.requestPairingCode(digits),
    upload: sock.waUploadToServer,
    send: (chat: ChatJid, id: WaMessageId, composed: Uint8Array) =>
      sends.send(id, () => sock.relayMessage(chat, proto.Message.decode(composed), { messageId: id })),
    logout: () => sock.logout(),
    /** Ends it as a plain error, so that no HTTP code of a proxy is taken for a logout. */
    end: (why: string) => sock.end(new Error(why)),
  }
}

/** What a retry receipt asks for: by id alone, since receipts name the chat in any form. */
async function messageById(
  deps: SocketDeps,
  id: string | null | undefined,
): Promise<proto.IMessage | undefined> {
  if (typeof id !== 'string') return undefined
  const composed = await deps.findComposed(parseWaMessageId(id))
  return composed && proto.Message.decode(composed)
}

/**
 * Puts `commit` in front of Baileys' own handling of receipts, which acknowledges them to the server: a receipt that is
 * acknowledged never comes again. In order, one after the other.
 */
function commitReceiptsBeforeAck(
  sock: ReturnType<typeof makeWASocket>,
  commit: (stanza: BinaryNode) => Promise<void>,
): void {
  const handlers = sock.ws.listeners('CB:receipt') as ((stanza: BinaryNode) => void)[] // Baileys registers only such
  sock.ws.removeAllListeners('CB:receipt')
  let turn = Promise.resolve()
  sock.ws.on('CB:receipt', (stanza: BinaryNode) => {
    turn = turn.then(async () => {
      // When the store is down the receipt stays with the server and comes again at the next login.
      await commit(stanza)
      for (const handle of handlers) handle(stanza)
    })
    turn = turn.catch(() => undefined)
  })
}

/** The last but one field of the QR text is the secret that the phone proves itself with. */
const withSecret = (qr: string, secret: string): string => qr.split(',').with(-2, secret).join(',')

function endOf(error: Error | undefined): { code: number | undefined; refsEnded: boolean } {
  const output =
    error !== undefined && 'output' in error ? (error.output as { statusCode?: number }) : undefined // Boom
  return { code: output?.statusCode, refsEnded: error?.message === 'QR refs attempts ended' }
}

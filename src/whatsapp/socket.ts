/**
 * One Baileys socket with everything that must be around it: journal, commit before ack, proof of sending, watch for
 * silence, and the registration refresh that Baileys does not know. Lives from `openSocket` until `closed` resolves; a
 * session makes a new one for each attempt.
 */
import { randomBytes } from 'node:crypto'
import {
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  jidNormalizedUser,
  makeWASocket,
  proto,
  type UserFacingSocketConfig,
  type WAMessage,
  type WAMessageKey,
} from '@whiskeysockets/baileys'
import type { JournalWrite } from '../bridge/storage/signal.ts'
import { WhatsAppError } from '../core/errors.ts'
import {
  type ChatJid,
  findChatJid,
  type GroupJid,
  isGroupJid,
  isLidJid,
  isPnJid,
  type WaMessageId,
} from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { type AddressPair, watchAddresses } from './addresses.ts'
import type { SessionAuth } from './auth-state.ts'
import { type Call, Calls } from './calls.ts'
import { closeInTime, hearLastWords } from './closing.ts'
import { type GroupEvent, Groups, groupEventOf } from './groups.ts'
import type { Anchor } from './history.ts'
import type { Journal } from './journal.ts'
import { lockEnd } from './reach-out.ts'
import { notSent, PendingSends } from './sends.ts'
import { quietLogger } from './signal-log.ts'
import { isMe, isUndecryptable, type Me, meOf, type Receipt, receiptOf, withoutMessage } from './stanza.ts'
import { Turns } from './turns.ts'
import { waIdOf } from './wa-id.ts'
import { SILENCE_LIMITS, type SilenceLimits, watchSilence } from './watchdog.ts'

export interface SocketSettings {
  readonly webSocketUrl: string | undefined
  readonly version: readonly [number, number, number] | undefined
  /** How long one QR is shown; undefined for WhatsApp's own 60 s. */
  readonly qrMs?: number
  /** When an open connection counts as deaf. */
  readonly silence?: SilenceLimits
  /** A connection that shows neither QR nor login by then hangs; undefined for 45 s. */
  readonly connectMs?: number
}

/** Why it ended: `code` as in disconnect.ts; `refsEnded` when nobody scanned in time. */
export interface SocketEnd {
  readonly code: number | undefined
  /** How long a refused login stays refused, in WhatsApp's own figures. */
  readonly expire: string | undefined
  readonly refsEnded: boolean
}

/** Caches of Baileys that must outlive a socket: losing them costs extra queries and forgotten retry counts. */
export type SocketCaches = Required<Pick<UserFacingSocketConfig, 'userDevicesCache' | 'msgRetryCounterCache'>>

export interface SocketEvents {
  /** The text of a QR to show. `goodForMs` is undefined when it takes the place of the last one, within that one's time. */
  qr(text: string, goodForMs: number | undefined): void
  /** Paired: the server now asks for a login with the new credentials. */
  paired(): void
  open(): void
  /** What waited at the server has been delivered and is in the journal. */
  caughtUp(): void
  /** WhatsApp makes no pairing code for this number. */
  codeRefused(): void
  /** A journal row is durable and waits for its message to be recorded. */
  journaled(row: JournalWrite): void
  /** A message that could not be decrypted; its sender was asked to send it again. */
  undecryptable(message: WAMessage): void
  /**
   * A stanza that is not journaled: a call, or a message that is not in it. Must resolve when it is durable: it is
   * acknowledged only then, and never comes again after that.
   */
  unjournaled(what: WAMessage | Call): Promise<void>
  /** Until when WhatsApp lets this number begin no chats; `undefined` when it may. */
  reachOutLock(until: Date | undefined): void
  /** Which number belongs to which LID. */
  addresses(pairs: readonly AddressPair[]): void
  /** Must resolve when it is durable, as receipts are. */
  groupEvent(event: GroupEvent): Promise<void>
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

/** How long one socket waits for its pairing: the time of all its QRs. */
export const pairingMs = ({ qrMs }: SocketSettings): number =>
  (qrMs ?? FIRST_QR_MS) + (QRS - 1) * (qrMs ?? LATER_QR_MS)

/** How the device is called on the phone, under Linked devices. */
const DEVICE_NAME = 'GHL WhatsApp Bridge'

/** What WhatsApp calls news about groups. */
const GROUP_NOTIFICATION = 'w:gp2'
/** Baileys buffers its events for up to 30 s on the first connection after pairing; nobody waits for that. */
const FLUSH_MS = 500
/** How long Baileys shows the first and each of the later QRs, and how many WhatsApp gives (whatsapp.md 1a). */
const FIRST_QR_MS = 60_000
const LATER_QR_MS = 20_000
const QRS = 6

export function openSocket(deps: SocketDeps) {
  const { auth, events } = deps
  const { creds } = auth.state
  const journal = deps.makeJournal((row) => events.journaled(row))
  const sends = new PendingSends()
  const { promise: closed, resolve: close } = Promise.withResolvers<SocketEnd>()
  let advertisedSecret: string | undefined
  let lastQr: string | undefined
  let endWatch: () => void = () => undefined
  /** Gives up a question to the server. */
  const asking = new Set<() => void>()
  let isClosed = false
  const browser: [string, string, string] = [DEVICE_NAME, 'Chrome', '24']

  const sock = makeWASocket({
    ...(deps.settings.webSocketUrl !== undefined && { waWebSocketUrl: deps.settings.webSocketUrl }),
    ...(deps.settings.version !== undefined && { version: [...deps.settings.version] }),
    ...(deps.settings.qrMs !== undefined && { qrTimeout: deps.settings.qrMs }),
    // The store is waited for in auth-state.ts; what fails there for good fails at once.
    transactionOpts: { maxCommitRetries: 1, delayBetweenTriesMs: 1 },
    ...deps.caches,
    auth: auth.state,
    browser,
    logger: quietLogger(deps.log),
    // The owner's phone keeps its notifications.
    markOnlineOnConnect: false,
    syncFullHistory: false,
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
    getMessage: async ({ id }) => await messageById(deps, id),
    cachedGroupMetadata: (group) => Promise.resolve(groups.cached(group)),
    makeSignalRepository: journal.wrap(DEFAULT_CONNECTION_CONFIG.makeSignalRepository),
  })

  const groups: Groups = new Groups((group) => orClosed(sock.groupMetadata(group)))
  closeInTime(sock)
  hearLastWords(sock)
  const me = (): Me => meOf(creds)

  const chatOf = ({ attrs }: BinaryNode): string => findChatJid(attrs['recipient'] ?? attrs['from']) ?? ''
  const messageLines = takeOver(sock, 'CB:message', chatOf, async (stanza, handOn) => {
    journal.watch(stanza)
    const missing = withoutMessage(stanza, me())
    if (missing !== undefined) await events.unjournaled(missing)
    await handOn(asLive(stanza))
  })
  const calls = new Calls()
  takeOver(
    sock,
    'CB:call',
    () => 'calls',
    async (stanza, handOn) => {
      const call = calls.take(stanza)
      if (call !== undefined) await events.unjournaled(call)
      await handOn(stanza)
    },
  )
  // A receipt that is acknowledged never comes again: it must be durable before.
  takeOver(
    sock,
    'CB:receipt',
    () => 'receipts',
    async (stanza, handOn) => {
      const receipt = receiptOf(stanza, me())
      if (receipt !== undefined) await auth.attempt(() => events.receipt(receipt))
      await handOn(stanza)
    },
  )
  takeOver(
    sock,
    'CB:notification',
    ({ attrs }) => (attrs['type'] === GROUP_NOTIFICATION ? (attrs['from'] ?? '') : (attrs['id'] ?? '')),
    async (stanza, handOn) => {
      if (stanza.attrs['type'] === GROUP_NOTIFICATION) {
        groups.forget(stanza.attrs['from'] ?? '')
        const event = groupEventOf(stanza, me())
        if (event !== undefined) await auth.attempt(() => events.groupEvent(event))
      }
      await handOn(stanza)
    },
  )
  sock.ws.on('CB:ack,class:message', (ack: BinaryNode) => sends.settle(ack))
  sock.ws.on('CB:notification,type:companion_reg_refresh', (stanza: BinaryNode) => {
    advertisedSecret ??= creds.advSecretKey
    creds.advSecretKey = randomBytes(32).toString('base64')
    sock.ev.emit('creds.update', { advSecretKey: creds.advSecretKey })
    if (lastQr !== undefined) events.qr(withSecret(lastQr, creds.advSecretKey), undefined)
    // Baileys' own ack throws while nobody is logged in.
    const ack = {
      to: stanza.attrs['from'] ?? '',
      id: stanza.attrs['id'] ?? '',
      class: 'notification',
      type: stanza.attrs['type'] ?? '',
    }
    sock.sendNode({ tag: 'ack', attrs: ack }).catch(() => undefined)
  })

  const flusher = setInterval(() => {
    if (sock.ev.isBuffering()) sock.ev.flush()
  }, FLUSH_MS)

  sock.ev.on('creds.update', () => {
    auth.saveCredentials().catch(() => {
      // Without its credentials in the store the login would be lost at the next start: begin again from what is there.
      void sock.end(new Error('credentials could not be saved'))
    })
  })
  sock.ev.on('messages.upsert', ({ messages }) => {
    for (const message of messages) if (isUndecryptable(message)) events.undecryptable(message)
  })
  watchAddresses(sock.ev, (pairs) => {
    events.addresses(pairs)
  })
  sock.ev.on('connection.update', ({ connection, qr, isNewLogin, lastDisconnect, ...update }) => {
    if (update.receivedPendingNotifications === true) {
      void messageLines.idle().then(() => {
        if (!isClosed) events.caughtUp()
      })
    }
    if (qr !== undefined) {
      const goodForMs = deps.settings.qrMs ?? (lastQr === undefined ? FIRST_QR_MS : LATER_QR_MS)
      lastQr = qr
      events.qr(advertisedSecret === undefined ? qr : withSecret(qr, creds.advSecretKey), goodForMs)
    }
    if (isNewLogin === true) events.paired()
    if (update.reachoutTimeLock !== undefined)
      events.reachOutLock(lockEnd(update.reachoutTimeLock, Date.now()))
    if (connection === 'open') {
      endWatch = watchSilence(sock, deps.settings.silence ?? SILENCE_LIMITS, () => {
        deps.log.warn({}, 'connection is deaf')
        void sock.end(new Error('deaf'))
      })
      auth.saveCredentials().then(
        () => events.open(),
        () => undefined,
      )
    }
    if (connection === 'close') {
      clearInterval(flusher)
      endWatch()
      sends.abandon()
      isClosed = true
      for (const giveUp of asking) giveUp()
      close(endOf(lastDisconnect?.error, creds.account !== undefined))
    }
  })

  /** Baileys leaves queries of an ended socket without an answer. */
  const orClosed = async <T>(work: Promise<T>): Promise<T> =>
    await new Promise<T>((resolve, reject) => {
      const giveUp = () => {
        reject(new WhatsAppError('WA_OFFLINE', 'The WhatsApp number is not connected'))
      }
      asking.add(giveUp)
      void work.then(resolve, reject).finally(() => asking.delete(giveUp))
      if (isClosed) giveUp()
    })

  return {
    me,
    closed,
    /** The chat's other form, from what this device has learnt; `undefined` also when that cannot be told now. */
    async altOf(chat: ChatJid): Promise<ChatJid | undefined> {
      const { lidMapping } = sock.signalRepository
      const alt = isLidJid(chat)
        ? lidMapping.getPNForLID(chat)
        : isPnJid(chat)
          ? lidMapping.getLIDForPN(chat)
          : null
      return findChatJid(await orClosed(Promise.resolve(alt)).catch(() => undefined))
    },
    /** @throws {WhatsAppError} when WhatsApp does not answer: that says nothing about the number. */
    onWhatsApp: async (phone: string): Promise<ChatJid | undefined> => {
      const answer = await orClosed(sock.onWhatsApp(phone)).catch((cause: unknown) => {
        throw notSent(cause)
      })
      if (answer === undefined) throw notSent(undefined)
      return answer[0]?.exists === true ? findChatJid(answer[0].jid) : undefined
    },
    isCodeRequested: () => creds.pairingCode !== undefined,
    requestPairingCode: async (digits: string): Promise<string> => {
      // WhatsApp makes codes only for browsers it knows (Baileys issue 2560); the name of the device has been registered
      // by now, and Baileys reads this array again for the code.
      browser[0] = 'Mac OS'
      sock.ws.once('CB:iq,type:error', () => events.codeRefused())
      return await orClosed(sock.requestPairingCode(digits))
    },
    /** @throws {WhatsAppError} `WA_NOT_IN_GROUP`, or that WhatsApp could not be asked. */
    findGroup: (group: GroupJid) => groups.find(group),
    upload: sock.waUploadToServer,
    askForMediaAgain: (message: WAMessage) => orClosed(sock.updateMediaMessage(message)),
    /** The answer comes as an event as well. */
    askReachOutLock: async (): Promise<Date | undefined> =>
      lockEnd(await orClosed(sock.fetchAccountReachoutTimelock()), Date.now()),
    /** The answer comes as a piece of history, into the journal. */
    askForHistory: ({ key, sentAtMs }: Anchor, count: number) =>
      orClosed(sock.fetchMessageHistory(count, key, sentAtMs)),
    /** @throws {WhatsAppError} as the port says. */
    send: async (chat: ChatJid, id: WaMessageId, composed: Uint8Array): Promise<void> => {
      const parties = isGroupJid(chat) ? await groups.membersFor(chat, me()) : partiesOf(sock, chat)
      await orClosed(requireDevices(sock, parties, me()))
      try {
        await sends.send(id, () => sock.relayMessage(chat, proto.Message.decode(composed), { messageId: id }))
      } catch (thrown) {
        if (thrown instanceof WhatsAppError && thrown.code === 'WA_DEVICES_STALE') {
          groups.forget(chat)
          for (const jid of parties) await deps.caches.userDevicesCache.del(userOf(jid))
        }
        throw thrown
      }
    },
    /** Sends the receipts of a reader, as the owner's privacy settings allow. @throws {WhatsAppError} `WA_OFFLINE`. */
    markRead: async (keys: WAMessageKey[]): Promise<void> => {
      await orClosed(sock.readMessages(keys)).catch((cause: unknown) => {
        throw notSent(cause)
      })
    },
    /** Unlinks this device at WhatsApp; the connection ends with it. */
    logout: async (): Promise<void> => {
      await Promise.race([sock.logout(), closed])
      await closed
    },
    /** Ends it as a plain error, so that no HTTP code of a proxy is taken for a logout. Resolves when it is over. */
    end: async (why: string): Promise<void> => {
      void sock.end(new Error(why))
      await closed
    },
  }
}

/**
 * Baileys sends to nobody, and says nothing, when it does not learn the receiver's devices (whatsapp.md 1d). The answer is
 * cached for the send that follows.
 */
async function requireDevices(
  sock: ReturnType<typeof makeWASocket>,
  parties: readonly string[],
  me: Me,
): Promise<void> {
  const others = parties.filter((jid) => !isMe(me, findChatJid(jid))).map(userOf)
  if (others.length === 0) return
  const devices = await sock.getUSyncDevices([...parties], true, false).catch((cause: unknown) => {
    throw notSent(cause)
  })
  if (!devices.some(({ user }) => others.includes(user))) throw notSent(undefined)
}

/** Whose devices get a message: our own other ones too, in the chat's address form. */
function partiesOf({ user }: ReturnType<typeof makeWASocket>, chat: ChatJid): string[] {
  const { id = '', lid = id } = user ?? {}
  return [jidNormalizedUser(isLidJid(chat) ? lid : id), chat]
}

const userOf = (jid: string): string => jid.slice(0, jid.indexOf('@'))

/** What a retry receipt asks for: by id alone, since receipts name the chat in any form. */
async function messageById(
  deps: SocketDeps,
  id: string | null | undefined,
): Promise<proto.IMessage | undefined> {
  if (typeof id !== 'string') return undefined
  const composed = await deps.findComposed(waIdOf(id))
  return composed && proto.Message.decode(composed)
}

/**
 * Stands in front of Baileys' own handling of one kind of stanza: one at a time per line, in the order of arrival. Left to
 * itself, Baileys handles what waited at the server and what is live side by side, and a chat loses its order.
 *
 * @param act hands the stanza on when it has done its part; what it does not hand on is not acknowledged, stays with the
 * server, and comes again at the next login.
 */
function takeOver(
  sock: ReturnType<typeof makeWASocket>,
  event: 'CB:message' | 'CB:receipt' | 'CB:call' | 'CB:notification',
  lineOf: (stanza: BinaryNode) => string,
  act: (stanza: BinaryNode, handOn: (stanza: BinaryNode) => Promise<void>) => Promise<void>,
): Turns {
  const handlers = sock.ws.listeners(event) as ((stanza: BinaryNode) => Promise<void>)[] // Baileys registers only such
  sock.ws.removeAllListeners(event)
  const turns = new Turns()
  const handOn = async (stanza: BinaryNode): Promise<void> => {
    for (const handle of handlers) await handle(stanza)
  }
  sock.ws.on(event, (stanza: BinaryNode) => {
    turns.take(lineOf(stanza), () => act(stanza, handOn)).catch(() => undefined)
  })
  return turns
}

/** Baileys queues what is marked as waiting apart from what is live; unmarked, all of a chat stands in one line. */
function asLive({ attrs: { offline: _, ...attrs }, ...stanza }: BinaryNode): BinaryNode {
  return { ...stanza, attrs }
}

/** The last but one field of the QR text is the secret that the phone proves itself with. */
const withSecret = (qr: string, secret: string): string => qr.split(',').with(-2, secret).join(',')

function endOf(error: Error | undefined, isPaired: boolean): SocketEnd {
  const { output, data } = (error ?? {}) as {
    output?: { statusCode?: number }
    data?: BinaryNode['attrs'] | null
  } // Boom
  return {
    code: output?.statusCode,
    expire: data?.['expire'],
    refsEnded: !isPaired && error?.message === 'QR refs attempts ended',
  }
}

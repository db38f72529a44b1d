/** All numbers of all locations: started with the server, made, found, ended. */
import { randomUUID } from 'node:crypto'
import { generateMessageIDV2 } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'
import type { SessionDesk, SessionSnapshot, WhatsAppNumbers } from '../bridge/ports.ts'
import type { SessionRow } from '../bridge/storage.ts'
import { toBridgeError, WhatsAppError } from '../core/errors.ts'
import { type LocationId, parseSessionId, parseWaMessageId, type SessionId } from '../core/ids.ts'
import { isOver } from './disconnect.ts'
import { openMedia } from './media.ts'
import { Session, type SessionDeps } from './session.ts'
import type { SocketCaches } from './socket.ts'

export type SessionsDeps = Omit<SessionDeps, 'onChange'>

/** The numbers, as the bridge sends by them and as people pair them. */
export interface Sessions extends WhatsAppNumbers, SessionDesk {
  /** Connects every number that was paired before, one after the other. Resolves when all of them are known. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Between two starts: a login costs 30 to 50 ms of CPU (whatsapp.md 2.6). */
const STAGGER_MS = 40

export function createSessions(deps: SessionsDeps): Sessions {
  const sessions = new Map<SessionId, Session>()
  const watchers = new Map<SessionId, Set<(snapshot: SessionSnapshot) => void>>()

  const add = (row: SessionRow): Session => {
    const session = new Session(
      {
        ...deps,
        onChange: (snapshot) => {
          for (const listener of watchers.get(snapshot.id) ?? []) listener(snapshot)
        },
      },
      row,
      makeCaches(),
    )
    sessions.set(row.sessionId, session)
    return session
  }

  const get = (id: SessionId): Session => {
    const session = sessions.get(id)
    if (session !== undefined) return session
    throw new WhatsAppError('WA_OFFLINE', 'The WhatsApp number is not connected', {
      details: { sessionId: id },
    })
  }

  const life = new AbortController()
  let starting: Promise<void> = Promise.resolve()

  const begin = (session: Session, codeFor?: string): Promise<void> =>
    session.start(codeFor).catch((thrown: unknown) => {
      deps.log.error(
        { sessionId: session.id, errorCode: toBridgeError(thrown).code, err: thrown },
        'could not start a number',
      )
    })

  return {
    async start() {
      const rows = await deps.sessionStore.list()
      const waiting = rows.map((row) => ({ session: add(row), row })).filter(({ row }) => !isOver(row.status))
      starting = (async () => {
        for (const { session } of waiting) {
          if (life.signal.aborted) return
          // It may have been logged out since.
          if (sessions.has(session.id)) await begin(session)
          await deps.clock.sleep(STAGGER_MS, life.signal).catch(() => undefined)
        }
      })()
    },
    async stop() {
      life.abort(new Error('the numbers are being stopped'))
      await starting
      await Promise.all([...sessions.values()].map((session) => session.stop()))
    },

    async create(locationId, wish) {
      const row = await deps.sessionStore.create({
        sessionId: parseSessionId(randomUUID()),
        locationId,
        ...(wish.expectedPhone !== undefined && { expectedPhone: wish.expectedPhone }),
      })
      const session = add(row)
      await begin(session, wish.phoneNumber)
      return session.snapshot()
    },
    list: (locationId?: LocationId) =>
      Promise.resolve(
        [...sessions.values()]
          .filter((session) => locationId === undefined || session.locationId === locationId)
          .map((session) => session.snapshot()),
      ),
    find(locationId, id) {
      const session = sessions.get(id)
      return Promise.resolve(session?.locationId === locationId ? session.snapshot() : undefined)
    },
    async restart(id) {
      const session = get(id)
      await session.restart()
      return session.snapshot()
    },
    async logOut(id) {
      const session = get(id)
      await session.logOut()
      sessions.delete(id)
      await deps.sessionStore.remove(id)
    },
    watch(id, listener) {
      const listeners = watchers.get(id) ?? new Set()
      watchers.set(id, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) watchers.delete(id)
      }
    },

    isReady: (id) => sessions.get(id)?.isReady === true,
    findOnWhatsApp: (id, phone) => get(id).findOnWhatsApp(phone),
    compose: (id, chat, message) => get(id).compose(chat, message),
    send: (id, chat, messageId, composed) => get(id).send(chat, messageId, composed),
    newMessageId: () => parseWaMessageId(generateMessageIDV2()),
    openMedia: (_id, media) => openMedia(media),
  }
}

/** Long-lived: an uncached device list makes Baileys fetch new keys and archive sessions without need (whatsapp.md 1c). */
function makeCaches(): SocketCaches {
  return { userDevicesCache: makeCache(24 * 60 * 60_000), msgRetryCounterCache: makeCache(60 * 60_000) }
}

/** Baileys' cache interface on an LRU; entries are device lists and counters, some 100 bytes each. */
function makeCache(ttlMs: number) {
  const cache = new LRUCache<string, NonNullable<unknown>>({ max: 20_000, ttl: ttlMs })
  return {
    get: <T>(key: string) => cache.get(key) as T | undefined, // Baileys gets what it set
    set: <T>(key: string, value: T) => void cache.set(key, value as NonNullable<T>),
    del: (key: string) => void cache.delete(key),
    flushAll: () => {
      cache.clear()
    },
  }
}

/**
 * The numbers of the locations that this node works for: connected when a location comes, closed when it goes, and
 * commanded by the wishes on their rows.
 */
import { generateMessageIDV2 } from '@whiskeysockets/baileys'
import { LRUCache } from 'lru-cache'
import type { WhatsAppNumbers } from '../bridge/ports.ts'
import type { SessionRow, SessionWish } from '../bridge/storage/sessions.ts'
import { toBridgeError, WhatsAppError } from '../core/errors.ts'
import { type LocationId, parseWaMessageId, type SessionId } from '../core/ids.ts'
import { isOver } from './disconnect.ts'
import { openMedia } from './media.ts'
import { Session, type SessionDeps } from './session.ts'
import type { SocketCaches } from './socket.ts'

export interface Numbers extends WhatsAppNumbers {
  /** Connects the location's numbers, one after the other. Resolves when they are known. */
  serve(location: LocationId): Promise<void>
  /** Closes them. Resolves when nothing is written for them any more. */
  leave(location: LocationId): Promise<void>
  /** Something about the location's sessions has changed: fulfils wishes, meets new rows. */
  look(location: LocationId): void
}

/** Between two starts: a login costs 30 to 50 ms of CPU (whatsapp.md 2.6). */
const STAGGER_MS = 40

interface Served {
  readonly sessions: Map<SessionId, Session>
  readonly life: AbortController
  /** Those who look, one after the other. */
  turn: Promise<void>
}

export function createNumbers(deps: SessionDeps): Numbers {
  const served = new Map<LocationId, Served>()
  /** Starts of the whole node stand in one line. */
  let starting: Promise<void> = Promise.resolve()

  const find = (id: SessionId): Session | undefined => {
    for (const { sessions } of served.values()) {
      const session = sessions.get(id)
      if (session !== undefined) return session
    }
    return undefined
  }

  const get = (id: SessionId): Session => {
    const session = find(id)
    if (session !== undefined) return session
    throw new WhatsAppError('WA_OFFLINE', 'The WhatsApp number is not connected', {
      details: { sessionId: id },
    })
  }

  const startLater = (session: Session, { life }: Served): void => {
    starting = starting.then(async () => {
      if (life.signal.aborted) return
      await session.resume().catch((thrown: unknown) => {
        deps.log.error(
          { sessionId: session.id, errorCode: toBridgeError(thrown).code },
          'could not start a number',
        )
      })
      await deps.clock.sleep(STAGGER_MS, life.signal).catch(() => undefined)
    })
  }

  const fulfil = async (session: Session, wish: SessionWish, { sessions }: Served): Promise<void> => {
    switch (wish.kind) {
      case 'pair':
        await session.start(wish.codeFor)
        break
      case 'restart':
        await session.restart()
        break
      case 'log_out':
        await session.logOut()
        sessions.delete(session.id)
        await deps.sessionStore.remove(session.id)
        return
    }
    // Taken when it is done: a kill in between does it again, which does no harm.
    await deps.sessionStore.takeWish(session.id, wish.id)
  }

  const meet = (row: SessionRow, place: Served): Session => {
    const session = new Session(deps, row, makeCaches(), () => place.sessions.values())
    place.sessions.set(row.sessionId, session)
    const goesOn = !isOver(row.status) || row.problem?.until !== undefined
    if (row.wish === undefined && goesOn) startLater(session, place)
    return session
  }

  const lookAt = async (location: LocationId, place: Served): Promise<void> => {
    const rows = await deps.sessionStore.list(location)
    const known = rows.map((row) => ({ row, session: place.sessions.get(row.sessionId) ?? meet(row, place) }))
    for (const { row, session } of known) {
      if (place.life.signal.aborted) return
      session.named(row.name)
      if (row.wish !== undefined) await fulfil(session, row.wish, place)
    }
  }

  const look = (location: LocationId): Promise<void> => {
    const place = served.get(location)
    if (place === undefined) return Promise.resolve()
    place.turn = place.turn
      .then(() => lookAt(location, place))
      .catch((thrown: unknown) => {
        deps.log.warn(
          { locationId: location, errorCode: toBridgeError(thrown).code },
          'could not look after the numbers',
        )
      })
    return place.turn
  }

  return {
    async serve(location) {
      served.set(location, { sessions: new Map(), life: new AbortController(), turn: Promise.resolve() })
      await look(location)
    },
    async leave(location) {
      const place = served.get(location)
      if (place === undefined) return
      place.life.abort(new Error('the location was handed over'))
      await Promise.all([...place.sessions.values()].map((session) => session.stop()))
      await place.turn
      if (served.get(location) === place) served.delete(location)
    },
    look: (location) => void look(location),

    isReady: (id) => find(id)?.isReady === true,
    findOnWhatsApp: (id, phone) => get(id).findOnWhatsApp(phone),
    findGroup: async (id, chat) => await get(id).findGroup(chat),
    compose: (id, chat, message) => get(id).compose(chat, message),
    send: (id, chat, messageId, composed) => get(id).send(chat, messageId, composed),
    markRead: (id, messages) => get(id).markRead(messages),
    newMessageId: () => parseWaMessageId(generateMessageIDV2()),
    // A file outlives its number: the session only adds that the phone can be asked for it again.
    openMedia: (id, media) =>
      find(id)?.openMedia(media) ?? openMedia(media, { askForMediaAgain: undefined, clock: deps.clock }),
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

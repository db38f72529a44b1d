/**
 * The numbers as people and other programs see and command them, on any node. Everything goes through the store: a command
 * is a wish on the session's row, which its owner fulfils; what is shown is the row as the owner last wrote it.
 */
import type { Clock } from '../core/clock.ts'
import { RequestError, StoreError } from '../core/errors.ts'
import { type LocationId, parseSessionId, type SessionId } from '../core/ids.ts'
import { samePhone } from '../core/phone.ts'
import type { SessionDesk, SessionSnapshot } from './ports.ts'
import type { SessionRow, SessionStore } from './storage/sessions.ts'
import { sessionUnknown } from './unknown.ts'

/** An owner is found within the time of a lease, and a logout takes a second or two. */
const LOG_OUT_TIMEOUT_MS = 40_000
const LOOK_MS = 50

export interface SessionDeskDeps {
  readonly sessions: SessionStore
  /** A fresh unique id. */
  readonly newId: () => string
  readonly clock: Clock
}

/** A desk that also hears of changes: call `changed` and `worked` with what the store announces. */
export interface HearingDesk extends SessionDesk {
  changed(location: LocationId, session: SessionId): void
  worked(location: LocationId): void
  /** Looks after every session that somebody watches: the backstop for announcements that were not heard. */
  lookAround(): void
}

interface Watched {
  readonly listeners: Set<(snapshot: SessionSnapshot) => void>
  /** What they were told last, as JSON. */
  told: string | undefined
}

export function createSessionDesk({ sessions, newId, clock }: SessionDeskDeps): HearingDesk {
  const watched = new Map<SessionId, Watched>()
  const places = new Map<LocationId, Set<(what: 'session' | 'work') => void>>()
  const everywhere = new Set<(location: LocationId, what: 'session' | 'work') => void>()
  const stir = (location: LocationId, what: 'session' | 'work'): void => {
    for (const listener of places.get(location) ?? []) listener(what)
    for (const listener of everywhere) listener(location, what)
  }

  const find = async (id: SessionId): Promise<SessionSnapshot | undefined> => {
    const row = await sessions.find(id)
    return row && snapshotOf(row)
  }

  const tell = (place: Watched, snapshot: SessionSnapshot): void => {
    const now = JSON.stringify(snapshot)
    if (now === place.told) return
    place.told = now
    for (const listener of place.listeners) listener(snapshot)
  }

  const look = (session: SessionId): void => {
    const place = watched.get(session)
    if (place === undefined) return
    find(session).then(
      (snapshot) => {
        if (snapshot !== undefined) tell(place, snapshot)
      },
      // The next change, or the reader's reconnect, brings the state.
      () => undefined,
    )
  }

  return {
    async create(locationId, wish) {
      requireRightPhone(wish.phoneNumber, wish.expectedPhone)
      const row = await sessions.create({
        sessionId: parseSessionId(newId()),
        locationId,
        ...(wish.expectedPhone !== undefined && { expectedPhone: wish.expectedPhone }),
        wish: {
          id: newId(),
          kind: 'pair',
          ...(wish.phoneNumber !== undefined && { codeFor: wish.phoneNumber }),
        },
      })
      return snapshotOf(row)
    },
    async list(locationId) {
      return (await sessions.list(locationId)).map(snapshotOf)
    },
    async listOf(locationIds) {
      return (await sessions.listOf(locationIds)).map(snapshotOf)
    },
    async find(locationId, sessionId) {
      const found = await find(sessionId)
      return found?.locationId === locationId ? found : undefined
    },
    async edit(locationId, sessionId, change) {
      const edited = (await sessions.edit(locationId, sessionId, change)) ? await find(sessionId) : undefined
      if (edited === undefined) throw sessionUnknown()
      return edited
    },
    async restart(sessionId, phoneNumber) {
      if (phoneNumber !== undefined) {
        const row = (await sessions.find(sessionId)) ?? gone()
        requireRightPhone(phoneNumber, row.expectedPhone ?? row.phoneNumber)
      }
      const id = newId()
      await sessions.wish(
        sessionId,
        phoneNumber === undefined ? { id, kind: 'restart' } : { id, kind: 'pair', codeFor: phoneNumber },
      )
      return (await find(sessionId)) ?? gone()
    },
    async logOut(sessionId) {
      await sessions.wish(sessionId, { id: newId(), kind: 'log_out' })
      const giveUpAtMs = clock.nowMs() + LOG_OUT_TIMEOUT_MS
      while ((await find(sessionId)) !== undefined) {
        if (clock.nowMs() > giveUpAtMs) {
          throw new StoreError('STORE_UNAVAILABLE', 'No node has logged the number out yet', {
            action: 'It will be done as soon as one works for this location.',
          })
        }
        await clock.sleep(LOOK_MS)
      }
    },
    watch(sessionId, listener) {
      const place = watched.get(sessionId) ?? { listeners: new Set(), told: undefined }
      place.listeners.add(listener)
      watched.set(sessionId, place)
      return () => {
        place.listeners.delete(listener)
        if (place.listeners.size === 0) watched.delete(sessionId)
      }
    },
    watchLocation(locationId, listener) {
      const listeners = places.get(locationId) ?? new Set()
      places.set(locationId, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) places.delete(locationId)
      }
    },
    watchAll(listener) {
      everywhere.add(listener)
      return () => {
        everywhere.delete(listener)
      }
    },
    changed(location, session) {
      look(session)
      stir(location, 'session')
    },
    worked(location) {
      stir(location, 'work')
    },
    lookAround() {
      for (const session of watched.keys()) look(session)
      for (const location of places.keys()) stir(location, 'session')
    },
  }
}

/** With a code for any other phone its owner would link it, and see it unlinked again. */
function requireRightPhone(asked: string | undefined, right: string | undefined): void {
  if (asked === undefined || right === undefined || samePhone(asked, right)) return
  throw new RequestError('WRONG_NUMBER', 'This number is for another phone; nothing was changed', {
    action: 'Give the number of that phone, or add another number for this one.',
  })
}

function gone(): never {
  throw new StoreError('STORE_UNAVAILABLE', 'The session was removed meanwhile')
}

function snapshotOf(row: SessionRow): SessionSnapshot {
  return {
    id: row.sessionId,
    locationId: row.locationId,
    status: row.status,
    phoneNumber: row.phoneNumber ?? null,
    name: row.name ?? null,
    isDefault: row.isDefault,
    qr: row.live?.qr ?? null,
    pairingCode: row.live?.pairingCode ?? null,
    expiresAt: row.live?.expiresAt ?? null,
    expectedPhone: row.expectedPhone ?? null,
    problem:
      row.problem === undefined
        ? null
        : { until: null, scannedPhone: null, connectedAs: null, ...row.problem },
    notice: row.status === 'ready' ? (row.notice ?? null) : null,
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
  }
}

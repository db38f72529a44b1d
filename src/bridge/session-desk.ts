/**
 * The numbers as people and other programs see and command them, on any node. Everything goes through the store: a command
 * is a wish on the session's row, which its owner fulfils; what is shown is the row as the owner last wrote it.
 */
import type { Clock } from '../core/clock.ts'
import { StoreError } from '../core/errors.ts'
import { parseSessionId, type SessionId } from '../core/ids.ts'
import type { SessionDesk, SessionSnapshot } from './ports.ts'
import type { SessionRow, SessionStore } from './storage.ts'

/** An owner is found within the time of a lease, and a logout takes a second or two. */
const LOG_OUT_TIMEOUT_MS = 40_000
const LOOK_MS = 50

export interface SessionDeskDeps {
  readonly sessions: SessionStore
  /** A fresh unique id. */
  readonly newId: () => string
  readonly clock: Clock
}

/** A desk that also hears of changes: call `changed` with what the store announces. */
export interface HearingDesk extends SessionDesk {
  changed(session: SessionId): void
}

export function createSessionDesk({ sessions, newId, clock }: SessionDeskDeps): HearingDesk {
  const watchers = new Map<SessionId, Set<(snapshot: SessionSnapshot) => void>>()

  const find = async (id: SessionId): Promise<SessionSnapshot | undefined> => {
    const row = await sessions.find(id)
    return row && snapshotOf(row)
  }

  return {
    async create(locationId, wish) {
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
    async find(locationId, sessionId) {
      const found = await find(sessionId)
      return found?.locationId === locationId ? found : undefined
    },
    async restart(sessionId) {
      await sessions.wish(sessionId, { id: newId(), kind: 'restart' })
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
      const listeners = watchers.get(sessionId) ?? new Set()
      watchers.set(sessionId, listeners.add(listener))
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) watchers.delete(sessionId)
      }
    },
    changed(session) {
      const listeners = watchers.get(session)
      if (listeners === undefined) return
      find(session).then(
        (snapshot) => {
          if (snapshot !== undefined) for (const listener of listeners) listener(snapshot)
        },
        // The next change, or the reader's reconnect, brings the state.
        () => undefined,
      )
    },
  }
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
    problem: row.problem ?? null,
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
  }
}

import { z } from 'zod'
import type { Invitation, SessionRow, SessionStore } from '../bridge/storage/sessions.ts'
import type { SessionId } from '../core/ids.ts'
import type { Database } from './database.ts'
import type { FenceBook } from './leases.ts'
import { date, locationId, SessionRowSchema, sessionId } from './rows.ts'
import type { Seal, SealedPlace } from './seal.ts'

const PairingLinkRow = z.object({ sessionId, expiresAt: date }).nullable()
const InvitationText = z.object({
  qr: z.string().exactOptional(),
  pairingCode: z.string().exactOptional(),
  expiresAt: z.string().exactOptional(),
})

export interface SessionStoreDeps {
  readonly database: Database
  /** The same database, for writes that only the session's owner may make. */
  readonly owned: Database
  readonly fences: FenceBook
  readonly seal: Seal
}

export function createSessionStore({ database, owned, fences, seal }: SessionStoreDeps): SessionStore {
  const read = (answer: unknown): SessionRow => {
    const { live, ...row } = SessionRowSchema.parse(answer)
    fences.learn(row)
    return { ...row, live: live === undefined ? undefined : openInvitation(seal, row.sessionId, live) }
  }

  return {
    async create(session) {
      return read(await database.call('create_session', session))
    },
    async find(id) {
      const answer = await database.call('find_session', { sessionId: id })
      return answer === null ? undefined : read(answer)
    },
    async list(locationId) {
      return z
        .array(z.unknown())
        .parse(await database.call('list_sessions', { locationId }))
        .map(read)
    },
    async listOf(locationIds) {
      return z
        .array(z.unknown())
        .parse(await database.call('list_sessions_of', { locationIds }))
        .map(read)
    },
    async update(id, { lastSeenAt, pairedAt, nextAttemptAt, live, ...patch }) {
      await owned.call('update_session', {
        sessionId: id,
        patch: {
          ...patch,
          ...(lastSeenAt !== undefined && { lastSeenAt: lastSeenAt.getTime() }),
          ...(pairedAt !== undefined && { pairedAt: pairedAt.getTime() }),
          ...(nextAttemptAt !== undefined && { nextAttemptAt: nextAttemptAt?.getTime() ?? null }),
          ...(live !== undefined && {
            live: live === null ? null : seal.seal(liveOf(id), JSON.stringify(live)),
          }),
        },
      })
    },
    async edit(locationId, id, change) {
      return z.boolean().parse(await database.call('edit_session', { locationId, sessionId: id, ...change }))
    },
    async wish(id, wish) {
      await database.call('wish_session', { sessionId: id, wish })
    },
    async wished(locations) {
      return z.array(locationId).parse(await database.call('wished_locations', { locations }))
    },
    async takeWish(id, wishId) {
      return z.boolean().parse(await owned.call('take_wish', { sessionId: id, wishId }))
    },
    async forgetCredentials(id) {
      await owned.call('forget_credentials', { sessionId: id })
    },
    async remove(id) {
      await owned.call('remove_session', { sessionId: id })
    },
    async createPairingLink(tokenHash, id, ttlMs) {
      await database.call('create_pairing_link', { tokenHash, sessionId: id, ttlMs })
    },
    async findPairingLink(tokenHash) {
      const answer = await database.call('find_pairing_link', { tokenHash })
      return PairingLinkRow.parse(answer) ?? undefined
    },
  }
}

const liveOf = (id: SessionId): SealedPlace => ({ scope: `session:${id}`, kind: 'live', id: '' })

/** What cannot be opened counts as none: the next QR comes in seconds, and one broken row must not hide all the others. */
function openInvitation(seal: Seal, id: SessionId, sealed: string): Invitation | undefined {
  try {
    return InvitationText.parse(JSON.parse(seal.openText(liveOf(id), sealed)))
  } catch {
    return undefined
  }
}

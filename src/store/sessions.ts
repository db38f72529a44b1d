import { z } from 'zod'
import type { SessionStore } from '../bridge/storage.ts'
import type { Database } from './database.ts'
import { date, SessionRowSchema, sessionId } from './rows.ts'

const PairingLinkRow = z.object({ sessionId, expiresAt: date }).nullable()

export function createSessionStore({ database }: { database: Database }): SessionStore {
  return {
    async create(session) {
      return SessionRowSchema.parse(await database.call('create_session', session))
    },
    async find(id) {
      const answer = await database.call('find_session', { sessionId: id })
      return SessionRowSchema.nullable().parse(answer) ?? undefined
    },
    async list(locationId) {
      return z.array(SessionRowSchema).parse(await database.call('list_sessions', { locationId }))
    },
    async update(id, { lastSeenAt, ...patch }) {
      await database.call('update_session', {
        sessionId: id,
        patch: { ...patch, ...(lastSeenAt !== undefined && { lastSeenAt: lastSeenAt.getTime() }) },
      })
    },
    async forgetCredentials(id) {
      await database.call('forget_credentials', { sessionId: id })
    },
    async remove(id) {
      await database.call('remove_session', { sessionId: id })
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

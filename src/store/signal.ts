/** Credentials, Signal keys and journal, each sealed under the session's own key before it leaves the process. */
import { z } from 'zod'
import type { SignalStore } from '../bridge/storage/signal.ts'
import type { SessionId } from '../core/ids.ts'
import type { Database } from './database.ts'
import type { Seal, SealedPlace } from './seal.ts'

const SealedValue = z.string().nullable()
const KeyRows = z.array(z.tuple([z.string(), z.string()]))
const JournalRows = z.array(z.object({ waMessageId: z.string(), sender: z.string(), entry: z.string() }))

export interface SignalStoreDeps {
  readonly database: Database
  /** The same database, for writes that only the session's owner may make. */
  readonly owned: Database
  readonly seal: Seal
}

export function createSignalStore({ database, owned, seal }: SignalStoreDeps): SignalStore {
  return {
    async loadCredentials(sessionId) {
      const sealed = SealedValue.parse(await database.call('load_credentials', { sessionId }))
      return sealed === null ? undefined : seal.openText(credentialsOf(sessionId), sealed)
    },

    async read(sessionId, kind, ids) {
      const rows = KeyRows.parse(await database.call('read_keys', { sessionId, kind, ids }))
      return new Map(rows.map(([id, sealed]) => [id, seal.openText(keyOf(sessionId, kind, id), sealed)]))
    },

    async write(sessionId, { keys = [], credentials, journal = [] }) {
      // One statement cannot write a row twice; the last word counts.
      const lastKeys = new Map(keys.map((key) => [JSON.stringify([key.kind, key.id]), key]))
      const lastLines = new Map(
        journal.map((line) => [JSON.stringify([line.waMessageId, line.sender]), line]),
      )
      await owned.call('write_signal', {
        sessionId,
        ...(credentials !== undefined && { credentials: seal.seal(credentialsOf(sessionId), credentials) }),
        ...(lastKeys.size > 0 && {
          keys: [...lastKeys.values()].map(({ kind, id, value }) => ({
            kind,
            id,
            value: value === null ? null : seal.seal(keyOf(sessionId, kind, id), value),
          })),
        }),
        ...(lastLines.size > 0 && {
          journal: [...lastLines.values()].map(({ waMessageId, sender, entry }) => ({
            waMessageId,
            sender,
            entry: seal.seal(journalOf(sessionId, waMessageId, sender), entry),
          })),
        }),
      })
    },

    async readJournal(sessionId) {
      const rows = JournalRows.parse(await database.call('read_journal', { sessionId }))
      return rows.map(({ waMessageId, sender, entry }) => ({
        waMessageId,
        sender,
        entry: seal.openText(journalOf(sessionId, waMessageId, sender), entry),
      }))
    },

    async findJournal(sessionId, waMessageId, sender) {
      const answer = await database.call('find_journal', { sessionId, waMessageId, sender })
      const sealed = SealedValue.parse(answer)
      return sealed === null ? undefined : seal.openText(journalOf(sessionId, waMessageId, sender), sealed)
    },

    async settleJournal(sessionId, waMessageId, sender) {
      await owned.call('settle_journal', { sessionId, waMessageId, sender })
    },
  }
}

const scopeOf = (sessionId: SessionId): string => `session:${sessionId}`
const credentialsOf = (sessionId: SessionId): SealedPlace => ({
  scope: scopeOf(sessionId),
  kind: 'credentials',
  id: '',
})
const keyOf = (sessionId: SessionId, kind: string, id: string): SealedPlace => ({
  scope: scopeOf(sessionId),
  kind: `key/${kind}`,
  id,
})
const journalOf = (sessionId: SessionId, waMessageId: string, sender: string): SealedPlace => ({
  scope: scopeOf(sessionId),
  kind: 'journal',
  id: `${waMessageId}/${sender}`,
})

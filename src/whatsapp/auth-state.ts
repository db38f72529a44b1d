/**
 * Baileys' authentication state on our store. Promises: one `set` is one write, durable when it resolves; credentials are
 * written one after the other, in order; what Baileys does not know is kept all the same.
 */
import {
  type AuthenticationCreds,
  type AuthenticationState,
  BufferJSON,
  initAuthCreds,
  proto,
  type SignalDataTypeMap,
} from '@whiskeysockets/baileys'
import type { JournalWrite, SignalKeyWrite, SignalStore } from '../bridge/storage.ts'
import type { SessionId } from '../core/ids.ts'

/** Not one of Baileys' key types: journal rows travel through its transactions under this name (journal.ts). */
export const JOURNAL_KIND = 'inbox-journal'

type KeySet = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>

export interface SessionAuth {
  readonly state: AuthenticationState
  /** Saves the credentials as they are now. Resolves when they are durable. */
  saveCredentials(): Promise<void>
  /** Writes Signal keys past any transaction that is open. */
  writeThrough(keys: KeySet): Promise<void>
}

const toText = (value: unknown): string => JSON.stringify(value, BufferJSON.replacer)
const fromText = (text: string): unknown => JSON.parse(text, BufferJSON.reviver)

export async function openAuth(store: SignalStore, sessionId: SessionId): Promise<SessionAuth> {
  const saved = await store.loadCredentials(sessionId)
  const creds = saved === undefined ? initAuthCreds() : (fromText(saved) as AuthenticationCreds) // written by us below
  let saving = Promise.resolve()

  const write = (keys: KeySet): Promise<void> => store.write(sessionId, changeOf(keys))

  return {
    state: {
      creds,
      keys: {
        get: async <T extends keyof SignalDataTypeMap>(kind: T, ids: string[]) => {
          const found = await store.read(sessionId, kind, ids)
          const entries = [...found].map(([id, text]) => [id, revive(kind, fromText(text))])
          return Object.fromEntries(entries) as { [id: string]: SignalDataTypeMap[T] } // written by `set` below
        },
        set: write,
      },
    },
    saveCredentials: () => {
      // The next save must not wait for ever behind one that failed.
      saving = saving
        .catch(() => undefined)
        .then(() => store.write(sessionId, { credentials: toText(creds) }))
      return saving
    },
    writeThrough: write,
  }
}

/** Baileys reads methods of this one type. */
const revive = (kind: string, value: unknown): unknown =>
  kind === 'app-state-sync-key' ? proto.Message.AppStateSyncKeyData.fromObject(value as object) : value

function changeOf(keys: KeySet): { keys: SignalKeyWrite[]; journal: JournalWrite[] } {
  const writes: SignalKeyWrite[] = []
  const journal: JournalWrite[] = []
  for (const [kind, values] of Object.entries(keys)) {
    for (const [id, value] of Object.entries(values ?? {})) {
      if (kind === JOURNAL_KIND)
        journal.push(value as JournalWrite) // put there by journal.ts only
      else writes.push({ kind, id, value: value === null || value === undefined ? null : toText(value) })
    }
  }
  return { keys: writes, journal }
}

/**
 * Baileys' authentication state on our store, for the life of one socket. Promises:
 *
 * - one `set` is one write, durable when it resolves; credentials are written one after the other, in order;
 * - a store that is away is waited for: Baileys would take a failed read for "no such session" and answer the sender so;
 * - what Baileys does not know is kept all the same;
 * - when `close` has resolved, nothing of this socket reaches the store any more: the next one starts from firm ground.
 */
import {
  type AuthenticationCreds,
  type AuthenticationState,
  BufferJSON,
  initAuthCreds,
  proto,
  type SignalDataTypeMap,
} from '@whiskeysockets/baileys'
import type { JournalWrite, SignalKeyWrite, SignalStore } from '../bridge/storage/signal.ts'
import type { Clock } from '../core/clock.ts'
import { WhatsAppError } from '../core/errors.ts'
import type { SessionId } from '../core/ids.ts'
import { patiently } from './patience.ts'

/** Not one of Baileys' key types: journal rows travel through its transactions under this name (journal.ts). */
export const JOURNAL_KIND = 'inbox-journal'

type KeySet = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>

export interface SessionAuth {
  readonly state: AuthenticationState
  /** Saves the credentials as they are now. Resolves when they are durable. */
  saveCredentials(): Promise<void>
  /** Reads and writes Signal keys past any transaction that is open. */
  readThrough(kind: string, ids: readonly string[]): Promise<Record<string, unknown>>
  writeThrough(keys: KeySet): Promise<void>
  /** Runs a call of the store, again while the store is away. @throws {WhatsAppError} `WA_OFFLINE` after the end. */
  attempt<T>(call: () => Promise<T>): Promise<T>
  /**
   * Ends all writing. Resolves when what was under way is done, with credentials whose save did not come to its end:
   * hand them to the next {@link openAuth}, or a pairing is lost.
   */
  close(): Promise<string | undefined>
}

const toText = (value: unknown): string => JSON.stringify(value, BufferJSON.replacer)
const fromText = (text: string): unknown => JSON.parse(text, BufferJSON.reviver)

/** @param unsaved what the last `close` handed back. */
export async function openAuth(
  store: SignalStore,
  sessionId: SessionId,
  clock: Clock,
  unsaved?: string,
): Promise<SessionAuth> {
  if (unsaved !== undefined) await store.write(sessionId, { credentials: unsaved })
  const saved = await store.loadCredentials(sessionId)
  const creds = saved === undefined ? initAuthCreds() : (fromText(saved) as AuthenticationCreds) // written by us below

  const ending = new AbortController()
  const underWay = new Set<Promise<unknown>>()
  let saving = Promise.resolve()
  let owed: string | undefined

  const attempt = <T>(call: () => Promise<T>): Promise<T> => {
    const once = async (): Promise<T> => {
      if (ending.signal.aborted) throw ended(sessionId)
      return await call()
    }
    const work = patiently(once, { clock, signal: ending.signal })
    const settled = work.then(
      () => undefined,
      () => undefined,
    )
    underWay.add(settled)
    void settled.then(() => underWay.delete(settled))
    return work.then((result) => {
      if (ending.signal.aborted) throw ended(sessionId)
      return result
    })
  }

  const read = async (kind: string, ids: readonly string[]): Promise<Record<string, unknown>> => {
    const found = await attempt(() => store.read(sessionId, kind, ids))
    return Object.fromEntries([...found].map(([id, text]) => [id, revive(kind, fromText(text))]))
  }
  const write = async (keys: KeySet): Promise<void> => {
    const change = changeOf(keys)
    if (change.keys.length + change.journal.length === 0) return
    await attempt(() => store.write(sessionId, change))
  }

  return {
    state: {
      creds,
      keys: {
        get: async <T extends keyof SignalDataTypeMap>(kind: T, ids: string[]) =>
          (await read(kind, ids)) as { [id: string]: SignalDataTypeMap[T] }, // written by `set` below
        set: write,
      },
    },
    saveCredentials: () => {
      const credentials = toText(creds)
      owed = credentials
      const save = async (): Promise<void> => {
        await store.write(sessionId, { credentials })
        if (owed === credentials) owed = undefined
      }
      // The next save must not wait for ever behind one that failed.
      saving = saving.catch(() => undefined).then(() => attempt(save))
      return saving
    },
    readThrough: read,
    writeThrough: write,
    attempt,
    close: async () => {
      ending.abort(ended(sessionId))
      await Promise.all(underWay)
      return owed
    },
  }
}

const ended = (sessionId: SessionId): WhatsAppError =>
  new WhatsAppError('WA_OFFLINE', 'The connection to WhatsApp has ended', { details: { sessionId } })

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

/**
 * The store in one piece: picks the driver (connection string, else Supabase, else embedded), brings the schema up to
 * date where it can, and removes what has served its time once an hour.
 */
import type {
  ContactStore,
  InstallationStore,
  MessageStore,
  Outbox,
  SessionStore,
  SignalStore,
  WebhookEventStore,
} from '../bridge/storage.ts'
import { toBridgeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createContactStore } from './contacts.ts'
import type { Database } from './database.ts'
import { createInstallationStore } from './installations.ts'
import { createMessageStore } from './messages.ts'
import { createOutbox } from './outbox.ts'
import { openEmbedded } from './pglite.ts'
import { openPostgres } from './postgres.ts'
import { createSeal, type Seal } from './seal.ts'
import { createSessionStore } from './sessions.ts'
import { createSignalStore } from './signal.ts'
import { openSupabase } from './supabase.ts'
import { createWebhookEventStore } from './webhook-events.ts'

export interface StoreOptions {
  readonly databaseUrl?: string | undefined
  readonly supabase?: { readonly url: string; readonly serviceRoleKey: string } | undefined
  /** The embedded store's own folder; made when absent. Unused with a database. */
  readonly dataDir: string
  /** Base64 of 32 bytes each: the first seals, all open. */
  readonly encryptionKeys: readonly string[]
  readonly log: Log
}

export interface Store {
  readonly kind: 'embedded' | 'postgres' | 'supabase'
  readonly messages: MessageStore
  readonly contacts: ContactStore
  readonly outbox: Outbox
  readonly sessions: SessionStore
  readonly signal: SignalStore
  readonly installations: InstallationStore
  readonly webhookEvents: WebhookEventStore
  /** @throws {StoreError} `STORE_UNAVAILABLE`. */
  ping(): Promise<void>
  close(): Promise<void>
}

const PRUNE_EVERY_MS = 60 * 60_000
const PRUNE_BATCH = 5_000
/** WhatsApp delivers a stanza again for as long as it believes it unreceived; days are observed, a week is generous. */
const JOURNAL_KEPT_MS = 7 * 24 * 60 * 60_000
/** An emptied lane is likely to be used again soon. */
const LANE_KEPT_MS = 24 * 60 * 60_000

/** @throws {StoreError} `STORE_UNAVAILABLE`, `STORE_LOCKED`, `STORE_SCHEMA`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const seal = createSeal(options.encryptionKeys)
  const { kind, database } = await openDatabase(options)
  return assembleStore(kind, database, seal, options.log)
}

/** The store on a database that is open already. */
export function assembleStore(kind: Store['kind'], database: Database, seal: Seal, log: Log): Store {
  const deps = { database, seal }
  const pruning = setInterval(() => void prune(database, log), PRUNE_EVERY_MS)
  pruning.unref()
  return {
    kind,
    messages: createMessageStore(deps),
    contacts: createContactStore(deps),
    outbox: createOutbox(deps),
    sessions: createSessionStore(deps),
    signal: createSignalStore(deps),
    installations: createInstallationStore(deps),
    webhookEvents: createWebhookEventStore(deps),
    ping: async () => {
      await database.call('schema_version', {})
    },
    close: async () => {
      clearInterval(pruning)
      await database.close()
    },
  }
}

async function openDatabase(options: StoreOptions): Promise<{ kind: Store['kind']; database: Database }> {
  const { databaseUrl, supabase, dataDir, log } = options
  if (databaseUrl !== undefined) return { kind: 'postgres', database: await openPostgres(databaseUrl, log) }
  if (supabase !== undefined)
    return { kind: 'supabase', database: await openSupabase(supabase.url, supabase.serviceRoleKey) }
  return { kind: 'embedded', database: await openEmbedded(dataDir, log) }
}

async function prune(database: Database, log: Log): Promise<void> {
  try {
    await database.call('prune', { batch: PRUNE_BATCH, journalMs: JOURNAL_KEPT_MS, laneMs: LANE_KEPT_MS })
  } catch (thrown) {
    log.warn({ errorCode: toBridgeError(thrown).code }, 'could not prune the store')
  }
}

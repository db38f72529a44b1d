/**
 * The store in one piece: picks the driver (connection string, else Supabase, else embedded) and brings the schema up to
 * date where it can.
 */

import type { AuditStore } from '../bridge/audit.ts'
import type { CallLogStore } from '../bridge/call-logs.ts'
import type { EvidenceStore } from '../bridge/evidence.ts'
import type { GroupStore } from '../bridge/groups.ts'
import type { HistoryStore } from '../bridge/history-import.ts'
import type { InstallationStore, WebhookEventStore } from '../bridge/installations.ts'
import type { ServiceKeyStore } from '../bridge/service-keys.ts'

import type { StatsStore } from '../bridge/stats.ts'
import type { ContactStore } from '../bridge/storage/contacts.ts'
import type { Fences, LeaseStore } from '../bridge/storage/leases.ts'
import type { MessageStore } from '../bridge/storage/messages.ts'
import type { Outbox } from '../bridge/storage/outbox.ts'
import type { SessionStore } from '../bridge/storage/sessions.ts'
import type { SettingsStore } from '../bridge/storage/settings.ts'
import type { SignalStore } from '../bridge/storage/signal.ts'

import type { SyncStore } from '../bridge/syncs.ts'
import { toBridgeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { createAuditStore } from './audit.ts'
import { createCallLogStore } from './call-logs.ts'
import { createContactStore } from './contacts.ts'
import type { Announcement, Database } from './database.ts'
import { createEvidenceStore } from './evidence.ts'
import { createGroupStore } from './groups.ts'
import { createHistoryStore } from './history.ts'
import { createInstallationStore } from './installations.ts'
import { createLeaseStore, FenceBook, fencedDatabase } from './leases.ts'
import { createMessageStore } from './messages.ts'
import { createOutbox } from './outbox.ts'
import { openEmbedded } from './pglite.ts'
import { openPostgres } from './postgres.ts'
import { createSeal, type Seal } from './seal.ts'
import { createServiceKeyStore } from './service-keys.ts'
import { createSessionStore } from './sessions.ts'
import { createSettingsStore } from './settings.ts'
import { createSignalStore } from './signal.ts'
import { createStatsStore } from './stats.ts'
import { openSupabase } from './supabase.ts'
import { createSyncStore } from './syncs.ts'
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
  readonly history: HistoryStore
  readonly groups: GroupStore
  readonly contacts: ContactStore
  readonly outbox: Outbox
  readonly sessions: SessionStore
  readonly settings: SettingsStore
  readonly signal: SignalStore
  readonly installations: InstallationStore
  readonly webhookEvents: WebhookEventStore
  readonly syncs: SyncStore
  readonly serviceKeys: ServiceKeyStore
  readonly audit: AuditStore
  readonly callLogs: CallLogStore
  readonly stats: StatsStore
  readonly evidence: EvidenceStore
  readonly leases: LeaseStore
  readonly fences: Fences
  /** Calls back with what any node announces: a hint that there may be work, never a promise. */
  listen(listener: (announcement: Announcement) => void): Promise<void>
  /** What runs on one node only, now and then. */
  prune(): Promise<void>
  /** @throws {StoreError} `STORE_UNAVAILABLE`. */
  ping(): Promise<void>
  close(): Promise<void>
}

const PRUNE_BATCH = 5_000
/** WhatsApp delivers a stanza again for as long as it believes it unreceived; days are observed, a week is generous. */
const JOURNAL_KEPT_MS = 7 * 24 * 60 * 60_000
/** An emptied lane is likely to be used again soon. */
const LANE_KEPT_MS = 24 * 60 * 60_000
/** Long enough for a quarterly review. */
const AUDIT_KEPT_MS = 90 * 24 * 60 * 60_000

/** @throws {StoreError} `STORE_UNAVAILABLE`, `STORE_LOCKED`, `STORE_SCHEMA`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const seal = createSeal(options.encryptionKeys)
  const { kind, database } = await openDatabase(options)
  const fences = new FenceBook()
  return assembleStore(kind, { database, owned: fencedDatabase(database, fences), fences, seal }, options.log)
}

export interface StoreParts {
  readonly database: Database
  /** For writes that only a session's owner may make. */
  readonly owned: Database
  readonly fences: FenceBook
  readonly seal: Seal
}

/** The store on a database that is open already. */
export function assembleStore(kind: Store['kind'], parts: StoreParts, log: Log): Store {
  const { database, fences } = parts
  return {
    kind,
    messages: createMessageStore(parts),
    history: createHistoryStore(parts),
    groups: createGroupStore(parts),
    contacts: createContactStore(parts),
    outbox: createOutbox(parts),
    sessions: createSessionStore(parts),
    settings: createSettingsStore(parts),
    signal: createSignalStore(parts),
    installations: createInstallationStore(parts),
    webhookEvents: createWebhookEventStore(parts),
    syncs: createSyncStore(parts),
    serviceKeys: createServiceKeyStore(parts),
    audit: createAuditStore(parts),
    callLogs: createCallLogStore(parts),
    stats: createStatsStore(database),
    evidence: createEvidenceStore(parts),
    leases: createLeaseStore(parts),
    fences,
    listen: (listener) => database.listen(listener),
    prune: () => prune(database, log),
    ping: async () => {
      await database.call('schema_version', {})
    },
    close: () => database.close(),
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
    await database.call('prune_audit', { batch: PRUNE_BATCH, keptMs: AUDIT_KEPT_MS })
  } catch (thrown) {
    log.warn({ errorCode: toBridgeError(thrown).code }, 'could not prune the store')
  }
}

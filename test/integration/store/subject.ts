/** What the contract suite is run against, and short ways to make ids, messages and rows. */
import { randomBytes } from 'node:crypto'
import {
  type ChatJid,
  type ContactId,
  type LocationId,
  parseContactId,
  parseGhlContactId,
  parseGhlConversationId,
  parseGhlMessageId,
  parseLocationId,
  parseMessageId,
  parseSessionId,
  parseWaMessageId,
  type WaMessageId,
} from '../../../src/core/ids.ts'
import type { AgentMessage, Envelope } from '../../../src/core/message.ts'
import type { Database } from '../../../src/store/database.ts'
import { FenceBook } from '../../../src/store/leases.ts'
import { assembleStore, type Store } from '../../../src/store/open-store.ts'
import { createSeal } from '../../../src/store/seal.ts'
import { silentLog } from '../../support/silent-log.ts'

export const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString('base64')
/** Longer than any test runs. */
export const LEASE_MS = 600_000

export interface Subject {
  readonly store: Store
  readonly database: Database
  /** Any SQL, to move rows in time or break things. */
  run(sql: string): Promise<void>
  rows<T>(sql: string): Promise<readonly T[]>
}

export function subjectOf(kind: Store['kind'], database: Database, encryptionKey = ENCRYPTION_KEY): Subject {
  return {
    store: assembleStore(
      kind,
      { database, owned: database, fences: new FenceBook(), seal: createSeal([encryptionKey]) },
      silentLog,
    ),
    database,
    run: async (sql) => {
      await database.call('test_sql', { run: sql })
    },
    rows: async <T>(sql: string) => (await database.call('test_sql', { rows: sql })) as readonly T[], // the test knows its own query
  }
}

const unique = () => randomBytes(8).toString('hex')

/** A location with one ready number, of its own for each test. */
export async function freshPlace({ store }: Subject) {
  const locationId = parseLocationId(`loc-${unique()}`)
  const sessionId = parseSessionId(`ses-${unique()}`)
  await store.sessions.create({ sessionId, locationId })
  return { locationId, sessionId }
}

export type Place = Awaited<ReturnType<typeof freshPlace>>

/** The app is installed there, and GHL has said its name. */
export async function nameLocation({ run }: Subject, locationId: LocationId, name: string): Promise<void> {
  await run(`insert into bridge.ghl_accounts
    (id, location_id, user_type, status, scopes, location_name, access_token, refresh_token, token_expires_at)
    values ('inst-${locationId}', '${locationId}', 'Location', 'active', '', '${name}', 'a', 'r', now())`)
}

/** A person whom nobody has met yet, in both forms. */
export function freshPerson() {
  const digits = String(BigInt(`0x${unique()}`)).slice(0, 14)
  const lid: ChatJid = `9${digits}@lid`
  const pn: ChatJid = `1${digits}@s.whatsapp.net`
  return { lid, pn }
}

export const waId = (): WaMessageId => parseWaMessageId(unique().toUpperCase())
export const ghlMessageId = () => parseGhlMessageId(`gm-${unique()}`)
export const ghlContactId = () => parseGhlContactId(`gc-${unique()}`)
export const ghlConversationId = () => parseGhlConversationId(`gv-${unique()}`)
export const messageIdOf = (job: { subject: string }) => parseMessageId(job.subject)
export const contactIdOf = (id: string): ContactId => parseContactId(id)

export function envelope(place: Place, chat: ChatJid, change: Partial<Envelope> = {}): Envelope {
  return {
    ...place,
    waMessageId: waId(),
    chat,
    author: chat,
    fromMe: false,
    pushName: 'Ana',
    sentAt: new Date('2026-11-20T10:00:00Z'),
    content: { kind: 'text', text: 'hello' },
    ...change,
  }
}

export function agentMessage(place: Place, change: Partial<AgentMessage> = {}): AgentMessage {
  return {
    locationId: place.locationId,
    ghlMessageId: ghlMessageId(),
    ghlContactId: ghlContactId(),
    ghlConversationId: ghlConversationId(),
    phone: '+15550001111',
    text: 'hi there',
    attachments: [],
    ...change,
  }
}

/** One part of text per given text, each under a WhatsApp id of its own. */
export const partsOf = (...texts: readonly string[]) =>
  texts.map((text) => ({ part: { kind: 'text', text } as const, waMessageId: waId() }))

export const uncertain = { code: 'GHL_TIMEOUT', message: 'no answer', mayHaveHappened: true }
export const harmless = { code: 'GHL_UNAVAILABLE', message: 'refused', mayHaveHappened: false }

/** Ends the leases of all lanes, as time would. */
export async function expireLeases({ run }: Subject): Promise<void> {
  await run(`
    update bridge.lanes set ready_at = clock_timestamp() - interval '1 second' where state = 'leased';
    update bridge.jobs set leased_until = clock_timestamp() - interval '1 second' where token is not null`)
}

/** Ends every wait of parked and backing-off lanes, as time would. */
export async function expireWaits({ run }: Subject): Promise<void> {
  await run(`
    update bridge.lanes set ready_at = clock_timestamp() - interval '1 second' where state in ('parked', 'backoff')`)
}

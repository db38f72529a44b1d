/**
 * Supabase by URL and key: only `rpc()`, one call is one transaction. It cannot change the schema, so a start on an old
 * one is refused with the files to paste.
 */
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { z } from 'zod'
import { StoreError } from '../core/errors.ts'
import { type Announcement, type Database, repeatRolledBack, storeErrorOf, toJson } from './database.ts'
import { assertProgramIsNewEnough, type Migration, readMigrations } from './migrate.ts'

/** Supabase ends API calls of ours after 8 s at the latest. */
const ANSWER_TIMEOUT_MS = 15_000
/** PostgREST: no such function in the schema it has loaded. */
const FUNCTION_MISSING = new Set(['PGRST202', '42883'])
/** PostgREST cannot reach its database, or has not loaded the schema yet. */
const POSTGREST_PASSING = /^PGRST00[0-3]$/

/** @throws {StoreError} `STORE_SCHEMA` naming what to paste, `STORE_UNAVAILABLE`, `STORE_REJECTED` for a bad key. */
export async function openSupabase(url: string, serviceRoleKey: string): Promise<Database> {
  const client = createClient(url, serviceRoleKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: {
      fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) }),
    },
  })
  const database: Database = {
    call: (fn, args) => repeatRolledBack(() => callFunction(client, fn, args)),
    listen: (listener) => {
      subscribe(client, listener)
      return Promise.resolve()
    },
    close: () => client.removeAllChannels().then(() => undefined),
  }
  await assertSchema(database)
  return database
}

/** Realtime carries what `bridge.announce` sends; a project without it is found by the poll. */
function subscribe(client: SupabaseClient, listener: (announcement: Announcement) => void): void {
  client
    .channel('bridge', { config: { private: true } })
    .on('broadcast', { event: '*' }, ({ event, payload }) => {
      const { subject } = Announced.parse(payload)
      listener({ topic: event, subject })
    })
    .subscribe()
}

const Announced = z.object({ subject: z.string() })

async function callFunction(client: SupabaseClient, fn: string, args: object): Promise<unknown> {
  const body = { args: JSON.parse(toJson(args)) as object } // an object in, an object out
  const answer = await client.rpc(`bridge_${fn}`, body)
  if (answer.error === null) return answer.data
  const { error, status } = answer
  const isKeyRefused = status === 401 || error.code === '42501'
  if (isKeyRefused) {
    throw new StoreError('STORE_REJECTED', 'Supabase refused the key', {
      action: 'Set SUPABASE_SERVICE_ROLE_KEY to the service role (or secret) key of this project.',
      details: { fn, status },
    })
  }
  const sqlState = error.code === '' || POSTGREST_PASSING.test(error.code) ? undefined : error.code
  throw storeErrorOf(fn, { sqlState, reason: error.message })
}

async function assertSchema(database: Database): Promise<void> {
  const migrations = await readMigrations()
  const { version, oldestProgram } = await readVersion(database)
  assertProgramIsNewEnough(oldestProgram, migrations)
  const missing = migrations.filter((migration) => migration.version > version)
  if (missing.length > 0) throw schemaMissing(missing)
}

const Version = z.object({ version: z.number(), oldestProgram: z.number() })

async function readVersion(database: Database): Promise<z.output<typeof Version>> {
  try {
    return Version.parse(await database.call('schema_version', {}))
  } catch (thrown) {
    const isMissing = thrown instanceof StoreError && FUNCTION_MISSING.has(String(thrown.details['sqlState']))
    if (isMissing) return { version: 0, oldestProgram: 0 }
    throw thrown
  }
}

function schemaMissing(missing: readonly Migration[]): StoreError {
  const files = missing.map(({ name }) => `sql/${name}.sql`).join(', ')
  return new StoreError('STORE_SCHEMA', 'The Supabase project does not have the schema of this program', {
    action:
      `Paste these files into the SQL editor, in this order, and start again: ${files}. ` +
      '(`npm run migrate` prints them; with DATABASE_URL set it applies them.)',
    details: { files },
  })
}

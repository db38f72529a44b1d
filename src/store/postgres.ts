/**
 * Postgres by connection string. Uses no session features but LISTEN (no named statements, no session locks), so a pooler
 * in any mode will do; without LISTEN work is found by the poll.
 */
import pg from 'pg'
import { StoreError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import {
  type Announcement,
  type Database,
  parseAnnouncement,
  repeatRolledBack,
  storeErrorOf,
  toJson,
} from './database.ts'
import { migrate, readMigrations } from './migrate.ts'

const CONNECT_TIMEOUT_MS = 10_000

export interface PostgresPatience {
  readonly connectTimeoutMs: number
  readonly answerTimeoutMs: number
}

/** Our functions take milliseconds; an answer later than this will not come. */
const PATIENCE: PostgresPatience = { connectTimeoutMs: CONNECT_TIMEOUT_MS, answerTimeoutMs: 30_000 }
const LISTEN_RETRY_MS = 2_000
/** Connections per node. Calls take about a millisecond, so a few carry thousands a second. */
const POOL_SIZE = 10

/**
 * Connects and applies missing migrations.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`, `STORE_SCHEMA`.
 */
export async function openPostgres(
  databaseUrl: string,
  log: Log,
  patience: PostgresPatience = PATIENCE,
): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: POOL_SIZE,
    connectionTimeoutMillis: patience.connectTimeoutMs,
    query_timeout: patience.answerTimeoutMs,
    keepAlive: true,
    application_name: 'ghl-whatsapp-bridge',
  })
  // An idle connection broke; the next call gets a new one.
  pool.on('error', (error) => {
    log.warn({ reason: error.message }, 'a database connection was lost')
  })
  try {
    await applyMigrations(pool, log)
  } catch (thrown) {
    await pool.end()
    throw thrown
  }
  const ear = new Ear(databaseUrl, log)
  return {
    call: (fn, args) => repeatRolledBack(() => callFunction(pool, fn, args)),
    listen: (listener) => ear.open(listener),
    close: async () => {
      await ear.close()
      await pool.end()
    },
  }
}

/**
 * One connection that listens. Behind a pooler in transaction mode it hears nothing, and while it is away it hears
 * nothing either: the poll of the worker is behind it.
 */
class Ear {
  readonly #databaseUrl: string
  readonly #log: Log
  #client: pg.Client | undefined
  #retry: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(databaseUrl: string, log: Log) {
    this.#databaseUrl = databaseUrl
    this.#log = log
  }

  async open(listener: (announcement: Announcement) => void): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#databaseUrl,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      keepAlive: true,
    })
    this.#client = client
    client.on('notification', ({ payload }) => {
      listener(parseAnnouncement(payload ?? ''))
    })
    client.on('error', () => undefined) // 'end' follows
    client.on('end', () => {
      if (this.#client === client) this.#again(listener)
    })
    try {
      await client.connect()
      await client.query('listen bridge')
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      this.#log.warn({ reason }, 'cannot listen to the database; polling goes on')
      this.#again(listener)
    }
  }

  #again(listener: (announcement: Announcement) => void): void {
    if (this.#isClosed || this.#retry !== undefined) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.open(listener)
    }, LISTEN_RETRY_MS)
    this.#retry.unref()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    const client = this.#client
    this.#client = undefined
    // It may be broken already; it is gone in any case.
    await client?.end().catch(() => undefined)
  }
}

/** Brings the database at this address to the schema of this program. @returns the names of the applied files. */
export async function migratePostgres(databaseUrl: string, log: Log): Promise<readonly string[]> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: 1,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  })
  try {
    return await applyMigrations(pool, log)
  } finally {
    await pool.end()
  }
}

async function applyMigrations(pool: pg.Pool, log: Log): Promise<readonly string[]> {
  const client = await connect(pool, 'migrate')
  try {
    const applied = await migrate(
      {
        exec: (sql) => client.query(sql),
        query: async (sql, params) => (await client.query<object>(sql, params && [...params])).rows,
      },
      await readMigrations(),
    )
    client.release()
    if (applied.length > 0) log.info({ applied }, 'database schema brought up to date')
    return applied
  } catch (thrown) {
    client.release(true)
    throw thrown instanceof StoreError ? thrown : errorOf('migrate', thrown)
  }
}

async function callFunction(pool: pg.Pool, fn: string, args: object): Promise<unknown> {
  const client = await connect(pool, fn)
  try {
    const result = await client.query<{ value: unknown }>(`select bridge.${fn}($1::jsonb) as value`, [
      toJson(args),
    ])
    client.release()
    return result.rows[0]?.value ?? null
  } catch (thrown) {
    const error = errorOf(fn, thrown)
    // Without an answer the connection's state is unknown: a late answer must not meet the next call.
    client.release(error.certainty === 'unknown')
    throw error
  }
}

async function connect(pool: pg.Pool, fn: string): Promise<pg.PoolClient> {
  try {
    return await pool.connect()
  } catch (thrown) {
    const sqlState = sqlStateOf(thrown)
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw storeErrorOf(fn, { sqlState, reason, certainty: 'not_sent' })
  }
}

function errorOf(fn: string, thrown: unknown): StoreError {
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return storeErrorOf(fn, { sqlState: sqlStateOf(thrown), reason })
}

const sqlStateOf = (thrown: unknown): string | undefined =>
  thrown instanceof pg.DatabaseError ? thrown.code : undefined

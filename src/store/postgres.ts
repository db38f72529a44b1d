/**
 * Postgres by connection string. Uses no session features (no named statements, no session locks), so a pooler in any
 * mode will do.
 */
import pg from 'pg'
import { StoreError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { type Database, repeatRolledBack, storeErrorOf, toJson } from './database.ts'
import { migrate, readMigrations } from './migrate.ts'

const CONNECT_TIMEOUT_MS = 10_000
/** Our functions take milliseconds; an answer this late will not come. */
const ANSWER_TIMEOUT_MS = 30_000
/** Connections per node. Calls take about a millisecond, so a few carry thousands a second. */
const POOL_SIZE = 10

/**
 * Connects and applies missing migrations.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`, `STORE_SCHEMA`.
 */
export async function openPostgres(databaseUrl: string, log: Log): Promise<Database> {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
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
  return {
    call: (fn, args) => repeatRolledBack(() => callFunction(pool, fn, args)),
    close: () => pool.end(),
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

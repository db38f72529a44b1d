/**
 * The embedded database's own thread: PGlite computes synchronously and would stop the loop that WhatsApp's sockets share.
 *
 * Single-user Postgres has neither autovacuum nor timed checkpoints, so both are done here: without them the lanes' dead
 * rows and the write-ahead log grow without bound.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { StoreError } from '../core/errors.ts'
import { migrate, type SqlSession } from './migrate.ts'
import type { FromWorker, ToWorker, WorkerInput } from './pglite-protocol.ts'

/** Tables whose rows change often. */
const HOT_TABLES = ['lanes', 'jobs', 'messages', 'contacts', 'session_keys', 'session_credentials', 'journal']
const UPKEEP_EVERY_MS = 60_000
/** A vacuum of everything hot costs some 10 ms; below this many calls there is nothing to gather. */
const UPKEEP_AFTER_CALLS = 1_000

// The default buffers of 128 MB would be most of the process; the log is recycled at 64 MB.
const SETTINGS = ['-c', 'shared_buffers=16MB', '-c', 'max_wal_size=64MB']

const port = parentPort
if (port === null) throw new Error('pglite-worker.ts runs as a worker thread only')
const say = (message: FromWorker) => {
  port.postMessage(message)
}
const input = workerData as WorkerInput // pglite.ts starts us, nobody else
let callsSinceUpkeep = 0

const pg = await open()
const upkeep = setInterval(() => void keepUp(), UPKEEP_EVERY_MS)
port.on('message', (message: ToWorker) => {
  if (message.kind === 'call') void answer(message)
  else void close()
})

async function open(): Promise<PGlite> {
  try {
    const opened = await PGlite.create({
      dataDir: input.pgDataDir,
      startParams: [...PGlite.defaultStartParams, ...SETTINGS],
    })
    const applied = await migrate(sessionOf(opened), input.migrations)
    await opened.listen('bridge', (text) => {
      say({ kind: 'announced', text })
    })
    say({ kind: 'ready', applied })
    return opened
  } catch (thrown) {
    const isSchema = thrown instanceof StoreError
    say({
      kind: 'unusable',
      isSchema,
      message: thrown instanceof Error ? thrown.message : String(thrown),
      action: isSchema ? thrown.action : undefined,
    })
    throw thrown
  }
}

function sessionOf(opened: PGlite): SqlSession {
  return {
    exec: (sql) => opened.exec(sql),
    query: async (sql, params) => (await opened.query(sql, params && [...params])).rows,
  }
}

async function answer({ id, fn, args }: ToWorker & { kind: 'call' }): Promise<void> {
  try {
    const result = await pg.query<{ value: string | null }>(
      `select bridge.${fn}($1::text::jsonb)::text as value`,
      [args],
    )
    callsSinceUpkeep++
    say({ kind: 'answer', id, value: result.rows[0]?.value ?? null })
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    say({
      kind: 'refusal',
      id,
      sqlState: typeof code === 'string' ? code : undefined,
      reason: thrown instanceof Error ? thrown.message : String(thrown),
    })
  }
}

/** Each its own statement: calls that wait go in between. */
async function keepUp(): Promise<void> {
  if (callsSinceUpkeep < UPKEEP_AFTER_CALLS) return
  callsSinceUpkeep = 0
  try {
    for (const table of HOT_TABLES) await pg.exec(`vacuum (analyze) bridge.${table}`)
    await pg.exec('checkpoint')
  } catch (thrown) {
    say({ kind: 'upkeep_failed', reason: thrown instanceof Error ? thrown.message : String(thrown) })
  }
}

async function close(): Promise<void> {
  clearInterval(upkeep)
  await pg.close()
  port?.close()
}

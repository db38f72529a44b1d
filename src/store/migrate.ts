/**
 * Brings a database to the schema of this program: forward only, one transaction per file of sql/.
 *
 * The advisory lock is taken before anything else, and the versions are read under it: two programs that start together
 * would otherwise race on the first statement. Each file records its own version, so that the Supabase CLI and pasting
 * leave the same mark; the checksum is added here and guards against a file that was edited after it was applied.
 * Everything happens inside transactions, so a pooler in transaction mode will do.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { StoreError } from '../core/errors.ts'

/** One connection that runs statements in the order given. */
export interface SqlSession {
  /** Several statements in one text, without parameters. */
  exec(sql: string): Promise<unknown>
  query(sql: string, params?: readonly unknown[]): Promise<readonly unknown[]>
}

export interface Migration {
  readonly version: number
  /** File name without extension. */
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

const SQL_FOLDER = new URL('../../sql/', import.meta.url)
/** Any number that no other program uses for its advisory locks: "bridge" on a phone's keypad. */
const LOCK_KEY = 274_343

export async function readMigrations(): Promise<readonly Migration[]> {
  const files = (await readdir(SQL_FOLDER)).filter((file) => /^\d{4}_\w+\.sql$/.test(file)).sort()
  return await Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, SQL_FOLDER), 'utf8')
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex')
      return { version: Number(file.slice(0, 4)), name: file.slice(0, -'.sql'.length), sql, checksum }
    }),
  )
}

const AppliedRow = z.object({
  version: z.number(),
  name: z.string(),
  checksum: z.string().nullable(),
  oldest_program: z.number(),
})
type Applied = z.output<typeof AppliedRow>

/**
 * Applies what is missing. Safe to run any number of times and from many programs at once.
 *
 * @returns the names of the files that were applied.
 * @throws {StoreError} `STORE_SCHEMA` when a file fails, was edited after it was applied, or the database is too new.
 */
export async function migrate(
  session: SqlSession,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const names: string[] = []
  for (;;) {
    const applied = await applyNext(session, migrations)
    if (applied === undefined) return names
    if (names.includes(applied))
      throw new StoreError('STORE_SCHEMA', `sql/${applied}.sql records no version`, {
        action: 'End it with bridge.finish_migration, as the other files do.',
      })
    names.push(applied)
  }
}

async function applyNext(session: SqlSession, migrations: readonly Migration[]): Promise<string | undefined> {
  await session.exec('begin')
  try {
    await session.query('select pg_advisory_xact_lock($1)', [LOCK_KEY])
    const applied = await readApplied(session)
    assertCompatible(applied, migrations)
    await addChecksums(session, applied, migrations)
    const next = migrations.find(({ version }) => !applied.some((row) => row.version === version))
    if (next !== undefined) await applyFile(session, next)
    await session.exec('commit')
    return next?.name
  } catch (thrown) {
    await session.exec('rollback').catch(() => undefined) // the connection may be gone; then so is the transaction
    throw thrown
  }
}

async function readApplied(session: SqlSession): Promise<readonly Applied[]> {
  const [found] = await session.query(`select to_regclass('bridge.schema_versions') is not null as "exists"`)
  if (!z.object({ exists: z.boolean() }).parse(found).exists) return []
  const rows = await session.query(
    'select version, name, checksum, oldest_program from bridge.schema_versions order by version',
  )
  return rows.map((row) => AppliedRow.parse(row))
}

function assertCompatible(applied: readonly Applied[], migrations: readonly Migration[]): void {
  assertProgramIsNewEnough(Math.max(0, ...applied.map((row) => row.oldest_program)), migrations)
  for (const row of applied) {
    const ours = migrations.find(({ version }) => version === row.version)
    if (ours === undefined || row.checksum === null || row.checksum === ours.checksum) continue
    throw new StoreError('STORE_SCHEMA', `sql/${ours.name}.sql was changed after it was applied`, {
      action: 'Restore the file as it was released; changes to the schema go into a new file.',
      details: { version: row.version },
    })
  }
}

/** @throws {StoreError} `STORE_SCHEMA`: a newer program has changed the schema beyond what this one can work with. */
export function assertProgramIsNewEnough(oldestProgram: number, migrations: readonly Migration[]): void {
  const ours = migrations.at(-1)?.version ?? 0
  if (oldestProgram <= ours) return
  throw new StoreError('STORE_SCHEMA', 'The database has the schema of a newer version of this program', {
    action: 'Start the newer version; migrations only go forward.',
    details: { oldestProgram, ours },
  })
}

/** Files that were pasted or applied by the Supabase CLI have none yet. */
async function addChecksums(
  session: SqlSession,
  applied: readonly Applied[],
  migrations: readonly Migration[],
): Promise<void> {
  for (const row of applied.filter(({ checksum }) => checksum === null)) {
    const ours = migrations.find(({ version }) => version === row.version)
    if (ours !== undefined) await writeChecksum(session, ours)
  }
}

async function applyFile(session: SqlSession, migration: Migration): Promise<void> {
  try {
    await session.exec(migration.sql)
  } catch (thrown) {
    throw new StoreError(
      'STORE_SCHEMA',
      `sql/${migration.name}.sql could not be applied; nothing was changed`,
      {
        cause: thrown,
        action: 'Check that the database user may create schemas and functions, then start again.',
        details: { reason: thrown instanceof Error ? thrown.message : String(thrown) },
      },
    )
  }
  await writeChecksum(session, migration)
}

async function writeChecksum(session: SqlSession, { version, checksum }: Migration): Promise<void> {
  await session.query('update bridge.schema_versions set checksum = $2 where version = $1', [
    version,
    checksum,
  ])
}

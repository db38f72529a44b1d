/**
 * The embedded store: PGlite (Postgres in WebAssembly) in a worker thread, for one process and no set-up.
 *
 * Survives kill -9, because the operating system still holds what was written. Does not survive a power cut without loss:
 * nothing is ever forced to disk. Its folder belongs to one minor version of PGlite, so the version is written into it.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { InvariantError, StoreError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import {
  type Announcement,
  type Database,
  parseAnnouncement,
  repeatRolledBack,
  storeErrorOf,
  toJson,
} from './database.ts'
import { lockDirectory } from './directory-lock.ts'
import { readMigrations } from './migrate.ts'
import type { FromWorker, ToWorker, WorkerInput } from './pglite-protocol.ts'

const VERSION_FILE = 'pglite-version'
const PG_DATA = 'pgdata'

/**
 * Opens (or makes) the store in `dir`.
 *
 * @throws {StoreError} `STORE_LOCKED`, `STORE_SCHEMA` (folder of another PGlite version, or a migration failed),
 * `STORE_UNAVAILABLE` when the database does not start.
 */
export async function openEmbedded(dir: string, log: Log): Promise<Database> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const lock = await lockDirectory(dir)
  try {
    await claimVersion(dir)
    const input = { pgDataDir: join(dir, PG_DATA), migrations: await readMigrations(), log }
    // Making a database takes some 400 MB that only end with the thread; so it is made in one that ends.
    if (!existsSync(join(input.pgDataDir, 'PG_VERSION'))) await (await EmbeddedDatabase.start(input)).close()
    const thread = await EmbeddedDatabase.start(input)
    return {
      call: (fn, args) => repeatRolledBack(() => thread.call(fn, args)),
      listen: (listener) => {
        thread.listen(listener)
        return Promise.resolve()
      },
      close: async () => {
        await thread.close()
        await lock.release()
      },
    }
  } catch (thrown) {
    await lock.release()
    throw thrown
  }
}

/** Written before the first start, so that even a folder that was cut short says what made it. */
async function claimVersion(dir: string): Promise<void> {
  const ours = await programVersion()
  const path = join(dir, VERSION_FILE)
  const written = await readFile(path, 'utf8').catch(() => undefined)
  if (written === undefined) await writeFile(path, `${ours}\n`)
  else if (minorOf(written) !== minorOf(ours)) {
    throw new StoreError(
      'STORE_SCHEMA',
      `The embedded store was made by PGlite ${written.trim()}; this is ${ours}`,
      {
        action:
          'Start the version of the bridge that made it, or move the store folder away and pair every number again.',
      },
    )
  }
}

async function programVersion(): Promise<string> {
  const path = findPackageJSON('@electric-sql/pglite', import.meta.url)
  if (path === undefined) throw new InvariantError('PGlite is installed without its package.json')
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(path, 'utf8'))).version
}

/** 0.5.16 -> 0.5: what decides the format of the folder. */
const minorOf = (version: string): string => version.trim().split('.').slice(0, 2).join('.')

interface Pending {
  readonly fn: string
  readonly resolve: (value: unknown) => void
  readonly reject: (error: StoreError) => void
}

class EmbeddedDatabase {
  readonly #worker: Worker
  readonly #log: Log
  readonly #pending = new Map<number, Pending>()
  readonly #exited: Promise<void>
  #listener: (announcement: Announcement) => void = () => undefined
  #nextId = 1
  #isOpen = true

  private constructor(worker: Worker, log: Log) {
    this.#worker = worker
    this.#log = log
    this.#exited = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#giveUp()
        resolve()
      })
    })
    worker.on('error', (error: unknown) => {
      log.fatal({ err: error }, 'the embedded database stopped; restart the bridge')
    })
    worker.on('message', (message: FromWorker) => {
      this.#hear(message)
    })
  }

  static async start({ log, ...input }: WorkerInput & { log: Log }): Promise<EmbeddedDatabase> {
    const worker = new Worker(new URL('./pglite-worker.ts', import.meta.url), { workerData: input })
    const started = Promise.withResolvers<void>()
    const onMessage = (message: FromWorker) => {
      if (message.kind === 'ready') started.resolve()
      if (message.kind === 'unusable') started.reject(startError(message))
    }
    const onFailure = (thrown: unknown) => {
      const reason = thrown instanceof Error ? thrown.message : `exit code ${String(thrown)}`
      started.reject(startError({ kind: 'unusable', isSchema: false, message: reason, action: undefined }))
    }
    worker.on('message', onMessage)
    worker.on('error', onFailure)
    worker.on('exit', onFailure)
    try {
      await started.promise
    } catch (thrown) {
      await worker.terminate()
      throw thrown
    }
    worker.off('message', onMessage)
    worker.off('error', onFailure)
    worker.off('exit', onFailure)
    return new EmbeddedDatabase(worker, log)
  }

  listen(listener: (announcement: Announcement) => void): void {
    this.#listener = listener
  }

  async call(fn: string, args: object): Promise<unknown> {
    if (!this.#isOpen)
      throw storeErrorOf(fn, { sqlState: undefined, reason: 'closed', certainty: 'not_sent' })
    const id = this.#nextId++
    const answered = new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { fn, resolve, reject })
    })
    this.#tell({ kind: 'call', id, fn, args: toJson(args) })
    return await answered
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#tell({ kind: 'close' })
    this.#isOpen = false
    await this.#exited
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'answer':
        this.#take(message.id)?.resolve(message.value === null ? null : JSON.parse(message.value))
        return
      case 'refusal': {
        const pending = this.#take(message.id)
        pending?.reject(storeErrorOf(pending.fn, message))
        return
      }
      case 'announced':
        this.#listener(parseAnnouncement(message.text))
        return
      case 'upkeep_failed':
        this.#log.warn({ reason: message.reason }, 'vacuum or checkpoint of the embedded database failed')
        return
      case 'ready':
      case 'unusable':
        return
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  /** The thread is gone: what it was asked may have been done. */
  #giveUp(): void {
    this.#isOpen = false
    for (const { fn, reject } of this.#pending.values())
      reject(storeErrorOf(fn, { sqlState: undefined, reason: 'the database thread stopped' }))
    this.#pending.clear()
  }
}

function startError(message: FromWorker & { kind: 'unusable' }): StoreError {
  if (message.isSchema) {
    return new StoreError('STORE_SCHEMA', message.message, message.action ? { action: message.action } : {})
  }
  return new StoreError('STORE_UNAVAILABLE', 'The embedded database does not start', {
    action: 'Look at the reason; if the folder is damaged, restore a copy or move it away and pair again.',
    details: { reason: message.message },
  })
}

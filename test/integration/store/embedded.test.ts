import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseLocationId } from '../../../src/core/ids.ts'
import { lockDirectory } from '../../../src/store/directory-lock.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { type EmbeddedFolder, freshEmbeddedStore } from '../../support/embedded-store.ts'
import { silentLog } from '../../support/silent-log.ts'
import { ENCRYPTION_KEY } from './subject.ts'

describe('the embedded store on disk', () => {
  let folder: EmbeddedFolder
  const children: ChildProcess[] = []
  beforeEach(async () => {
    folder = await freshEmbeddedStore()
  })
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
    await folder.remove()
  })
  const open = () => openStore({ dataDir: folder.dir, encryptionKeys: [ENCRYPTION_KEY], log: silentLog })

  /** A process that has the store open and writes to it. */
  function startWriter(prefix: string) {
    const program = join(import.meta.dirname, '../../support/store-process.ts')
    const child = spawn(process.execPath, ['--liftoff-only', program, folder.dir, prefix], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    children.push(child)
    return child
  }

  it('keeps everything it acknowledged through kill -9, and nothing twice', async () => {
    const acknowledged: string[] = []
    for (const [round, killAfter] of [40, 150].entries()) {
      const child = startWriter(`K${round}N`)
      const lines = createInterface({ input: child.stdout })
      let count = 0
      for await (const line of lines) {
        if (line !== 'open') acknowledged.push(line)
        if (++count === killAfter) child.kill('SIGKILL')
      }
    }
    const store = await open()
    const found: string[] = []
    let cursor: string | undefined
    do {
      const page = await store.messages.list({
        locationId: parseLocationId('loc-kill'),
        limit: 200,
        ...(cursor !== undefined && { cursor }),
      })
      found.push(...page.messages.map((row) => String(row.waMessageId)))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    const { waiting } = await store.outbox.depth()
    await store.close()
    expect(acknowledged.length).toBeGreaterThanOrEqual(188)
    expect(new Set(found).size).toBe(found.length)
    expect(found).toEqual(expect.arrayContaining(acknowledged))
    // Each round may have committed one more than it could say.
    expect(found.length - acknowledged.length).toBeLessThanOrEqual(2)
    expect(waiting).toBe(found.length)
  })

  it('refuses a second process and tells it what to do, until the first is gone', async () => {
    const store = await open()
    const rival = startWriter('R')
    const answer = { text: '' }
    rival.stderr.on('data', (bytes: Buffer) => {
      answer.text += bytes.toString()
    })
    const [exitCode] = (await once(rival, 'exit')) as [number | null]
    expect(exitCode).toBe(1)
    expect(JSON.parse(answer.text)).toMatchObject({
      code: 'STORE_LOCKED',
      action: expect.stringContaining('DATA_DIR') as string,
    })
    await expect(open()).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await store.close()
    await (await open()).close()
  })

  it('is locked by one of many that meet a dead process’s lock', async () => {
    const child = startWriter('D')
    for await (const line of createInterface({ input: child.stdout }))
      if (line === 'open') child.kill('SIGKILL')
    const attempts = await Promise.allSettled(Array.from({ length: 6 }, () => lockDirectory(folder.dir)))
    const won = attempts.filter((attempt) => attempt.status === 'fulfilled')
    expect(won).toHaveLength(1)
    await won[0]?.value.release()
  })

  it('is locked however deep its folder lies', async () => {
    const deep = join(folder.dir, 'd'.repeat(60), 'e'.repeat(60))
    await mkdir(deep, { recursive: true })
    const lock = await lockDirectory(deep)
    await expect(lockDirectory(deep)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await lock.release()
    await (await lockDirectory(deep)).release()
  })

  it('refuses a folder that another version of PGlite made', async () => {
    const path = join(folder.dir, 'pglite-version')
    expect(await readFile(path, 'utf8')).toMatch(/^\d+\.\d+\.\d+\n$/)
    await writeFile(path, '0.3.9\n')
    await expect(open()).rejects.toMatchObject({
      code: 'STORE_SCHEMA',
      message: expect.stringContaining('0.3.9') as string,
    })
  })

  it('says that it does not start when its files are damaged', async () => {
    await writeFile(join(folder.dir, 'pgdata', 'global', 'pg_control'), 'not a database')
    await expect(open()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    // The lock is given back: the next attempt meets the same error, not a lock.
    await expect(open()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('refuses calls after it was closed', async () => {
    const store = await open()
    await store.ping()
    await store.close()
    await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'not_sent' })
  })
})

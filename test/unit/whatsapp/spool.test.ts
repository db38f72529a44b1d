import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openSpool, type Spool, writeFileFrom } from '../../../src/whatsapp/spool.ts'

const opened: Spool[] = []
const open = async (owner: string): Promise<Spool> => {
  const spool = await openSpool(owner)
  opened.push(spool)
  return spool
}
afterEach(async () => {
  for (const spool of opened.splice(0)) await spool.close()
})

async function* bytes(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    if (chunk === '') throw new Error('the source broke off')
    yield Buffer.from(chunk)
  }
}

describe('the spool', () => {
  it('keeps a file for one message, for our eyes only', async () => {
    const spool = await open(randomUUID())
    let path = ''
    {
      await using folder = await spool.folder()
      path = folder.path('original')
      await writeFileFrom(bytes('one ', 'two'), path)
      expect(await readFile(path, 'utf8')).toBe('one two')
      expect((await stat(path)).mode & 0o077).toBe(0)
      expect((await stat(dirname(dirname(path)))).mode & 0o077).toBe(0)
    }
    expect(existsSync(dirname(path))).toBe(false)
  })

  it('leaves nothing behind when the source breaks off', async () => {
    const spool = await open(randomUUID())
    let path = ''
    const writing = async () => {
      await using folder = await spool.folder()
      path = folder.path('original')
      await writeFileFrom(bytes('one ', ''), path)
    }
    await expect(writing()).rejects.toThrow('the source broke off')
    expect(existsSync(dirname(path))).toBe(false)
  })

  it('starts without what a crash left, and leaves others alone', async () => {
    const owner = randomUUID()
    const left = (await (await open(owner)).folder()).path('sealed')
    const others = (await (await open(randomUUID())).folder()).path('sealed')
    await writeFile(left, 'x')
    await writeFile(others, 'x')
    await open(owner)
    expect(existsSync(left)).toBe(false)
    expect(existsSync(others)).toBe(true)
  })
})

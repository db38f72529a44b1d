/**
 * Files on their way out, on disk for as long as one message is composed: WhatsApp wants to know the hash of a file before
 * it takes the first byte, and no file may be held in memory whole.
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export interface Spool {
  /** A folder of its own for one message; what is in it goes with it, whatever happens. */
  folder(): Promise<SpoolFolder>
  close(): Promise<void>
}

export interface SpoolFolder extends AsyncDisposable {
  path(name: string): string
}

/**
 * Empties and opens the folder. What a crash left there is gone with it.
 *
 * @param owner tells this process from others of the machine, and is the same after a restart.
 */
export async function openSpool(owner: string): Promise<Spool> {
  const digest = createHash('sha256').update(owner).digest('hex').slice(0, 16)
  const root = join(tmpdir(), `ghl-whatsapp-bridge-${digest}`)
  await rm(root, { recursive: true, force: true })
  // Fails where the folder exists again by now: it is not ours then, and everybody could read what we write.
  await mkdir(root, { mode: 0o700 })
  return {
    async folder() {
      const path = await mkdtemp(join(root, 'message-'))
      return {
        path: (name) => join(path, name),
        [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
      }
    },
    close: () => rm(root, { recursive: true, force: true }),
  }
}

/** Writes a file that only we can read, as fast as the disk takes it. Its errors and the source's are thrown. */
export async function writeFileFrom(bytes: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  await pipeline(bytes, createWriteStream(path, { mode: 0o600, flags: 'wx' }))
}

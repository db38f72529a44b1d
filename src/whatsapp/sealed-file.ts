/** A file as WhatsApp keeps it: AES-256-CBC under a key of its own, then ten bytes of HMAC-SHA-256. */
import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { getMediaKeys } from '@whiskeysockets/baileys'
import type { MediaKind } from '../core/message.ts'
import { writeFileFrom } from './spool.ts'

/** A truncated HMAC-SHA-256 follows the ciphertext. */
export const MAC_BYTES = 10

export interface SealedFile {
  readonly path: string
  /** Goes into the message; the file's own keys are derived from it. */
  readonly mediaKey: Uint8Array
  readonly sha256: Uint8Array
  readonly sealedSha256: Uint8Array
  readonly sizeBytes: number
}

/** Seals to `path` as it reads. Not by Baileys: a full disk would end the process there, and its files stay behind. */
export async function sealFile(
  bytes: AsyncIterable<Uint8Array>,
  kind: MediaKind,
  path: string,
): Promise<SealedFile> {
  const mediaKey = randomBytes(32)
  const { cipherKey, iv, macKey } = await getMediaKeys(mediaKey, kind)
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv)
  const mac = createHmac('sha256', macKey ?? '').update(iv)
  const plainHash = createHash('sha256')
  const sealedHash = createHash('sha256')
  let sizeBytes = 0

  async function* sealed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      sizeBytes += chunk.length
      plainHash.update(chunk)
      yield authenticated(cipher.update(chunk))
    }
    yield authenticated(cipher.final())
    const tag = mac.digest().subarray(0, MAC_BYTES)
    sealedHash.update(tag)
    yield tag
  }
  const authenticated = (block: Buffer): Buffer => {
    mac.update(block)
    sealedHash.update(block)
    return block
  }

  await writeFileFrom(sealed(), path)
  return { path, mediaKey, sha256: plainHash.digest(), sealedSha256: sealedHash.digest(), sizeBytes }
}

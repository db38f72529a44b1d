import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { getMediaKeys } from '@whiskeysockets/baileys'
import { SandboxError } from './errors.ts'

export type MediaKind = 'image' | 'video' | 'audio' | 'document' | 'sticker'
export const MEDIA_KINDS: readonly MediaKind[] = ['image', 'video', 'audio', 'document', 'sticker']

/** WhatsApp appends this much of the HMAC to the ciphertext. */
const MAC_BYTES = 10

interface EncryptedMedia {
  readonly mediaKey: Uint8Array
  /** Ciphertext and its MAC: what is uploaded. */
  readonly body: Buffer
  readonly fileSha256: Buffer
  readonly fileEncSha256: Buffer
}

export interface MediaReference {
  readonly mediaKey: Uint8Array
  readonly fileSha256: Uint8Array
  readonly fileEncSha256: Uint8Array
}

export function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest()
}

function macOf(macKey: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Buffer {
  return createHmac('sha256', macKey).update(iv).update(ciphertext).digest().subarray(0, MAC_BYTES)
}

async function keysFor(mediaKey: Uint8Array, kind: MediaKind) {
  const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, kind)
  if (!macKey) throw new SandboxError('MEDIA_CORRUPT', 'the media key gives no MAC key')
  return { iv, cipherKey, macKey }
}

/** Without a key a new one is drawn; the same key gives the same body again. */
export async function encryptMedia(
  bytes: Uint8Array,
  kind: MediaKind,
  mediaKey: Uint8Array = randomBytes(32),
): Promise<EncryptedMedia> {
  const { iv, cipherKey, macKey } = await keysFor(mediaKey, kind)
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv)
  const ciphertext = Buffer.concat([cipher.update(bytes), cipher.final()])
  const body = Buffer.concat([ciphertext, macOf(macKey, iv, ciphertext)])
  return { mediaKey, body, fileSha256: sha256(bytes), fileEncSha256: sha256(body) }
}

/**
 * Decrypts downloaded media and checks everything a phone checks: hash of the body, MAC, hash of the plaintext.
 *
 * @throws {SandboxError} `MEDIA_CORRUPT`
 */
export async function decryptMedia(body: Buffer, media: MediaReference, kind: MediaKind): Promise<Buffer> {
  if (!sha256(body).equals(media.fileEncSha256)) {
    throw new SandboxError('MEDIA_CORRUPT', 'the downloaded body does not match fileEncSha256')
  }
  const { iv, cipherKey, macKey } = await keysFor(media.mediaKey, kind)
  const ciphertext = body.subarray(0, -MAC_BYTES)
  if (!macOf(macKey, iv, ciphertext).equals(body.subarray(-MAC_BYTES))) {
    throw new SandboxError('MEDIA_CORRUPT', 'the MAC of the downloaded body is wrong')
  }
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv)
  const bytes = Buffer.concat([decipher.update(ciphertext), decipher.final()])
  if (!sha256(bytes).equals(media.fileSha256)) {
    throw new SandboxError('MEDIA_CORRUPT', 'the decrypted bytes do not match fileSha256')
  }
  return bytes
}

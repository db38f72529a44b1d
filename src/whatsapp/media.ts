/** Files that customers sent: fetched, decrypted and checked as they are read. */
import { createHash } from 'node:crypto'
import { downloadContentFromMessage } from '@whiskeysockets/baileys'
import { MediaError } from '../core/errors.ts'
import type { MediaFile, WaMedia } from '../core/message.ts'

/** WhatsApp keeps files for about three weeks and answers these for what is gone (whatsapp.md 1d). */
const GONE = new Set([403, 404, 410])

export async function openMedia(media: WaMedia): Promise<MediaFile> {
  return {
    fileName: media.fileName ?? '',
    mimeType: media.mimeType,
    bytes: checked(await fetchDecrypted(media), media.sha256),
    ...(media.sizeBytes !== undefined && { sizeBytes: media.sizeBytes }),
  }
}

async function fetchDecrypted(media: WaMedia): Promise<AsyncIterable<Uint8Array>> {
  const { url, directPath } = media
  const location = {
    mediaKey: Buffer.from(media.mediaKey, 'base64'),
    ...(url !== undefined && { url }),
    ...(directPath !== undefined && { directPath }),
  }
  try {
    return await downloadContentFromMessage(location, media.mediaKind)
  } catch (cause) {
    const status = statusOf(cause)
    if (status !== undefined && GONE.has(status)) {
      throw new MediaError('MEDIA_GONE', 'WhatsApp no longer has the file', { cause, details: { status } })
    }
    throw new MediaError('MEDIA_FETCH_FAILED', 'The file could not be fetched from WhatsApp', {
      cause,
      ...(status !== undefined && { details: { status } }),
    })
  }
}

/** Baileys throws a Boom, which keeps the HTTP status in `output`. */
function statusOf(thrown: unknown): number | undefined {
  const output = thrown instanceof Error && 'output' in thrown ? thrown.output : undefined
  const status =
    typeof output === 'object' && output !== null && 'statusCode' in output ? output.statusCode : undefined
  return typeof status === 'number' ? status : undefined
}

async function* checked(
  bytes: AsyncIterable<Uint8Array>,
  sha256: string | undefined,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of bytes) {
      hash.update(chunk)
      yield chunk
    }
  } catch (cause) {
    throw new MediaError('MEDIA_FETCH_FAILED', 'The file from WhatsApp broke off', { cause })
  }
  if (sha256 !== undefined && hash.digest('base64') !== sha256) {
    throw new MediaError('MEDIA_FETCH_FAILED', 'The file from WhatsApp is damaged')
  }
}

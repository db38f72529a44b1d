/** A WhatsApp file becomes one that GHL takes: its name, its type, and where it can be uploaded to. */
import { randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { MediaError } from '../core/errors.ts'
import type { MediaFile } from '../core/message.ts'
import { bareMimeType, extensionOf, extensionOfMimeType, uploadExtension } from './file-types.ts'

export interface Upload {
  /** Unique, ASCII, with the extension that GHL judges by: it overwrites files of one name. */
  readonly fileName: string
  readonly mimeType: string
  readonly bytes: AsyncIterable<Uint8Array>
  /** Too large for the conversation upload, or of a type it does not take: the media library's part. */
  readonly goesToLibrary: boolean
}

/** The conversation upload takes 5 MB, the library 25 MB and 500 MB of video (PORTAL); read as decimal to be safe. */
const MAX_UPLOAD_BYTES = 5_000_000
const MAX_LIBRARY_BYTES = 25_000_000
const MAX_LIBRARY_VIDEO_BYTES = 500_000_000
/** WhatsApp's stickers are at most 1 MB; anything larger under that type is no sticker. */
const MAX_STICKER_BYTES = 5_000_000

/** @throws {MediaError} `MEDIA_TOO_LARGE`, `MEDIA_TYPE_UNSUPPORTED`, and what reading the file throws. */
export async function prepareUpload(file: MediaFile): Promise<Upload> {
  if (bareMimeType(file.mimeType) === 'image/webp') return await prepareSticker(file)
  const mimeType = bareMimeType(file.mimeType)
  const extension = uploadExtension(file.fileName, mimeType)
  const sizeBytes = file.sizeBytes ?? 0
  if (sizeBytes > (mimeType.startsWith('video/') ? MAX_LIBRARY_VIDEO_BYTES : MAX_LIBRARY_BYTES)) {
    throw new MediaError('MEDIA_TOO_LARGE', 'The file is larger than GHL takes (25 MB, video 500 MB)', {
      details: { sizeBytes },
    })
  }
  return {
    fileName: uniqueName(
      file.fileName,
      extension ?? (extensionOf(file.fileName) || extensionOfMimeType(mimeType)),
    ),
    mimeType,
    bytes: file.bytes,
    goesToLibrary: extension === undefined || sizeBytes > MAX_UPLOAD_BYTES,
  }
}

/** GHL takes no webp: a sticker becomes a PNG, a moving one a GIF. */
async function prepareSticker(file: MediaFile): Promise<Upload> {
  const webp = await readAll(file.bytes)
  try {
    const isMoving = ((await sharp(webp).metadata()).pages ?? 1) > 1
    const image = sharp(webp, { animated: isMoving })
    const [converted, extension] = isMoving
      ? [await image.gif().toBuffer(), 'gif']
      : [await image.png().toBuffer(), 'png']
    return {
      fileName: uniqueName(file.fileName, extension),
      mimeType: `image/${extension}`,
      bytes: once(converted),
      goesToLibrary: converted.length > MAX_UPLOAD_BYTES,
    }
  } catch (cause) {
    throw new MediaError('MEDIA_TYPE_UNSUPPORTED', 'The sticker could not be read', { cause })
  }
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of bytes) {
    sizeBytes += chunk.length
    if (sizeBytes > MAX_STICKER_BYTES) {
      throw new MediaError('MEDIA_TOO_LARGE', 'The sticker is larger than WhatsApp allows')
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** The sender's own name as far as it is harmless in a URL, then eight random digits. */
function uniqueName(fileName: string, extension: string | undefined): string {
  const stem = fileName
    .replace(/\.[a-z\d]{1,8}$/i, '')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\w-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
  const unique = randomBytes(4).toString('hex')
  return `${stem || 'file'}-${unique}${extension === undefined || extension === '' ? '' : `.${extension}`}`
}

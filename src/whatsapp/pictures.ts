/** Pictures as WhatsApp shows them: JPEG and PNG go as they are, what sharp can turn into one is turned. */
import sharp, { type Sharp } from 'sharp'
import type { SpoolFolder } from './spool.ts'
import { Turns } from './turns.ts'

export interface Picture {
  readonly path: string
  readonly mimeType: 'image/jpeg' | 'image/png'
  readonly width: number
  readonly height: number
  /** JPEG, a blurred stand-in until the picture is loaded. */
  readonly thumbnail: Uint8Array
}

/** Twice what the cameras of phones make; unpacked it is about 400 MB, which a harmful file would ask for. */
const MAX_PIXELS = 100_000_000
const THUMBNAIL_PIXELS = 32

/** Unpacked pictures are large: one at a time. */
const turns = new Turns()

/** `undefined` for what is no picture, moves, or cannot be read: it travels as a file then. */
export async function readPicture(path: string, folder: SpoolFolder): Promise<Picture | undefined> {
  return await turns.take('picture', async () => {
    try {
      return await convert(path, folder)
    } catch {
      return undefined
    }
  })
}

async function convert(path: string, folder: SpoolFolder): Promise<Picture | undefined> {
  const { format, width, height, pages = 1, hasAlpha, orientation = 1 } = await open(path).metadata()
  if (pages > 1) return undefined
  const turned = orientation > 4 ? { width: height, height: width } : { width, height }
  const thumbnail = await open(path)
    .rotate()
    .resize(THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, { fit: 'inside' })
    .flatten({ background: 'white' })
    .jpeg({ quality: 50 })
    .toBuffer()
  if (format === 'jpeg' || format === 'png')
    return { path, mimeType: `image/${format}`, ...turned, thumbnail }
  const converted = folder.path('converted')
  const upright = open(path).rotate()
  await (hasAlpha ? upright.png() : upright.jpeg({ quality: 90 })).toFile(converted)
  return { path: converted, mimeType: hasAlpha ? 'image/png' : 'image/jpeg', ...turned, thumbnail }
}

const open = (path: string): Sharp => sharp(path, { limitInputPixels: MAX_PIXELS, sequentialRead: true })

/**
 * Files that customers sent: fetched from WhatsApp's own host, decrypted and checked as they are read. A file that the
 * host has dropped is asked for on the phone, once.
 *
 * Not by Baileys' download: it lets the host of a message's `url` choose where we connect to, does not check what it
 * decrypts, and leaves the error of a transfer that breaks off unhandled, which ends the process.
 */
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { getMediaKeys, type WAMessage } from '@whiskeysockets/baileys'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { BridgeError, MediaError } from '../core/errors.ts'
import type { MediaFile, WaMedia } from '../core/message.ts'
import { statusCodeOf } from './sends.ts'

/** WhatsApp keeps files for about three weeks and answers these for what is gone (whatsapp.md 1d). */
const GONE = new Set([403, 404, 410])
const HOST = 'mmg.whatsapp.net'
const ORIGIN = 'https://web.whatsapp.com'
/** A truncated HMAC-SHA-256 follows the ciphertext. */
const MAC_BYTES = 10
const BLOCK_BYTES = 16
const PHONE_ANSWER_TIMEOUT_MS = 20_000

const MessageKey = z.object({
  chat: z.string(),
  id: z.string(),
  fromMe: z.boolean(),
  /** In a group: the author. The phone does not find the message without him. */
  participant: z.string().optional(),
})

/** A file with the key of its message: what the phone needs to know to upload it again. */
export interface MessageMedia extends WaMedia {
  readonly message: z.output<typeof MessageKey>
}

export interface OpenMediaDeps {
  /** Asks the phone for the file; undefined while the number is not connected. */
  readonly askForMediaAgain: ((message: WAMessage) => Promise<WAMessage>) | undefined
  readonly clock: Clock
}

/** @throws {MediaError} `MEDIA_GONE`, `MEDIA_FETCH_FAILED`. */
export async function openMedia(media: WaMedia, deps: OpenMediaDeps): Promise<MediaFile> {
  const response = await fetchOrAskAgain(media, deps)
  const sizeBytes = plausibleSize(media, Number(response.headers.get('content-length')))
  return {
    fileName: media.fileName ?? nameOf(media),
    mimeType: media.mimeType,
    bytes: decrypted(media, response),
    ...(sizeBytes !== undefined && { sizeBytes }),
  }
}

async function fetchOrAskAgain(media: WaMedia, deps: OpenMediaDeps): Promise<Response> {
  const first = await request(media)
  if (first.ok) return first
  await first.body?.cancel()
  if (!GONE.has(first.status)) throw fetchFailed(`WhatsApp answered ${first.status}`)
  const second = await request({ ...media, directPath: await newPath(media, deps) })
  if (second.ok) return second
  await second.body?.cancel()
  throw gone()
}

async function request(media: WaMedia): Promise<Response> {
  const url = addressOf(media)
  if (url === undefined) throw gone()
  try {
    return await fetch(url, { headers: { origin: ORIGIN }, redirect: 'error' })
  } catch (cause) {
    throw fetchFailed('WhatsApp’s file host cannot be reached', cause)
  }
}

/** Always on WhatsApp's host: a message must not choose where we connect to. */
function addressOf({ directPath, url }: WaMedia): URL | undefined {
  const path = directPath ?? (url !== undefined && URL.canParse(url) ? pathOf(new URL(url)) : undefined)
  if (path === undefined || !path.startsWith('/')) return undefined
  const address = new URL(`https://${HOST}${path}`)
  return address.host === HOST ? address : undefined
}

const pathOf = (url: URL): string => url.pathname + url.search

async function newPath(media: WaMedia, { askForMediaAgain, clock }: OpenMediaDeps): Promise<string> {
  const key = 'message' in media ? MessageKey.safeParse(media.message).data : undefined
  if (key === undefined) throw gone()
  if (askForMediaAgain === undefined)
    throw fetchFailed('The phone must be asked for the file, and it is not connected')
  const question = askForMediaAgain({
    key: {
      remoteJid: key.chat,
      id: key.id,
      fromMe: key.fromMe,
      ...(key.participant !== undefined && { participant: key.participant }),
    },
    message: { [`${media.mediaKind}Message`]: { mediaKey: Buffer.from(media.mediaKey, 'base64') } },
  })
  const patience = new AbortController()
  const late = clock.sleep(PHONE_ANSWER_TIMEOUT_MS, patience.signal).then(() => {
    throw fetchFailed('The phone was asked for the file and has not answered')
  })
  try {
    const { message } = await Promise.race([question, late])
    const answer: unknown = Object.values(message ?? {})[0]
    return z.object({ directPath: z.string() }).parse(answer).directPath
  } catch (cause) {
    if (cause instanceof BridgeError) throw cause
    // A Boom is the phone's answer; anything else is the connection.
    throw statusCodeOf(cause) === 404 ? gone(cause) : fetchFailed('The phone did not upload the file', cause)
  } finally {
    patience.abort(new Error('answered'))
    late.catch(() => undefined)
    question.catch(() => undefined)
  }
}

async function* decrypted(media: WaMedia, response: Response): AsyncGenerator<Uint8Array> {
  const { cipherKey, iv, macKey } = await getMediaKeys(media.mediaKey, media.mediaKind)
  if (!macKey || response.body === null) throw fetchFailed('The file from WhatsApp is empty')
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv)
  const hmac = createHmac('sha256', macKey).update(iv)
  const hash = createHash('sha256')
  let tail = Buffer.alloc(0)
  try {
    for await (const chunk of response.body) {
      // No copy of the whole chunk: a large file would leave its own size in garbage behind.
      const readyBytes = Math.max(0, tail.length + chunk.length - MAC_BYTES)
      const ofTail = tail.subarray(0, readyBytes)
      const ofChunk = chunk.subarray(0, readyBytes - ofTail.length)
      tail = Buffer.concat([tail.subarray(ofTail.length), chunk.subarray(ofChunk.length)])
      for (const ready of [ofTail, ofChunk]) {
        hmac.update(ready)
        const plain = decipher.update(ready)
        hash.update(plain)
        if (plain.length > 0) yield plain
      }
    }
    const last = decipher.final()
    hash.update(last)
    if (last.length > 0) yield last
  } catch (cause) {
    throw fetchFailed('The file from WhatsApp broke off', cause)
  }
  const isWhole = tail.length === MAC_BYTES && timingSafeEqual(tail, hmac.digest().subarray(0, MAC_BYTES))
  if (!isWhole || (media.sha256 !== undefined && hash.digest('base64') !== media.sha256))
    throw fetchFailed('The file from WhatsApp is damaged')
}

/** The sender's word, when the ciphertext can hold just that: an upload that announces a wrong size breaks. */
function plausibleSize({ sizeBytes }: WaMedia, contentLength: number): number | undefined {
  if (sizeBytes === undefined) return undefined
  const sealedBytes = (Math.floor(sizeBytes / BLOCK_BYTES) + 1) * BLOCK_BYTES + MAC_BYTES
  return sealedBytes === contentLength ? sizeBytes : undefined
}

const ENDINGS: Readonly<Record<string, string>> = {
  jpeg: 'jpg',
  mpeg: 'mp3',
  quicktime: 'mov',
  plain: 'txt',
  'x-m4a': 'm4a',
  'octet-stream': 'bin',
}

/** Only documents have a name of their own. */
function nameOf({ mediaKind, mimeType }: WaMedia): string {
  const [kind = '', subtype = ''] = (mimeType.split(';')[0] ?? '').trim().split('/')
  const ending = kind === 'audio' && subtype === 'mp4' ? 'm4a' : (ENDINGS[subtype] ?? subtype)
  return /^[a-z\d]{1,5}$/.test(ending) ? `${mediaKind}.${ending}` : `${mediaKind}.bin`
}

const gone = (cause?: unknown): MediaError =>
  new MediaError('MEDIA_GONE', 'WhatsApp no longer has the file', { cause })

const fetchFailed = (message: string, cause?: unknown): MediaError =>
  new MediaError('MEDIA_FETCH_FAILED', message, { cause })

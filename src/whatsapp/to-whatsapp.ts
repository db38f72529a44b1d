/**
 * Our outgoing message as WhatsApp's own protobuf, files uploaded.
 *
 * Files: JPEG and PNG are pictures, and so is what can be turned into one (WebP, AVIF, a GIF that does not move); MP4 and
 * 3GP are films; sounds are voice notes, or sounds as attached when they cannot or should not be (voice-note.ts);
 * everything else, and what is too large for its kind, is a document.
 */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { proto, type WAMediaUploadFunction } from '@whiskeysockets/baileys'
import type { WaOutgoing } from '../bridge/ports.ts'
import { MediaError } from '../core/errors.ts'
import type { MediaFile, MediaKind } from '../core/message.ts'
import { readPicture } from './pictures.ts'
import { contextOf } from './quote.ts'
import { sealFile } from './sealed-file.ts'
import { notSent } from './sends.ts'
import { type Spool, type SpoolFolder, writeFileFrom } from './spool.ts'
import type { Me } from './stanza.ts'
import { readVoiceNote } from './voice-note.ts'

export interface ComposeContext {
  readonly me: Me
  readonly upload: WAMediaUploadFunction
  readonly spool: Spool
}

/** What WhatsApp shows as a picture, or sharp can make one of. HEIC is none: its decoder may not be given away. */
const PICTURES = new Set(['image/jpeg', 'image/png', 'image/webp', 'image/avif', 'image/gif'])
const FILMS = new Set(['video/mp4', 'video/3gpp'])
/** What WhatsApp plays without being a voice note. @see whatsapp.md */
const SOUNDS = new Set(['audio/ogg', 'audio/mpeg', 'audio/mp4', 'audio/aac', 'audio/amr'])
const VOICE_NOTE = 'audio/ogg; codecs=opus'
/** WhatsApp's own limits: 16 MB for pictures and sounds, 64 MB for films; above them a file travels as a document. */
const MAX_BYTES_TO_READ = 16 * 1024 * 1024
const MAX_FILM_BYTES = 64 * 1024 * 1024
/** An upload that does not move for so long is given up. */
const UPLOAD_STALL_MS = 60_000

/** @throws {WhatsAppError} nothing was sent; whatever reading the file throws passes through. */
export async function compose(
  chat: string,
  message: WaOutgoing,
  context: ComposeContext,
): Promise<Uint8Array> {
  const contextInfo = message.quote && contextOf(message.quote, chat, context.me)
  // No preview for links: it would fetch whatever address an agent pastes.
  const content =
    message.kind === 'text'
      ? { extendedTextMessage: { text: message.text, ...(contextInfo && { contextInfo }) } }
      : await fileMessage(message.file, message.caption, contextInfo, context)
  // Reporting a message to WhatsApp, reactions and edits build on this secret.
  const messageContextInfo = { messageSecret: randomBytes(32) }
  return proto.Message.encode(proto.Message.create({ ...content, messageContextInfo })).finish()
}

async function fileMessage(
  file: MediaFile,
  caption: string | undefined,
  contextInfo: proto.IContextInfo | undefined,
  { upload, spool }: ComposeContext,
): Promise<proto.IMessage> {
  try {
    await using folder = await spool.folder()
    const { kind, mimetype, bytes, fields } = await appearanceOf(file, caption, folder)
    const sealed = await sealFile(bytes, kind, folder.path('sealed'))
    const { mediaUrl, directPath } = await upload(sealed.path, {
      mediaType: kind,
      fileEncSha256B64: Buffer.from(sealed.sealedSha256).toString('base64'),
      timeoutMs: UPLOAD_STALL_MS,
    })
    const part = {
      url: mediaUrl,
      directPath,
      mimetype,
      mediaKey: sealed.mediaKey,
      fileSha256: sealed.sha256,
      fileEncSha256: sealed.sealedSha256,
      fileLength: sealed.sizeBytes,
      mediaKeyTimestamp: Math.floor(Date.now() / 1_000),
      ...(caption !== undefined && { caption }),
      ...(contextInfo && { contextInfo }),
      ...fields,
    }
    return { [`${kind}Message`]: part }
  } catch (thrown) {
    const error = notSent(thrown)
    if (error === thrown || error.code === 'WA_OFFLINE') throw error
    throw new MediaError('MEDIA_UPLOAD_FAILED', 'The file could not be brought to WhatsApp', {
      cause: thrown,
    })
  }
}

/** As what a file is shown, and what its kind wants to be told of it. */
interface Appearance {
  readonly kind: Exclude<MediaKind, 'sticker'>
  readonly mimetype: string
  readonly bytes: AsyncIterable<Uint8Array>
  readonly fields?: Readonly<Record<string, unknown>>
}

async function appearanceOf(
  file: MediaFile,
  caption: string | undefined,
  folder: SpoolFolder,
): Promise<Appearance> {
  const kind = file.mimeType.split(';')[0] ?? ''
  const declaredBytes = file.sizeBytes ?? 0
  if (FILMS.has(kind) && declaredBytes <= MAX_FILM_BYTES)
    return { kind: 'video', mimetype: kind, bytes: file.bytes }
  const isSound = kind.startsWith('audio/') || kind === 'video/webm'
  const isPicture = PICTURES.has(kind)
  if (!(isPicture || isSound) || declaredBytes > MAX_BYTES_TO_READ) return asDocument(file, file.bytes)
  const path = folder.path('original')
  await writeFileFrom(file.bytes, path)
  const asFile = asDocument(file, createReadStream(path))
  if ((await stat(path)).size > MAX_BYTES_TO_READ) return asFile
  if (isPicture) return (await asPicture(path, folder)) ?? asFile
  // Sounds have no caption.
  return caption === undefined ? ((await asSound(path, kind, folder)) ?? asFile) : asFile
}

const asDocument = ({ fileName, mimeType }: MediaFile, bytes: AsyncIterable<Uint8Array>): Appearance => ({
  kind: 'document',
  mimetype: mimeType,
  bytes,
  fields: { fileName, title: fileName },
})

async function asPicture(path: string, folder: SpoolFolder): Promise<Appearance | undefined> {
  const picture = await readPicture(path, folder)
  if (picture === undefined) return undefined
  const { mimeType, width, height, thumbnail } = picture
  const fields = { width, height, jpegThumbnail: thumbnail }
  return { kind: 'image', mimetype: mimeType, bytes: createReadStream(picture.path), fields }
}

async function asSound(path: string, kind: string, folder: SpoolFolder): Promise<Appearance | undefined> {
  const note = await readVoiceNote(path, kind, folder.path('voice-note'))
  if (note !== undefined) {
    const { seconds, waveform } = note
    const fields = { ptt: true, seconds, waveform }
    return { kind: 'audio', mimetype: VOICE_NOTE, bytes: createReadStream(note.path), fields }
  }
  if (!SOUNDS.has(kind)) return undefined
  return { kind: 'audio', mimetype: kind, bytes: createReadStream(path), fields: { ptt: false } }
}

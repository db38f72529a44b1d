/** Our outgoing message as WhatsApp's own protobuf, files uploaded. */
import { Readable } from 'node:stream'
import {
  type AnyMessageContent,
  generateWAMessage,
  proto,
  type WAMediaUploadFunction,
} from '@whiskeysockets/baileys'
import type { WaOutgoing } from '../bridge/ports.ts'
import type { MediaFile } from '../core/message.ts'
import { notSent } from './sends.ts'

/** What WhatsApp shows as picture, film or sound; everything else travels as a document. @see whatsapp.md, Baileys' own types */
const PICTURES = new Set(['image/jpeg', 'image/png'])
const FILMS = new Set(['video/mp4', 'video/3gpp'])
const SOUNDS = new Set(['audio/ogg', 'audio/mpeg', 'audio/mp4', 'audio/aac', 'audio/amr'])

/**
 * @param ownJid the sender, as Baileys wants to know it.
 * @throws {WhatsAppError} nothing was sent; whatever reading the file throws passes through.
 */
export async function compose(
  chat: string,
  message: WaOutgoing,
  context: { ownJid: string; upload: WAMediaUploadFunction },
): Promise<Uint8Array> {
  const composed = await generateWAMessage(chat, contentOf(message), {
    userJid: context.ownJid,
    upload: context.upload,
  }).catch((cause: unknown) => {
    throw notSent(cause)
  })
  return proto.Message.encode(composed.message ?? {}).finish()
}

function contentOf(message: WaOutgoing): AnyMessageContent {
  // `linkPreview: null` switches the preview off: it would fetch whatever address an agent pastes.
  if (message.kind === 'text') return { text: message.text, linkPreview: null }
  return fileContent(message.file, message.caption)
}

function fileContent(file: MediaFile, caption: string | undefined): AnyMessageContent {
  const stream = Readable.from(file.bytes, { objectMode: false })
  const mimetype = file.mimeType
  const words = caption === undefined ? {} : { caption }
  const kind = mimetype.split(';')[0] ?? ''
  if (PICTURES.has(kind)) return { image: { stream }, mimetype, ...words }
  if (FILMS.has(kind)) return { video: { stream }, mimetype, ...words }
  if (SOUNDS.has(kind) && caption === undefined) {
    // WhatsApp plays Ogg/Opus as a voice note and nothing else.
    return { audio: { stream }, mimetype, ptt: kind === 'audio/ogg' }
  }
  return { document: { stream }, mimetype, fileName: file.fileName, ...words }
}

/** Files: what kind, how it is meant, and where WhatsApp keeps it. */
import type { WAMessage } from '@whiskeysockets/baileys'
import { aFile, lines } from '../bridge/sentences.ts'
import type { MediaForm, MediaKind, WaMedia } from '../core/message.ts'
import type { Opened } from './containers.ts'
import { base64, type Content, lineOf, notice, positiveOf, textOf } from './content.ts'
import type { MessageMedia } from './media.ts'

/** What the kinds of file messages have in common, where they have it. */
export interface WaFile {
  readonly mimetype?: string | null
  readonly url?: string | null
  readonly directPath?: string | null
  readonly mediaKey?: Uint8Array | null
  readonly fileSha256?: Uint8Array | null
  readonly fileEncSha256?: Uint8Array | null
  readonly fileLength?: unknown
  readonly fileName?: string | null
  readonly title?: string | null
  readonly caption?: string | null
  readonly seconds?: unknown
  readonly ptt?: boolean | null
  readonly gifPlayback?: boolean | null
  readonly viewOnce?: boolean | null
}

const KINDS = {
  imageMessage: 'image',
  videoMessage: 'video',
  ptvMessage: 'video',
  audioMessage: 'audio',
  documentMessage: 'document',
} as const satisfies Record<string, MediaKind>

const VIEW_ONCE: ReadonlySet<string> = new Set([
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
])

/** The same file as in an earlier message, in better quality: WhatsApp sends small and large one after the other. */
const BETTER_COPIES: ReadonlySet<number> = new Set([
  5, // HD_VIDEO_DUAL_UPLOAD
  10, // HD_IMAGE_DUAL_UPLOAD
  19, // HEVC_VIDEO_DUAL_UPLOAD
])

export function fromFile(field: keyof typeof KINDS, opened: Opened, key: WAMessage['key']): Content {
  const file: WaFile = opened.message[field] ?? {}
  const form = field === 'ptvMessage' ? 'round' : formOf(file)
  return mediaOf(KINDS[field], file, key, form, opened)
}

export function fromSticker({ message, containers }: Opened, key: WAMessage['key']): Content {
  const file = message.stickerMessage ?? {}
  // A Lottie sticker is a drawing program, not a picture: WhatsApp's own apps alone can draw it.
  const isLottie = file.isLottie === true || containers.includes('lottieStickerMessage')
  if (isLottie || file.mimetype === 'application/was') {
    const meaning = lineOf(file.accessibilityLabel)
    const what = meaning === undefined ? 'an animated sticker' : `an animated sticker (${meaning})`
    return notice('stickerMessage', lines.other(what))
  }
  return mediaOf('sticker', { mimetype: 'image/webp', ...file }, key)
}

function formOf(file: WaFile): MediaForm | undefined {
  if (file.gifPlayback === true) return 'gif'
  return file.ptt === true ? 'voice' : undefined
}

/** @param opened the way to the file, where it can say something about it. */
export function mediaOf(
  mediaKind: MediaKind,
  file: WaFile,
  key: WAMessage['key'],
  form?: MediaForm,
  opened?: Opened,
): Content {
  const caption = textOf(file.caption)
  const seconds = positiveOf(file.seconds)
  // View-once files mostly arrive without their key on linked devices.
  if (!file.mediaKey?.length || !(file.directPath || file.url)) {
    const sentence = lines.phoneOnly(aFile({ mediaKind, form, seconds, fileName: lineOf(file.fileName) }))
    return notice(`${mediaKind}Message`, [caption, sentence].filter(Boolean).join('\n'))
  }
  const isViewOnce = file.viewOnce === true || opened?.containers.some((name) => VIEW_ONCE.has(name)) === true
  const isBetterCopy = opened?.contexts.some(({ messageAssociation }) =>
    BETTER_COPIES.has(messageAssociation?.associationType ?? 0),
  )
  return {
    kind: 'media',
    media: referenceTo(mediaKind, file, file.mediaKey, key),
    ...(caption !== undefined && { caption }),
    ...(form !== undefined && { form }),
    ...(seconds !== undefined && { seconds }),
    ...(isViewOnce && { isViewOnce }),
    ...(isBetterCopy === true && { isBetterCopy }),
  }
}

function referenceTo(
  mediaKind: MediaKind,
  file: WaFile,
  mediaKey: Uint8Array,
  { remoteJid, id, fromMe, participant }: WAMessage['key'],
): MessageMedia {
  const sizeBytes = positiveOf(file.fileLength)
  const fileName = lineOf(file.fileName) ?? lineOf(file.title)
  const reference: WaMedia = {
    mediaKind,
    mimeType: lineOf(file.mimetype) ?? 'application/octet-stream',
    mediaKey: base64(mediaKey),
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(fileName !== undefined && { fileName }),
    ...(file.url && { url: file.url }),
    ...(file.directPath && { directPath: file.directPath }),
    ...(file.fileSha256?.length && { sha256: base64(file.fileSha256) }),
    ...(file.fileEncSha256?.length && { encryptedSha256: base64(file.fileEncSha256) }),
  }
  const message = {
    chat: remoteJid ?? '',
    id: id ?? '',
    fromMe: fromMe === true,
    ...(participant && { participant }),
  }
  return { ...reference, message }
}

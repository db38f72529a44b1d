/** File extensions, MIME types and what GHL's conversation upload takes of them. */
import type { MediaKind } from '../core/message.ts'

interface FileType {
  readonly extensions: readonly [string, ...string[]]
  readonly mimeType: string
  readonly kind: Exclude<MediaKind, 'sticker'>
  /** The conversation upload takes it. @see ghl.md 4.4 (PORTAL). */
  readonly isUploadable?: true
}

const FILE_TYPES: readonly FileType[] = [
  { extensions: ['jpg', 'jpeg'], mimeType: 'image/jpeg', kind: 'image', isUploadable: true },
  { extensions: ['png'], mimeType: 'image/png', kind: 'image', isUploadable: true },
  { extensions: ['gif'], mimeType: 'image/gif', kind: 'image', isUploadable: true },
  { extensions: ['heic'], mimeType: 'image/heic', kind: 'document', isUploadable: true },
  { extensions: ['svg'], mimeType: 'image/svg+xml', kind: 'document', isUploadable: true },
  { extensions: ['webp'], mimeType: 'image/webp', kind: 'image' },
  { extensions: ['mp4', 'm4v'], mimeType: 'video/mp4', kind: 'video', isUploadable: true },
  { extensions: ['3gp'], mimeType: 'video/3gpp', kind: 'video', isUploadable: true },
  { extensions: ['mpeg', 'mpg'], mimeType: 'video/mpeg', kind: 'document', isUploadable: true },
  { extensions: ['mov'], mimeType: 'video/quicktime', kind: 'video' },
  { extensions: ['webm'], mimeType: 'video/webm', kind: 'document' },
  { extensions: ['ogg', 'oga', 'opus'], mimeType: 'audio/ogg', kind: 'audio', isUploadable: true },
  { extensions: ['mp3'], mimeType: 'audio/mpeg', kind: 'audio', isUploadable: true },
  { extensions: ['m4a'], mimeType: 'audio/mp4', kind: 'audio', isUploadable: true },
  { extensions: ['weba'], mimeType: 'audio/webm', kind: 'audio' },
  { extensions: ['aac'], mimeType: 'audio/aac', kind: 'audio', isUploadable: true },
  { extensions: ['amr'], mimeType: 'audio/amr', kind: 'audio', isUploadable: true },
  { extensions: ['wav', 'wave'], mimeType: 'audio/wav', kind: 'audio', isUploadable: true },
  { extensions: ['aiff', 'aif'], mimeType: 'audio/aiff', kind: 'audio', isUploadable: true },
  { extensions: ['pdf'], mimeType: 'application/pdf', kind: 'document', isUploadable: true },
  { extensions: ['doc'], mimeType: 'application/msword', kind: 'document', isUploadable: true },
  {
    extensions: ['docx'],
    mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    kind: 'document',
    isUploadable: true,
  },
  { extensions: ['xls'], mimeType: 'application/vnd.ms-excel', kind: 'document', isUploadable: true },
  {
    extensions: ['xlsx'],
    mimeType: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    kind: 'document',
    isUploadable: true,
  },
  { extensions: ['ppt'], mimeType: 'application/vnd.ms-powerpoint', kind: 'document', isUploadable: true },
  {
    extensions: ['pptx'],
    mimeType: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    kind: 'document',
    isUploadable: true,
  },
  {
    extensions: ['odt'],
    mimeType: 'application/vnd.oasis.opendocument.text',
    kind: 'document',
    isUploadable: true,
  },
  { extensions: ['txt'], mimeType: 'text/plain', kind: 'document', isUploadable: true },
  { extensions: ['csv'], mimeType: 'text/csv', kind: 'document', isUploadable: true },
  { extensions: ['vcf', 'vcard'], mimeType: 'text/vcard', kind: 'document', isUploadable: true },
  { extensions: ['ics'], mimeType: 'text/calendar', kind: 'document', isUploadable: true },
  { extensions: ['zip'], mimeType: 'application/zip', kind: 'document', isUploadable: true },
  { extensions: ['rar'], mimeType: 'application/vnd.rar', kind: 'document', isUploadable: true },
  { extensions: ['json'], mimeType: 'application/json', kind: 'document' },
  { extensions: ['html', 'htm'], mimeType: 'text/html', kind: 'document' },
]

/** Other names that senders use for a type of the table. */
const ALIASES: Readonly<Record<string, string>> = {
  'image/jpg': 'image/jpeg',
  'audio/mp3': 'audio/mpeg',
  'audio/x-m4a': 'audio/mp4',
  'audio/opus': 'audio/ogg',
  'audio/x-wav': 'audio/wav',
  'audio/wave': 'audio/wav',
  'audio/vnd.wave': 'audio/wav',
  'application/ogg': 'audio/ogg',
  'application/x-zip-compressed': 'application/zip',
  'application/x-rar-compressed': 'application/vnd.rar',
  'text/x-vcard': 'text/vcard',
}

const byExtension = new Map(
  FILE_TYPES.flatMap((type) => type.extensions.map((name) => [name, type] as const)),
)
const byMimeType = new Map(FILE_TYPES.map((type) => [type.mimeType, type]))

/** `audio/ogg; codecs=opus` and `Audio/OGG` are `audio/ogg`. */
export function bareMimeType(mimeType: string): string {
  const bare = (mimeType.split(';')[0] ?? '').trim().toLowerCase()
  return ALIASES[bare] ?? bare
}

export const kindOfExtension = (extension: string): FileType['kind'] | undefined =>
  byExtension.get(extension.toLowerCase())?.kind

export const mimeTypeOfExtension = (extension: string): string | undefined =>
  byExtension.get(extension.toLowerCase())?.mimeType

export const extensionOfMimeType = (mimeType: string): string | undefined =>
  byMimeType.get(bareMimeType(mimeType))?.extensions[0]

/** The extension to upload a file under, `undefined` when the conversation upload takes no such file. */
export function uploadExtension(fileName: string, mimeType: string): string | undefined {
  const type = byMimeType.get(bareMimeType(mimeType)) ?? byExtension.get(extensionOf(fileName))
  return type?.isUploadable === true ? type.extensions[0] : undefined
}

/** Lower case, without the dot; empty when there is none. */
export function extensionOf(fileName: string): string {
  return /\.([a-z\d]{1,8})$/i.exec(fileName)?.[1]?.toLowerCase() ?? ''
}

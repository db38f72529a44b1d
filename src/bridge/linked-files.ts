/** Files that GHL takes in no way: the message has a link of ours instead. */
import type { MessageId } from '../core/ids.ts'
import type { MediaFile, WaMedia } from '../core/message.ts'
import type { WhatsAppNumbers } from './ports.ts'
import type { MessageStore } from './storage/messages.ts'

export interface LinkedFileDeps {
  readonly messages: Pick<MessageStore, 'findInboundWork'>
  readonly numbers: Pick<WhatsAppNumbers, 'openMedia'>
}

/**
 * `undefined` for a message that is gone or has no file.
 *
 * @throws {MediaError} `MEDIA_GONE`, `MEDIA_FETCH_FAILED`.
 */
export async function openLinkedFile(deps: LinkedFileDeps, id: MessageId): Promise<MediaFile | undefined> {
  const { envelope } = (await deps.messages.findInboundWork(id)) ?? {}
  if (envelope?.content.kind !== 'media') return undefined
  return await deps.numbers.openMedia(envelope.sessionId, envelope.content.media)
}

/** `contract.zip, 120 MB: https://...` */
export function linkLine({ sizeBytes }: WaMedia, fileName: string, url: string): string {
  return `${[fileName, ...(sizeBytes === undefined ? [] : [size(sizeBytes)])].join(', ')}: ${url}`
}

function size(bytes: number): string {
  if (bytes >= 1_000_000) return `${Math.round(bytes / 1_000_000)} MB`
  return bytes >= 1_000 ? `${Math.round(bytes / 1_000)} kB` : `${bytes} bytes`
}

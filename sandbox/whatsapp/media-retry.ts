// Media that has left the host: the companion asks the phone, the phone uploads the same ciphertext again and
// answers with a new direct path, encrypted under the media key.
import { randomBytes } from 'node:crypto'
import { aesEncryptGCM, type BinaryNode, hkdf, proto } from '@whiskeysockets/baileys'
import { readMessage } from './content.ts'
import { encryptMedia } from './media-crypto.ts'
import type { MediaHost } from './media-host.ts'
import type { PhoneMessage } from './phone-log.ts'
import { child, stanza, unixSeconds } from './stanzas.ts'

/** `error code` of the answer when the phone has no such media. */
const NOT_FOUND = String(proto.MediaRetryNotification.ResultType.NOT_FOUND)

/** Answers a `server-error` receipt; `message` is the phone's own copy, if it has one. */
export async function mediaRetryAnswer(
  request: BinaryNode,
  message: PhoneMessage | undefined,
  host: MediaHost,
): Promise<BinaryNode> {
  const { id = '', from } = request.attrs
  const { jid, participant } = child(request, 'rmr')?.attrs ?? {}
  // In a group the phone looks for a message by its author as well.
  const isFindable = jid?.endsWith('@g.us') !== true || participant !== undefined
  const asked = stanza('rmr', { ...child(request, 'rmr')?.attrs })
  const part = message && readMessage(message.message).media
  const answer =
    part && message.media && isFindable
      ? encryptedPath(id, part.mediaKey, await reupload(host, part, message.media.bytes))
      : stanza('error', { code: NOT_FOUND })
  return stanza('notification', { id, to: from, type: 'mediaretry', t: unixSeconds() }, [answer, asked])
}

async function reupload(
  host: MediaHost,
  { kind, mediaKey }: NonNullable<ReturnType<typeof readMessage>['media']>,
  bytes: Buffer,
): Promise<string> {
  const { body } = await encryptMedia(bytes, kind, mediaKey)
  return host.store(`/${kind}`, body).directPath
}

function encryptedPath(id: string, mediaKey: Uint8Array, directPath: string): BinaryNode {
  const notification = proto.MediaRetryNotification.encode({
    stanzaId: id,
    directPath,
    result: proto.MediaRetryNotification.ResultType.SUCCESS,
  }).finish()
  const key = hkdf(mediaKey, 32, { info: 'WhatsApp Media Retry Notification' })
  const iv = randomBytes(12)
  return stanza('encrypt', {}, [
    stanza('enc_p', {}, aesEncryptGCM(notification, key, iv, Buffer.from(id))),
    stanza('enc_iv', {}, iv),
  ])
}

/**
 * Links to files that GHL does not take: which message and until when, under a key of ENCRYPTION_KEY's. Nothing is stored,
 * and whoever has the link has the file: it stands in the conversation, where the file would be.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { type MessageId, parseMessageId } from '../core/ids.ts'

export interface FileLinks {
  /** @param fileName what the browser shows; it proves nothing. */
  to(message: MessageId, fileName: string): string
  /** `undefined` for a token that we did not make, or whose time is over. */
  read(token: string): MessageId | undefined
}

/** WhatsApp keeps files for about three weeks; after that the phone is asked, which may still have them. */
const LIFE_MS = 30 * 24 * 60 * 60_000
const NAME_LENGTH = 100
const TOKEN = /^([\da-f-]{36})\.([\da-z]{1,9})\.([\w-]{43})$/

/** @param encryptionKeys base64 of 32 bytes each; the first signs, all are accepted. */
export function createFileLinks(
  encryptionKeys: readonly string[],
  publicUrl: string,
  nowMs: () => number,
): FileLinks {
  const keys = encryptionKeys.map((key) =>
    Buffer.from(hkdfSync('sha256', Buffer.from(key, 'base64'), '', 'ghl-whatsapp-bridge/file-links', 32)),
  )
  const [signing] = keys
  if (signing === undefined) throw new TypeError('there must be an encryption key')
  return {
    to(message, fileName) {
      const claim = `${message}.${Math.floor((nowMs() + LIFE_MS) / 1_000).toString(36)}`
      const token = `${claim}.${signature(signing, claim).toString('base64url')}`
      return `${publicUrl}/files/${token}/${encodeURIComponent(endOf(fileName))}`
    },
    read(token) {
      const [, message = '', untilSec = '', given = ''] = TOKEN.exec(token) ?? []
      const signed = Buffer.from(given, 'base64url')
      const isOurs = keys.some((key) => {
        const ours = signature(key, `${message}.${untilSec}`)
        return ours.length === signed.length && timingSafeEqual(ours, signed)
      })
      const isOver = Number.parseInt(untilSec, 36) * 1_000 < nowMs()
      return isOurs && !isOver ? parseMessageId(message) : undefined
    },
  }
}

/** Its ending is what matters in an address; the whole name comes with the file. */
const endOf = (fileName: string): string => fileName.slice(-NAME_LENGTH).toWellFormed()

const signature = (key: Buffer, claim: string): Buffer => createHmac('sha256', key).update(claim).digest()

/** Conversion as the tests call it: Ana writes to the business. */
import { proto, type WAMessage } from '@whiskeysockets/baileys'
import { parseLocationId, parseSessionId } from '../../../src/core/ids.ts'
import type { Envelope, WaContent } from '../../../src/core/message.ts'
import { type Circumstances, type Converted, fromWhatsApp } from '../../../src/whatsapp/from-whatsapp.ts'

export const RECEIVER = { locationId: parseLocationId('loc1'), sessionId: parseSessionId('s1') }
export const ANA_LID = '98765@lid'
export const ANA_PN = '15551230001@s.whatsapp.net'
export const ME = { pn: '15550009999@s.whatsapp.net', lid: '90000@lid' } as const

export const messageWith = (
  message: proto.IMessage | null,
  key: Partial<WAMessage['key']> = {},
): WAMessage => ({
  key: { remoteJid: ANA_LID, remoteJidAlt: ANA_PN, id: 'A1', fromMe: false, ...key },
  message,
  messageTimestamp: 1_700_000_000,
  pushName: 'Ana',
})

export const convert = (
  message: proto.IMessage | null,
  key?: Partial<WAMessage['key']>,
  over: Partial<Circumstances> = {},
): Converted =>
  fromWhatsApp(messageWith(message, key), { receiver: RECEIVER, author: ANA_LID, me: ME, ...over })

/** As it comes over the wire: encoded and decoded. */
export const wired = (message: proto.IMessage): proto.IMessage =>
  proto.Message.decode(proto.Message.encode(proto.Message.fromObject(message)).finish())

export function envelopeOf(message: proto.IMessage, over?: Partial<Circumstances>): Envelope {
  const converted = convert(wired(message), undefined, over)
  if ('ignored' in converted) throw new Error(`ignored: ${converted.ignored}`)
  return converted.envelope
}

export const contentOf = (message: proto.IMessage, over?: Partial<Circumstances>): WaContent =>
  envelopeOf(message, over).content

/** A file as messages describe it. */
export const FILE = {
  mimetype: 'image/jpeg',
  url: 'https://mmg.whatsapp.net/v/1',
  directPath: '/v/1',
  mediaKey: Buffer.alloc(32, 1),
  fileSha256: Buffer.alloc(32, 2),
  fileEncSha256: Buffer.alloc(32, 3),
  fileLength: 1234,
}

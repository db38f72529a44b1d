// Bodies of the control API that say what a phone is to send.
import { z } from 'zod'
import type { OutgoingMedia } from './content.ts'
import { SandboxError } from './errors.ts'
import { MEDIA_KINDS } from './media-crypto.ts'
import type { PastChat } from './past.ts'
import type { OutgoingMessage } from './phone-outbox.ts'

const mediaBody = z.strictObject({
  base64: z.base64(),
  mimetype: z.string(),
  caption: z.string().optional(),
  fileName: z.string().optional(),
  seconds: z.number().optional(),
  voiceNote: z.boolean().optional(),
  gif: z.boolean().optional(),
  videoNote: z.boolean().optional(),
})

const mediaFields = {
  image: mediaBody.optional(),
  video: mediaBody.optional(),
  audio: mediaBody.optional(),
  document: mediaBody.optional(),
  sticker: mediaBody.optional(),
}

const contentFields = {
  text: z.string().optional(),
  edit: z.strictObject({ id: z.string(), text: z.string() }).optional(),
  revoke: z.string().optional(),
  reaction: z.strictObject({ id: z.string(), emoji: z.string() }).optional(),
  poll: z
    .strictObject({ name: z.string(), options: z.array(z.string()), selectable: z.number().default(1) })
    .optional(),
  vote: z.strictObject({ id: z.string(), options: z.array(z.string()) }).optional(),
  location: z
    .strictObject({
      latitude: z.number(),
      longitude: z.number(),
      name: z.string().optional(),
      address: z.string().optional(),
      live: z.boolean().optional(),
    })
    .transform(without)
    .optional(),
  contacts: z.array(z.strictObject({ name: z.string(), phone: z.string() })).optional(),
  event: z
    .strictObject({
      name: z.string(),
      startsAt: z.iso.datetime().transform((instant) => new Date(instant)),
      description: z.string().optional(),
    })
    .transform(without)
    .optional(),
  eventReply: z.strictObject({ id: z.string(), answer: z.enum(['GOING', 'NOT_GOING', 'MAYBE']) }).optional(),
  quote: z.string().optional(),
  ephemeralSeconds: z.number().optional(),
  viewOnce: z.boolean().optional(),
}

const sendBody = z.strictObject({
  to: z.string(),
  ...contentFields,
  ...mediaFields,
  /** A proto.Message as JSON, bytes as base64. */
  message: z.record(z.string(), z.unknown()).optional(),
  addressing: z.enum(['lid', 'pn']).optional(),
  id: z.string().optional(),
  corrupt: z.boolean().optional(),
  phonesOnly: z.boolean().optional(),
  placeholder: z.boolean().optional(),
})

const pastBody = z.strictObject({
  chats: z.array(
    z.strictObject({
      chat: z.string(),
      addressing: z.enum(['lid', 'pn']).optional(),
      messages: z.array(
        z.strictObject({
          at: z.iso.datetime().transform((instant) => new Date(instant)),
          from: z.string().optional(),
          id: z.string().optional(),
          ...contentFields,
          ...mediaFields,
        }),
      ),
    }),
  ),
})

const albumBody = z.strictObject({ to: z.string(), items: z.array(z.strictObject(mediaFields)).min(2) })

export function without<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const defined = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
  // Only undefined properties were taken away.
  return defined as { [K in keyof T]: Exclude<T[K], undefined> }
}

type MediaBody = { readonly [K in keyof typeof mediaFields]?: z.infer<typeof mediaBody> | undefined }

function outgoingMedia(body: MediaBody): OutgoingMedia | undefined {
  for (const kind of MEDIA_KINDS) {
    const media = body[kind]
    if (!media) continue
    const { base64, ...rest } = media
    return without({ kind, bytes: Buffer.from(base64, 'base64'), ...rest })
  }
  return undefined
}

/** @throws {ZodError} when the body is not a message to send */
export function outgoingMessage(requestBody: unknown): OutgoingMessage {
  const body = sendBody.parse(requestBody)
  const { message, image: _i, video: _v, audio: _a, document: _d, sticker: _s, ...rest } = body
  // The protobuf library checks the shape when it encodes.
  return without({ ...rest, media: outgoingMedia(body), message: message as object | undefined })
}

export function preparedPast(requestBody: unknown): PastChat[] {
  return pastBody.parse(requestBody).chats.map(({ messages, ...chat }) => ({
    ...without(chat),
    messages: messages.map((body) => {
      const { image: _i, video: _v, audio: _a, document: _d, sticker: _s, ...rest } = body
      return without({ ...rest, media: outgoingMedia(body) })
    }),
  }))
}

export function outgoingAlbum(requestBody: unknown): { to: string; items: OutgoingMedia[] } {
  const { to, items } = albumBody.parse(requestBody)
  return {
    to,
    items: items.map((item) => {
      const media = outgoingMedia(item)
      if (!media) throw new SandboxError('REQUEST_INVALID', 'an item of an album is an image or a video')
      return media
    }),
  }
}

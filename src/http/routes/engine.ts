/** The door for another WhatsApp engine: what it has received goes the way of our own messages. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { ENGINE_MESSAGE_TYPES, type EnginePost } from '../../bridge/engine.ts'
import type { LocationId } from '../../core/ids.ts'
import { may, requireLocation } from '../auth.ts'

export interface EngineDeps {
  /** @throws {RequestError} `SESSION_UNKNOWN`, `REQUEST_INVALID`, and whatever `check` throws; nothing was changed then. */
  readonly acceptFromEngine: (
    post: EnginePost,
    check: (locationId: LocationId) => void,
  ) => Promise<'enqueued' | 'duplicate'>
  /** Whether a file may be fetched from there, as far as its address tells. @throws {MediaError} `MEDIA_ADDRESS_REFUSED`. */
  readonly checkMediaUrl: (url: string) => void
}

/** Other engines' words for the same kinds. */
const SYNONYMS: Readonly<Record<string, string>> = {
  chat: 'text',
  conversation: 'text',
  ptt: 'audio',
  voice: 'audio',
  file: 'document',
}

const Post = z.object({
  from: z.string().min(5).max(60),
  message: z.string().max(65_536).nullish(),
  messageType: z
    .string()
    .transform((type) => SYNONYMS[type.toLowerCase()] ?? type.toLowerCase())
    .pipe(z.enum(ENGINE_MESSAGE_TYPES, { error: `must be one of ${ENGINE_MESSAGE_TYPES.join(', ')}` }))
    .default('text'),
  mediaUrl: z
    .url({ protocol: /^https?$/ })
    .max(4_096)
    .nullish(),
  sessionId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$|^location_[A-Za-z0-9_-]{1,140}$/),
  whatsappMsgId: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, - or _' }),
  pushName: z.string().max(200).nullish(),
})

export function engineRoutes({ acceptFromEngine, checkMediaUrl }: EngineDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/whatsapp/webhook',
      { config: may({ scope: 'messages:inbound' }), schema: { body: Post } },
      async (request) => {
        const { message, mediaUrl, pushName, ...rest } = request.body
        if (mediaUrl != null) checkMediaUrl(mediaUrl)
        const post: EnginePost = {
          ...rest,
          message: message ?? '',
          ...(mediaUrl != null && { mediaUrl }),
          ...(pushName != null && { pushName }),
        }
        const accepted = await acceptFromEngine(post, (locationId) => {
          request.deed = { locationId, target: rest.whatsappMsgId }
          requireLocation(request, locationId)
        })
        return { accepted }
      },
    )
    done()
  }
}

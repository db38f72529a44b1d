/**
 * Everything about the sandbox that a test may turn while it runs. Times are short by default, so that a
 * suite is quick; the rules they stand for are GHL's.
 */
import { z } from 'zod'

const count = z.number().int().nonnegative()

const rateLimitSchema = z.strictObject({
  /** Requests per interval and (app, location). */
  max: count.default(100),
  intervalMs: count.default(10_000),
  perDay: count.default(200_000),
  /** `fixed` starts an interval at its first request; `sliding` counts the last `intervalMs` at any moment. */
  window: z.enum(['fixed', 'sliding']).default('fixed'),
  /** Adds the header `Retry-After`, in seconds, to a 429; GHL documents none. */
  retryAfter: z.boolean().optional(),
})

const retrySchema = z.strictObject({
  /** GHL repeats a delivery up to 12 times after the first attempt. */
  maxRetries: count.default(12),
  /** First wait; doubles each time, plus up to a quarter of jitter. */
  baseMs: count.default(100),
  capMs: count.default(5_000),
  timeoutMs: count.default(10_000),
})

export const settingsSchema = z.strictObject({
  deliveryUrl: z.string().nullable().default(null),
  webhookUrl: z.string().nullable().default(null),

  accessTokenTtlSec: count.default(86_399),
  /** How long a spent refresh token still answers with the pair it was exchanged for. */
  refreshGraceMs: count.default(30_000),
  /** Which of the two refusals seen in the field a dead refresh token gets. */
  refreshRefusal: z.enum(['invalid_grant', 'unauthorized']).default('invalid_grant'),
  /** The published API leaves the refresh token out of a minted location token, newer samples have it. */
  locationTokenHasRefresh: z.boolean().default(false),
  /** How token answers spell their keys: `snake` (expires_in) or `camel` (expiresIn), as version 3 does. */
  tokenSpelling: z.enum(['snake', 'camel']).default('snake'),
  /** Answers to a refresh may leave out `locationId`, although they answered the code with it. */
  refreshOmitsLocationId: z.boolean().default(false),
  /** The answer to a code leaves the location out; only the token itself says it. */
  codeOmitsLocationId: z.boolean().default(false),
  /** `POST /oauth/reconnect` was made for one outage and may be gone. */
  reconnectEnabled: z.boolean().default(false),
  /** Order in which the events of a bulk install leave. */
  bulkOrder: z.enum(['random', 'given']).default('random'),
  /** INSTALL for a location added after a bulk install may come without `userId` and `companyId`. */
  futureInstallIsAnonymous: z.boolean().default(true),
  /** The agency's own domain, told by INSTALL and to custom pages; null: not a white-label agency. */
  whitelabel: z.strictObject({ domain: z.string(), logoUrl: z.string() }).nullable().default(null),
  /** The most rows that a page of installed locations has, whatever limit is asked for. */
  installedPageMax: z.number().int().min(1).default(100),
  /** What `count` says in the list of installed locations: of all, or of the page alone. */
  installedCount: z.enum(['total', 'page']).default('total'),
  /** A draft or private app is installed only with `version_id` in the link. */
  requireVersionId: z.boolean().default(false),

  /** A status sent earlier than this after the hand-over is answered 403. GHL takes 5 to 10 s; 0 switches it off. */
  statusEarlyMs: count.default(1_000),
  /** Searches do not see what was written less than this long ago. */
  searchLagMs: count.default(0),
  /** `refused`: an attachment URL with a query string is answered 422, as once reported. */
  attachmentQueryStrings: z.enum(['refused', 'accepted']).default('refused'),
  /** `conversation`: an inbound message by contact is a mismatch for the provider, as one integrator reported. */
  inboundBy: z.enum(['either', 'conversation']).default('either'),
  /** `GET /conversations/messages/:id` is sometimes wrapped in `{message}`. */
  wrapSingleMessage: z.boolean().default(true),
  /** `POST /medias/upload-file`: largest file and largest video. */
  mediaMaxBytes: count.default(25 * 1024 * 1024),
  mediaMaxVideoBytes: count.default(500 * 1024 * 1024),
  /** `total` of a product list is published as an array with one object, and was also seen as the object. */
  productTotal: z.enum(['array', 'object']).default('array'),
  /** null: no limit. */
  rateLimit: rateLimitSchema
    .nullable()
    .default({ max: 100, intervalMs: 10_000, perDay: 200_000, window: 'fixed' }),

  /** `type` of a provider delivery; `auto` says `Custom` for a custom provider and `SMS` otherwise. */
  deliveryType: z.enum(['auto', 'SMS', 'Custom']).default('auto'),
  omitPhone: z.boolean().default(false),
  omitUserId: z.boolean().default(false),
  /** The key `attachments` may be absent when there are none. */
  omitEmptyAttachments: z.boolean().default(false),
  /** How often each accepted delivery is sent; 2 means every one arrives twice. */
  deliveryCopies: z.number().int().min(1).default(1),
  /** Adds `X-WH-Signature: N/A`, which means "absent". */
  legacySignatureHeader: z.boolean().default(false),
  signature: z.enum(['valid', 'missing', 'wrong']).default('valid'),
  /** How many posts are on their way at once; the others wait their turn. */
  parallelPosts: z.number().int().min(1).default(64),
  /** Which of the two posts about one message leaves first; the other follows when it is done. */
  firstPost: z.enum(['delivery', 'webhook', 'together']).default('together'),
  retry: retrySchema.default({ maxRetries: 12, baseMs: 100, capMs: 5_000, timeoutMs: 10_000 }),
})

export type Settings = z.infer<typeof settingsSchema>

/** A change of settings; a key that is absent stays as it is. */
export const settingsPatchSchema = z.strictObject(
  Object.fromEntries(
    Object.entries(settingsSchema.shape).map(([name, schema]) => [name, schema.unwrap().optional()]),
  ),
)

export function defaultSettings(): Settings {
  return settingsSchema.parse({})
}

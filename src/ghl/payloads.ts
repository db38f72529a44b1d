/** What GHL sends us, from `unknown` to our own types. Unknown fields are GHL's right to add and are passed over. */
import { createHash, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { AppEvent } from '../bridge/app-events.ts'
import type { TokenPair } from '../bridge/installations.ts'
import { GhlError, RequestError } from '../core/errors.ts'
import {
  type LocationId,
  parseGhlContactId,
  parseGhlConversationId,
  parseGhlMessageId,
  parseLocationId,
} from '../core/ids.ts'
import type { AgentMessage, OutboundPart } from '../core/message.ts'
import { cleanText, toParts } from './from-ghl.ts'
import { readPhone } from './phone.ts'
import { domainOf } from './sso.ts'

/** An id from outside: refused as a shape, not as a bug of ours. */
export const readableId = <Id extends string>(parse: (value: string) => Id) =>
  z.string().transform((value, context): Id => {
    try {
      return parse(value)
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: thrown instanceof Error ? thrown.message : 'not an id' })
      return z.NEVER
    }
  })

const locationId = readableId(parseLocationId)
/** GHL sends absent, null and empty for the same thing. */
const maybe = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === null || value === '' ? undefined : value), schema.optional())
/** A field that is nice to have: when it is odd it counts as absent. */
const lenient = <Schema extends z.ZodType>(schema: Schema) => maybe(schema).catch(undefined)

/** The last moment of the year 9999: neither a database nor a person knows later ones. */
const LAST_MS = 253_402_300_799_999

/** ISO 8601, or milliseconds since the epoch, which may come as text. */
const instant = z
  .union([z.string(), z.number()])
  .transform((value) => new Date(/^\d{10,}$/.test(String(value)) ? Number(value) : value))
  .refine((date) => date.getTime() >= 0 && date.getTime() <= LAST_MS)

const attachment = lenient(
  z.union([z.string(), z.looseObject({ url: z.string() }).transform(({ url }) => url)]),
)

/** What tells whether a delivery concerns us, however broken the rest of it is. */
const headSchema = z.looseObject({
  type: lenient(z.string()),
  locationId: lenient(locationId),
  conversationProviderId: lenient(z.string()),
  webhookId: lenient(z.string().max(200)),
})

const deliverySchema = z.looseObject({
  locationId,
  contactId: readableId(parseGhlContactId),
  messageId: readableId(parseGhlMessageId),
  conversationId: lenient(readableId(parseGhlConversationId)),
  phone: lenient(z.string()),
  timestamp: lenient(instant),
  dateAdded: lenient(instant),
  message: lenient(z.string()),
  replyToAltId: lenient(z.string().max(128)),
  /** Odd ones are left out: the words beside them arrive. */
  attachments: z.preprocess(
    (value): unknown => (Array.isArray(value) ? value : [value]),
    z.array(attachment),
  ),
})

/** A post to the provider's Delivery URL, or why it is not for us. */
export type Delivery = {
  /** GHL's id, the same on every repeat; a digest of the body when it sends none. */
  readonly webhookId: string
  readonly locationId: LocationId | undefined
} & (
  | { readonly message: AgentMessage; readonly parts: readonly OutboundPart[] }
  /** `unsupported_type`: an e-mail or a call. `foreign_provider`: for another provider than ours. */
  | { readonly ignored: 'unsupported_type' | 'foreign_provider' }
  /** `WEBHOOK_MALFORMED`: it lacks its ids. */
  | { readonly malformed: RequestError }
)

/**
 * @param providerId ours; undefined takes a delivery for any.
 * @throws {RequestError} `WEBHOOK_MALFORMED` when it is no object.
 */
export function parseDelivery(json: unknown, providerId: string | undefined): Delivery {
  const {
    type = 'SMS',
    conversationProviderId: theirs,
    locationId: location,
    ...head
  } = parsed(headSchema, json)
  const delivery = { webhookId: head.webhookId ?? digestOf(json), locationId: location }
  if (type !== 'SMS' && type !== 'Custom') return { ...delivery, ignored: 'unsupported_type' }
  if (theirs !== undefined && providerId !== undefined && theirs !== providerId)
    return { ...delivery, ignored: 'foreign_provider' }
  const result = deliverySchema.safeParse(json)
  return result.success
    ? { ...delivery, ...messageOf(result.data, delivery.webhookId) }
    : { ...delivery, malformed: malformed(result.error) }
}

function messageOf(post: z.output<typeof deliverySchema>, webhookId: string) {
  const phone = readPhone(post.phone)
  const writtenAt = post.timestamp ?? post.dateAdded
  const message: AgentMessage = {
    locationId: post.locationId,
    ghlMessageId: post.messageId,
    ghlContactId: post.contactId,
    ...(post.conversationId !== undefined && { ghlConversationId: post.conversationId }),
    webhookId,
    ...(phone !== undefined && { phone }),
    ...(writtenAt !== undefined && { writtenAt }),
    text: cleanText(post.message ?? ''),
    ...(post.replyToAltId !== undefined && { replyTo: post.replyToAltId }),
    attachments: post.attachments.flatMap((url) => url?.trim() || []),
  }
  return { message, parts: toParts(message) }
}

const appEventSchema = z.looseObject({
  type: z.string(),
  webhookId: lenient(z.string()),
  timestamp: lenient(instant),
  appId: lenient(z.string()),
  versionId: lenient(z.string()),
  locationId: lenient(locationId),
  companyId: lenient(z.string()),
  installType: lenient(z.string()),
  companyName: lenient(z.string()),
  userId: lenient(z.string()),
  whitelabelDetails: lenient(z.looseObject({ domain: lenient(z.string()) })),
  id: lenient(z.string()),
  contactId: lenient(z.string()),
  phone: lenient(z.string()),
  messageId: lenient(z.string()),
  direction: lenient(z.string()),
  source: lenient(z.string()),
  conversationProviderId: lenient(z.string()),
})

const locationField = z.looseObject({ locationId: z.unknown() })
const isThere = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

/**
 * An event without an id and without a time may be a repeat or the next of its kind (installed, removed, installed again):
 * it counts as the next, since to act twice does no harm, and to pass over one does.
 *
 * @throws {RequestError} `WEBHOOK_MALFORMED` when it has no type.
 */
export function parseAppEvent(json: unknown): AppEvent {
  const event = parsed(appEventSchema, json)
  const contact = event.type.startsWith('Contact') ? (event.id ?? event.contactId) : event.contactId
  return {
    type: event.type,
    webhookId: event.webhookId ?? (event.timestamp === undefined ? randomUUID() : digestOf(json)),
    locationId: event.locationId,
    isUnreadable: event.locationId === undefined && isThere(locationField.safeParse(json).data?.locationId),
    companyId: event.companyId,
    companyName: event.companyName,
    userId: event.userId,
    source: event.source,
    appId: event.appId,
    versionId: event.versionId,
    ghlContactId: readableId(parseGhlContactId).safeParse(contact).data,
    whitelabelDomain: domainOf(event.whitelabelDetails?.domain),
    sentAt: event.timestamp,
    payload: event,
  }
}

function parsed<Schema extends z.ZodType>(schema: Schema, json: unknown): z.output<Schema> {
  const result = schema.safeParse(json)
  if (result.success) return result.data
  throw malformed(result.error)
}

function malformed(error: z.ZodError): RequestError {
  const fields = [...new Set(error.issues.map((issue) => issue.path.join('.')))].join(', ')
  return new RequestError('WEBHOOK_MALFORMED', `These fields are missing or wrong: ${fields || 'the body'}`)
}

const digestOf = (json: unknown): string => createHash('sha256').update(JSON.stringify(json)).digest('hex')

const tokenSchema = z.looseObject({
  access_token: maybe(z.string()),
  accessToken: maybe(z.string()),
  refresh_token: maybe(z.string()),
  refreshToken: maybe(z.string()),
  expires_in: lenient(z.coerce.number()),
  expiresIn: lenient(z.coerce.number()),
  userType: lenient(z.enum(['Location', 'Company'])),
  user_type: lenient(z.enum(['Location', 'Company'])),
  locationId: lenient(locationId),
  location_id: lenient(locationId),
  companyId: lenient(z.string()),
  company_id: lenient(z.string()),
  scope: lenient(z.string()),
  userId: lenient(z.string()),
  user_id: lenient(z.string()),
  versionId: lenient(z.string()),
  isBulkInstallation: lenient(z.boolean()),
})

/** A token answer of GHL; ids that it leaves out are for the caller to keep from before. */
export interface Granted {
  readonly tokens: TokenPair
  readonly userType: 'Location' | 'Company' | undefined
  readonly locationId: LocationId | undefined
  readonly companyId: string | undefined
  readonly scopes: string | undefined
  readonly userId: string | undefined
  readonly versionId: string | undefined
  readonly isBulk: boolean | undefined
}

/** GHL's usual life of an access token, in seconds, for an answer that does not say. */
const USUAL_LIFE_SEC = 86_399
/** A refresh token's life: no access token outlives it. */
const LONGEST_LIFE_SEC = 365 * 86_400

/** Both spellings: version 2 says `access_token`, version 3 `accessToken`. */
export function parseGranted(body: unknown, nowMs: number): Granted {
  const { data } = tokenSchema.safeParse(body)
  const accessToken = data?.access_token ?? data?.accessToken
  if (data === undefined || accessToken === undefined) {
    throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without an access token', {
      certainty: 'unknown',
    })
  }
  // What is over when it comes is renewed before its first use.
  const saidSec = data.expires_in ?? data.expiresIn ?? USUAL_LIFE_SEC
  const lifeSec = Math.min(Math.max(saidSec, 1), LONGEST_LIFE_SEC)
  const userType = data.userType ?? data.user_type
  return {
    tokens: {
      accessToken,
      refreshToken: data.refresh_token ?? data.refreshToken,
      expiresAt: new Date(nowMs + lifeSec * 1_000),
    },
    userType,
    locationId:
      data.locationId ??
      data.location_id ??
      (userType === 'Company' ? undefined : locationInside(accessToken)),
    companyId: data.companyId ?? data.company_id,
    scopes: data.scope,
    userId: data.userId ?? data.user_id,
    versionId: data.versionId,
    isBulk: data.isBulkInstallation,
  }
}

const claimsSchema = z.looseObject({ authClass: z.literal('Location'), authClassId: locationId })

/**
 * The location that an access token speaks for, from its own claims, for an answer that does not say: a code is spent by then.
 * It decides nothing about access; GHL looks at the token itself.
 */
function locationInside(accessToken: string): LocationId | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
    return claimsSchema.safeParse(claims).data?.authClassId
  } catch {
    return undefined
  }
}

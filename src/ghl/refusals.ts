/** GHL's ways of saying no, read into one shape, and what each one means for us. Pure. */
import { z } from 'zod'
import { type ErrorDetails, GhlError } from '../core/errors.ts'

/** A non-2xx answer. Texts are GHL's own, shortened, without numbers and addresses of people: they reach logs and people. */
export interface Refusal {
  readonly status: number
  readonly message: string
  readonly canonicalCode: string | undefined
  readonly traceId: string | undefined
  /** `error` of OAuth answers, e.g. `invalid_grant`. */
  readonly error: string | undefined
  /** The contact that a duplicate refusal points at. */
  readonly duplicateOf: string | undefined
  /** The conversation that exists already. */
  readonly conversationId: string | undefined
  /** From `Retry-After` or the rate-limit headers. */
  readonly retryAfterMs: number | undefined
}

const text = z.string().optional().catch(undefined)
const innerSchema = z.looseObject({
  message: text,
  code: text,
  canonicalCode: text,
  traceId: text,
  contactId: text,
})
/** All shapes of ghl.md section 1 at once. */
const bodySchema = z.looseObject({
  message: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .catch(undefined),
  error: z.union([z.string(), innerSchema]).optional().catch(undefined),
  error_description: text,
  canonicalCode: text,
  traceId: text,
  conversationId: text,
  meta: innerSchema.optional().catch(undefined),
})

export function parseRefusal(status: number, body: unknown, retryAfterMs?: number): Refusal {
  const { data } = bodySchema.safeParse(body)
  const inner = typeof data?.error === 'object' ? data.error : undefined
  const plain = typeof data?.error === 'string' ? data.error : undefined
  const message = Array.isArray(data?.message) ? data.message.join('; ') : data?.message
  return {
    status,
    message: presentable(data?.error_description ?? message ?? inner?.message ?? plain ?? `HTTP ${status}`),
    canonicalCode: data?.canonicalCode ?? inner?.canonicalCode ?? data?.meta?.canonicalCode ?? inner?.code,
    traceId: data?.traceId ?? inner?.traceId ?? data?.meta?.traceId,
    error: plain,
    duplicateOf: data?.meta?.contactId,
    conversationId: data?.conversationId,
    retryAfterMs,
  }
}

/** Longer texts are cut before they are searched. */
const MOST_READ = 1_000
const MAIL = /[^\s@<>"'(),;:=]+@[^\s@<>"'(),;:=]+\.\p{L}{2,}/gu
/** Dates and IP addresses, which look like numbers of people and stay; then these: seven to fifteen digits, in groups or not. */
const NUMBER =
  /(?<!\w-|[\d.][.:]|\w)(?:(?<kept>(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d)|[0-3]?\d[/.][0-3]?\d[/.](?:19|20)\d\d(?!\d)|\d{1,3}(?:\.\d{1,3}){3}(?![.\d]))|\(?\d(?:[\s()./‐-―-]{0,3}\d){6,14}(?!\d|[:T]\d))/gu

const presentable = (message: string): string =>
  message
    .slice(0, MOST_READ)
    .replaceAll(MAIL, '…')
    .replaceAll(NUMBER, (_, kept?: string) => kept ?? '…')
    .replaceAll(/\d{7,}/g, '…')
    .slice(0, 300)

/**
 * `refresh`: the token is spent, a new one will do. `refresh_if_old`: unknown words; a fresh token is worth one try, but
 * not when the refused one is fresh itself. `refuse`: no token of ours will ever do. `too_early`: GHL is not there yet.
 */
type AuthVerdict = 'refresh' | 'refresh_if_old' | 'refuse' | 'too_early'

interface AuthRow {
  readonly status: readonly number[]
  readonly canonicalCode?: string
  readonly words?: RegExp
  readonly verdict: AuthVerdict
  readonly action?: string
}

const UPDATE_APP = 'Update or re-install the app in this location, so that it gets the scopes it needs.'
const PROVIDER_NOT_ACTIVE =
  'The conversation provider is not active in this location: check GHL_PROVIDER_ID, and that the provider is switched on in the installed app version; then re-install the app.'
const WRONG_PROVIDER =
  'Check GHL_PROVIDER_ID and that the installed app version owns that provider; then re-install the app.'

/**
 * First match decides. Refreshing on a refusal that no token can cure spends refresh tokens for nothing and has taken
 * integrations down. @see ghl.md 1 and 3.3 (observed 2025-2026).
 */
export const AUTH_REFUSALS: readonly AuthRow[] = [
  {
    status: [401],
    canonicalCode: 'CONVERSATIONS_MSG_PROVIDER_NO_ACCESS',
    verdict: 'refuse',
    action: WRONG_PROVIDER,
  },
  { status: [401, 403], words: /no conversation provider found for this message/i, verdict: 'too_early' },
  { status: [401], words: /not authorized for this scope/i, verdict: 'refuse', action: UPDATE_APP },
  { status: [401], words: /user type mismatch/i, verdict: 'refuse', action: UPDATE_APP },
  { status: [401, 403], words: /authClass type is not allowed/i, verdict: 'refuse', action: UPDATE_APP },
  {
    status: [401, 403],
    words: /does not have access to this location/i,
    verdict: 'refuse',
    action: UPDATE_APP,
  },
  { status: [401], words: /version header was not found/i, verdict: 'refuse' },
  { status: [401], words: /no message found for the id/i, verdict: 'refuse' },
  {
    status: [401],
    words: /invalid jwt|jwt expired|token.*expired|access token is invalid/i,
    verdict: 'refresh',
  },
  { status: [401], verdict: 'refresh_if_old' },
  { status: [403], verdict: 'refuse' },
]

function authRowOf(refusal: Refusal): AuthRow | undefined {
  return AUTH_REFUSALS.find(
    (row) =>
      row.status.includes(refusal.status) &&
      (row.canonicalCode === undefined || row.canonicalCode === refusal.canonicalCode) &&
      (row.words === undefined || row.words.test(refusal.message)),
  )
}

/** `undefined` when the refusal is not about authorisation. */
export function authVerdict(refusal: Refusal): AuthVerdict | undefined {
  return authRowOf(refusal)?.verdict
}

/** The provider takes messages in another way; not every such answer has the code. */
export const isMismatch = (refusal: Refusal | undefined): boolean =>
  refusal?.canonicalCode === 'CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH' ||
  (refusal?.status === 400 && /incorrect conversationProviderId/i.test(refusal.message))

/** Outside the conversations area GHL says it in words only. */
const isContactGone = ({ status, message, canonicalCode }: Refusal): boolean =>
  canonicalCode === 'CONVERSATIONS_CONTACT_NOT_FOUND' ||
  ((status === 400 || status === 404) && /contact\b.*not found/i.test(message))

/** What an error says of a refusal, for the log: GHL's support asks for the trace. */
export const traced = ({ status, canonicalCode, traceId }: Refusal): ErrorDetails => ({
  status,
  ...(canonicalCode !== undefined && { canonicalCode }),
  ...(traceId !== undefined && { traceId }),
})

/** @param what the call in words, e.g. `GHL refused to add the message`. */
export function refusalError(refusal: Refusal, what: string): GhlError {
  const { status, message, retryAfterMs } = refusal
  const details = traced(refusal)
  const sentence = `${what}: ${message}`
  if (status === 429) {
    return new GhlError('GHL_RATE_LIMITED', `${what}: too many requests`, {
      details,
      retryAfterMs: retryAfterMs ?? 10_000,
    })
  }
  // An error of GHL's own: whether it did the work before it failed, nobody knows.
  if (status >= 500 || status === 408)
    return new GhlError('GHL_UNAVAILABLE', sentence, {
      details,
      certainty: 'unknown',
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  if (isContactGone(refusal)) return new GhlError('GHL_CONTACT_NOT_FOUND', sentence, { details })
  const row = authRowOf(refusal)
  if (row?.verdict === 'too_early') return new GhlError('GHL_STATUS_TOO_EARLY', sentence, { details })
  // A new token was tried already, or is too young to be the reason: it is GHL's trouble with tokens, not the message's, and
  // passes. Words that nobody knows are no final refusal.
  if (row?.verdict === 'refresh' || row?.verdict === 'refresh_if_old')
    return new GhlError('GHL_UNAVAILABLE', sentence, { details })
  if (row !== undefined) {
    return new GhlError('GHL_FORBIDDEN', sentence, {
      details,
      ...(row.action !== undefined && { action: row.action }),
    })
  }
  if (isMismatch(refusal))
    return new GhlError('GHL_REJECTED', sentence, { details, action: PROVIDER_NOT_ACTIVE })
  return new GhlError('GHL_REJECTED', sentence, { details })
}

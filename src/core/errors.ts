/**
 * Every error that crosses a border of ours. `code` is stable and public, `disposition` tells the outbox what
 * to do, `certainty` tells whether the side effect may have happened all the same. Decide by code, never by text.
 */

/** What settles a failed job: try again, wait for an outside change, give up, or (at a door) refuse the caller. */
export type Disposition = 'retry' | 'park' | 'dead' | 'refuse'

/** `not_sent`: certainly without effect. `unknown`: it may have happened; reconcile before repeating. */
export type Certainty = 'not_sent' | 'unknown'

export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>

interface ErrorOptions {
  /** Default `not_sent`. */
  certainty?: Certainty
  /** Earliest sensible repeat, in milliseconds from now. */
  retryAfterMs?: number
  /** What a person should do next; shown to operators and owners. */
  action?: string
  /** Safe to log: no bodies, no secrets, no full numbers. */
  details?: ErrorDetails
  cause?: unknown
}

export abstract class BridgeError extends Error {
  abstract readonly code: string
  abstract readonly disposition: Disposition
  readonly certainty: Certainty
  readonly retryAfterMs: number | undefined
  readonly action: string | undefined
  readonly details: ErrorDetails

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.certainty = options.certainty ?? 'not_sent'
    this.retryAfterMs = options.retryAfterMs
    this.action = options.action
    this.details = options.details ?? {}
  }
}

const CONFIG_CODES = {
  CONFIG_MISSING: 'refuse',
  CONFIG_INVALID: 'refuse',
  PORT_IN_USE: 'refuse',
} as const satisfies Record<string, Disposition>

/** The bridge cannot start like this. The message names the variable and what is expected. */
export class ConfigError extends BridgeError {
  override readonly name = 'ConfigError'
  readonly code: keyof typeof CONFIG_CODES
  readonly disposition: Disposition
  constructor(code: keyof typeof CONFIG_CODES, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.disposition = CONFIG_CODES[code]
  }
}

const REQUEST_CODES = {
  REQUEST_INVALID: 'refuse',
  UNAUTHENTICATED: 'refuse',
  FORBIDDEN: 'refuse',
  /** A page inside GHL could not show who opened it. */
  SSO_REFUSED: 'refuse',
  /** The console was asked for with another key than the operator's. */
  CONSOLE_KEY_WRONG: 'refuse',
  TOO_MANY_REQUESTS: 'refuse',
  INSTALLATION_UNKNOWN: 'refuse',
  /** The same work is under way. */
  ALREADY_RUNNING: 'refuse',
  LOCATION_UNKNOWN: 'refuse',
  SESSION_UNKNOWN: 'refuse',
  /** A pairing code was asked for another phone than the number's own. */
  WRONG_NUMBER: 'refuse',
  MESSAGE_UNKNOWN: 'refuse',
  /** Only a dead or a held message waits for a person. */
  MESSAGE_NOT_WAITING: 'refuse',
  KEY_UNKNOWN: 'refuse',
  /** Not open to sibling backends. */
  PATH_NOT_ALLOWED: 'refuse',
  LINK_EXPIRED: 'refuse',
  /** Nobody is there any more to be answered. */
  CALLER_GONE: 'refuse',
  OAUTH_STATE_INVALID: 'refuse',
  WEBHOOK_SIGNATURE_INVALID: 'refuse',
  WEBHOOK_MALFORMED: 'refuse',
} as const satisfies Record<string, Disposition>

/** A caller asked for something we refuse; nothing was changed. */
export class RequestError extends BridgeError {
  override readonly name = 'RequestError'
  readonly code: keyof typeof REQUEST_CODES
  readonly disposition: Disposition
  constructor(code: keyof typeof REQUEST_CODES, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.disposition = REQUEST_CODES[code]
  }
}

const GHL_CODES = {
  /** 429, or our own limiter: nothing was sent. */
  GHL_RATE_LIMITED: 'park',
  /** GHL keeps failing for this location: no call is made until a probe gets through. Nothing was sent. */
  GHL_PAUSED: 'park',
  /** Network or 5xx. */
  GHL_UNAVAILABLE: 'retry',
  /** The token was spent and is renewed, but the body is gone: the same again will do. Nothing was done. */
  GHL_TOKEN_RENEWED: 'retry',
  /** The connection ended in the middle of an upload, without a word: too large, or a bad line. Nothing was done. */
  GHL_UPLOAD_CUT_OFF: 'retry',
  /** No answer in time: the effect is unknown. */
  GHL_TIMEOUT: 'retry',
  /** The status call came before GHL finished the hand-over (403 of the first seconds). */
  GHL_STATUS_TOO_EARLY: 'retry',
  /** The installation's tokens are spent; a person must install again. */
  GHL_NEEDS_RECONNECT: 'park',
  /** No installation for that location. */
  GHL_NOT_INSTALLED: 'park',
  /** The operator has switched the installation off. */
  GHL_DEACTIVATED: 'park',
  /** Contact deleted or merged away. */
  GHL_CONTACT_NOT_FOUND: 'retry',
  /** The token lacks a scope or may not touch this provider or location. */
  GHL_FORBIDDEN: 'dead',
  /** Any other refusal by GHL, with its reason. */
  GHL_REJECTED: 'dead',
  /** 2xx without the ids that prove the effect. */
  GHL_RESPONSE_INVALID: 'dead',
} as const satisfies Record<string, Disposition>

export type GhlErrorCode = keyof typeof GHL_CODES

/** GHL said no, or could not be reached. `details` carries status, canonicalCode and traceId when known. */
export class GhlError extends BridgeError {
  override readonly name = 'GhlError'
  readonly code: GhlErrorCode
  readonly disposition: Disposition
  constructor(code: GhlErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.disposition = GHL_CODES[code]
  }
}

const WHATSAPP_CODES = {
  /** The number's session is not ready now; it will come back or a person acts. */
  WA_OFFLINE: 'park',
  /** The location has no number at all. */
  WA_NO_SESSION: 'park',
  /** No server ack in time: send again with the same id. */
  WA_SEND_TIMEOUT: 'retry',
  /** The server refused the message; `details.ackError` has its code. */
  WA_SEND_REJECTED: 'dead',
  /** The server's devices list for the recipient was stale (ack 479). */
  WA_DEVICES_STALE: 'retry',
  /** Ack 463: WhatsApp blocks first contacts from this number for now. */
  WA_REACHOUT_LOCKED: 'park',
  WA_NOT_ON_WHATSAPP: 'dead',
  WA_CHAT_UNSUPPORTED: 'dead',
  /** A message that cannot be read yet may be sent again in a moment. */
  WA_MESSAGE_PENDING: 'park',
  /** The location has switched its groups off. */
  WA_GROUPS_OFF: 'dead',
  WA_NOT_IN_GROUP: 'dead',
  WA_GROUP_ADMINS_ONLY: 'dead',
  /** The contact has neither a WhatsApp chat nor a phone number. */
  WA_NO_ADDRESS: 'dead',
} as const satisfies Record<string, Disposition>

export type WhatsAppErrorCode = keyof typeof WHATSAPP_CODES

/** WhatsApp refused, or the number cannot send now. */
export class WhatsAppError extends BridgeError {
  override readonly name = 'WhatsAppError'
  readonly code: WhatsAppErrorCode
  readonly disposition: Disposition
  constructor(code: WhatsAppErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.disposition = WHATSAPP_CODES[code]
  }
}

const MEDIA_CODES = {
  MEDIA_FETCH_FAILED: 'retry',
  /** WhatsApp's file host does not take it now. */
  MEDIA_UPLOAD_FAILED: 'retry',
  MEDIA_TOO_LARGE: 'dead',
  MEDIA_TYPE_UNSUPPORTED: 'dead',
  /** WhatsApp no longer has it and the phone did not give it again. */
  MEDIA_GONE: 'dead',
  /** The address is private, not https, or not allowed. */
  MEDIA_ADDRESS_REFUSED: 'dead',
} as const satisfies Record<string, Disposition>

export class MediaError extends BridgeError {
  override readonly name = 'MediaError'
  readonly code: keyof typeof MEDIA_CODES
  readonly disposition: Disposition
  constructor(code: keyof typeof MEDIA_CODES, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.disposition = MEDIA_CODES[code]
  }
}

const STORE_CODES = {
  /** The database cannot be reached or answers only errors of its own making. */
  STORE_UNAVAILABLE: 'retry',
  /** Another process has this data directory open. */
  STORE_LOCKED: 'refuse',
  /** The schema is older or newer than this program accepts. */
  STORE_SCHEMA: 'refuse',
  /** A sealed value cannot be opened: wrong ENCRYPTION_KEY, or the row was tampered with. */
  STORE_UNSEALABLE: 'dead',
  /** The lease on a session or lane is no longer ours (SQLSTATE BR001). */
  STORE_LEASE_LOST: 'retry',
  /** A statement of ours was refused: a bug. */
  STORE_REJECTED: 'dead',
} as const satisfies Record<string, Disposition>

export type StoreErrorCode = keyof typeof STORE_CODES

export class StoreError extends BridgeError {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  readonly disposition: Disposition
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.disposition = STORE_CODES[code]
  }
}

/** Its key is gone, or it is not the value that was sealed for that place. */
export const isUnsealable = (thrown: unknown): thrown is StoreError =>
  thrown instanceof StoreError && thrown.code === 'STORE_UNSEALABLE'

/** Something we believed impossible. Never retried quietly; logged with its stack. */
export class InvariantError extends BridgeError {
  override readonly name = 'InvariantError'
  readonly code = 'BUG_INVARIANT'
  readonly disposition = 'dead'
}

/** Every code there is, so that a test can hold other lists against it. */
export const ERROR_CODES: readonly string[] = [
  ...[CONFIG_CODES, REQUEST_CODES, GHL_CODES, WHATSAPP_CODES, MEDIA_CODES, STORE_CODES].flatMap(Object.keys),
  'BUG_INVARIANT',
]

/** Any throwable as a typed error, so that settling a failure never guesses. Foreign ones become a bug of ours. */
export function toBridgeError(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  const name = thrown instanceof Error ? thrown.name : typeof thrown
  return new InvariantError('An unexpected error', { certainty: 'unknown', cause: thrown, details: { name } })
}

/** Ends a switch over a union: a new member breaks the build there. */
export function assertNever(value: never): never {
  throw new InvariantError('A case of a union was not handled', {
    details: { value: JSON.stringify(value).slice(0, 80) },
  })
}

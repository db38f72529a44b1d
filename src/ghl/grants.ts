/**
 * `POST /oauth/token`: codes and refresh tokens become pairs. A refresh token can be spent once, but for 30 s GHL gives the
 * same pair again, so an answer that was lost is asked for again at once.
 *
 * What is refused here concerns tokens, never the message that needed one. Nothing but GHL's plain word that a refresh token
 * is spent is final; a firewall, an outage or a reform in front of this one address passes.
 */
import type { Clock } from '../core/clock.ts'
import { ConfigError, GhlError } from '../core/errors.ts'
import { type Granted, parseGranted } from './payloads.ts'
import { authVerdict, type Refusal, refusalError, traced } from './refusals.ts'
import type { Answer, GhlTransport } from './transport.ts'

/** GHL repeats a refresh answer for 30 s; stay well inside. */
const SAME_TOKEN_MS = 25_000
/** Short, so that a lost answer can be asked for again in that time. A code's pair is given once: it gets GHL's usual patience. */
const REFRESH_TIMEOUT_MS = 8_000

interface GrantsDeps {
  readonly transport: GhlTransport
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  /** Told whenever GHL has accepted or refused the app's own credentials. */
  readonly onCredentials?: ((areAccepted: boolean) => void) | undefined
  readonly clock: Clock
}

/** Of `POST /oauth/token`, besides the app's own credentials. */
export type GrantFields =
  | { readonly grant_type: 'authorization_code'; readonly code: string; readonly redirect_uri: string }
  | { readonly grant_type: 'refresh_token'; readonly refresh_token: string }

export class GhlGrants {
  readonly #deps: GrantsDeps

  constructor(deps: GrantsDeps) {
    this.#deps = deps
  }

  /** One call, any answer. @throws {ConfigError} when the app's credentials are not configured. */
  async ask(fields: GrantFields): Promise<Answer> {
    const { transport, clientId, clientSecret, onCredentials } = this.#deps
    if (clientId === undefined || clientSecret === undefined) {
      throw new ConfigError('CONFIG_MISSING', 'GHL_CLIENT_ID and GHL_CLIENT_SECRET are not set')
    }
    const answer = await transport.exchange({
      method: 'POST',
      path: '/oauth/token',
      form: { client_id: clientId, client_secret: clientSecret, ...fields },
      ...(fields.grant_type === 'refresh_token' && { timeoutMs: REFRESH_TIMEOUT_MS }),
    })
    const { refusal } = answer
    if (refusal === undefined) onCredentials?.(true)
    else if (refusal.status < 500 && isAboutApp(refusal)) onCredentials?.(false)
    return answer
  }

  /**
   * The pair that follows this refresh token, or GHL's word that the token is spent. Asks again after a lost answer or an error
   * of GHL's own, while GHL still gives the same pair.
   *
   * @throws {GhlError} anything that passes.
   */
  async refresh(refreshToken: string): Promise<Granted | Refusal> {
    const { clock } = this.#deps
    const giveUpAtMs = clock.nowMs() + SAME_TOKEN_MS - REFRESH_TIMEOUT_MS
    for (let attempt = 0; ; attempt++) {
      const isLast = clock.nowMs() >= giveUpAtMs
      const outcome = await this.#spend(refreshToken)
      if (!(outcome instanceof GhlError)) return outcome
      if (isLast) throw outcome
      await clock.sleep(Math.min(500 * attempt, 3_000))
    }
  }

  /** An error that is returned, not thrown, leaves it open whether GHL has spent the token. */
  async #spend(refreshToken: string): Promise<Granted | Refusal | GhlError> {
    let refusal: Refusal | undefined
    try {
      const answer = await this.ask({ grant_type: 'refresh_token', refresh_token: refreshToken })
      refusal = answer.refusal
      if (refusal === undefined) {
        const granted = grantedBy(answer.body, this.#deps.clock.nowMs())
        return {
          ...granted,
          tokens: { ...granted.tokens, refreshToken: granted.tokens.refreshToken ?? refreshToken },
        }
      }
    } catch (thrown) {
      if (thrown instanceof GhlError) return thrown
      if (!(thrown instanceof ConfigError)) throw thrown
      // Whoever configures it again wants what waited meanwhile to go on.
      throw new GhlError('GHL_UNAVAILABLE', thrown.message, { cause: thrown })
    }
    if (isSpent(refusal)) return refusal
    const error = grantError(refusal)
    if (refusal.status >= 500) return error
    throw error
  }
}

/** @throws {GhlError} `GHL_UNAVAILABLE` for a good answer that holds no token. */
export function grantedBy(body: unknown, nowMs: number): Granted {
  try {
    return parseGranted(body, nowMs)
  } catch (cause) {
    throw new GhlError('GHL_UNAVAILABLE', 'GHL answered without an access token', { cause })
  }
}

const NAMES_GRANT = /refresh[\s_-]?token|\bgrant\b(?!\s+type)|authori[sz]ation code/i
const IS_OVER = /invalid|expired|not found|revoked|already used/i

/**
 * GHL will never take this refresh token again: it says so by `invalid_grant` or in words about the token (ghl.md 2.2). A bare
 * "Unauthorized" says nothing, and wrong app credentials concern every installation.
 */
function isSpent(refusal: Refusal): boolean {
  if (refusal.status !== 400 && refusal.status !== 401) return false
  if (refusal.error === 'invalid_grant') return true
  return !isAboutApp(refusal) && NAMES_GRANT.test(refusal.message) && IS_OVER.test(refusal.message)
}

const isAboutApp = (refusal: Refusal): boolean => /client/i.test(`${refusal.error ?? ''} ${refusal.message}`)

/** @param refusal of `/oauth/token`, of a code or of a refresh token that is not known to be spent. */
export function grantError(refusal: Refusal): GhlError {
  if (refusal.status === 429) return refusalError(refusal, 'GHL gave no token')
  if (isAboutApp(refusal)) {
    return new GhlError('GHL_UNAVAILABLE', `GHL does not accept the app’s credentials: ${refusal.message}`, {
      action: 'Check GHL_CLIENT_ID and GHL_CLIENT_SECRET.',
      details: traced(refusal),
    })
  }
  return noTokenNow(refusal)
}

/**
 * @param refusal of `/oauth/locationToken`. Final are 400 and 403 (not installed there, or in another version) and the words of
 * ghl.md 1 for an agency's token that may not mint; anything else passes.
 */
export function mintError(refusal: Refusal, locationId: string): GhlError {
  const { status, message } = refusal
  if (status === 429) return refusalError(refusal, 'GHL gave no token for this location')
  const isFinal = status === 400 || status === 403 || authVerdict(refusal) === 'refuse'
  if (!isFinal) return noTokenNow(refusal)
  return new GhlError('GHL_NEEDS_RECONNECT', `GHL gives no token for this location: ${message}`, {
    action:
      status === 401
        ? 'Install the app as the agency again, so that it may give tokens to its locations.'
        : 'Install the app in this location again, or update it there.',
    details: { locationId, ...traced(refusal) },
  })
}

/** Nothing was done for want of a token, so what needed it has certainly not happened. */
function noTokenNow(refusal: Refusal): GhlError {
  const { message, retryAfterMs } = refusal
  return new GhlError('GHL_UNAVAILABLE', `GHL gives no token at the moment: ${message}`, {
    details: traced(refusal),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}

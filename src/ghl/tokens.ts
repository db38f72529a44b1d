/**
 * A valid access token per installation. A refresh token can be spent once, so:
 *
 * 1. one refresh at a time, in this process by a shared promise, among nodes by the store's `beginRefresh`;
 * 2. after taking the right, look whether another has refreshed already;
 * 3. a lost answer is asked for again at once with the same refresh token: for 30 s GHL gives the same pair;
 * 4. the new pair is stored before it is used; a pair that cannot be stored is kept here and stored next time;
 * 5. a refresh that fails leaves a token that is still valid in use; one that GHL refuses for good marks the
 *    installation `needs_reconnect`.
 *
 * Tokens minted from an agency (Company) token have no refresh token of their own: they are minted again.
 */
import {
  deactivated,
  type InstallationRow,
  type InstallationStore,
  type Problem,
  type TokenPair,
} from '../bridge/installations.ts'
import type { Clock } from '../core/clock.ts'
import { BridgeError, ConfigError, GhlError, StoreError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { type Granted, parseGranted } from './payloads.ts'
import { authVerdict, type Refusal, refusalError } from './refusals.ts'
import type { Answer, Credentials, GhlCall, GhlTransport, OpenAnswer } from './transport.ts'

/** Renewed this long before its end. */
const RENEW_WITHIN_MS = 5 * 60_000
/** After a proactive attempt, good or bad, a token that is still valid is used this long before the next. */
const PROACTIVE_PAUSE_MS = 30_000
/**
 * A token younger than this that is refused in unknown words is not refused for its age; and where a new token did not help,
 * the next is asked for after this, so that trouble at GHL's door does not become a refresh per call.
 */
const FRESH_MS = 60_000
/** The row is read again after this time, so that a re-installation through another node is seen. */
const CACHE_MS = 60_000
/** A node that dies over a refresh leaves half of GHL's 30 s for another to ask for the same pair again. */
const HOLD_MS = 15_000
const WAIT_MS = 60_000
const POLL_MS = 100
/** GHL repeats a refresh answer for 30 s; stay well inside. */
const SAME_TOKEN_MS = 25_000
const REFRESH_TIMEOUT_MS = 8_000
const PERSIST_ATTEMPTS = 5

/** Whom a call speaks for. */
export interface Access {
  readonly installation: InstallationRow
  readonly tokens: TokenPair
}

interface Cached extends Access {
  readonly readAtMs: number
}

interface TokensDeps {
  readonly installations: InstallationStore
  readonly transport: GhlTransport
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  /** Told whenever GHL has accepted or refused the app's own credentials. */
  readonly onCredentials?: ((areAccepted: boolean) => void) | undefined
  readonly clock: Clock
  readonly log: Log
}

export class GhlTokens {
  readonly #deps: TokensDeps
  readonly #cache = new Map<LocationId, Cached>()
  readonly #refreshing = new Map<string, Promise<TokenPair>>()
  readonly #triedAtMs = new Map<string, number>()
  readonly #mintedAtMs = new Map<string, number>()
  /** When GHL last called a token invalid that it had just given. */
  readonly #fruitlessAtMs = new Map<string, number>()
  readonly #unsaved = new Map<string, { spent: string | undefined; granted: Granted }>()

  constructor(deps: TokensDeps) {
    this.#deps = deps
  }

  /**
   * A token for the location, renewed when it is about to end.
   *
   * @throws {GhlError} `GHL_NOT_INSTALLED`, `GHL_DEACTIVATED`, `GHL_NEEDS_RECONNECT`, or what a due refresh met.
   */
  async access(locationId: LocationId): Promise<Access> {
    const cached = this.#cache.get(locationId)
    const nowMs = this.#deps.clock.nowMs()
    if (
      cached !== undefined &&
      nowMs - cached.readAtMs < CACHE_MS &&
      remainingMs(cached, nowMs) > RENEW_WITHIN_MS
    )
      return cached
    const installation = await this.#deps.installations.findByLocation(locationId)
    if (installation === undefined || installation.status === 'uninstalled') {
      this.#cache.delete(locationId)
      throw new GhlError('GHL_NOT_INSTALLED', 'The app is not installed in this location', {
        action: 'Install the app in this location.',
        details: { locationId },
      })
    }
    if (installation.status === 'deactivated') {
      this.#cache.delete(locationId)
      throw deactivated(installation)
    }
    return await this.#valid(installation)
  }

  /** The agency installation that can mint tokens for its locations, `undefined` when there is none. */
  async companyAccess(companyId: string | undefined): Promise<Access | undefined> {
    const company =
      companyId === undefined ? undefined : await this.#deps.installations.findCompany(companyId)
    return company?.status === 'active' ? await this.#valid(company) : undefined
  }

  /** Makes the next call read the installation again. */
  forget(locationId: LocationId): void {
    this.#cache.delete(locationId)
  }

  /** Refreshes now, whatever the age of the token. @throws as {@link access}. */
  async refresh(installation: InstallationRow): Promise<Access> {
    return await this.#renew(await this.#read({ ...installation, status: 'active' }))
  }

  /**
   * Sends a call under an installation's token; a token that GHL says is spent is renewed and the call repeated, once.
   * A call with a stream cannot be repeated: then the token is renewed all the same and the caller told to try again.
   */
  async exchange(access: Access, call: GhlCall): Promise<Answer> {
    return await this.#withToken(access, call, (spoken) => this.#deps.transport.exchange(call, spoken))
  }

  /** As {@link exchange}, but the body of the answer comes as GHL sends it. */
  async open(access: Access, call: GhlCall): Promise<OpenAnswer> {
    return await this.#withToken(access, call, (spoken) => this.#deps.transport.open(call, spoken))
  }

  async #withToken<A extends { readonly refusal: Refusal | undefined }>(
    access: Access,
    call: GhlCall,
    make: (credentials: Credentials) => Promise<A>,
  ): Promise<A> {
    const spoken = this.#speaking(access)
    const answer = await make(spoken)
    if (answer.refusal === undefined || !this.#curable(access, answer.refusal)) return answer
    const renewed = await this.#renew(spoken.used())
    if (call.stream !== undefined) {
      throw new GhlError('GHL_UNAVAILABLE', 'The access token was renewed; the upload starts again', {
        cause: refusalError(answer.refusal, 'GHL refused the token'),
      })
    }
    const second = await make(this.#speaking(renewed))
    const isFruitless = second.refusal !== undefined && authVerdict(second.refusal) === 'refresh'
    if (isFruitless) this.#fruitlessAtMs.set(access.installation.installationId, this.#deps.clock.nowMs())
    return second
  }

  /** Credentials that take the newest token of the installation when the call's turn comes, and tell which it was. */
  #speaking(access: Access): Credentials & { used(): Access } {
    const { installation } = access
    let used = access
    return {
      resourceId:
        installation.locationId ?? `company:${installation.companyId ?? installation.installationId}`,
      accessToken: () => {
        used = (installation.locationId && this.#cache.get(installation.locationId)) ?? access
        return used.tokens.accessToken
      },
      used: () => used,
    }
  }

  /**
   * A location token minted from the agency's token.
   *
   * @throws {GhlError} `GHL_NEEDS_RECONNECT` when the app is not installed in the location, or in another version.
   */
  async mint(company: Access, locationId: LocationId): Promise<Granted> {
    const answer = await this.exchange(company, {
      method: 'POST',
      path: '/oauth/locationToken',
      form: { companyId: company.installation.companyId, locationId },
      idempotent: true,
    })
    if (answer.refusal === undefined) {
      // Whether a minted token's own refresh token works is not known; minting again always does (ghl.md 12).
      const granted = parseGranted(answer.body, this.#deps.clock.nowMs())
      return { ...granted, locationId, tokens: { ...granted.tokens, refreshToken: undefined } }
    }
    if (answer.status === 400 || answer.status === 403) {
      throw new GhlError(
        'GHL_NEEDS_RECONNECT',
        `GHL gives no token for this location: ${answer.refusal.message}`,
        {
          action: 'Install the app in this location again, or update it there.',
          details: { locationId, status: answer.status },
        },
      )
    }
    throw refusalError(answer.refusal, 'GHL refused a token for this location')
  }

  #curable(access: Access, refusal: Refusal): boolean {
    const { installationId } = access.installation
    const isLongAgo = (atMs = 0) => this.#deps.clock.nowMs() - atMs > FRESH_MS
    const verdict = authVerdict(refusal)
    if (verdict === 'refresh') return isLongAgo(this.#fruitlessAtMs.get(installationId))
    return verdict === 'refresh_if_old' && isLongAgo(this.#mintedAtMs.get(installationId))
  }

  async #valid(installation: InstallationRow): Promise<Access> {
    const access = await this.#read(installation)
    const { clock, log } = this.#deps
    const leftMs = remainingMs(access, clock.nowMs())
    if (leftMs > RENEW_WITHIN_MS) return access
    const { installationId } = installation
    if (leftMs > 0 && (installation.status !== 'active' || this.#triedLately(installationId))) return access
    if (installation.status !== 'active') throw needsReconnect(installation)
    try {
      return await this.#renew(access)
    } catch (thrown) {
      if (remainingMs(access, clock.nowMs()) <= 0) throw thrown
      const errorCode = thrown instanceof BridgeError ? thrown.code : 'unknown'
      log.warn({ installationId, errorCode }, 'could not renew a token early; the old one is still valid')
      return access
    }
  }

  #triedLately(installationId: string): boolean {
    return this.#deps.clock.nowMs() - (this.#triedAtMs.get(installationId) ?? 0) < PROACTIVE_PAUSE_MS
  }

  async #read(installation: InstallationRow): Promise<Access> {
    const tokens = await this.#deps.installations.readTokens(installation.installationId)
    if (tokens === undefined) throw needsReconnect(installation)
    return this.#remember(installation, tokens)
  }

  #remember(installation: InstallationRow, tokens: TokenPair): Access {
    const access = { installation, tokens, readAtMs: this.#deps.clock.nowMs() }
    if (installation.locationId !== undefined) this.#cache.set(installation.locationId, access)
    return access
  }

  async #renew(stale: Access): Promise<Access> {
    const { installation } = stale
    const { installationId } = installation
    const known = installation.locationId && this.#cache.get(installation.locationId)
    if (known && known.tokens.accessToken !== stale.tokens.accessToken) return known
    if (installation.status !== 'active') throw needsReconnect(installation)
    const shared =
      this.#refreshing.get(installationId) ??
      this.#refreshOnce(stale).finally(() => {
        this.#triedAtMs.set(installationId, this.#deps.clock.nowMs())
        this.#refreshing.delete(installationId)
      })
    this.#refreshing.set(installationId, shared)
    const tokens = await shared
    return this.#remember({ ...installation, status: 'active', tokenExpiresAt: tokens.expiresAt }, tokens)
  }

  async #refreshOnce({ installation, tokens: stale }: Access): Promise<TokenPair> {
    const { installations, clock } = this.#deps
    const { installationId } = installation
    const giveUpAtMs = clock.nowMs() + WAIT_MS
    while (clock.nowMs() < giveUpAtMs) {
      const held = await installations.beginRefresh(installationId, HOLD_MS)
      if (held !== undefined && held.tokens.accessToken === stale.accessToken)
        return await this.#spend(installation, held.holder, held.tokens)
      if (held !== undefined) {
        await installations.abandonRefresh(installationId, held.holder, false)
        return held.tokens
      }
      await clock.sleep(POLL_MS)
      const current = await installations.readTokens(installationId)
      if (current === undefined) throw needsReconnect(installation)
      if (current.accessToken !== stale.accessToken) return current
    }
    throw new GhlError('GHL_UNAVAILABLE', 'Another node has been refreshing this token for too long')
  }

  async #spend(installation: InstallationRow, holder: string, held: TokenPair): Promise<TokenPair> {
    const { installations, clock, log } = this.#deps
    const { installationId } = installation
    try {
      const unsaved = this.#unsaved.get(installationId)
      const granted =
        unsaved !== undefined && unsaved.spent === held.refreshToken
          ? unsaved.granted
          : await this.#obtain(installation, held.refreshToken)
      this.#unsaved.set(installationId, { spent: held.refreshToken, granted })
      await this.#persist(installationId, holder, granted)
      this.#unsaved.delete(installationId)
      this.#mintedAtMs.set(installationId, clock.nowMs())
      log.info({ installationId, locationId: installation.locationId }, 'access token renewed')
      return granted.tokens
    } catch (thrown) {
      if (thrown instanceof StoreError) return await this.#takenOver(installationId, held, thrown)
      const isFinal = thrown instanceof GhlError && thrown.code === 'GHL_NEEDS_RECONNECT'
      if (installation.locationId !== undefined) this.#cache.delete(installation.locationId)
      await installations.abandonRefresh(installationId, holder, isFinal)
      await installations.noteAttempt(installationId, { problem: problemOf(toBridgeError(thrown)) })
      throw thrown
    }
  }

  /** Another node has asked for the same pair and stored it: then that is the one to use. */
  async #takenOver(installationId: string, held: TokenPair, lost: StoreError): Promise<TokenPair> {
    if (lost.code !== 'STORE_LEASE_LOST') throw lost
    const current = await this.#deps.installations.readTokens(installationId)
    if (current === undefined || current.accessToken === held.accessToken) throw lost
    this.#unsaved.delete(installationId)
    return current
  }

  async #persist(installationId: string, holder: string, granted: Granted): Promise<void> {
    const { installations, clock } = this.#deps
    for (let attempt = 1; ; attempt++) {
      try {
        await installations.finishRefresh(installationId, holder, granted.tokens, granted.scopes)
        return
      } catch (thrown) {
        const isPassing = thrown instanceof StoreError && thrown.code === 'STORE_UNAVAILABLE'
        if (!isPassing || attempt === PERSIST_ATTEMPTS) throw thrown
        await clock.sleep(200 * attempt)
      }
    }
  }

  async #obtain(installation: InstallationRow, refreshToken: string | undefined): Promise<Granted> {
    const refused = refreshToken === undefined ? undefined : await this.#spendRefreshToken(refreshToken)
    if (refused !== undefined && 'tokens' in refused) return refused
    const company = installation.locationId && (await this.companyAccess(installation.companyId))
    if (installation.locationId && company) return await this.mint(company, installation.locationId)
    throw needsReconnect(installation, refused)
  }

  /** The new pair, or GHL's final refusal of this refresh token. */
  async #spendRefreshToken(refreshToken: string): Promise<Granted | Refusal> {
    const { clock } = this.#deps
    const answer = await this.#repeatedGrant({ grant_type: 'refresh_token', refresh_token: refreshToken })
    if (answer.refusal === undefined) {
      const granted = parseGranted(answer.body, clock.nowMs())
      return {
        ...granted,
        tokens: { ...granted.tokens, refreshToken: granted.tokens.refreshToken ?? refreshToken },
      }
    }
    if (isSpent(answer.refusal)) return answer.refusal
    throw grantError(answer.refusal)
  }

  /** Asks again after a lost answer or an error of GHL's own, while GHL still gives the same pair. */
  async #repeatedGrant(fields: Readonly<Record<string, string>>): Promise<Answer> {
    const { clock } = this.#deps
    const giveUpAtMs = clock.nowMs() + SAME_TOKEN_MS - REFRESH_TIMEOUT_MS
    for (let attempt = 0; ; attempt++) {
      const isLast = clock.nowMs() >= giveUpAtMs
      try {
        const answer = await this.grant(fields)
        if (answer.status < 500 || isLast) return answer
      } catch (thrown) {
        if (!(thrown instanceof GhlError) || isLast) throw thrown
      }
      await clock.sleep(Math.min(500 * attempt, 3_000))
    }
  }

  /** `POST /oauth/token`. @throws {ConfigError} when the app's credentials are not configured. */
  async grant(fields: Readonly<Record<string, string>>): Promise<Answer> {
    const { transport, clientId, clientSecret, onCredentials } = this.#deps
    if (clientId === undefined || clientSecret === undefined) {
      throw new ConfigError('CONFIG_MISSING', 'GHL_CLIENT_ID and GHL_CLIENT_SECRET are not set')
    }
    const answer = await transport.exchange({
      method: 'POST',
      path: '/oauth/token',
      form: { client_id: clientId, client_secret: clientSecret, ...fields },
      timeoutMs: REFRESH_TIMEOUT_MS,
    })
    const { refusal } = answer
    if (refusal === undefined) onCredentials?.(true)
    else if (refusal.status < 500 && isAboutApp(refusal)) onCredentials?.(false)
    return answer
  }
}

/** An error as it stands on an installation, for people. */
export const problemOf = ({ code, message, action }: BridgeError): Problem => ({
  code,
  message,
  ...(action !== undefined && { action }),
})

const remainingMs = ({ tokens }: Access, nowMs: number): number => tokens.expiresAt.getTime() - nowMs

/** GHL will never take this refresh token again. Wrong app credentials are not that: they concern every installation. */
function isSpent(refusal: Refusal): boolean {
  if (refusal.status !== 400 && refusal.status !== 401) return false
  return refusal.error === 'invalid_grant' || !isAboutApp(refusal)
}

const isAboutApp = (refusal: Refusal): boolean => /client/i.test(`${refusal.error ?? ''} ${refusal.message}`)

/** @param refusal of `/oauth/token`. */
export function grantError(refusal: Refusal): GhlError {
  if (isAboutApp(refusal)) {
    return new GhlError('GHL_UNAVAILABLE', `GHL does not accept the app’s credentials: ${refusal.message}`, {
      action: 'Check GHL_CLIENT_ID and GHL_CLIENT_SECRET.',
      details: { status: refusal.status },
    })
  }
  return refusalError(refusal, 'GHL refused a token')
}

function needsReconnect(installation: InstallationRow, refusal?: Refusal): GhlError {
  return new GhlError('GHL_NEEDS_RECONNECT', 'GHL no longer accepts this installation’s tokens', {
    action: 'Connect the location again with the install link.',
    details: {
      installationId: installation.installationId,
      ...(refusal && { status: refusal.status, reason: refusal.message }),
    },
  })
}

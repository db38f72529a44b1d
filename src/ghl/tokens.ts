/**
 * A valid access token per installation. A refresh token can be spent once, so:
 *
 * 1. one refresh at a time, in this process by a shared promise, among nodes by the store's `beginRefresh`;
 * 2. after taking the right, look whether another has refreshed already;
 * 3. a lost answer is asked for again at once with the same refresh token: for 30 s GHL gives the same pair (grants.ts);
 * 4. the new pair is stored before it is used; a pair that cannot be stored is kept here and stored next time;
 * 5. a token that is still valid stays in use while it is renewed, and when that fails; a refresh that GHL refuses for good
 *    marks the installation `needs_reconnect`, and when GHL refused the access token too, that one is over.
 *
 * Tokens minted from an agency (Company) token have no refresh token of their own: they are minted again. So are those that are
 * stored and cannot be opened, for their key is gone.
 */
import {
  canMint,
  deactivated,
  type InstallationRow,
  type InstallationStore,
  isServed,
  opened,
  problemOf,
  type TokenPair,
} from '../bridge/installations.ts'
import type { Clock } from '../core/clock.ts'
import { GhlError, StoreError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { GhlGrants, type GrantFields, grantedBy, mintError } from './grants.ts'
import type { Granted } from './payloads.ts'
import { authVerdict, type Refusal, refusalError, traced } from './refusals.ts'
import { TokenRefusals, type Used } from './token-refusals.ts'
import type { Answer, Credentials, GhlCall, GhlTransport, OpenAnswer } from './transport.ts'

/** Renewed this long before its end. */
const RENEW_WITHIN_MS = 5 * 60_000
/** A token that lives longer than this is handed out at once while its renewal goes on; longer than a call waits for GHL. */
const USABLE_MS = 30_000
/** After a proactive attempt, good or bad, a token that is still valid is used this long before the next. */
const PROACTIVE_PAUSE_MS = 30_000
/** The row is read again after this time, so that a re-installation through another node is seen. */
const CACHE_MS = 60_000
/** A node that dies over a refresh leaves half of GHL's 30 s for another to ask for the same pair again. */
const HOLD_MS = 15_000
const WAIT_MS = 60_000
const POLL_MS = 100
const PERSIST_ATTEMPTS = 5

/** Whom a call speaks for. */
export interface Access {
  readonly installation: InstallationRow
  readonly tokens: TokenPair
}

/** What is to be renewed; without tokens where their key is gone. */
interface Stale {
  readonly installation: InstallationRow
  readonly tokens: TokenPair | undefined
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
  readonly #grants: GhlGrants
  readonly #refusals: TokenRefusals
  readonly #cache = new Map<LocationId, Cached>()
  /** How often a location was to be read again: what was read before that is not kept. */
  readonly #forgotten = new Map<LocationId, number>()
  readonly #refreshing = new Map<string, Promise<TokenPair>>()
  readonly #triedAtMs = new Map<string, number>()
  readonly #unsaved = new Map<string, { spent: string | undefined; granted: Granted }>()

  constructor(deps: TokensDeps) {
    this.#deps = deps
    this.#grants = new GhlGrants(deps)
    this.#refusals = new TokenRefusals(deps.clock)
  }

  /**
   * A token for the location, renewed when it is about to end.
   *
   * @throws {GhlError} `GHL_NOT_INSTALLED`, `GHL_DEACTIVATED`, `GHL_NEEDS_RECONNECT`, or what a due refresh met.
   */
  async access(locationId: LocationId): Promise<Access> {
    const cached = this.#cache.get(locationId)
    if (cached !== undefined && this.#isGood(cached)) return cached
    const age = this.#ageOf(locationId)
    const installation = await this.#deps.installations.findByLocation(locationId)
    if (!isServed(installation)) {
      this.#cache.delete(locationId)
      throw notServed(installation, locationId)
    }
    return await this.#valid(installation, age)
  }

  /** As {@link access}, of a location's or an agency's own installation, which the caller has just read. */
  async accessOf(installation: InstallationRow): Promise<Access> {
    return await this.#valid(installation, this.#ageOf(installation.locationId))
  }

  /** The agency installation that can mint tokens for its locations, `undefined` when there is none. */
  async companyAccess(companyId: string | undefined): Promise<Access | undefined> {
    const company =
      companyId === undefined ? undefined : await this.#deps.installations.findCompany(companyId)
    return company !== undefined && canMint(company, this.#deps.clock.nowMs())
      ? await this.#valid(company, 0)
      : undefined
  }

  /** Makes the next call read the installation again. */
  forget(locationId: LocationId): void {
    this.#cache.delete(locationId)
    this.#forgotten.set(locationId, this.#ageOf(locationId) + 1)
  }

  #ageOf(locationId: LocationId | undefined): number {
    return (locationId && this.#forgotten.get(locationId)) ?? 0
  }

  /** Refreshes now, whatever the age of the token, and also where GHL refused once before. @throws as {@link access}. */
  async refresh(installation: InstallationRow): Promise<Access> {
    const age = this.#ageOf(installation.locationId)
    const tokens = await this.#stored(installation)
    const row = { ...installation, status: 'active' } as const
    return await this.#renew(
      tokens === undefined ? { installation: row, tokens } : this.#remember(row, tokens, age),
    )
  }

  /** As {@link refresh}, unless the tokens are others by now than those of this row. */
  async finish(installation: InstallationRow): Promise<void> {
    const age = this.#ageOf(installation.locationId)
    const access = await this.#read({ ...installation, status: 'active' }, age)
    if (access.tokens.expiresAt.getTime() === installation.tokenExpiresAt.getTime()) await this.#renew(access)
  }

  /** Resolves when no refresh is under way here: a pair that GHL has given is stored, not lost with the process. */
  async drain(): Promise<void> {
    while (this.#refreshing.size > 0) await Promise.allSettled(this.#refreshing.values())
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
    if (answer.refusal === undefined) {
      this.#noteWell(access.installation)
      if (call.stream !== undefined) this.#refusals.noteWorks(access.installation.installationId)
    }
    if (answer.refusal === undefined || !this.#isCurable(spoken.used(), answer.refusal)) return answer
    const renewed = await this.#replace(spoken.used())
    if (call.stream !== undefined) {
      this.#refusals.noteUntried(usedOf(renewed), answer.refusal)
      throw new GhlError(
        'GHL_TOKEN_RENEWED',
        'GHL took the access token for spent and the body was not kept',
        {
          action: 'The token is renewed: send the request again.',
          cause: refusalError(answer.refusal, 'GHL refused the token'),
        },
      )
    }
    const second = await make(this.#speaking(renewed))
    this.#refusals.noteCure(usedOf(renewed), answer.refusal, second.refusal)
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
   * @throws {GhlError} `GHL_NEEDS_RECONNECT` when the app is not installed in the location, or in another version, or when the
   * agency's token may not mint.
   */
  async mint(company: Access, locationId: LocationId): Promise<Granted> {
    const answer = await this.exchange(company, {
      method: 'POST',
      path: '/oauth/locationToken',
      form: { companyId: company.installation.companyId, locationId },
      idempotent: true,
    })
    if (answer.refusal !== undefined) throw mintError(answer.refusal, locationId)
    // Whether a minted token's own refresh token works is not known; minting again always does (ghl.md 12).
    const granted = grantedBy(answer.body, this.#deps.clock.nowMs())
    return { ...granted, locationId, tokens: { ...granted.tokens, refreshToken: undefined } }
  }

  /** Whether another token, one that is here already or a new one, may do what this one could not. */
  #isCurable(used: Access, refusal: Refusal): boolean {
    const { locationId } = used.installation
    const newest = locationId && this.#cache.get(locationId)
    const verdict = authVerdict(refusal)
    if (newest && newest.tokens.accessToken !== used.tokens.accessToken)
      return verdict === 'refresh' || verdict === 'refresh_if_old'
    return this.#refusals.isCurable(usedOf(used), refusal)
  }

  /** What an earlier attempt met has passed. A scope that is missing is no better for another call that works. */
  #noteWell(installation: InstallationRow): void {
    const { installationId, locationId, status, problem } = installation
    if (status !== 'active' || problem === undefined || problem.code === 'GHL_FORBIDDEN') return
    const cached = locationId && this.#cache.get(locationId)
    if (locationId && cached)
      this.#cache.set(locationId, { ...cached, installation: { ...installation, problem: undefined } })
    // The next call that works says it again.
    this.#deps.installations.noteAttempt(installationId, {}).catch(() => undefined)
  }

  /** A token instead of one that GHL refused. When there will be none, the refused one is over, whatever its date says. */
  async #replace(refused: Access): Promise<Access> {
    // Whoever asked before us, here or on another node, may know by now that there is none.
    const { installationId, locationId } = refused.installation
    const { installations } = this.#deps
    try {
      const now = await installations.find(installationId)
      if (now !== undefined && opened(now).status === 'needs_reconnect') throw needsReconnect(now)
      return await this.#renew(refused)
    } catch (thrown) {
      if (isFinal(thrown)) {
        if (locationId !== undefined) this.#cache.delete(locationId)
        await installations.endTokens(installationId, refused.tokens.expiresAt)
      }
      throw thrown
    }
  }

  async #valid(row: InstallationRow, age: number): Promise<Access> {
    const access = await this.#read(row, age)
    const { installation } = access
    const { clock } = this.#deps
    const leftMs = remainingMs(access, clock.nowMs())
    if (leftMs > RENEW_WITHIN_MS) return access
    if (installation.status !== 'active' && leftMs <= 0) throw needsReconnect(installation)
    if (leftMs > 0 && (installation.status !== 'active' || this.#triedLately(installation.installationId)))
      return access
    const renewal = this.#renew(access).catch((thrown: unknown) => {
      if (remainingMs(access, clock.nowMs()) <= 0 || isOff(thrown)) throw thrown
      return access
    })
    if (leftMs <= USABLE_MS) return await renewal
    // Whoever comes when it is over meets the same refusal, by his own attempt.
    renewal.catch(() => undefined)
    return access
  }

  /** Read lately, and not to be renewed, or in renewal. */
  #isGood(cached: Cached): boolean {
    const nowMs = this.#deps.clock.nowMs()
    if (nowMs - cached.readAtMs >= CACHE_MS) return false
    const leftMs = remainingMs(cached, nowMs)
    const { installationId } = cached.installation
    return leftMs > RENEW_WITHIN_MS || (leftMs > USABLE_MS && this.#refreshing.has(installationId))
  }

  #triedLately(installationId: string): boolean {
    return this.#deps.clock.nowMs() - (this.#triedAtMs.get(installationId) ?? 0) < PROACTIVE_PAUSE_MS
  }

  async #read(installation: InstallationRow, age: number): Promise<Access> {
    const tokens = await this.#stored(installation)
    if (tokens === undefined) return await this.#renew({ installation, tokens })
    return this.#remember(opened(installation), tokens, age)
  }

  /** `undefined` where their key is gone. @throws {GhlError} `GHL_NEEDS_RECONNECT` where there are none. */
  async #stored(installation: InstallationRow): Promise<TokenPair | undefined> {
    const { installationId, locationId, status } = installation
    const tokens = await this.#deps.installations.readTokens(installationId)
    if (tokens !== undefined) return tokens
    // What was read before is as old as the key.
    if (locationId !== undefined) this.#cache.delete(locationId)
    if (status === 'pending' || status === 'uninstalled') throw needsReconnect(installation)
    return undefined
  }

  /** @param age of the location before the installation was read. */
  #remember(installation: InstallationRow, tokens: TokenPair, age: number): Access {
    const { locationId } = installation
    const access = { installation, tokens, readAtMs: this.#deps.clock.nowMs() }
    if (locationId !== undefined && this.#ageOf(locationId) === age) this.#cache.set(locationId, access)
    return access
  }

  async #renew(stale: Stale): Promise<Access> {
    const { installation } = stale
    const { installationId } = installation
    const known = installation.locationId && this.#cache.get(installation.locationId)
    if (known && known.tokens.accessToken !== stale.tokens?.accessToken) return known
    if (installation.status !== 'active')
      throw stale.tokens === undefined ? keyIsGone(installation) : needsReconnect(installation)
    const shared =
      this.#refreshing.get(installationId) ??
      this.#refreshOnce(stale).finally(() => {
        this.#triedAtMs.set(installationId, this.#deps.clock.nowMs())
        this.#refreshing.delete(installationId)
      })
    this.#refreshing.set(installationId, shared)
    const tokens = await shared
    // While GHL answered it may have been removed or switched off, and then nothing is done with the new token.
    const age = this.#ageOf(installation.locationId)
    const now = await this.#deps.installations.find(installationId)
    if (!isServed(now)) throw notServed(now, installation.locationId)
    return this.#remember({ ...now, problem: undefined, tokenExpiresAt: tokens.expiresAt }, tokens, age)
  }

  async #refreshOnce({ installation, tokens: stale }: Stale): Promise<TokenPair> {
    const { installations, clock } = this.#deps
    const { installationId } = installation
    const giveUpAtMs = clock.nowMs() + WAIT_MS
    while (clock.nowMs() < giveUpAtMs) {
      const held = await installations.beginRefresh(installationId, HOLD_MS)
      if (held !== undefined) {
        const { holder, tokens } = held
        if (tokens === undefined || tokens.accessToken === stale?.accessToken)
          return await this.#spend(installation, holder, tokens)
        await installations.abandonRefresh(installationId, holder, false)
        return tokens
      }
      await clock.sleep(POLL_MS)
      const current = await installations.readTokens(installationId)
      if (current !== undefined && current.accessToken !== stale?.accessToken) return current
      const isLost = current === undefined && stale !== undefined
      if (isLost || !isServed(await installations.find(installationId))) throw needsReconnect(installation)
    }
    throw new GhlError('GHL_UNAVAILABLE', 'Another node has been refreshing this token for too long')
  }

  async #spend(
    installation: InstallationRow,
    holder: string,
    held: TokenPair | undefined,
  ): Promise<TokenPair> {
    const { installations, log } = this.#deps
    const { installationId } = installation
    try {
      const unsaved = this.#unsaved.get(installationId)
      const granted =
        unsaved !== undefined && unsaved.spent === held?.refreshToken
          ? unsaved.granted
          : await this.#obtain(installation, held)
      this.#unsaved.set(installationId, { spent: held?.refreshToken, granted })
      await this.#persist(installationId, holder, granted)
      this.#unsaved.delete(installationId)
      this.#refusals.given({ installationId, accessToken: granted.tokens.accessToken })
      log.info({ installationId, locationId: installation.locationId }, 'access token renewed')
      return granted.tokens
    } catch (thrown) {
      if (thrown instanceof StoreError) return await this.#takenOver(installation, held, thrown)
      const error = toBridgeError(thrown)
      log.warn({ installationId, errorCode: error.code }, 'could not renew an access token')
      if (installation.locationId !== undefined) this.#cache.delete(installation.locationId)
      await installations.abandonRefresh(installationId, holder, isFinal(error))
      await installations.noteAttempt(installationId, { problem: problemOf(error) })
      throw thrown
    }
  }

  /** Another node has asked for the same pair and stored it: then that is the one to use. Or the app was removed. */
  async #takenOver(
    { installationId, locationId }: InstallationRow,
    held: TokenPair | undefined,
    lost: StoreError,
  ): Promise<TokenPair> {
    if (lost.code !== 'STORE_LEASE_LOST') throw lost
    const { installations } = this.#deps
    const now = await installations.find(installationId)
    if (!isServed(now)) throw notServed(now, locationId)
    const current = await installations.readTokens(installationId)
    if (current === undefined || current.accessToken === held?.accessToken) throw lost
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

  async #obtain(installation: InstallationRow, held: TokenPair | undefined): Promise<Granted> {
    const refreshToken = held?.refreshToken
    const refused = refreshToken === undefined ? undefined : await this.#grants.refresh(refreshToken)
    if (refused !== undefined && 'tokens' in refused) return refused
    const company = installation.locationId && (await this.companyAccess(installation.companyId))
    if (installation.locationId && company) return await this.mint(company, installation.locationId)
    throw held === undefined ? keyIsGone(installation) : needsReconnect(installation, refused)
  }

  /** `POST /oauth/token`, once. @throws {ConfigError} when the app's credentials are not configured. */
  async grant(fields: GrantFields): Promise<Answer> {
    return await this.#grants.ask(fields)
  }
}

const usedOf = ({ installation, tokens }: Access): Used => ({
  installationId: installation.installationId,
  accessToken: tokens.accessToken,
})

const isFinal = (thrown: unknown): boolean =>
  thrown instanceof GhlError && thrown.code === 'GHL_NEEDS_RECONNECT'

const remainingMs = ({ tokens }: Access, nowMs: number): number => tokens.expiresAt.getTime() - nowMs

/** Removed, or switched off by the operator: nothing is asked of GHL in its name, whatever its tokens. */
const isOff = (thrown: unknown): boolean =>
  thrown instanceof GhlError && (thrown.code === 'GHL_NOT_INSTALLED' || thrown.code === 'GHL_DEACTIVATED')

function notServed(installation: InstallationRow | undefined, locationId: LocationId | undefined): GhlError {
  if (installation?.status === 'deactivated') return deactivated(installation)
  return new GhlError('GHL_NOT_INSTALLED', 'The app is not installed in this location', {
    action: 'Install the app in this location.',
    details: { locationId: locationId ?? null },
  })
}

function needsReconnect(installation: InstallationRow, refusal?: Refusal): GhlError {
  return new GhlError('GHL_NEEDS_RECONNECT', 'GHL no longer accepts this installation’s tokens', {
    action: 'Connect the location again with the install link.',
    details: {
      installationId: installation.installationId,
      ...(refusal && { ...traced(refusal), reason: refusal.message }),
    },
  })
}

/** For whoever needs the tokens it is as if GHL took them no more; whoever has the key can bring them back. */
function keyIsGone({ installationId }: InstallationRow): GhlError {
  const cause = new StoreError(
    'STORE_UNSEALABLE',
    'The stored tokens of this installation cannot be opened',
    {
      action:
        'Connect it again with the install link, or give ENCRYPTION_KEY the former key, second in the list.',
    },
  )
  const { message, action } = cause
  return new GhlError('GHL_NEEDS_RECONNECT', message, {
    ...(action !== undefined && { action }),
    details: { installationId },
    cause,
  })
}

/** Installations of the app and their tokens, as the store keeps them. The promises of storage.ts hold here too. */
import { type BridgeError, GhlError, isUnsealable, type StoreError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'

/** Whether the numbers of a location are served: neither removed by its people nor switched off by the operator. */
export const isServed = (row: InstallationRow | undefined): row is InstallationRow =>
  row !== undefined && row.status !== 'uninstalled' && row.status !== 'deactivated'

/**
 * Whether an agency's installation can give its locations tokens: also with a refresh token that is dead, for as long as its
 * access token lives.
 */
export const canMint = ({ status, tokenExpiresAt }: InstallationRow, nowMs: number): boolean =>
  status === 'active' || (status === 'needs_reconnect' && tokenExpiresAt.getTime() > nowMs)

/** The refusal of everything that is asked of a deactivated installation. */
export const deactivated = ({ installationId }: { readonly installationId: string }): GhlError =>
  new GhlError('GHL_DEACTIVATED', 'This installation was deactivated by the operator', {
    action: 'Activate it again in the console.',
    details: { installationId },
  })

/** What is wrong, in words for people. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly action?: string
}

/** An error as it stands on an installation. Tokens whose key is gone are told apart from those that GHL refuses. */
export function problemOf(error: BridgeError): Problem {
  const { code, message, action } = isUnsealable(error.cause) ? error.cause : error
  return { code, message, ...(action !== undefined && { action }) }
}

/** The installation of tokens that open: where it needed a person only because they did not, it is as good as before. */
export const opened = (row: InstallationRow): InstallationRow =>
  row.status === 'needs_reconnect' && row.problem?.code === 'STORE_UNSEALABLE'
    ? { ...row, status: 'active', problem: undefined }
    : row

/**
 * `pending`: GHL says that the app is installed, and no token has come yet. `needs_reconnect`: GHL takes none of the tokens
 * any more. `uninstalled`: the app was removed; tokens are gone, everything else waits for the next installation.
 * `deactivated`: the operator has switched it off, and nothing that GHL says switches it on; its tokens wait.
 */
export const INSTALLATION_STATUSES = [
  'pending',
  'active',
  'needs_reconnect',
  'uninstalled',
  'deactivated',
] as const
export type InstallationStatus = (typeof INSTALLATION_STATUSES)[number]

/** `expiring`: within two hours, so the hourly refresh takes it in hand. The other words are the status itself. */
export type TokenHealth = 'healthy' | 'expiring' | 'expired' | Exclude<InstallationStatus, 'active'>

export interface InstallationRow {
  readonly installationId: string
  /** Undefined for an agency (Company) installation. */
  readonly locationId: LocationId | undefined
  readonly companyId: string | undefined
  readonly userType: 'Location' | 'Company'
  readonly status: InstallationStatus
  readonly scopes: string
  readonly locationName: string | undefined
  /** IANA name of the location's time zone, as GHL says; checked. */
  readonly timeZone: string | undefined
  readonly companyName: string | undefined
  /** The `type` that GHL last accepted for our provider, when it was not the configured one. */
  readonly providerType: 'Custom' | 'SMS' | undefined
  /** How that provider wants messages addressed, when not by contact as usual. */
  readonly providerAddress: 'conversation' | undefined
  /** GHL's id of whoever installed the app. */
  readonly userId: string | undefined
  /** GHL's id of the version of our app that runs there. */
  readonly versionId: string | undefined
  readonly isBulk: boolean
  /** Under which the agency shows GHL, and our pages in it, to its clients. */
  readonly whiteLabelDomain: string | undefined
  /** What the last attempt to use or renew the tokens met. */
  readonly problem: Problem | undefined
  readonly tokenExpiresAt: Date
  /** When GHL last gave tokens. */
  readonly refreshedAt: Date | undefined
  /** When a call under these tokens, made to find out, was last answered. */
  readonly checkedAt: Date | undefined
  readonly installedAt: Date
  readonly uninstalledAt: Date | undefined
}

export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly expiresAt: Date
}

/** A grant of GHL's. Optional members that are absent leave what is known. */
export interface NewInstallation {
  readonly locationId: LocationId | undefined
  readonly companyId: string | undefined
  readonly userType: 'Location' | 'Company'
  readonly scopes: string
  readonly tokens: TokenPair
  readonly userId?: string | undefined
  readonly versionId?: string | undefined
  readonly isBulk?: boolean | undefined
  readonly locationName?: string | undefined
}

/** What an INSTALL event says: of a location, or (without one) of an agency. */
export interface InstallNote {
  readonly locationId: LocationId | undefined
  readonly companyId?: string | undefined
  readonly companyName?: string | undefined
  readonly userId?: string | undefined
  readonly versionId?: string | undefined
  readonly whiteLabelDomain?: string | undefined
  /** By GHL's clock: events come in any order. */
  readonly happenedAt?: Date | undefined
}

/**
 * How a location's numbers are, by what cures the worst of them. `person`: somebody must act at WhatsApp; `scan`: a phone must
 * scan or type a code; `reconnecting`: it heals alone; `ready`: all are connected; `none`: there is no number yet.
 */
export type NumbersState = 'ready' | 'reconnecting' | 'scan' | 'person' | 'none'

/** How many locations there are of each kind. */
export interface LocationCounts {
  readonly tokens: Readonly<Record<TokenHealth, number>>
  readonly numbers: Readonly<Record<NumbersState, number>>
  /** Live messages of all locations, by their state; discarded ones wait for nobody. */
  readonly letters: Readonly<Record<'failed' | 'held' | 'queued' | 'sending', number>>
}

/** An installation as lists show it. */
export type InstallationView = InstallationRow & {
  readonly health: TokenHealth
  /** Messages of its location that wait for somebody: failed ones, and held ones. */
  readonly dead: number
  readonly held: number
}

export interface InstallationQuery {
  /** Part of a name or an id, without its accents too; or some digits of one of the location's numbers. */
  readonly search?: string
  readonly health?: TokenHealth
  readonly userType?: 'Location' | 'Company'
  readonly companyId?: string
  readonly locationId?: LocationId
  /** `trouble`: those that are not all connected, whatever cures them. */
  readonly numbers?: NumbersState | 'trouble'
  /** `trouble`: what needs a person stands first, then what may, then by name. Default: by name. */
  readonly order?: 'name' | 'trouble'
  /** 1 to 500. */
  readonly limit: number
  /** The `nextCursor` of the page before. */
  readonly cursor?: string
}

export interface InstallationStore {
  /** Installs or re-installs; the same location (or company) keeps its installationId. */
  save(installation: NewInstallation): Promise<InstallationRow>
  /**
   * As {@link save}, for a token that was minted without a person: `undefined`, and nothing is kept, when the app was removed
   * after it was asked for.
   */
  saveMinted(installation: NewInstallation, askedAt: Date): Promise<InstallationRow | undefined>
  findByLocation(locationId: LocationId): Promise<InstallationRow | undefined>
  find(installationId: string): Promise<InstallationRow | undefined>
  /** The agency's own installation. */
  findCompany(companyId: string): Promise<InstallationRow | undefined>
  list(): Promise<readonly InstallationRow[]>
  /** In the order of names. `total` counts all pages. @throws {RequestError} `REQUEST_INVALID` for a cursor that no page gave. */
  page(query: InstallationQuery): Promise<{
    readonly rows: readonly InstallationView[]
    readonly total: number
    readonly nextCursor: string | undefined
  }>
  /** Of installations in use: how many have an access token that works by its date, and how many can renew theirs themselves. */
  countTokens(): Promise<{ readonly access: number; readonly refresh: number }>
  countByHealth(): Promise<Readonly<Record<TokenHealth, number>>>
  /** Of the locations alone, without the agencies' own installations. */
  countLocations(): Promise<LocationCounts>

  /** GHL says that the app is installed in a location, or by an agency; makes a `pending` row where there is none. */
  noteInstall(note: InstallNote): Promise<InstallationRow>
  /**
   * The app was removed from a location, or from an agency with all its locations: their tokens are gone when this resolves.
   * An event older than what GHL granted since changes nothing.
   *
   * @returns the locations that are without the app by this.
   */
  uninstall(gone: {
    readonly locationId?: LocationId | undefined
    readonly companyId?: string | undefined
    readonly happenedAt?: Date | undefined
  }): Promise<readonly LocationId[]>
  /**
   * Switches an installation off, an agency with all its locations; what is off or without the app stays as it is. The row
   * as it is then, `undefined` when there is none.
   */
  deactivate(installationId: string): Promise<InstallationRow | undefined>
  /** Takes {@link deactivate} back, for an agency with what it took along. @returns the locations that are served again. */
  activate(installationId: string): Promise<readonly LocationId[]>
  /** Which of these locations are without the app since it was removed, or switched off. */
  removedAmong(locations: readonly LocationId[]): Promise<readonly LocationId[]>
  /** The location (or the agency) runs another version of the app now. */
  noteVersion(
    where: { readonly locationId?: LocationId | undefined; readonly companyId?: string | undefined },
    versionId: string,
    /** By GHL's clock: the younger word counts, in whatever order they come. */
    happenedAt?: Date,
  ): Promise<void>
  /** What GHL says about a location; absent members change nothing. */
  describe(
    locationId: LocationId,
    facts: {
      readonly locationName?: string | undefined
      /** One for which `isTimeZone` is true. */
      readonly timeZone?: string | undefined
      readonly companyId?: string | undefined
      readonly whiteLabelDomain?: string | undefined
    },
  ): Promise<void>
  /** How an attempt to use or renew the tokens went. `isCheck`: it was made to find out. */
  noteAttempt(installationId: string, attempt: { problem?: Problem; isCheck?: boolean }): Promise<void>
  /** Domains of white-label agencies: the one of the location's agency, or all. */
  whiteLabelDomains(locationId?: LocationId): Promise<readonly string[]>

  /** The tokens, opened; `undefined` when there are none, or their key is gone, which comes to the same. */
  readTokens(installationId: string): Promise<TokenPair | undefined>
  /**
   * Takes the right to refresh this installation's tokens for `holdMs`. `undefined` when another holds it: wait, then
   * read the tokens again. The refresh token read here is the one to spend; there are no `tokens` where their key is gone.
   */
  beginRefresh(
    installationId: string,
    holdMs: number,
  ): Promise<{ holder: string; tokens: TokenPair | undefined } | undefined>
  /** Persists the new pair and gives the right back. @throws {StoreError} `STORE_LEASE_LOST` when it was lost meanwhile. */
  finishRefresh(
    installationId: string,
    holder: string,
    tokens: TokenPair,
    scopes: string | undefined,
  ): Promise<void>
  /** Gives the right back without new tokens; `needsReconnect` also marks the installation. */
  abandonRefresh(installationId: string, holder: string, needsReconnect: boolean): Promise<void>
  /**
   * Whose refresh was begun and neither finished nor given up by the end of its hold: whoever began it is gone, perhaps with a
   * pair that GHL gives once more for a moment. Latest first, at most `limit`.
   */
  unfinishedRefreshes(limit: number): Promise<readonly InstallationRow[]>
  /**
   * GHL refuses the access token that was to end at `expiresAt`, and every way to another: it ends now. Changes nothing while
   * the installation is active, or when it has other tokens by now.
   */
  endTokens(installationId: string, expiresAt: Date): Promise<void>
  /** How GHL takes messages for our provider there; what is absent is as usual again. */
  rememberProviderWay(
    locationId: LocationId,
    way: Pick<InstallationRow, 'providerType' | 'providerAddress'>,
  ): Promise<void>
  /** A one-time `state` for the OAuth round trip. */
  createOauthState(stateHash: string, ttlMs: number): Promise<void>
  /** True once per state that exists and has not expired. */
  takeOauthState(stateHash: string): Promise<boolean>
}

/** `failed`: given up after several attempts; `reason` says why. */
export type WebhookEventState = 'received' | 'processed' | 'ignored' | 'failed'

export interface WebhookEventRow {
  readonly webhookId: string
  readonly type: string
  readonly locationId: string | undefined
  readonly companyId: string | undefined
  readonly state: WebhookEventState
  /** Why it was ignored, or what its last attempt met. */
  readonly reason: string | undefined
  readonly attempts: number
  readonly receivedAt: Date
  readonly settledAt: Date | undefined
}

/** Why a post to the provider's Delivery URL is not sent on; each is counted in the metrics. */
export const DELIVERY_IGNORE_REASONS = [
  'unsupported_type',
  'foreign_provider',
  'unknown_location',
  'empty',
] as const
export type DeliveryIgnoreReason = (typeof DELIVERY_IGNORE_REASONS)[number]

export interface IgnoredDelivery {
  /** GHL's id, the same on every repeat; a digest of the body when it sends none. */
  readonly webhookId: string
  readonly locationId: LocationId | undefined
  readonly reason: DeliveryIgnoreReason
  /** As GHL sent it. */
  readonly payload: unknown
}

/** What an event says, or why that cannot be read any more. */
export type ClaimedEvent = {
  readonly webhookId: string
  readonly attempts: number
} & ({ readonly payload: unknown } | { readonly unsealable: StoreError })

export interface WebhookEventStore {
  /** Records a signed app event once, by its webhookId. With `ignored` (why) there is nothing to do for it. */
  record(event: {
    webhookId: string
    type: string
    locationId: LocationId | undefined
    companyId?: string | undefined
    payload: unknown
    ignored?: string | undefined
  }): Promise<'recorded' | 'duplicate'>
  /**
   * Records why a provider delivery was ignored, by its webhookId. One that is accepted is recorded with its message
   * ({@link MessageStore.acceptOutbound}).
   */
  recordIgnored(delivery: IgnoredDelivery): Promise<void>
  /** Takes events that wait, for `holdMs`; the attempt is counted. */
  claim(limit: number, holdMs: number): Promise<readonly ClaimedEvent[]>
  /** `received`: it is tried again after `retryInMs`. */
  settle(
    webhookId: string,
    outcome:
      | { state: 'processed' }
      | { state: 'ignored' | 'failed'; reason: string }
      | { state: 'received'; reason: string; retryInMs: number },
  ): Promise<void>
  /** Latest first, without what they say. `before`: the webhookId of the last one seen. */
  list(query: {
    state?: WebhookEventState
    type?: string
    locationId?: LocationId
    before?: string
    limit: number
  }): Promise<readonly WebhookEventRow[]>
  /** Forgets events whose repeats are over. */
  prune(): Promise<void>
}

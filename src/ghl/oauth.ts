/** Installing the app: the link, the code that comes back, and for an agency one minted token per location. */
import { z } from 'zod'
import {
  deactivated,
  type InstallationRow,
  type InstallationStore,
  type NewInstallation,
  problemOf,
} from '../bridge/installations.ts'
import type { AgencyTokens, InstalledPage } from '../bridge/installs.ts'
import type { Clock } from '../core/clock.ts'
import { type BridgeError, ConfigError, GhlError, RequestError, toBridgeError } from '../core/errors.ts'
import { type LocationId, parseLocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { grantError } from './grants.ts'
import { type Granted, parseGranted, readableId } from './payloads.ts'
import { type Refusal, refusalError, traced } from './refusals.ts'
import type { Access, GhlTokens } from './tokens.ts'

/** What the bridge itself needs, then what its other routes offer. @see ghl.md 2.7 */
const SCOPES = [
  'conversations.readonly',
  'conversations.write',
  'conversations/message.readonly',
  'conversations/message.write',
  'contacts.readonly',
  'contacts.write',
  'locations.readonly',
  'medias.readonly',
  'medias.write',
  'oauth.readonly',
  'oauth.write',
  'users.readonly',
  'products.readonly',
  'products.write',
  'products/prices.readonly',
  'products/prices.write',
  'voice-ai-dashboard.readonly',
] as const

const PAGE_SIZE = 100
/** One app at one bridge is installed by a handful of agencies. */
const MOST_AGENCIES = 100

interface OauthDeps {
  readonly installations: InstallationStore
  readonly tokens: GhlTokens
  readonly clientId: string | undefined
  readonly redirectUri: string
  readonly appVersionId: string | undefined
  readonly marketplaceUrl: string
  readonly clock: Clock
  readonly log: Log
}

export interface GhlOauth extends AgencyTokens {
  /** @param state one-time, comes back with the callback; checking it is the caller's part. */
  installUrl(state: string): string
  /**
   * Exchanges the code of the callback and stores the installation, of a location or of an agency.
   *
   * @throws {RequestError} `REQUEST_INVALID` for a code that is unknown or used up.
   */
  complete(code: string): Promise<InstallationRow>
  /** @throws {GhlError} `GHL_NOT_INSTALLED`, `GHL_NEEDS_RECONNECT` for the agency, or what GHL met. */
  listInstalled(companyId: string, skip: number): Promise<InstalledPage>
}

const installedSchema = z.looseObject({
  locations: z.array(z.unknown()),
  count: z.number().optional().catch(undefined),
})
/** Read one by one: what GHL says of one location hides no other. */
const installedRow = z.looseObject({
  _id: readableId(parseLocationId),
  name: z.string().optional().catch(undefined),
  versionId: z.string().optional().catch(undefined),
  isInstalled: z.boolean().optional().catch(undefined),
})
const anyId = z.looseObject({ _id: z.string() })

export function createOauth(deps: OauthDeps): GhlOauth {
  const { installations, tokens, clock, log } = deps

  const save = async (granted: Granted): Promise<InstallationRow> => {
    const { locationId, companyId } = granted
    const userType = granted.userType ?? (locationId === undefined ? 'Company' : 'Location')
    const isWhole = userType === 'Location' ? locationId !== undefined : companyId !== undefined
    if (!isWhole)
      throw new GhlError('GHL_RESPONSE_INVALID', 'GHL’s token names neither a location nor an agency')
    const row = await installations.save(rowOf(granted, userType))
    if (locationId !== undefined) tokens.forget(locationId)
    log.info({ installationId: row.installationId, locationId, userType }, 'app installed')
    return row
  }

  const agency = async (companyId: string): Promise<Access> => {
    const company = await tokens.companyAccess(companyId)
    if (company !== undefined) return company
    throw new GhlError('GHL_NOT_INSTALLED', 'The app is not installed for this agency', {
      action: 'Install the app as the agency.',
    })
  }

  const mintFor = async (company: Access, locationId: LocationId): Promise<void> => {
    const askedAt = new Date(clock.nowMs())
    const granted = await tokens.mint(company, locationId)
    const { companyId, isBulk } = company.installation
    const row = await installations.saveMinted(rowOf({ ...granted, isBulk, companyId }, 'Location'), askedAt)
    if (row === undefined) {
      throw new GhlError(
        'GHL_NOT_INSTALLED',
        'The app was removed from this location, or deactivated, meanwhile',
      )
    }
    tokens.forget(locationId)
    log.info({ installationId: row.installationId, locationId }, 'location connected by its agency')
  }

  const connectBy = async (company: Access, locationId: LocationId): Promise<void> => {
    try {
      await mintFor(company, locationId)
    } catch (thrown) {
      const error = toBridgeError(thrown)
      const row = await installations.findByLocation(locationId)
      if (row !== undefined)
        await installations.noteAttempt(row.installationId, { problem: problemOf(error) })
      throw error
    }
  }

  return {
    installUrl: (state) => linkOf(deps, state),

    async complete(code) {
      const { body, refusal } = await tokens.grant({
        grant_type: 'authorization_code',
        code,
        redirect_uri: deps.redirectUri,
      })
      if (refusal?.status === 401 || refusal?.error === 'invalid_grant') throw codeError(refusal)
      if (refusal !== undefined) throw grantError(refusal)
      return await save(parseGranted(body, clock.nowMs()))
    },

    async connect(locationId, companyId) {
      const row = await installations.findByLocation(locationId)
      if (row?.status === 'active') return 'connected'
      if (row?.status === 'deactivated') throw deactivated(row)
      const known =
        companyId === undefined
          ? await activeCompanies(installations)
          : [() => tokens.companyAccess(companyId)]
      const met: BridgeError[] = []
      for (const company of known) {
        try {
          const access = await company()
          if (access === undefined) continue
          await connectBy(access, locationId)
          return 'connected'
        } catch (thrown) {
          met.push(toBridgeError(thrown))
        }
      }
      // An agency that could not be asked may be the right one: that is said before another's no.
      const first = met.find(({ code }) => code !== 'GHL_NEEDS_RECONNECT') ?? met[0]
      if (first !== undefined) throw first
      return 'no_agency'
    },

    async renew(row) {
      const { installationId, locationId, companyId } = row
      if (locationId === undefined) return
      const own = await installations.readTokens(installationId)
      if (own?.refreshToken !== undefined) {
        await tokens.refresh(row)
        return
      }
      const company = await tokens.companyAccess(companyId)
      if (company !== undefined) await mintFor(company, locationId)
    },

    async listInstalled(companyId, skip) {
      return await installedPage(deps, await agency(companyId), skip)
    },
  }

  /** Every agency that has the app: for a location of which GHL did not say whose it is. */
  async function activeCompanies(store: InstallationStore): Promise<(() => Promise<Access | undefined>)[]> {
    const { rows } = await store.page({ userType: 'Company', limit: MOST_AGENCIES })
    return rows.map((row) => () => tokens.companyAccess(row.companyId))
  }
}

const codeError = (refusal: Refusal): RequestError =>
  new RequestError('REQUEST_INVALID', `GHL does not accept this code: ${refusal.message}`, {
    details: traced(refusal),
    action: 'Open the install link again; if it fails again, check GHL_CLIENT_ID and GHL_CLIENT_SECRET.',
  })

function linkOf(deps: OauthDeps, state: string): string {
  if (deps.clientId === undefined) throw new ConfigError('CONFIG_MISSING', 'GHL_CLIENT_ID is not set')
  const link = new URL('/v2/oauth/chooselocation', deps.marketplaceUrl)
  link.searchParams.set('response_type', 'code')
  link.searchParams.set('redirect_uri', deps.redirectUri)
  link.searchParams.set('client_id', deps.clientId)
  link.searchParams.set('scope', SCOPES.join(' '))
  link.searchParams.set('state', state)
  if (deps.appVersionId !== undefined) link.searchParams.set('version_id', deps.appVersionId)
  return link.href
}

function rowOf(granted: Granted, userType: 'Location' | 'Company'): NewInstallation {
  const { locationId, scopes, tokens, companyId, userId, versionId, isBulk } = granted
  return {
    locationId: userType === 'Location' ? locationId : undefined,
    companyId,
    userType,
    scopes: scopes ?? '',
    tokens,
    userId,
    versionId,
    isBulk,
  }
}

async function installedPage(deps: OauthDeps, company: Access, skip: number): Promise<InstalledPage> {
  const companyId = company.installation.companyId
  const appId = deps.clientId?.split('-')[0]
  const query = { companyId, appId, isInstalled: 'true', skip, limit: PAGE_SIZE }
  const call = { method: 'GET', path: '/oauth/installedLocations', query } as const
  const { body, refusal } = await deps.tokens.exchange(company, call)
  if (refusal !== undefined) throw refusalError(refusal, 'GHL refused the list of installed locations')
  const page = installedSchema.safeParse(body).data
  if (page === undefined)
    throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without a list of locations')
  const read = page.locations.map((row) => installedRow.safeParse(row).data)
  return {
    locations: read
      .filter((one) => one !== undefined)
      .filter((one) => one.isInstalled !== false)
      .map(({ _id, name, versionId }) => ({ locationId: _id, name, versionId })),
    ids: page.locations.flatMap((row) => anyId.safeParse(row).data?._id ?? []),
    unread: read.filter((one) => one === undefined).length,
    total: page.count,
    // Not by the count: it was seen to be the page's own.
    nextSkip: page.locations.length === 0 ? undefined : skip + page.locations.length,
  }
}

/** Installing the app: the link, the code that comes back, and for an agency one minted token per location. */
import { z } from 'zod'
import type { InstallationRow, InstallationStore } from '../bridge/installations.ts'
import type { Clock } from '../core/clock.ts'
import { BridgeError, ConfigError, GhlError, RequestError } from '../core/errors.ts'
import { type LocationId, parseLocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { type Granted, parseGranted } from './payloads.ts'
import { refusalError } from './refusals.ts'
import { type Access, type GhlTokens, grantError } from './tokens.ts'

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
/** Locations of one agency that are connected at a time. */
const CONCURRENCY = 4

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

/** What became of one location of an agency. `kept`: it had tokens of its own already. */
export interface LocationOutcome {
  readonly locationId: LocationId
  readonly outcome: 'installed' | 'kept' | 'failed'
  readonly error?: BridgeError
}

export interface Installed {
  readonly installation: InstallationRow
  /** The locations that are connected now. */
  readonly locationIds: readonly LocationId[]
  /** Of an agency installation: what became of each of its locations. */
  readonly locations: readonly LocationOutcome[]
}

export interface GhlOauth {
  /** @param state one-time, comes back with the callback; checking it is the caller's part. */
  installUrl(state: string): string
  /**
   * Exchanges the code of the callback and stores the installation.
   *
   * @throws {RequestError} `REQUEST_INVALID` for a code that is unknown or used up.
   */
  complete(code: string): Promise<Installed>
  /** Connects one location of an installed agency. @throws {GhlError} `GHL_NOT_INSTALLED`, `GHL_NEEDS_RECONNECT`. */
  installLocation(companyId: string, locationId: LocationId): Promise<InstallationRow>
  /** Connects every location in which GHL says the app is installed; one that fails never stops the others. */
  syncCompany(companyId: string): Promise<readonly LocationOutcome[]>
}

const installedSchema = z.looseObject({
  locations: z.array(
    z.looseObject({ _id: z.string(), isInstalled: z.boolean().optional().catch(undefined) }),
  ),
  count: z.number().optional().catch(undefined),
})

export function createOauth(deps: OauthDeps): GhlOauth {
  const { installations, tokens, clock, log } = deps

  const save = async (granted: Granted): Promise<InstallationRow> => {
    const { locationId, companyId } = granted
    const userType = granted.userType ?? (locationId === undefined ? 'Company' : 'Location')
    const isWhole = userType === 'Location' ? locationId !== undefined : companyId !== undefined
    if (!isWhole)
      throw new GhlError('GHL_RESPONSE_INVALID', 'GHL’s token names neither a location nor an agency')
    const row = await installations.save({
      locationId: userType === 'Location' ? locationId : undefined,
      companyId,
      userType,
      scopes: granted.scopes ?? '',
      tokens: granted.tokens,
    })
    if (locationId !== undefined) tokens.forget(locationId)
    log.info({ installationId: row.installationId, locationId, userType }, 'app installed')
    return row
  }

  const mintFor = async (company: Access, locationId: LocationId): Promise<InstallationRow> => {
    const granted = await tokens.mint(company, locationId)
    return await save({ ...granted, userType: 'Location', companyId: company.installation.companyId })
  }

  const connect = async (company: Access, locationId: LocationId): Promise<LocationOutcome> => {
    try {
      const present = await installations.findByLocation(locationId)
      if (present?.status === 'active') return { locationId, outcome: 'kept' }
      await mintFor(company, locationId)
      return { locationId, outcome: 'installed' }
    } catch (thrown) {
      if (!(thrown instanceof BridgeError)) throw thrown
      log.warn({ locationId, errorCode: thrown.code }, 'could not connect a location')
      return { locationId, outcome: 'failed', error: thrown }
    }
  }

  const agency = async (companyId: string): Promise<Access> => {
    const company = await tokens.companyAccess(companyId)
    if (company !== undefined) return company
    throw new GhlError('GHL_NOT_INSTALLED', 'The app is not installed for this agency', {
      action: 'Install the app as the agency.',
    })
  }

  const syncCompany = async (companyId: string): Promise<readonly LocationOutcome[]> => {
    const company = await agency(companyId)
    const outcomes: LocationOutcome[] = []
    for await (const page of installedPages(deps, company)) {
      const waiting = [...page]
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
          outcomes.push(await connect(company, next))
      }
      await Promise.all(Array.from({ length: CONCURRENCY }, work))
    }
    return outcomes
  }

  return {
    installUrl: (state) => linkOf(deps, state),

    async complete(code) {
      const { body, refusal } = await tokens.grant({
        grant_type: 'authorization_code',
        code,
        redirect_uri: deps.redirectUri,
      })
      if (refusal?.status === 401 || refusal?.error === 'invalid_grant') throw codeError(refusal.message)
      if (refusal !== undefined) throw grantError(refusal)
      const installation = await save(parseGranted(body, clock.nowMs()))
      const { userType, companyId, locationId } = installation
      const isAgency = userType === 'Company' && companyId !== undefined
      const locations = isAgency ? await syncCompany(companyId) : []
      const connected = locations.filter(({ outcome }) => outcome !== 'failed')
      const locationIds = locationId === undefined ? connected.map((each) => each.locationId) : [locationId]
      return { installation, locationIds, locations }
    },

    installLocation: async (companyId, locationId) => await mintFor(await agency(companyId), locationId),
    syncCompany,
  }
}

const codeError = (reason: string): RequestError =>
  new RequestError('REQUEST_INVALID', `GHL does not accept this code: ${reason}`, {
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

async function* installedPages(deps: OauthDeps, company: Access): AsyncGenerator<LocationId[]> {
  const companyId = company.installation.companyId
  const appId = deps.clientId?.split('-')[0]
  let skip = 0
  for (;;) {
    const query = { companyId, appId, isInstalled: 'true', skip, limit: PAGE_SIZE }
    const call = { method: 'GET', path: '/oauth/installedLocations', query } as const
    const { body, refusal } = await deps.tokens.exchange(company, call)
    if (refusal !== undefined) throw refusalError(refusal, 'GHL refused the list of installed locations')
    const page = installedSchema.safeParse(body).data
    if (page === undefined)
      throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without a list of locations')
    yield page.locations.filter((one) => one.isInstalled !== false).map((one) => parseLocationId(one._id))
    skip += page.locations.length
    if (page.locations.length === 0 || (page.count !== undefined && skip >= page.count)) return
  }
}

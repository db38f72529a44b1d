/** What only an agency's token may ask for: a token for one location, and where the app is installed. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { ApiAnswer, ApiCall, ApiRoute } from '../api.ts'
import { locationGrant } from '../installs.ts'
import { refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import { validated } from '../validation.ts'
import type { Location } from '../world.ts'
import { spelled, tokenAnswer } from './oauth.ts'

const locationTokenBody = z.strictObject({ companyId: z.string().min(1), locationId: z.string().min(1) })

const text = z.string().optional()
const flag = z.enum(['true', 'false']).optional()
const installedQuery = z.strictObject({
  companyId: z.string().min(1),
  appId: z.string().min(1),
  skip: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  query: text,
  isInstalled: flag,
  versionId: text,
  onTrial: flag,
  planId: text,
  locationId: text,
})
type InstalledQuery = z.infer<typeof installedQuery>

export function agencyRoutes(parts: SandboxParts): ApiRoute[] {
  return [
    {
      method: 'POST',
      path: '/oauth/locationToken',
      scope: 'oauth.write',
      caller: 'company',
      handle: (call) => mintLocationToken(parts, call),
    },
    {
      method: 'GET',
      path: '/oauth/installedLocations',
      scope: 'oauth.readonly',
      caller: 'company',
      handle: (call) => listInstalled(parts, call),
    },
  ]
}

function mintLocationToken(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const { companyId, locationId } = validated(locationTokenBody, call.body)
  const location = parts.world.locations.get(locationId)
  if (companyId !== call.caller.companyId || location?.companyId !== companyId) {
    throw refuse(403, 'The token does not have access to this location.')
  }
  if (!location.installedAt) throw refuse(400, 'The app is not installed in this location')
  if (location.versionId !== parts.world.agencyInstall.versionId) {
    throw refuse(403, 'The location runs another version of the app')
  }
  // A minted token gains these two.
  const scopes = [...new Set([...call.caller.scopes, 'oauth.readonly', 'oauth.write'])]
  const grant = locationGrant(parts, location, scopes)
  const {
    refresh_token,
    refreshTokenId: _refreshTokenId,
    isBulkInstallation: _isBulkInstallation,
    ...answer
  } = tokenAnswer(parts, grant, parts.tokens.issuePair(grant))
  return {
    status: 201,
    body: spelled(parts, {
      ...answer,
      ...(parts.settings.locationTokenHasRefresh ? { refresh_token } : {}),
      appId: parts.app.appId,
      versionId: location.versionId,
      traceId: randomUUID(),
    }),
  }
}

function listInstalled(parts: SandboxParts, call: ApiCall): ApiAnswer {
  const query = validated(installedQuery, call.query)
  if (query.companyId !== call.caller.companyId || query.appId !== parts.app.appId) {
    throw refuse(403, 'The token does not have access to this company.')
  }
  const found = [...parts.world.locations.values()].filter((location) => matches(parts, location, query))
  const shown = found
    .slice(query.skip, query.skip + Math.min(query.limit, parts.settings.installedPageMax))
    .map((location) => ({
      _id: location.id,
      name: location.name,
      address: '1 Sandbox Street',
      isInstalled: location.installedAt !== undefined,
      ...(location.installedAt
        ? { versionId: location.versionId, installedAt: location.installedAt.toISOString() }
        : {}),
    }))
  return {
    status: 200,
    body: {
      locations: shown,
      count: parts.settings.installedCount === 'total' ? found.length : shown.length,
      installToFutureLocations: parts.world.agencyInstall.toFutureLocations,
    },
  }
}

function matches({ world }: SandboxParts, location: Location, query: InstalledQuery): boolean {
  const isInstalled = location.installedAt !== undefined
  const wantedName = query.query?.toLowerCase() ?? ''
  return (
    (query.locationId === undefined || location.id === query.locationId) &&
    location.name.toLowerCase().includes(wantedName) &&
    (query.isInstalled === undefined || (query.isInstalled === 'true') === isInstalled) &&
    (query.versionId === undefined || location.versionId === query.versionId) &&
    (query.planId === undefined || (isInstalled && query.planId === world.planId)) &&
    // Nobody is on trial here.
    query.onTrial !== 'true'
  )
}

/** OAuth: the page where a location is chosen, the token endpoint, and what an agency token can ask for. */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type ApiRoute, routeOf } from '../api.ts'
import { choosePage, errorPage } from '../inbox/authorize-page.ts'
import { companyGrant, installInLocation, locationGrant } from '../installs.ts'
import { refuse, refuseOauth } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import type { Grant, TokenPair } from '../tokens.ts'
import { validated } from '../validation.ts'

const tokenBody = z.strictObject({
  client_id: z.string().min(1),
  client_secret: z.string().min(1),
  grant_type: z.enum(['authorization_code', 'refresh_token', 'client_credentials']),
  code: z.string().optional(),
  refresh_token: z.string().optional(),
  user_type: z.enum(['Company', 'Location']).optional(),
  redirect_uri: z.string().optional(),
})
type TokenBody = z.infer<typeof tokenBody>

const locationTokenBody = z.strictObject({ companyId: z.string().min(1), locationId: z.string().min(1) })

const text = z.string().optional()
const installedQuery = z.strictObject({
  companyId: z.string().min(1),
  appId: z.string().min(1),
  skip: z.coerce.number().int().nonnegative().default(0),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  query: text,
  isInstalled: z.enum(['true', 'false']).optional(),
  versionId: text,
  onTrial: text,
  planId: text,
  locationId: text,
})

/** The page and the token endpoint: neither takes a bearer token. */
export function addOauthRoutes(server: FastifyInstance, parts: SandboxParts): void {
  for (const path of ['/v2/oauth/chooselocation', '/oauth/chooselocation']) {
    server.get<{ Querystring: Record<string, string | undefined> }>(path, async (request, reply) => {
      const wrong = wrongLink(parts, request.query)
      if (wrong) return reply.status(400).type('text/html; charset=utf-8').send(errorPage(wrong))
      const target = approvedTarget(parts, request.query)
      if (target) return reply.redirect(target, 302)
      return reply.type('text/html; charset=utf-8').send(choosePage(parts, request.query))
    })
  }

  server.post('/oauth/token', async (request, reply) => {
    checkForm(parts, request)
    const body = validated(tokenBody, request.body)
    const { grant, pair } = exchanged(parts, body)
    return reply.status(200).send(tokenAnswer(parts, grant, pair))
  })
}

/** What only an agency's token may ask for. */
export function companyRoutes(parts: SandboxParts): ApiRoute[] {
  const { world } = parts
  return [
    {
      method: 'POST',
      path: '/oauth/locationToken',
      scope: 'oauth.write',
      caller: 'company',
      handle(call) {
        const { companyId, locationId } = validated(locationTokenBody, call.body)
        const location = world.locations.get(locationId)
        if (companyId !== call.caller.companyId || location?.companyId !== companyId) {
          throw refuse(403, 'The token does not have access to this location.')
        }
        if (!location.installedAt) throw refuse(400, 'The app is not installed in this location')
        // A minted token gains these two.
        const scopes = [...new Set([...call.caller.scopes, 'oauth.readonly', 'oauth.write'])]
        const grant = locationGrant(parts, location, scopes)
        const {
          refresh_token: refreshToken,
          refreshTokenId,
          ...answer
        } = tokenAnswer(parts, grant, parts.tokens.issuePair(grant))
        return {
          status: 201,
          body: {
            ...answer,
            ...(parts.settings.locationTokenHasRefresh
              ? { refresh_token: refreshToken, refreshTokenId }
              : {}),
            appId: parts.app.appId,
            versionId: parts.app.versionId,
            traceId: randomUUID(),
          },
        }
      },
    },
    {
      method: 'GET',
      path: '/oauth/installedLocations',
      scope: 'oauth.readonly',
      caller: 'company',
      handle(call) {
        const query = validated(installedQuery, call.query)
        if (query.companyId !== call.caller.companyId || query.appId !== parts.app.appId) {
          throw refuse(403, 'The token does not have access to this company.')
        }
        const found = [...world.locations.values()]
          .filter((location) => query.locationId === undefined || location.id === query.locationId)
          .filter((location) => query.query === undefined || location.name.includes(query.query))
          .filter(
            (location) =>
              query.isInstalled === undefined ||
              (query.isInstalled === 'true') === Boolean(location.installedAt),
          )
        const shown = found.slice(query.skip, query.skip + query.limit).map((location) => ({
          _id: location.id,
          name: location.name,
          address: '1 Sandbox Street',
          isInstalled: location.installedAt !== undefined,
          ...(location.installedAt
            ? { versionId: parts.app.versionId, installedAt: location.installedAt.toISOString() }
            : {}),
        }))
        return {
          status: 200,
          body: { locations: shown, count: found.length, installToFutureLocations: false },
        }
      },
    },
  ]
}

/** Why the install link cannot work, in a sentence; undefined when it can. */
function wrongLink(parts: SandboxParts, query: Record<string, string | undefined>): string | undefined {
  const { app, settings, redirectUris } = parts
  if (query['response_type'] !== 'code') return 'error.invalidResponseType: response_type must be "code"'
  if (query['client_id'] !== app.clientId) return 'error.noAppFound: no app has this client_id'
  if (!redirectUris.includes(query['redirect_uri'] ?? '')) {
    return 'error.invalidRedirectUri: redirect_uri is not registered for this app'
  }
  if (!query['scope']?.trim()) return 'error.noScope: scope must name at least one scope'
  const versionId = query['version_id']
  if (settings.requireVersionId && versionId === undefined)
    return 'error.noversionid: a draft app needs version_id'
  if (versionId !== undefined && versionId !== app.versionId)
    return 'error.invalidVersion: no such app version'
  return undefined
}

/** Where to send the browser when the choice is made already by `location_id` or `company`, and `approve=1`. */
function approvedTarget(parts: SandboxParts, query: Record<string, string | undefined>): string | undefined {
  if (query['approve'] !== '1') return undefined
  const scopes = (query['scope'] ?? '').split(/[\s+]+/).filter(Boolean)
  const redirectUri = query['redirect_uri'] ?? ''
  const grant =
    query['company'] === '1' ? approveCompany(parts, query, scopes) : approveLocation(parts, query, scopes)
  const target = new URL(redirectUri)
  target.searchParams.set('code', parts.tokens.issueCode(grant, redirectUri))
  const state = query['state']
  if (state !== undefined) target.searchParams.set('state', state)
  return target.href
}

function approveLocation(
  parts: SandboxParts,
  query: Record<string, string | undefined>,
  scopes: string[],
): Grant {
  const location = parts.world.locations.get(query['location_id'] ?? '')
  if (!location) throw refuse(400, 'location_id names no location of this sandbox')
  installInLocation(parts, location)
  return locationGrant(parts, location, scopes)
}

/** `location_id` may name the chosen ones, comma separated; without it the agency takes all. */
function approveCompany(
  parts: SandboxParts,
  query: Record<string, string | undefined>,
  scopes: string[],
): Grant {
  const chosen = query['location_id']?.split(',')
  for (const location of parts.world.locations.values()) {
    if (chosen?.includes(location.id) ?? true) installInLocation(parts, location)
  }
  return companyGrant(parts, scopes)
}

function checkForm(parts: SandboxParts, request: FastifyRequest): void {
  const contentType = request.headers['content-type'] ?? ''
  if (contentType.startsWith('application/x-www-form-urlencoded')) return
  parts.callLog.note({ kind: 'wrong-content-type', route: routeOf(request), detail: contentType || 'none' })
  request.body = {}
}

/** The code is looked at before the client's credentials, as observed. */
function exchanged(parts: SandboxParts, body: TokenBody): { grant: Grant; pair: TokenPair } {
  if (body.grant_type === 'authorization_code') {
    if (!parts.tokens.peekCode(body.code ?? '')) {
      throw refuseOauth(401, 'UnAuthorized!', 'Authorization code not found')
    }
    checkClient(parts, body)
    const grant = parts.tokens.exchangeCode(body.code ?? '', body.redirect_uri)
    return { grant, pair: parts.tokens.issuePair(grant) }
  }
  checkClient(parts, body)
  if (body.grant_type === 'refresh_token') return parts.tokens.refresh(body.refresh_token ?? '')
  throw refuseOauth(400, 'unsupported_grant_type', 'client_credentials is not enabled for this app')
}

function checkClient({ app }: SandboxParts, body: TokenBody): void {
  if (body.client_id !== app.clientId || body.client_secret !== app.clientSecret) {
    throw refuseOauth(401, 'UnAuthorized!', 'Invalid client credentials!')
  }
}

function tokenAnswer(parts: SandboxParts, grant: Grant, pair: TokenPair) {
  return {
    access_token: pair.accessToken,
    token_type: 'Bearer',
    expires_in: pair.expiresInSec,
    refresh_token: pair.refreshToken,
    refreshTokenId: pair.refreshTokenId,
    scope: grant.scopes.join(' '),
    userType: grant.authClass,
    companyId: grant.companyId,
    ...(grant.locationId === undefined ? {} : { locationId: grant.locationId }),
    userId: grant.userId,
    planId: parts.world.planId,
    isBulkInstallation: grant.isBulkInstallation,
  }
}

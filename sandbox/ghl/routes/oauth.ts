/** The token endpoint: codes and refresh tokens become pairs. */
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { routeOf } from '../api.ts'
import { companyGrant, locationGrant } from '../installs.ts'
import { refuse, refuseFields, refuseOauth } from '../refusal.ts'
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

const reconnectBody = z.strictObject({
  clientKey: z.string().min(1),
  clientSecret: z.string().min(1),
  locationId: z.string().min(1).optional(),
  companyId: z.string().min(1).optional(),
})

/** The token endpoint and its way back in after a lost token; neither takes a bearer token. */
export function addOauthRoutes(server: FastifyInstance, parts: SandboxParts): void {
  server.post('/oauth/token', async (request, reply) => {
    checkForm(parts, request)
    const body = validated(tokenBody, request.body)
    const { grant, pair } = exchanged(parts, body)
    const answer = tokenAnswer(parts, grant, pair)
    const { refreshOmitsLocationId, codeOmitsLocationId } = parts.settings
    const isLeftOut = body.grant_type === 'refresh_token' ? refreshOmitsLocationId : codeOmitsLocationId
    if (isLeftOut) delete answer['locationId']
    return reply.status(200).send(spelled(parts, answer))
  })

  server.post('/oauth/reconnect', async (request, reply) => {
    if (!parts.settings.reconnectEnabled) {
      throw refuse(404, 'Cannot POST /oauth/reconnect')
    }
    const body = validated(reconnectBody, request.body)
    checkClient(parts, body.clientKey, body.clientSecret)
    const { code, expiresAtMs } = parts.tokens.issueCode(reconnectedGrant(parts, body), undefined)
    return reply.status(200).send({
      authorizationCode: code,
      expiresAt: new Date(expiresAtMs).toISOString(),
      traceId: randomUUID(),
    })
  })
}

/** A grant with the scopes of the app's last token there. */
function reconnectedGrant(parts: SandboxParts, body: z.infer<typeof reconnectBody>): Grant {
  const { locationId, companyId } = body
  if ((locationId === undefined) === (companyId === undefined)) {
    throw refuseFields(['either locationId or companyId should not be empty'])
  }
  const location = parts.world.locations.get(locationId ?? '')
  const isKnown = location ? location.installedAt !== undefined : companyId === parts.world.companyId
  // A location that was only ever reached through its agency has the agency's scopes.
  const scopes = parts.tokens.lastScopes((grant) => [locationId, undefined].includes(grant.locationId))
  if (!isKnown || !scopes) throw refuse(400, 'The app is not installed there')
  return location ? locationGrant(parts, location, scopes) : companyGrant(parts, scopes)
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
    checkClient(parts, body.client_id, body.client_secret)
    const grant = parts.tokens.exchangeCode(body.code ?? '', body.redirect_uri)
    return { grant, pair: parts.tokens.issuePair(grant) }
  }
  checkClient(parts, body.client_id, body.client_secret)
  if (body.grant_type === 'refresh_token') return parts.tokens.refresh(body.refresh_token ?? '')
  throw refuseOauth(400, 'unsupported_grant_type', 'client_credentials is not enabled for this app')
}

function checkClient({ app }: SandboxParts, clientId: string, clientSecret: string): void {
  if (clientId !== app.clientId || clientSecret !== app.clientSecret) {
    throw refuseOauth(401, 'UnAuthorized!', 'Invalid client credentials!')
  }
}

/** What is said of a new pair; an agency's one names no locations, whatever was chosen. */
export function tokenAnswer(parts: SandboxParts, grant: Grant, pair: TokenPair): Record<string, unknown> {
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
    ...(grant.authClass === 'Company'
      ? { installToFutureLocations: parts.world.agencyInstall.toFutureLocations }
      : {}),
  }
}

/** The answer in the spelling that the setting asks for. */
export function spelled(parts: SandboxParts, answer: Record<string, unknown>): Record<string, unknown> {
  if (parts.settings.tokenSpelling === 'snake') return answer
  return Object.fromEntries(
    Object.entries(answer).map(([key, value]) => [
      key.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )
}

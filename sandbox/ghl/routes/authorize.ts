/** The page of the marketplace where the person who installs the app chooses a location, some or all. */
import type { FastifyInstance } from 'fastify'
import { choosePage, errorPage } from '../inbox/authorize-page.ts'
import { companyGrant, installInBulk, installInLocation, locationGrant } from '../installs.ts'
import { refuse } from '../refusal.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import type { Grant } from '../tokens.ts'

export function addAuthorizeRoutes(server: FastifyInstance, parts: SandboxParts): void {
  for (const path of ['/v2/oauth/chooselocation', '/oauth/chooselocation']) {
    server.get<{ Querystring: Record<string, string | undefined> }>(path, async (request, reply) => {
      const wrong = wrongLink(parts, request.query)
      if (wrong) return reply.status(400).type('text/html; charset=utf-8').send(errorPage(wrong))
      const target = approvedTarget(parts, request.query)
      if (target) return reply.redirect(target, 302)
      return reply.type('text/html; charset=utf-8').send(choosePage(parts, request.query))
    })
  }
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
  target.searchParams.set('code', parts.tokens.issueCode(grant, redirectUri).code)
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

/** `location_id` may name the chosen ones, comma separated; without it all. `future=1` takes later ones too. */
function approveCompany(
  parts: SandboxParts,
  query: Record<string, string | undefined>,
  scopes: string[],
): Grant {
  const chosen = query['location_id']?.split(',')
  const locations = [...parts.world.locations.values()]
  installInBulk(
    parts,
    locations.filter(({ id }) => chosen?.includes(id) ?? true),
    query['future'] === '1',
  )
  return companyGrant(parts, scopes)
}

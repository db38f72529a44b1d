/** GHL for sibling backends: any call through our tokens and limiter, and, for those that must, the token itself. */
import { Readable } from 'node:stream'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AuditStore } from '../../bridge/audit.ts'
import type { GhlGateway, LentToken, ProxyRequest } from '../../bridge/gateway.ts'
import { deactivated, type InstallationStore } from '../../bridge/installations.ts'
import { RequestError } from '../../core/errors.ts'
import { parseLocationId } from '../../core/ids.ts'
import { auditNow } from '../audited.ts'
import { callerOf, may, requireLocation } from '../auth.ts'
import { Id } from '../schemas.ts'

export interface ProxyDeps {
  readonly gateway: GhlGateway
  readonly audit: Pick<AuditStore, 'record'>
  readonly installations: Pick<InstallationStore, 'find'>
  /** A valid token, renewed if need be. @throws {GhlError} when there is none. */
  readonly lend: (installationId: string) => Promise<LentToken>
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const TOKENS_PER_MINUTE = 30
const OUR_LIMITS = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

export function proxyRoutes(deps: ProxyDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    const streamed: FastifyPluginCallbackZod = (streaming, _none, ready) => {
      // The body is passed on as it comes, whatever it is.
      streaming.removeAllContentTypeParsers()
      streaming.addContentTypeParser('*', (_request, payload, parsed) => {
        parsed(null, payload)
      })
      // An answer may come before the end of the body: a connection that is closed over the rest takes it along.
      streaming.addHook('onSend', (request, reply, _payload, sending) => {
        if (!request.raw.complete) reply.raw.shouldKeepAlive = true
        sending()
      })
      streaming.route({
        method: METHODS,
        url: '/api/ghl/location/:locationId/proxy/*',
        config: {
          ...may({ scope: ['proxy:read', 'proxy:write', 'media'] }),
          audit: 'always',
          streamed: true,
        },
        schema: { params: z.object({ locationId: Id, '*': z.string() }), hide: true },
        handler: async (request, reply) => {
          const gone = new AbortController()
          reply.raw.on('close', () => {
            gone.abort(new Error('the caller has gone'))
          })
          const { pathname, proxied } = split(request.raw.url ?? '')
          request.deed = { target: `${request.method} ${pathname}`.slice(0, 300) }
          const passed: ProxyRequest = {
            locationId: parseLocationId(request.params.locationId),
            method: request.method,
            pathAndQuery: proxied,
            headers: request.headers,
            body: request.body instanceof Readable ? request.body : undefined,
            signal: gone.signal,
          }
          requireScope(callerOf(request), deps.gateway.scopesOf(passed))
          const answer = await deps.gateway.pass(passed)
          // Our own limits are not GHL's, which stand under the same names.
          for (const name of OUR_LIMITS) reply.removeHeader(name)
          return await reply.code(answer.status).headers(answer.headers).send(answer.body)
        },
      })
      streaming.route({
        method: 'OPTIONS',
        url: '/api/ghl/location/:locationId/proxy/*',
        config: may({ scope: ['proxy:read', 'proxy:write', 'media'] }),
        schema: { hide: true },
        handler: async (_request, reply) =>
          await reply
            .code(405)
            .header('allow', METHODS.join(', '))
            .send({ error: { code: 'METHOD_NOT_ALLOWED', message: 'GHL’s API has no such method' } }),
      })
      ready()
    }
    app.register(streamed)

    app.get(
      '/api/token-access/:installationId',
      {
        config: {
          ...may({ scope: 'tokens' }),
          audit: 'always',
          saysSuccess: true,
          rateLimit: { max: TOKENS_PER_MINUTE, timeWindow: 60_000 },
        },
        schema: { params: z.object({ installationId: Id }) },
      },
      async (request, reply) => {
        if (callerOf(request).kind !== 'service') {
          throw new RequestError('FORBIDDEN', 'A token is lent to a service key only', {
            action: 'Make a key with the scope tokens: POST /api/keys.',
          })
        }
        const { installationId } = request.params
        const installation = await deps.installations.find(installationId)
        const { locationId } = installation ?? {}
        request.deed = { target: installationId, ...(locationId && { locationId }) }
        if (installation === undefined)
          throw new RequestError('INSTALLATION_UNKNOWN', 'There is no such installation', {
            action: 'GET /api/ghl/locations lists them, each with its installationId.',
          })
        // An agency's token opens all its locations, so a key of one location does not get it.
        requireLocation(request, locationId ?? '')
        if (installation.status === 'deactivated') throw deactivated(installation)
        const lent = await deps.lend(installationId)
        // Nothing leaves without its row.
        await auditNow(deps.audit, request, '200')
        return await reply.header('cache-control', 'no-store').send({
          success: true,
          access_token: lent.accessToken,
          installation_id: installationId,
          locationId: locationId ?? null,
        })
      },
    )
    done()
  }
}

/** The path as it came: what a router decodes and joins is no longer what was asked for. */
function split(url: string): { readonly pathname: string; readonly proxied: string } {
  const mark = '/proxy/'
  const at = url.indexOf(mark)
  const proxied = url.slice(at + mark.length - 1)
  return { proxied, pathname: proxied.split('?')[0] ?? '' }
}

function requireScope(caller: ReturnType<typeof callerOf>, scopes: readonly string[]): void {
  if (caller.kind !== 'service' || scopes.some((scope) => caller.scopes.includes(scope))) return
  throw new RequestError('FORBIDDEN', `This key lacks the scope ${scopes.join(' or ')}`, {
    action: 'Make a key with that scope: POST /api/keys.',
  })
}

/** GHL for sibling backends: any call through our tokens and limiter, and, for those that must, the token itself. */
import { Readable } from 'node:stream'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AuditStore } from '../../bridge/audit.ts'
import type { GhlGateway, LentToken, ProxyRequest } from '../../bridge/gateway.ts'
import { deactivated, type InstallationStore } from '../../bridge/installations.ts'
import { RequestError, toBridgeError } from '../../core/errors.ts'
import { parseLocationId } from '../../core/ids.ts'
import { deedOf } from '../audited.ts'
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

export function proxyRoutes(deps: ProxyDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    const streamed: FastifyPluginCallbackZod = (streaming, _none, ready) => {
      // The body is passed on as it comes, whatever it is.
      streaming.removeAllContentTypeParsers()
      streaming.addContentTypeParser('*', (_request, payload, parsed) => {
        parsed(null, payload)
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
          requireScope(callerOf(request), deps.gateway.scopeOf(passed))
          const answer = await deps.gateway.pass(passed)
          return await reply.code(answer.status).headers(answer.headers).send(answer.body)
        },
      })
      ready()
    }
    app.register(streamed)

    app.get(
      '/api/token-access/:installationId',
      {
        config: {
          ...may({ scope: 'tokens' }),
          audit: 'by_handler',
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
        const record = async (status: number): Promise<void> => {
          const deed = deedOf(request, status)
          if (deed) await deps.audit.record({ ...deed, locationId, target: installationId })
        }
        if (installation === undefined) {
          await record(404)
          const message = 'There is no such installation'
          return await reply
            .code(404)
            .send({ success: false, error: { code: 'INSTALLATION_UNKNOWN', message } })
        }
        try {
          // An agency's token opens all its locations, so a key of one location does not get it.
          requireLocation(request, locationId ?? '')
          if (installation.status === 'deactivated') {
            await record(409)
            const { code, message, action } = deactivated(installation)
            return await reply.code(409).send({ success: false, error: { code, message, action } })
          }
          const lent = await deps.lend(installationId)
          // Nothing leaves without its row.
          await record(200)
          return await reply.header('cache-control', 'no-store').send({
            success: true,
            access_token: lent.accessToken,
            installation_id: installationId,
            locationId: locationId ?? null,
          })
        } catch (thrown) {
          await record(toBridgeError(thrown).code === 'FORBIDDEN' ? 403 : 502)
          throw thrown
        }
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

function requireScope(caller: ReturnType<typeof callerOf>, scope: string): void {
  if (caller.kind !== 'service') return
  const isCovered =
    caller.scopes.includes(scope) || (scope === 'media' && caller.scopes.includes('proxy:write'))
  if (isCovered) return
  throw new RequestError('FORBIDDEN', `This key lacks the scope ${scope}`, {
    action: 'Make a key with that scope: POST /api/keys.',
  })
}

import { createHash, randomBytes } from 'node:crypto'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationStore } from '../../bridge/installations.ts'
import { ConfigError, RequestError } from '../../core/errors.ts'
import { messagePage } from '../pages/message-page.ts'

/** Long enough to log in to GHL and choose a sub-account. */
const STATE_TTL_MS = 30 * 60_000

export interface OauthDeps {
  readonly installations: InstallationStore
  /** Undefined while the app's credentials are not configured. */
  readonly oauth:
    | {
        installUrl(state: string): string
        /** Exchanges the code and saves what was installed. */
        complete(code: string): Promise<{ readonly locationIds: readonly string[] }>
      }
    | undefined
}

const hash = (state: string): string => createHash('sha256').update(state).digest('base64url')

function configured(oauth: OauthDeps['oauth']): NonNullable<OauthDeps['oauth']> {
  if (oauth !== undefined) return oauth
  throw new ConfigError('CONFIG_MISSING', 'GHL_CLIENT_ID and GHL_CLIENT_SECRET are not set')
}

/** OAuth towards GHL, under two names for one thing. */
export function oauthRoutes(deps: OauthDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    for (const prefix of ['/oauth', '/ghl']) {
      app.get(`${prefix}/install`, async (_request, reply) => {
        const oauth = configured(deps.oauth)
        const state = randomBytes(24).toString('base64url')
        await deps.installations.createOauthState(hash(state), STATE_TTL_MS)
        return reply.redirect(oauth.installUrl(state))
      })

      const Query = z.object({
        code: z.string().min(1).max(2_000),
        // Absent when the install began on GHL's own marketplace page (ghl.md 2.1).
        state: z.string().max(200).optional(),
      })
      app.get(`${prefix}/callback`, { schema: { querystring: Query } }, async (request, reply) => {
        const { code, state } = request.query
        if (state !== undefined && !(await deps.installations.takeOauthState(hash(state)))) {
          throw new RequestError('OAUTH_STATE_INVALID', 'This install link was used already or is too old', {
            action: 'Start again with /oauth/install.',
          })
        }
        const { locationIds } = await configured(deps.oauth).complete(code)
        return await reply
          .type('text/html; charset=utf-8')
          .send(
            messagePage('Installed', `The WhatsApp bridge is connected to ${countOf(locationIds.length)}.`),
          )
      })
    }
    done()
  }
}

const countOf = (count: number): string => (count === 1 ? 'your sub-account' : `${count} sub-accounts`)

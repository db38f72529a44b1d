import { createHash, randomBytes } from 'node:crypto'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationRow, InstallationStore } from '../../bridge/installations.ts'
import { ConfigError, RequestError } from '../../core/errors.ts'
import { installedPage, notInstalledPage } from '../pages/install-page.ts'

/** Long enough to log in to GHL and choose a sub-account. */
const STATE_TTL_MS = 30 * 60_000

export interface OauthDeps {
  readonly installations: Pick<InstallationStore, 'createOauthState' | 'takeOauthState'>
  /** Undefined while the app's credentials are not configured. */
  readonly oauth:
    | {
        installUrl(state: string): string
        /** Exchanges the code and saves what was installed; an agency's locations follow in the background. */
        complete(code: string): Promise<Pick<InstallationRow, 'userType'>>
      }
    | undefined
}

const hash = (state: string): string => createHash('sha256').update(state).digest('base64url')

function configured(oauth: OauthDeps['oauth']): NonNullable<OauthDeps['oauth']> {
  if (oauth !== undefined) return oauth
  throw new ConfigError('CONFIG_MISSING', 'GHL_CLIENT_ID and GHL_CLIENT_SECRET are not set')
}

/** A fresh install link, with a state that works once. */
export async function beginInstall(deps: OauthDeps): Promise<{ url: string; expiresAt: Date }> {
  const oauth = configured(deps.oauth)
  const state = randomBytes(24).toString('base64url')
  await deps.installations.createOauthState(hash(state), STATE_TTL_MS)
  return { url: oauth.installUrl(state), expiresAt: new Date(Date.now() + STATE_TTL_MS) }
}

const Query = z.object({
  code: z.string().min(1).max(2_000).optional(),
  // Absent when the install began on GHL's own marketplace page (ghl.md 2.1).
  state: z.string().max(200).optional(),
  // OAuth's own way of saying that the person did not agree.
  error: z.string().max(200).optional(),
})

/** OAuth towards GHL, under two names for one thing. */
export function oauthRoutes(deps: OauthDeps): FastifyPluginCallbackZod {
  /** Where it failed without a refusal, the code may still be good: then the page can be loaded again. */
  const completed = async (code: string, state: string | undefined) => {
    try {
      return await configured(deps.oauth).complete(code)
    } catch (thrown) {
      if (state !== undefined && !(thrown instanceof RequestError))
        await deps.installations.createOauthState(hash(state), STATE_TTL_MS).catch(() => undefined)
      throw thrown
    }
  }

  return (app, _options, done) => {
    for (const prefix of ['/oauth', '/ghl']) {
      const config = { errorPage: notInstalledPage }
      app.get(`${prefix}/install`, { config }, async (_request, reply) =>
        reply.redirect((await beginInstall(deps)).url),
      )

      app.get(`${prefix}/callback`, { config, schema: { querystring: Query } }, async (request, reply) => {
        const { code, state } = request.query
        if (code === undefined) throw noCode(request.query.error !== undefined)
        if (state !== undefined && !(await deps.installations.takeOauthState(hash(state)))) {
          throw new RequestError('OAUTH_STATE_INVALID', 'This install link was used already or is too old', {
            action: 'Start again with /oauth/install.',
          })
        }
        const { userType } = await completed(code, state)
        return await reply
          .type('text/html; charset=utf-8')
          .header('vary', 'accept-language')
          .send(installedPage(userType, request.headers['accept-language']))
      })
    }
    done()
  }
}

const noCode = (isRefusal: boolean): RequestError =>
  new RequestError('REQUEST_INVALID', isRefusal ? 'The installation was not agreed to' : 'code is missing', {
    action: 'Start again with /oauth/install.',
  })

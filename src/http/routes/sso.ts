/** The way in for pages inside GHL: GHL's payload against a short token of ours. Open, as the payload is the proof. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationStore } from '../../bridge/installations.ts'
import { RequestError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import { locationUnknown } from '../answers.ts'
import type { CallerDeps, PageUser } from '../auth.ts'

export interface SsoDeps {
  readonly installations: Pick<InstallationStore, 'findByLocation' | 'describe'>
  readonly callers: Pick<CallerDeps, 'pageTokens' | 'openPageUser'>
  readonly log: Log
}

/** One refusal for every payload that does not hold: which part was wrong is nobody's business. */
const refused = (): RequestError =>
  new RequestError('SSO_REFUSED', 'GHL’s word for who you are was not accepted', {
    action: 'Open the page again from inside GHL.',
  })

export function ssoRoutes(deps: SsoDeps): FastifyPluginCallbackZod {
  const admitted = async (payload: string): Promise<PageUser> => {
    const user = deps.callers.openPageUser(payload)
    if (user === undefined) throw refused()
    const installation = await deps.installations.findByLocation(user.locationId)
    // GHL vouches for this person, who may know. A location that needs a reconnect is let in: its page says that.
    if (installation === undefined || installation.status === 'uninstalled') throw locationUnknown()
    if (installation.companyId !== undefined && installation.companyId !== user.companyId) throw refused()
    if (user.whiteLabelDomain !== undefined && user.whiteLabelDomain !== installation.whiteLabelDomain)
      await deps.installations.describe(user.locationId, { whiteLabelDomain: user.whiteLabelDomain })
    return user
  }

  return (app, _options, done) => {
    app.post(
      '/api/sso',
      {
        schema: {
          body: z.object({ payload: z.string().max(16_384) }),
          response: {
            200: z.object({
              token: z.string(),
              expiresAt: z.string(),
              locationId: z.string(),
              role: z.enum(['admin', 'user']),
            }),
          },
        },
      },
      async (request, reply) => {
        const { userId, locationId, role } = await admitted(request.body.payload)
        const { token, expiresAt } = deps.callers.pageTokens.issue({ userId, locationId, role })
        deps.log.debug({ locationId, role }, 'page let in')
        void reply.header('cache-control', 'no-store')
        return { token, expiresAt: expiresAt.toISOString(), locationId, role }
      },
    )
    done()
  }
}

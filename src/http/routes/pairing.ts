/** The link for the client's own phone: one number, 30 minutes, nothing else visible. The token is the right. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { toString as drawQr } from 'qrcode'
import { z } from 'zod'
import type { SessionDesk, SessionSnapshot } from '../../bridge/ports.ts'
import type { SessionStore } from '../../bridge/storage.ts'
import { RequestError } from '../../core/errors.ts'
import { messagePage } from '../pages/message-page.ts'
import { pairingPage } from '../pages/pairing-page.ts'
import { streamSession } from '../session-events.ts'
import { linkHash } from './sessions.ts'

export interface PairingDeps {
  readonly desk: SessionDesk
  readonly sessions: Pick<SessionStore, 'findPairingLink' | 'find'>
}

const Params = z.object({ token: z.string().regex(/^[A-Za-z0-9_-]{32}$/) })

const expired = (): RequestError =>
  new RequestError('LINK_EXPIRED', 'This link has expired', { action: 'Ask for a new one.' })

export function pairingRoutes(deps: PairingDeps): FastifyPluginCallbackZod {
  async function open(token: string): Promise<SessionSnapshot> {
    const link = await deps.sessions.findPairingLink(linkHash(token))
    if (link === undefined || link.expiresAt.getTime() < Date.now()) throw expired()
    const row = await deps.sessions.find(link.sessionId)
    const snapshot = row && (await deps.desk.find(row.locationId, row.sessionId))
    if (snapshot === undefined) throw expired()
    return snapshot
  }

  return (app, _options, done) => {
    app.get('/pair/:token', async (request, reply) => {
      void reply.type('text/html; charset=utf-8').headers({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'",
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      })
      const params = Params.safeParse(request.params)
      try {
        if (!params.success) throw expired()
        await open(params.data.token)
      } catch (thrown) {
        if (!(thrown instanceof RequestError)) throw thrown
        return await reply
          .code(410)
          .send(messagePage('This link has expired', 'Ask whoever sent it for a new one.'))
      }
      return await reply.send(pairingPage())
    })

    app.get('/pair/:token/events', { sse: 'only', schema: { params: Params } }, async (request, reply) => {
      await streamSession(deps.desk, await open(request.params.token), reply, async ({ qr }) => [
        {
          event: 'drawing',
          data: qr === null ? '' : await drawQr(qr, { type: 'svg', margin: 2, errorCorrectionLevel: 'L' }),
        },
      ])
    })

    app.post('/pair/:token/restart', { schema: { params: Params } }, async (request, reply) => {
      const session = await open(request.params.token)
      return await reply.code(202).send(await deps.desk.restart(session.id))
    })
    done()
  }
}

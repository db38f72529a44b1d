/** The link for the client's own phone: one number, 30 minutes, nothing else visible. The token is the right. */
import type { FastifyReply } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { SessionDesk, SessionSnapshot } from '../../bridge/ports.ts'
import type { SessionStore } from '../../bridge/storage/sessions.ts'
import { RequestError } from '../../core/errors.ts'
import { type BuiltPages, sendPage } from '../pages/built-pages.ts'
import { Phone, SessionBody } from '../schemas.ts'
import { shownNow } from '../session-body.ts'
import { streamSession } from '../session-events.ts'
import { linkHash } from './sessions.ts'

export interface PairingDeps {
  readonly desk: SessionDesk
  readonly sessions: Pick<SessionStore, 'findPairingLink' | 'find'>
  readonly pages: BuiltPages
}

const Params = z.object({ token: z.string().regex(/^[A-Za-z0-9_-]{32}$/) })

/** What the holder of a link may know of the number. */
const LinkBody = SessionBody.pick({
  status: true,
  phoneNumber: true,
  expectedPhone: true,
  qr: true,
  pairingCode: true,
  expiresAt: true,
  expiresInMs: true,
  nextAttemptAt: true,
  problem: true,
}).extend({ linkExpiresAt: z.string() })

interface OpenLink {
  readonly session: SessionSnapshot
  readonly expiresAt: Date
}

const expired = (): RequestError =>
  new RequestError('LINK_EXPIRED', 'This link has expired', { action: 'Ask for a new one.' })

export function pairingRoutes({ desk, sessions, pages }: PairingDeps): FastifyPluginCallbackZod {
  async function open(token: string): Promise<OpenLink> {
    const link = await sessions.findPairingLink(linkHash(token))
    if (link === undefined || link.expiresAt.getTime() < Date.now()) throw expired()
    const row = await sessions.find(link.sessionId)
    const session = row && (await desk.find(row.locationId, row.sessionId))
    if (session === undefined) throw expired()
    return { session, expiresAt: link.expiresAt }
  }

  /** The page comes for a dead link as well: it says in the reader's language that it is dead. */
  const statusOf = async (token: string): Promise<200 | 410> =>
    await open(token).then(
      () => 200,
      (thrown: unknown) => {
        if (thrown instanceof RequestError) return 410
        throw thrown
      },
    )

  const sendExpired = async (reply: FastifyReply): Promise<FastifyReply> =>
    await sendPage(reply.code(410), pages.html('pair'))

  return (app, _options, done) => {
    // Links are copied by hand: with a slash at their end, or cut. Whoever opens one reads what to do.
    app.get<{ Params: { token: string } }>('/pair/:token/', { schema: { hide: true } }, (request, reply) =>
      reply.redirect(`/pair/${encodeURIComponent(request.params.token)}`),
    )
    for (const path of ['/pair', '/pair/*'])
      app.get(path, { schema: { hide: true } }, (_request, reply) => sendExpired(reply))

    app.get('/pair/:token', { schema: { hide: true } }, async (request, reply) => {
      const params = Params.safeParse(request.params)
      void reply.code(params.success ? await statusOf(params.data.token) : 410)
      return await sendPage(reply, pages.html('pair'))
    })

    app.get('/pair/:token/events', { sse: 'only', schema: { params: Params } }, async (request, reply) => {
      const link = await open(request.params.token)
      const linkExpiresAt = link.expiresAt.toISOString()
      await streamSession(desk, link.session, reply, {
        until: link.expiresAt,
        bodyOf: (snapshot) => LinkBody.parse({ ...shownNow(snapshot), linkExpiresAt }),
      })
    })

    app.post(
      '/pair/:token/restart',
      {
        schema: {
          params: Params,
          body: z.object({ phoneNumber: Phone.optional() }).nullish(),
          response: { 202: LinkBody },
        },
      },
      async (request, reply) => {
        const { session, expiresAt } = await open(request.params.token)
        const restarted = await desk.restart(session.id, request.body?.phoneNumber)
        return await reply.code(202).send({ ...shownNow(restarted), linkExpiresAt: expiresAt.toISOString() })
      },
    )
    done()
  }
}

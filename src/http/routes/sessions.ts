import { createHash, randomBytes } from 'node:crypto'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { deactivated, type InstallationRow, type InstallationStore } from '../../bridge/installations.ts'
import type { SessionDesk, SessionSnapshot } from '../../bridge/ports.ts'
import type { SessionStore } from '../../bridge/storage/sessions.ts'
import { sessionUnknown } from '../../bridge/unknown.ts'
import { type LocationId, parseLocationId, parseSessionId } from '../../core/ids.ts'
import { locationUnknown } from '../answers.ts'
import { may, shownTo, streamEnd } from '../auth.ts'
import { streamLocation } from '../location-events.ts'
import { LocationParams, Phone, SessionBody, SessionEditBody, SessionParams } from '../schemas.ts'
import { shownNow } from '../session-body.ts'
import { streamSession } from '../session-events.ts'

/** As long as a client needs to open the link on his own phone; design.md 3. */
const PAIRING_LINK_TTL_MS = 30 * 60_000

export const linkHash = (token: string): string => createHash('sha256').update(token).digest('base64url')

export interface SessionDeps {
  readonly desk: SessionDesk
  readonly sessions: Pick<SessionStore, 'createPairingLink'>
  readonly installations: Pick<InstallationStore, 'findByLocation'>
  readonly publicUrl: string
}

const READ = may({ page: 'user', scope: 'sessions:read' })
const WRITE = may({ page: 'admin', scope: 'sessions:write' })

/** The numbers of one location. Register behind the guard. */
export function sessionRoutes(deps: SessionDeps): FastifyPluginCallbackZod {
  const { desk } = deps

  async function installed(locationId: string): Promise<InstallationRow & { locationId: LocationId }> {
    const id = parseLocationId(locationId)
    const installation = await deps.installations.findByLocation(id)
    if (installation === undefined || installation.status === 'uninstalled') throw locationUnknown()
    return { ...installation, locationId: id }
  }

  async function found(params: z.output<typeof SessionParams>): Promise<SessionSnapshot> {
    const locationId = parseLocationId(params.locationId)
    const snapshot = await desk.find(locationId, parseSessionId(params.id))
    if (snapshot === undefined) throw sessionUnknown()
    return snapshot
  }

  return (app, _options, done) => {
    const path = '/ghl/location/:locationId/session'

    app.post(
      path,
      {
        config: WRITE,
        schema: {
          params: LocationParams,
          body: z.object({ phoneNumber: Phone.optional(), expectedPhone: Phone.optional() }).nullish(),
          response: { 201: z.object({ session_id: z.string(), status: z.string() }) },
        },
      },
      async (request, reply) => {
        const installation = await installed(request.params.locationId)
        if (installation.status === 'deactivated') throw deactivated(installation)
        const { locationId } = installation
        const { phoneNumber, expectedPhone } = request.body ?? {}
        const session = await desk.create(locationId, {
          ...(phoneNumber !== undefined && { phoneNumber }),
          ...(expectedPhone !== undefined && { expectedPhone }),
        })
        request.deed = { target: session.id }
        return await reply.code(201).send({ session_id: session.id, status: session.status })
      },
    )

    app.get(
      path,
      {
        config: READ,
        schema: { params: LocationParams, response: { 200: z.object({ sessions: z.array(SessionBody) }) } },
      },
      async (request) => {
        const { locationId } = await installed(request.params.locationId)
        const show = shownTo(request)
        return { sessions: (await desk.list(locationId)).map(show) }
      },
    )

    app.get(
      '/ghl/location/:locationId/events',
      { sse: 'only', config: READ, schema: { params: LocationParams } },
      async (request, reply) => {
        const { locationId } = await installed(request.params.locationId)
        await streamLocation(desk, locationId, reply, {
          until: streamEnd(request),
          show: shownTo(request),
        })
      },
    )

    app.get(
      `${path}/:id/events`,
      { sse: 'only', config: READ, schema: { params: SessionParams } },
      async (request, reply) => {
        const session = await found(request.params)
        await streamSession(desk, session, reply, {
          until: streamEnd(request),
          bodyOf: shownTo(request),
        })
      },
    )

    app.post(
      `${path}/:id/restart`,
      {
        config: WRITE,
        schema: {
          params: SessionParams,
          body: z.object({ phoneNumber: Phone.optional() }).nullish(),
          response: { 202: SessionBody },
        },
      },
      async (request, reply) => {
        const session = await found(request.params)
        return await reply.code(202).send(shownNow(await desk.restart(session.id, request.body?.phoneNumber)))
      },
    )

    app.patch(
      `${path}/:id`,
      {
        config: WRITE,
        schema: { params: SessionParams, body: SessionEditBody, response: { 200: SessionBody } },
      },
      async ({ params, body }) => {
        const locationId = parseLocationId(params.locationId)
        return shownNow(await desk.edit(locationId, parseSessionId(params.id), body))
      },
    )

    app.delete(
      `${path}/:id`,
      { config: WRITE, schema: { params: SessionParams } },
      async (request, reply) => {
        const session = await found(request.params)
        await desk.logOut(session.id)
        return await reply.code(204).send()
      },
    )

    app.post(
      `${path}/:id/pairing-link`,
      {
        config: WRITE,
        schema: {
          params: SessionParams,
          response: {
            201: z.object({
              url: z.string(),
              expiresAt: z.string(),
              expiresInMs: z.number().int().describe('From the receipt, for callers whose clock is wrong'),
            }),
          },
        },
      },
      async (request, reply) => {
        const session = await found(request.params)
        const token = randomBytes(24).toString('base64url')
        await deps.sessions.createPairingLink(linkHash(token), session.id, PAIRING_LINK_TTL_MS)
        const expiresAt = new Date(Date.now() + PAIRING_LINK_TTL_MS).toISOString()
        const url = `${deps.publicUrl}/pair/${token}`
        return await reply.code(201).send({ url, expiresAt, expiresInMs: PAIRING_LINK_TTL_MS })
      },
    )
    done()
  }
}

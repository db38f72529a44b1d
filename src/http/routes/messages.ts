/** What is waiting, parked, dead and held; retry and discard; the daily certificate. Register behind the guard. */
import type { FastifyRequest } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationStore } from '../../bridge/installations.ts'
import type { MessageDesk } from '../../bridge/ports.ts'
import type { WaitingQuery } from '../../bridge/storage/messages.ts'
import { messageUnknown } from '../../bridge/unknown.ts'
import { dayOf, spanOf, UTC } from '../../core/days.ts'
import { parseLocationId, parseMessageId, parseSessionId } from '../../core/ids.ts'
import { MESSAGE_STATES } from '../../core/message.ts'
import { locationUnknown } from '../answers.ts'
import { confinedTo, may, mayReadWords, requireLocation } from '../auth.ts'
import { Id, LedgerCounts, LocationParams, MessageBody } from '../schemas.ts'

export interface MessageDeps {
  readonly messageDesk: MessageDesk
  readonly installations: Pick<InstallationStore, 'findByLocation'>
}

const Query = z.object({
  state: z.enum(MESSAGE_STATES).optional(),
  waitsFor: z
    .enum(['person', 'delivery'])
    .optional()
    .describe(
      '`person`: failed or held, and not discarded. `delivery`: live and on its way. The answer has a `total` then',
    ),
  order: z.enum(['newest', 'oldest']).default('newest').describe('Which stand first'),
  locationId: Id.optional(),
  sessionId: Id.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(40).optional(),
})

/** Which of those that wait for a person's word. */
const Asked = z.object({
  state: z.enum(['failed', 'held']).optional().describe('Both when absent'),
  locationId: Id.optional(),
  sessionId: Id.optional(),
})
const Seq = z.string().regex(/^\d{1,18}$/)
const Batch = Asked.extend({
  upTo: Seq.optional().describe('From `GET /api/messages/waiting`: what came later is left alone'),
  after: Seq.optional().describe('From the answer before, so that one that fails again is not met twice'),
}).strict()

const READ = may({ page: 'user', scope: 'messages:read' })
const WRITE = may({ page: 'admin', scope: 'messages:write' })

const LedgerBody = LedgerCounts.extend({
  day: z.string(),
  timeZone: z.string().describe('IANA name of the zone whose midnights begin and end the day'),
})

/** Whoever is confined to a location means his own. */
function askedBy(request: FastifyRequest, asked: z.output<typeof Asked>): WaitingQuery {
  const locationId = confinedTo(request) ?? asked.locationId
  return {
    ...(asked.state !== undefined && { state: asked.state }),
    ...(locationId !== undefined && { locationId: parseLocationId(locationId) }),
    ...(asked.sessionId !== undefined && { sessionId: parseSessionId(asked.sessionId) }),
  }
}

export function messageRoutes({ messageDesk, installations }: MessageDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/api/messages',
      {
        config: READ,
        schema: {
          querystring: Query,
          response: {
            200: z.object({
              messages: z.array(MessageBody),
              nextCursor: z.string().nullable(),
              total: z.number().int().nullable().describe('With `waitsFor`: how many there are in all'),
            }),
          },
        },
      },
      async (request) => {
        const { sessionId, state, waitsFor, order, cursor, limit } = request.query
        const locationId = confinedTo(request) ?? request.query.locationId
        const page = await messageDesk.list({
          limit,
          oldestFirst: order === 'oldest',
          withContent: mayReadWords(request),
          ...(state !== undefined && { state }),
          ...(waitsFor !== undefined && { waitsFor }),
          ...(cursor !== undefined && { cursor }),
          ...(locationId !== undefined && { locationId: parseLocationId(locationId) }),
          ...(sessionId !== undefined && { sessionId: parseSessionId(sessionId) }),
        })
        return { ...page, messages: [...page.messages] }
      },
    )

    app.get(
      '/api/messages/waiting',
      {
        config: READ,
        schema: {
          querystring: Asked,
          response: {
            200: z.object({
              messages: z.number().int(),
              held: z.number().int().describe('How many of them are held'),
              locations: z.number().int(),
              upTo: z.string().nullable().describe('Names the newest of them; null when there is none'),
            }),
          },
        },
      },
      async (request) => {
        const { upTo, ...counted } = await messageDesk.waiting(askedBy(request, request.query))
        return { ...counted, upTo: upTo ?? null }
      },
    )

    for (const deed of ['retry', 'discard'] as const) {
      app.post(
        `/api/messages/${deed}`,
        {
          config: WRITE,
          schema: {
            body: Batch,
            response: {
              200: z.object({
                done: z.number().int(),
                after: z.string().nullable().describe('For the next batch; null after the last'),
              }),
            },
          },
        },
        async (request) => {
          const { upTo, after, locationId } = request.body
          if (locationId !== undefined) requireLocation(request, locationId)
          const asked = askedBy(request, request.body)
          const batch = { ...(upTo !== undefined && { upTo }), ...(after !== undefined && { after }) }
          const settled = await messageDesk[`${deed}Waiting`](asked, batch)
          request.deed = {
            target: [settled.done, asked.state].join(' ').trimEnd(),
            ...(asked.locationId !== undefined && { locationId: asked.locationId }),
          }
          return { done: settled.done, after: settled.after ?? null }
        },
      )

      app.post(
        `/api/messages/:id/${deed}`,
        { config: WRITE, schema: { params: z.object({ id: Id }), response: { 200: MessageBody } } },
        async (request) => {
          const message = await messageDesk.find(parseMessageId(request.params.id))
          // Another location's message is as unknown as none.
          const isTheirs =
            message !== undefined && (confinedTo(request) ?? message.locationId) === message.locationId
          if (!isTheirs) throw messageUnknown()
          request.deed = { locationId: message.locationId, target: message.id }
          return await messageDesk[deed](message.id)
        },
      )
    }

    app.get(
      '/api/ledger/:locationId',
      {
        config: READ,
        schema: {
          params: LocationParams,
          querystring: z.object({
            day: z.iso
              .date()
              .optional()
              .describe(
                'A day of the location’s time zone (UTC while GHL has not said which); today when absent',
              ),
          }),
          response: { 200: LedgerBody },
        },
      },
      async (request) => {
        const locationId = parseLocationId(request.params.locationId)
        const installation = await installations.findByLocation(locationId)
        if (installation === undefined) throw locationUnknown()
        const { timeZone = UTC } = installation
        const day = request.query.day ?? dayOf(new Date(), timeZone)
        return { day, timeZone, ...(await messageDesk.ledger(locationId, spanOf(day, timeZone))) }
      },
    )
    done()
  }
}

/** Figures for the pages' charts: what came, what became of it, how long it took. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { StatsStore } from '../../bridge/stats.ts'
import { RequestError } from '../../core/errors.ts'
import { parseLocationId, parseSessionId } from '../../core/ids.ts'
import { confinedTo, may } from '../auth.ts'
import { Id, LedgerCounts } from '../schemas.ts'

export interface StatsDeps {
  readonly stats: Pick<StatsStore, 'stats'>
}

/** More is no look at a chart any more but a report. */
const LONGEST_MS = 31 * 24 * 60 * 60_000

const count = z.number().int()
const TimingBody = z.object({ count, p50Ms: z.number(), p95Ms: z.number() }).nullable()
const TimingsBody = z.object({ toGhl: TimingBody, toWhatsApp: TimingBody, toPhone: TimingBody })
const StatsBody = LedgerCounts.extend({
  from: z.string(),
  to: z.string(),
  hours: z.array(z.object({ at: z.string(), inbound: count, outbound: count })),
  timings: TimingsBody,
  numbers: z
    .array(TimingsBody.extend({ sessionId: z.string(), inbound: count, outbound: count }))
    .describe('Empty without a locationId or a sessionId'),
})

const Query = z.object({
  from: z.iso.datetime({ offset: true }),
  to: z.iso.datetime({ offset: true }),
  locationId: Id.optional(),
  sessionId: Id.optional(),
})

export function statsRoutes({ stats }: StatsDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/api/stats',
      {
        config: may({ page: 'user', scope: 'messages:read' }),
        schema: { querystring: Query, response: { 200: StatsBody } },
      },
      async (request) => {
        const { sessionId } = request.query
        const { from, to } = stretch(request.query)
        const locationId = confinedTo(request) ?? request.query.locationId
        const found = await stats.stats({
          from,
          to,
          ...(locationId !== undefined && { locationId: parseLocationId(locationId) }),
          ...(sessionId !== undefined && { sessionId: parseSessionId(sessionId) }),
        })
        return {
          ...found,
          from: from.toISOString(),
          to: to.toISOString(),
          hours: found.hours.map(({ at, ...counts }) => ({ at: at.toISOString(), ...counts })),
          numbers: [...found.numbers],
        }
      },
    )
    done()
  }
}

function stretch(query: { from: string; to: string }): { from: Date; to: Date } {
  const from = new Date(query.from)
  const to = new Date(query.to)
  const lengthMs = to.getTime() - from.getTime()
  if (lengthMs > 0 && lengthMs <= LONGEST_MS) return { from, to }
  throw new RequestError('REQUEST_INVALID', 'from must lie before to, and at most 31 days before it')
}

/** Voice AI calls: copied from GHL on demand, read from our store. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { CallLogSpan, CallLogStore, CallLogSynced } from '../../bridge/call-logs.ts'
import type { InstallationStore } from '../../bridge/installations.ts'
import { RequestError } from '../../core/errors.ts'
import { type LocationId, parseLocationId } from '../../core/ids.ts'
import { locationUnknown } from '../answers.ts'
import { confinedTo, may, requireLocation } from '../auth.ts'
import { Id } from '../schemas.ts'

export interface CallLogDeps {
  readonly callLogs: Pick<CallLogStore, 'list'>
  readonly installations: Pick<InstallationStore, 'findByLocation' | 'list'>
  /** `params` says what was asked for, so that only the same is gone on with. */
  readonly syncCallLogs: (
    locations: readonly LocationId[],
    span: CallLogSpan,
    params: string,
  ) => Promise<readonly CallLogSynced[]>
}

const SYNC = may({ scope: 'sync' })
/** Without a start: as far back as a month of bills. */
const USUAL_DAYS_MS = 31 * 24 * 60 * 60_000

const DAY_MS = 24 * 60 * 60_000
const Moment = z.union([z.iso.datetime({ offset: true }), z.iso.date(), z.number().int().nonnegative()])
const Instant = Moment.transform((value) => new Date(value))
/** A day without a time is meant to its end (UTC). */
const End = Moment.transform((value) =>
  typeof value === 'string' && !value.includes('T')
    ? new Date(Date.parse(value) + DAY_MS - 1)
    : new Date(value),
)
const Wish = z
  .strictObject({ startDate: Instant.optional(), endDate: End.optional(), locationId: Id.optional() })
  .refine(({ startDate, endDate }) => !startDate || !endDate || startDate <= endDate, {
    error: 'must not be before startDate',
    path: ['endDate'],
  })
  .refine(({ startDate, endDate }) => endDate !== undefined || !startDate || startDate <= new Date(), {
    error: 'must not be in the future',
    path: ['startDate'],
  })
  .refine(
    ({ startDate, endDate }) => startDate !== undefined || !endDate || endDate.getTime() >= USUAL_DAYS_MS,
    {
      error: 'needs a startDate this early',
      path: ['endDate'],
    },
  )
  .nullish()

export function callLogRoutes(deps: CallLogDeps): FastifyPluginCallbackZod {
  const wanted = async (locationId: string | undefined): Promise<readonly LocationId[]> => {
    if (locationId === undefined) {
      const rows = await deps.installations.list()
      return rows.flatMap((row) => (row.status === 'active' && row.locationId ? [row.locationId] : []))
    }
    const id = parseLocationId(locationId)
    if ((await deps.installations.findByLocation(id)) === undefined) throw locationUnknown()
    return [id]
  }

  return (app, _options, done) => {
    app.post(
      '/api/sync/call-logs',
      { config: { ...SYNC, saysSuccess: true }, schema: { body: Wish } },
      async (request, reply) => {
        const { startDate, endDate, locationId } = request.body ?? {}
        if (locationId !== undefined) requireLocation(request, locationId)
        const place = locationId ?? confinedTo(request)
        if (place !== undefined) request.deed = { locationId: place }
        const locations = await wanted(place)
        const to = endDate ?? new Date()
        const span = { from: startDate ?? new Date(to.getTime() - USUAL_DAYS_MS), to }
        const params = `${startDate?.toISOString() ?? ''}/${endDate?.toISOString() ?? ''}`
        const synced = await deps.syncCallLogs(locations, span, params)
        const results = synced.map((result) => ({ ...result, success: result.state !== 'failed' }))
        const isRunning = synced.some(({ state }) => state === 'running')
        const only = synced.length === 1 ? synced[0]?.error : undefined
        return await reply.code(only === undefined ? (isRunning ? 202 : 200) : statusOf(only.code)).send({
          success: results.every((result) => result.success),
          running: isRunning,
          records: synced.reduce((sum, result) => sum + result.records, 0),
          results,
          ...(only !== undefined && { error: only }),
        })
      },
    )

    app.get(
      '/api/call-logs',
      {
        config: may({ page: 'user', scope: 'sync' }),
        schema: {
          querystring: z.object({
            locationId: Id.optional(),
            startDate: Instant.optional(),
            endDate: End.optional(),
            limit: z.coerce.number().int().min(1).max(200).default(50),
            cursor: z.string().min(1).max(120).optional(),
          }),
        },
      },
      async (request) => {
        const { startDate, endDate, limit, cursor } = request.query
        const locationId = confinedTo(request) ?? request.query.locationId
        if (locationId === undefined)
          throw new RequestError('REQUEST_INVALID', 'querystring/locationId: is needed')
        const page = await deps.callLogs.list({
          locationId: parseLocationId(locationId),
          limit,
          ...(startDate !== undefined && { from: startDate }),
          ...(endDate !== undefined && { to: endDate }),
          ...(cursor !== undefined && { cursor }),
        })
        const callLogs = page.calls.map(({ details, ...call }) => ({ ...details, ...call }))
        return { callLogs, nextCursor: page.nextCursor ?? null }
      },
    )
    done()
  }
}

/** One location's refusal is the answer; of many, each says its own. */
const statusOf = (code: string): number => (code === 'GHL_FORBIDDEN' ? 403 : 502)

/** Voice AI calls: copied from GHL on demand, read from our store. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { CallLogStore, CallLogSynced, CallLogWish } from '../../bridge/call-logs.ts'
import { type InstallationRow, type InstallationStore, isServed } from '../../bridge/installations.ts'
import { spanOf, UTC } from '../../core/days.ts'
import { GhlError, RequestError } from '../../core/errors.ts'
import { type LocationId, parseLocationId } from '../../core/ids.ts'
import { locationUnknown, sayWait, statusOf } from '../answers.ts'
import { confinedTo, may, mayReadWords, requireLocation } from '../auth.ts'
import { Id } from '../schemas.ts'

export interface CallLogDeps {
  readonly callLogs: Pick<CallLogStore, 'list'>
  readonly installations: Pick<InstallationStore, 'findByLocation' | 'list'>
  /** `params` says what was asked for, so that only the same is gone on with. */
  readonly syncCallLogs: (wishes: readonly CallLogWish[], params: string) => Promise<readonly CallLogSynced[]>
}

const SYNC = may({ scope: 'sync' })
/** Without a start: as far back as a month of bills. */
const USUAL_DAYS_MS = 31 * 24 * 60 * 60_000

/** The last that a `Date` can be. */
const LAST_MS = 8.64e15
const DAY = 'A day without a time is one of the location’s own time zone, from its first moment to its last'
const Texts = [z.iso.datetime({ offset: true }), z.iso.date()] as const
/** As a query can say it: all that stands there is text. */
const TextMoment = z.union(Texts).describe(`An instant or a day. ${DAY}`)
/** Not transformed here: of a union with a transformed member the OpenAPI document drops that member. */
const Moment = z
  .union([...Texts, z.number().int().nonnegative().max(LAST_MS)])
  .describe(`An instant, also as milliseconds since 1970, or a day. ${DAY}`)
type Moment = z.output<typeof Moment>

const isDay = (moment: Moment): moment is string => typeof moment === 'string' && !moment.includes('T')
const beginOf = (moment: Moment, timeZone: string): Date =>
  isDay(moment) ? spanOf(moment, timeZone).from : new Date(moment)
const endOf = (moment: Moment, timeZone: string): Date =>
  isDay(moment) ? new Date(spanOf(moment, timeZone).to.getTime() - 1) : new Date(moment)

const Wish = z
  .strictObject({ startDate: Moment.optional(), endDate: Moment.optional(), locationId: Id.optional() })
  .nullish()

const invalid = (where: string, what: string): RequestError =>
  new RequestError('REQUEST_INVALID', `body/${where}: ${what}`)

const nobodyServed = (): GhlError =>
  new GhlError(
    'GHL_NOT_INSTALLED',
    'No location is connected: the app is installed in none, or those are deactivated',
    { action: 'Install it with /oauth/install, or activate a location in the console.' },
  )

type Row = Pick<InstallationRow, 'locationId' | 'timeZone'> & { readonly locationId: LocationId }

/** What was asked for, in each location's own days. @throws {RequestError} `REQUEST_INVALID`. */
function wishesOf(rows: readonly Row[], { startDate, endDate }: NonNullable<z.output<typeof Wish>>) {
  const now = new Date()
  const wishes = rows.map(({ locationId, timeZone = UTC }): CallLogWish => {
    const to = endDate === undefined ? now : endOf(endDate, timeZone)
    const from =
      startDate === undefined ? new Date(to.getTime() - USUAL_DAYS_MS) : beginOf(startDate, timeZone)
    return { locationId, from, to }
  })
  if (wishes.length > 0 && wishes.every(({ from, to }) => from > to))
    throw endDate === undefined
      ? invalid('startDate', 'must not be in the future')
      : invalid('endDate', 'must not be before startDate')
  if (wishes.some(({ from }) => from.getTime() < 0)) throw invalid('endDate', 'needs a startDate this early')
  // Where a day has not begun yet there is nothing of it.
  return wishes.filter(({ from, to }) => from <= to)
}

/** However an instant was written, it is the same wish. */
const textOf = (moment: Moment | undefined): string =>
  moment === undefined || isDay(moment) ? (moment ?? '') : new Date(moment).toISOString()

export function callLogRoutes(deps: CallLogDeps): FastifyPluginCallbackZod {
  const wanted = async (locationId: string | undefined): Promise<readonly Row[]> => {
    if (locationId === undefined) {
      // One that must be connected first is tried too: its refusal names it, and says what to do.
      const rows = (await deps.installations.list()).flatMap((row) =>
        isServed(row) && row.locationId !== undefined ? [{ ...row, locationId: row.locationId }] : [],
      )
      if (rows.length === 0) throw nobodyServed()
      return rows
    }
    const id = parseLocationId(locationId)
    const row = await deps.installations.findByLocation(id)
    if (row === undefined) throw locationUnknown()
    return [{ ...row, locationId: id }]
  }

  return (app, _options, done) => {
    app.post(
      '/api/sync/call-logs',
      { config: { ...SYNC, saysSuccess: true }, schema: { body: Wish } },
      async (request, reply) => {
        const wish = request.body ?? {}
        const { startDate, endDate, locationId } = wish
        if (locationId !== undefined) requireLocation(request, locationId)
        const place = locationId ?? confinedTo(request)
        if (place !== undefined) request.deed = { locationId: place }
        const wishes = wishesOf(await wanted(place), wish)
        const synced = await deps.syncCallLogs(wishes, `${textOf(startDate)}/${textOf(endDate)}`)
        const results = synced.map((result) => ({ ...result, success: result.state !== 'failed' }))
        const isRunning = synced.some(({ state }) => state === 'running')
        const only = synced.length === 1 ? synced[0]?.error : undefined
        const status = only === undefined ? (isRunning ? 202 : 200) : failureStatus(only.code)
        sayWait(reply, status, only?.retryAfterMs)
        return await reply.code(status).send({
          success: results.every((result) => result.success),
          running: isRunning,
          records: synced.reduce((sum, result) => sum + result.records, 0),
          skipped: synced.reduce((sum, result) => sum + result.skipped, 0),
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
            startDate: TextMoment.optional(),
            endDate: TextMoment.optional(),
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
        const location = parseLocationId(locationId)
        const { timeZone = UTC } = (await deps.installations.findByLocation(location)) ?? {}
        const page = await deps.callLogs.list({
          locationId: location,
          limit,
          ...(startDate !== undefined && { from: beginOf(startDate, timeZone) }),
          ...(endDate !== undefined && { to: endOf(endDate, timeZone) }),
          ...(cursor !== undefined && { cursor }),
        })
        const withWords = mayReadWords(request)
        const callLogs = page.calls.map(({ details, ...call }) => ({ ...(withWords && details), ...call }))
        return { callLogs, nextCursor: page.nextCursor ?? null }
      },
    )
    done()
  }
}

/** One location's refusal is the answer; of many, each says its own. A scope that is missing is the caller's to add. */
const failureStatus = (code: string): number => (code === 'GHL_FORBIDDEN' ? 403 : statusOf(code))

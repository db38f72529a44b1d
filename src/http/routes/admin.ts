/** What the operator starts and looks at: the sync with GHL, reports of long work, app events. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AgencySync } from '../../bridge/agency-sync.ts'
import type { WebhookEventStore } from '../../bridge/installations.ts'
import { SYNC_STATES, type SyncRow, type SyncStore } from '../../bridge/syncs.ts'
import type { TokenCare } from '../../bridge/token-care.ts'
import { toBridgeError } from '../../core/errors.ts'
import { parseLocationId } from '../../core/ids.ts'
import type { Log } from '../../core/log.ts'
import { confinedTo, may, requireLocation } from '../auth.ts'
import { Id } from '../schemas.ts'

export interface AdminDeps {
  readonly agencySync: Pick<AgencySync, 'startAll' | 'reports'>
  readonly care: Pick<TokenCare, 'check'>
  readonly syncs: Pick<SyncStore, 'page' | 'countByKind'>
  readonly webhookEvents: Pick<WebhookEventStore, 'list'>
  readonly log: Log
}

const SyncBody = z.object({
  kind: z.string(),
  scope: z.string().describe('A location, an agency, or a word of the work itself'),
  name: z.string().nullable().describe('Of that location or agency'),
  state: z.enum(SYNC_STATES),
  total: z.number().nullable(),
  done: z.number(),
  failed: z.number(),
  skipped: z.number().describe('What cannot be taken, whoever tries: neither done nor failed'),
  message: z.string().nullable(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
})

const runs = z.number().int()
const KindBody = z.object({
  kind: z.string(),
  running: runs,
  interrupted: runs,
  failed: runs,
  done: runs,
  latestAt: z.string(),
})

const STATES = ['received', 'processed', 'ignored', 'failed'] as const
const EventBody = z.object({
  webhookId: z.string(),
  type: z.string(),
  locationId: z.string().nullable(),
  companyId: z.string().nullable(),
  state: z.enum(STATES),
  reason: z.string().nullable(),
  attempts: z.number(),
  receivedAt: z.string(),
  settledAt: z.string().nullable(),
})

export function adminRoutes(deps: AdminDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/admin/ghl/sync-all-subaccounts',
      {
        schema: {
          response: { 202: z.object({ agencies: z.array(z.string()), syncs: z.array(SyncBody) }) },
        },
      },
      async (_request, reply) => {
        const agencies = await deps.agencySync.startAll()
        // Those that were installed one by one are asked for one by one.
        deps.care.check('by_hand').catch((thrown: unknown) => {
          deps.log.warn({ errorCode: toBridgeError(thrown).code }, 'could not check the installations')
        })
        const syncs = await deps.agencySync.reports()
        return await reply.code(202).send({ agencies: [...agencies], syncs: syncs.map(bodyOf) })
      },
    )

    app.get(
      '/api/sync/status',
      {
        // A location's own reports have its id as their scope.
        config: may({ page: 'user', scope: 'sync' }),
        schema: {
          querystring: z.object({
            kind: z.string().min(1).max(64).optional(),
            scope: z.string().min(1).max(128).optional(),
            locationId: Id.optional(),
            state: z.enum(SYNC_STATES).optional(),
            limit: z.coerce.number().int().min(1).max(200).default(200),
            cursor: z.string().min(1).max(300).optional(),
          }),
          response: {
            200: z.object({
              syncs: z.array(SyncBody),
              total: z.number().int(),
              nextCursor: z.string().nullable(),
            }),
          },
        },
      },
      async (request) => {
        const { kind, state, limit, cursor, locationId, scope: asked = locationId } = request.query
        if (asked !== undefined) requireLocation(request, asked)
        const scope = confinedTo(request) ?? asked
        const page = await deps.syncs.page({
          limit,
          ...(kind !== undefined && { kind }),
          ...(scope !== undefined && { scope }),
          ...(state !== undefined && { state }),
          ...(cursor !== undefined && { cursor }),
        })
        return { syncs: page.syncs.map(bodyOf), total: page.total, nextCursor: page.nextCursor ?? null }
      },
    )

    app.get(
      '/api/sync/kinds',
      { schema: { response: { 200: z.object({ kinds: z.array(KindBody) }) } } },
      async () => {
        const kinds = await deps.syncs.countByKind()
        return {
          kinds: kinds.map(({ latestAt, ...rest }) => ({ ...rest, latestAt: latestAt.toISOString() })),
        }
      },
    )

    app.get(
      '/api/ghl/events',
      {
        schema: {
          querystring: z.object({
            state: z.enum(STATES).optional(),
            type: z.string().min(1).max(64).optional(),
            locationId: Id.optional(),
            before: z.string().min(1).max(128).optional(),
            limit: z.coerce.number().int().min(1).max(200).default(50),
          }),
          response: { 200: z.object({ events: z.array(EventBody), nextBefore: z.string().nullable() }) },
        },
      },
      async ({ query: { state, type, locationId, before, limit } }) => {
        const rows = await deps.webhookEvents.list({
          limit,
          ...(state !== undefined && { state }),
          ...(type !== undefined && { type }),
          ...(before !== undefined && { before }),
          ...(locationId !== undefined && { locationId: parseLocationId(locationId) }),
        })
        const events = rows.map((row) => ({
          ...row,
          locationId: row.locationId ?? null,
          companyId: row.companyId ?? null,
          reason: row.reason ?? null,
          receivedAt: row.receivedAt.toISOString(),
          settledAt: row.settledAt?.toISOString() ?? null,
        }))
        return { events, nextBefore: rows.length < limit ? null : (rows.at(-1)?.webhookId ?? null) }
      },
    )
    done()
  }
}

const bodyOf = (row: SyncRow) => ({
  kind: row.kind,
  scope: row.scope,
  name: row.name ?? null,
  state: row.state,
  total: row.total ?? null,
  done: row.done,
  failed: row.failed,
  skipped: row.skipped,
  message: row.message ?? null,
  startedAt: row.startedAt.toISOString(),
  finishedAt: row.finishedAt?.toISOString() ?? null,
})

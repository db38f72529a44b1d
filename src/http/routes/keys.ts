/** Service keys of sibling backends, and the audit of who did what. The operator's alone. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { AuditStore } from '../../bridge/audit.ts'
import type { InstallationStore } from '../../bridge/installations.ts'
import { expandScopes, SCOPE_SHORTHANDS, SERVICE_SCOPES } from '../../bridge/service-keys.ts'
import { RequestError } from '../../core/errors.ts'
import { parseLocationId } from '../../core/ids.ts'
import { locationUnknown } from '../answers.ts'
import { Id } from '../schemas.ts'
import type { ServiceKeys } from '../service-keys.ts'

export interface KeyDeps {
  readonly serviceKeys: ServiceKeys
  readonly audit: AuditStore
  readonly installations: Pick<InstallationStore, 'findByLocation'>
}

const SCOPES = [...SCOPE_SHORTHANDS, ...SERVICE_SCOPES] as const

const NewKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  /** Left out: the key is for every location. */
  locationId: Id.optional(),
  scopes: z
    .array(z.enum(SCOPES, { error: `must be one of ${SCOPES.join(', ')}` }))
    .min(1)
    .transform(expandScopes),
})

const KeyBody = z.object({
  id: z.string(),
  name: z.string(),
  locationId: z.string().nullable(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  lastUsedAt: z.string().nullable(),
})

const AuditBody = z.object({
  id: z.string(),
  at: z.string(),
  caller: z.object({
    kind: z.enum(['operator', 'page', 'service']),
    id: z.string().nullable(),
    name: z.string().nullable().describe('Of the service key, revoked or not'),
  }),
  action: z.string().describe('Method and route'),
  locationId: z.string().nullable(),
  locationName: z.string().nullable(),
  target: z.string().nullable().describe('An id, or the path of a proxied call'),
  targetName: z.string().nullable().describe('Of the key, the number or the installation'),
  outcome: z.string(),
})

export function keyRoutes({ serviceKeys, audit, installations }: KeyDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.post(
      '/api/keys',
      { schema: { body: NewKey, response: { 201: z.object({ id: z.string(), key: z.string() }) } } },
      async (request, reply) => {
        const { name, scopes } = request.body
        const locationId = request.body.locationId && parseLocationId(request.body.locationId)
        // A typing error here would make a key that is refused everywhere, and nobody would know why.
        if (locationId && (await installations.findByLocation(locationId)) === undefined)
          throw locationUnknown()
        const issued = await serviceKeys.issue({ name, scopes, locationId: locationId || undefined })
        request.deed = { target: issued.id, ...(locationId && { locationId }) }
        return await reply.code(201).header('cache-control', 'no-store').send(issued)
      },
    )

    app.get(
      '/api/keys',
      { schema: { response: { 200: z.object({ keys: z.array(KeyBody) }) } } },
      async () => ({
        keys: (await serviceKeys.list()).map(({ id, name, locationId, scopes, createdAt, lastUsedAt }) => ({
          id,
          name,
          locationId: locationId ?? null,
          scopes: [...scopes],
          createdAt: createdAt.toISOString(),
          lastUsedAt: lastUsedAt?.toISOString() ?? null,
        })),
      }),
    )

    app.delete('/api/keys/:id', { schema: { params: z.object({ id: Id }) } }, async (request, reply) => {
      if (!(await serviceKeys.revoke(request.params.id)))
        throw new RequestError('KEY_UNKNOWN', 'There is no such service key', {
          action: 'GET /api/keys lists them.',
        })
      return await reply.code(204).send()
    })

    app.get(
      '/api/audit',
      {
        schema: {
          querystring: z.object({
            locationId: Id.optional(),
            callerId: Id.optional(),
            limit: z.coerce.number().int().min(1).max(200).default(50),
            cursor: z.string().min(1).max(40).optional(),
          }),
          response: { 200: z.object({ entries: z.array(AuditBody), nextCursor: z.string().nullable() }) },
        },
      },
      async ({ query: { locationId, callerId, limit, cursor } }) => {
        const page = await audit.list({
          limit,
          ...(locationId !== undefined && { locationId: parseLocationId(locationId) }),
          ...(callerId !== undefined && { callerId }),
          ...(cursor !== undefined && { cursor }),
        })
        const entries = page.entries.map((entry) => ({
          id: entry.id,
          at: entry.at.toISOString(),
          caller: {
            kind: entry.callerKind,
            id: entry.callerId ?? null,
            name: entry.callerName ?? null,
          },
          action: entry.action,
          locationId: entry.locationId ?? null,
          locationName: entry.locationName ?? null,
          target: entry.target ?? null,
          targetName: entry.targetName ?? null,
          outcome: entry.outcome,
        }))
        return { entries, nextCursor: page.nextCursor ?? null }
      },
    )
    done()
  }
}

/** One row of audit per change, and per look at a secret: written when the caller has his answer, refusals included. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { AuditDeed, AuditStore } from '../bridge/audit.ts'
import { toBridgeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What only the handler knows of its own deed. */
    deed: { readonly locationId?: string; readonly target?: string } | undefined
  }
  interface FastifyContextConfig {
    /** `always`: reads too. `by_handler`: it writes the row itself, before it answers. */
    audit?: 'always' | 'by_handler'
  }
}

interface AuditDeps {
  readonly audit: Pick<AuditStore, 'record'>
  readonly log: Log
}

/** For the scope of guarded routes. A caller without a name is refused and not audited: anybody could fill the table. */
export function auditChanges(guarded: FastifyInstance, { audit, log }: AuditDeps): void {
  guarded.decorateRequest('deed', undefined)
  guarded.addHook('onResponse', async (request, reply) => {
    const { audit: wish } = request.routeOptions.config
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (wish === 'by_handler' || (isRead && wish !== 'always')) return
    const deed = deedOf(request, reply.statusCode)
    if (deed === undefined) return
    try {
      await audit.record(deed)
    } catch (thrown) {
      log.error({ errorCode: toBridgeError(thrown).code, route: deed.action }, 'could not write the audit')
    }
  })
}

/** Undefined when nobody knows who the caller is. */
export function deedOf(request: FastifyRequest, status: number): AuditDeed | undefined {
  const { caller, deed } = request
  if (caller === undefined) return undefined
  return {
    callerKind: caller.kind,
    callerId: caller.kind === 'service' ? caller.id : caller.kind === 'page' ? caller.userId : undefined,
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    locationId: deed?.locationId ?? named(request.params, 'locationId') ?? named(request.query, 'locationId'),
    target: deed?.target ?? named(request.params, 'id'),
    outcome: String(status),
  }
}

function named(values: unknown, name: string): string | undefined {
  if (typeof values !== 'object' || values === null) return undefined
  const value: unknown = Reflect.get(values, name)
  return typeof value === 'string' ? value.slice(0, 100) : undefined
}

/**
 * One row of audit per change, and per look at a secret: written when the exchange is over, refusals included. A caller who
 * hangs up leaves one too: what he asked for may have been done.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AuditDeed, AuditStore } from '../bridge/audit.ts'
import { RequestError, toBridgeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What only the handler knows of its own deed. */
    deed: { readonly locationId?: string; readonly target?: string } | undefined
    /** Its row is written. */
    isAudited: boolean
  }
  interface FastifyContextConfig {
    /** Reads too. */
    audit?: 'always'
  }
}

interface AuditDeps {
  readonly audit: Pick<AuditStore, 'record'>
  readonly log: Log
}

/**
 * For the scope of guarded routes; before their guard, so that what it refuses is written down. A caller without a name is
 * refused and not audited: anybody could fill the table.
 */
export function auditChanges(guarded: FastifyInstance, { audit, log }: AuditDeps): void {
  guarded.decorateRequest('deed', undefined)
  guarded.decorateRequest('isAudited', false)
  const writing = new Set<Promise<void>>()
  const write = async (request: FastifyRequest, outcome: string): Promise<void> => {
    try {
      await auditNow(audit, request, outcome)
    } catch (thrown) {
      const { code: errorCode } = toBridgeError(thrown)
      log.error({ errorCode, route: request.routeOptions.url }, 'could not write the audit')
    }
  }
  guarded.addHook('onRequest', (request, reply, done) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || request.routeOptions.config.audit === 'always') {
      // Not the hook onResponse: it is not run for an answer that nobody was there to take.
      reply.raw.once('close', () => {
        const row = write(request, outcomeOf(reply)).finally(() => writing.delete(row))
        writing.add(row)
      })
    }
    done()
  })
  // Gone while his key was looked up or his body read: nothing is done for him, and no row says that it was.
  guarded.addHook('preHandler', (_request, reply, done) => {
    done(reply.raw.destroyed ? new RequestError('REQUEST_INVALID', 'The caller has gone') : undefined)
  })
  guarded.addHook('onClose', async () => {
    await Promise.all(writing)
  })
}

/** Writes the row now, where it must stand before the answer leaves; there is one per request. */
export async function auditNow(
  audit: AuditDeps['audit'],
  request: FastifyRequest,
  outcome: string,
): Promise<void> {
  const { caller, deed } = request
  if (caller === undefined || request.isAudited) return
  request.isAudited = true
  try {
    await audit.record({
      callerKind: caller.kind,
      callerId: caller.kind === 'service' ? caller.id : caller.kind === 'page' ? caller.userId : undefined,
      action: `${request.method} ${request.routeOptions.url ?? ''}`,
      locationId:
        deed?.locationId ?? named(request.params, 'locationId') ?? named(request.query, 'locationId'),
      target: deed?.target ?? named(request.params, 'id'),
      outcome,
    })
  } catch (thrown) {
    request.isAudited = false
    throw thrown
  }
}

const outcomeOf = ({ raw }: FastifyReply): AuditDeed['outcome'] =>
  raw.headersSent ? String(raw.statusCode) : 'aborted'

function named(values: unknown, name: string): string | undefined {
  if (typeof values !== 'object' || values === null) return undefined
  const value: unknown = Reflect.get(values, name)
  return typeof value === 'string' ? value.slice(0, 100) : undefined
}

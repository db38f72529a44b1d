/** How often one caller may call, per minute and node; each has an allowance of its own, so that none slows another. */
import { fastifyRateLimit } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RequestError } from '../core/errors.ts'
import { type Caller, callerOf } from './auth.ts'

const WINDOW_MS = 60_000
/** A person's page makes a handful of calls a minute; programs work through thousands of locations. */
const PER_MINUTE = { page: 600, service: 6_000, operator: 6_000 } as const
/**
 * Of one address (of IPv6, one /64), as the trusted proxies tell it. A whole agency may stand behind one, and behind a proxy
 * that is not trusted everybody does, so it is what a busy agency's people need, many times over.
 */
const UNKNOWN_PER_MINUTE = 1_200

const keyOf = (caller: Caller): string => {
  if (caller.kind === 'operator') return 'operator'
  return caller.kind === 'page' ? `page:${caller.locationId}:${caller.userId}` : `service:${caller.id}`
}

const tooMany = (_request: FastifyRequest, { ttl }: { readonly ttl: number }): RequestError =>
  new RequestError('TOO_MANY_REQUESTS', 'This caller has made too many requests', {
    action: `Try again in ${Math.ceil(ttl / 1_000)} seconds.`,
    retryAfterMs: ttl,
  })

/** For the scope behind the guard. */
export async function limitCallers(guarded: FastifyInstance): Promise<void> {
  await guarded.register(fastifyRateLimit, {
    timeWindow: WINDOW_MS,
    max: (request) => PER_MINUTE[callerOf(request).kind],
    keyGenerator: (request) => keyOf(callerOf(request)),
    errorResponseBuilder: tooMany,
  })
}

/** For routes that anybody may call, by address. */
export async function limitAddresses(open: FastifyInstance, perMinute = UNKNOWN_PER_MINUTE): Promise<void> {
  await open.register(fastifyRateLimit, {
    timeWindow: WINDOW_MS,
    max: perMinute,
    errorResponseBuilder: tooMany,
  })
}

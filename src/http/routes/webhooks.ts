/**
 * What GHL posts to us. Order of checks: size, signature over the raw bytes, JSON, shape, then one durable write; only
 * then the 200. Anything we ignore on purpose is recorded and a 200 too, because GHL repeats other answers for days (ghl.md 7).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import type { AcceptedFromGhl } from '../../bridge/ghl-to-whatsapp.ts'
import type { DeliveryIgnoreReason, IgnoredDelivery } from '../../bridge/installations.ts'
import { RequestError, StoreError } from '../../core/errors.ts'
import type { LocationId } from '../../core/ids.ts'
import type { Log } from '../../core/log.ts'
import type { AgentMessage, OutboundPart } from '../../core/message.ts'

export type ParsedDelivery = Pick<IgnoredDelivery, 'webhookId' | 'locationId'> &
  (
    | { readonly message: AgentMessage; readonly parts: readonly OutboundPart[] }
    | { readonly ignored: DeliveryIgnoreReason }
    | { readonly malformed: RequestError }
  )

/** GHL repeats after a 503, but may give up a request that hangs as long as a stuck database does. */
const ANSWER_MS = 3_000

/** Which of our two URLs was posted to. */
type Target = 'events' | 'delivery'

export interface WebhookDeps {
  /** True only for bytes that GHL signed. */
  readonly verify: (rawBody: Buffer, headers: FastifyRequest['headers'], target: Target) => boolean
  /** @throws {RequestError} `WEBHOOK_MALFORMED`. */
  readonly parseDelivery: (json: unknown) => ParsedDelivery
  readonly accept: (message: AgentMessage, parts: readonly OutboundPart[]) => Promise<AcceptedFromGhl>
  /** Records and counts a delivery that is not for us. */
  readonly ignore: (delivery: IgnoredDelivery) => Promise<void>
  readonly isInstalled: (locationId: LocationId) => Promise<boolean>
  /** Records and handles an app event. @throws {RequestError} `WEBHOOK_MALFORMED`. */
  readonly acceptEvent: (
    json: unknown,
  ) => Promise<{ readonly ignored: string } | { readonly accepted: string }>
  readonly log: Log
}

export function webhookRoutes(deps: WebhookDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    // Raw bytes whatever they are called: the signature is over them, and GHL's own header is not always application/json.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, payload, parsed) => {
      parsed(null, payload)
    })
    app.addHook('onRequest', (request, _reply, next) => {
      request.headers['content-type'] = 'application/octet-stream'
      next()
    })

    // People copy addresses with and without the slash.
    for (const slash of ['', '/']) {
      app.post(`/ghl/provider/webhook${slash}`, { schema: { hide: slash !== '' } }, async (request) => {
        const json = signedJson(deps, request, 'delivery')
        const delivery = deps.parseDelivery(json)
        const outcome = await inTime(settle(deps, delivery))
        if (typeof outcome === 'string') return { accepted: outcome }
        const { webhookId, locationId } = delivery
        await inTime(deps.ignore({ webhookId, locationId, reason: outcome.ignored, payload: json }))
        deps.log.info({ webhookId, locationId, outcome: outcome.ignored }, 'delivery ignored')
        return outcome
      })
      app.post(
        `/ghl/webhook${slash}`,
        { schema: { hide: slash !== '' } },
        async (request) => await inTime(deps.acceptEvent(signedJson(deps, request, 'events'))),
      )
    }
    done()
  }
}

/** A write that comes through later all the same does no harm: GHL's next attempt is known by its id. */
async function inTime<T>(write: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = sleep(ANSWER_MS, undefined, { signal: over.signal }).then((): never => {
    throw new StoreError('STORE_UNAVAILABLE', 'The database does not answer in time', {
      certainty: 'unknown',
    })
  })
  try {
    return await Promise.race([write, late])
  } finally {
    over.abort()
  }
}

/** Whether it concerns us comes before whether it is whole: GHL would repeat what is refused. */
async function settle(deps: WebhookDeps, delivery: ParsedDelivery): Promise<AcceptedFromGhl | Ignored> {
  if ('ignored' in delivery) return { ignored: delivery.ignored }
  if ('message' in delivery) return await deps.accept(delivery.message, delivery.parts)
  const { locationId, malformed } = delivery
  if (locationId === undefined || (await deps.isInstalled(locationId))) throw malformed
  return { ignored: 'unknown_location' }
}

interface Ignored {
  readonly ignored: DeliveryIgnoreReason
}

const BYTE_ORDER_MARK = /^\uFEFF/

function signedJson(deps: WebhookDeps, request: FastifyRequest, target: Target): unknown {
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  if (!deps.verify(raw, request.headers, target)) {
    throw new RequestError('WEBHOOK_SIGNATURE_INVALID', 'The signature is absent or does not fit these bytes')
  }
  try {
    return JSON.parse(raw.toString('utf8').replace(BYTE_ORDER_MARK, ''))
  } catch (cause) {
    throw new RequestError('WEBHOOK_MALFORMED', 'The body is not valid JSON', { cause })
  }
}

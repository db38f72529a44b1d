/**
 * What GHL posts to us. Order of checks: size, signature over the raw bytes, JSON, shape, then one durable write; only
 * then the 200. Anything we ignore on purpose is a 200 too, because GHL repeats other answers for days (ghl.md 7).
 */
import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import type { AcceptedFromGhl } from '../../bridge/ghl-to-whatsapp.ts'
import { RequestError } from '../../core/errors.ts'
import type { Log } from '../../core/log.ts'
import type { AgentMessage, OutboundPart } from '../../core/message.ts'

export type ParsedDelivery =
  | { readonly message: AgentMessage; readonly parts: readonly OutboundPart[] }
  | { readonly ignored: string }

/** Which of our two URLs was posted to. */
type Target = 'events' | 'delivery'

export interface WebhookDeps {
  /** True only for bytes that GHL signed. */
  readonly verify: (rawBody: Buffer, headers: FastifyRequest['headers'], target: Target) => boolean
  /** @throws {RequestError} `WEBHOOK_MALFORMED`. */
  readonly parseDelivery: (json: unknown) => ParsedDelivery
  readonly accept: (message: AgentMessage, parts: readonly OutboundPart[]) => Promise<AcceptedFromGhl>
  /** Records and handles an app event. @throws {RequestError} `WEBHOOK_MALFORMED`. */
  readonly acceptEvent: (
    json: unknown,
  ) => Promise<{ readonly ignored: string } | { readonly accepted: string }>
  readonly log: Log
}

export function webhookRoutes(deps: WebhookDeps): FastifyPluginCallback {
  return (app, _options, done) => {
    // Raw bytes for every media type: the signature is over them, and GHL's own header is not always application/json.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, payload, parsed) => {
      parsed(null, payload)
    })

    app.post('/ghl/provider/webhook', async (request) => {
      const parsed = deps.parseDelivery(signedJson(deps, request, 'delivery'))
      if ('ignored' in parsed) return note(deps.log, parsed)
      const accepted = await deps.accept(parsed.message, parsed.parts)
      if (typeof accepted === 'object') return note(deps.log, accepted)
      return { accepted }
    })

    app.post('/ghl/webhook', async (request) => await deps.acceptEvent(signedJson(deps, request, 'events')))
    done()
  }
}

function note(log: Log, outcome: { readonly ignored: string }): { readonly ignored: string } {
  log.info({ outcome: outcome.ignored }, 'delivery ignored')
  return outcome
}

function signedJson(deps: WebhookDeps, request: FastifyRequest, target: Target): unknown {
  const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  if (!deps.verify(raw, request.headers, target)) {
    throw new RequestError('WEBHOOK_SIGNATURE_INVALID', 'The signature is absent or does not fit these bytes')
  }
  try {
    return JSON.parse(raw.toString('utf8'))
  } catch (cause) {
    throw new RequestError('WEBHOOK_MALFORMED', 'The body is not valid JSON', { cause })
  }
}

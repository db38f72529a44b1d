/** Errors on their way out: one table from code to HTTP status, one shape for every route. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { type BridgeError, RequestError, toBridgeError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'

const STATUS: Readonly<Record<string, number>> = {
  REQUEST_INVALID: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  SSO_REFUSED: 401,
  CONSOLE_KEY_WRONG: 401,
  TOO_MANY_REQUESTS: 429,
  INSTALLATION_UNKNOWN: 404,
  ALREADY_RUNNING: 409,
  CONFIG_MISSING: 503,
  LOCATION_UNKNOWN: 404,
  SESSION_UNKNOWN: 404,
  WRONG_NUMBER: 409,
  MESSAGE_UNKNOWN: 404,
  MESSAGE_NOT_WAITING: 409,
  KEY_UNKNOWN: 404,
  PATH_NOT_ALLOWED: 403,
  LINK_EXPIRED: 410,
  CALLER_GONE: 499,
  OAUTH_STATE_INVALID: 400,
  WEBHOOK_SIGNATURE_INVALID: 401,
  WEBHOOK_MALFORMED: 400,
  STORE_UNAVAILABLE: 503,
  STORE_LEASE_LOST: 503,
  STORE_UNSEALABLE: 503,
  GHL_RATE_LIMITED: 429,
  GHL_PAUSED: 503,
  GHL_TOKEN_RENEWED: 503,
  GHL_UNAVAILABLE: 502,
  GHL_UPLOAD_CUT_OFF: 502,
  GHL_TIMEOUT: 504,
  GHL_NEEDS_RECONNECT: 409,
  GHL_NOT_INSTALLED: 404,
  GHL_DEACTIVATED: 409,
  GHL_FORBIDDEN: 502,
  GHL_REJECTED: 502,
  GHL_RESPONSE_INVALID: 502,
  MEDIA_ADDRESS_REFUSED: 400,
  WA_OFFLINE: 409,
  MEDIA_GONE: 410,
  MEDIA_FETCH_FAILED: 503,
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route's callers know it by `success` in every answer (docs/gateway.md), so its errors say it too. */
    saysSuccess?: true
  }
}

export interface ErrorBody {
  readonly success?: false
  readonly error: { readonly code: string; readonly message: string; readonly action?: string }
}

/** The HTTP status of an error of ours. */
export const statusOf = (code: string): number => STATUS[code] ?? 500

/** Without a better word, a caller may ask again after this. */
const USUAL_WAIT_MS = 5_000

/** Fastify's own refusals (too large, not JSON, wrong media type) under our codes. */
const FRAMEWORK_CODES: Readonly<Record<string, readonly [code: string, message: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The request body is too large'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['REQUEST_INVALID', 'The body is not valid JSON'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['REQUEST_INVALID', 'The body is empty, although it is announced as JSON'],
  FST_ERR_MAX_PARAM_LENGTH: ['PATH_TOO_LONG', 'A part of the address is too long'],
  FST_ERR_BAD_URL: ['REQUEST_INVALID', 'The address is not a valid one'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNKNOWN', 'Send the body as application/json'],
}

interface FrameworkError {
  readonly code: string
  readonly statusCode: number
}

const isFrameworkError = (thrown: unknown): thrown is FrameworkError =>
  typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown && 'code' in thrown

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A person's browser is led here: it gets errors as this page. */
    errorPage?: (error: ErrorBody['error'], acceptLanguage: string | undefined) => string
  }
}

export function errorHandler(log: Log) {
  return async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const body = bodyFor(request)
    if (hasZodFastifySchemaValidationErrors(thrown)) {
      const first = thrown.validation[0]
      const where = `${thrown.validationContext ?? 'request'}${first?.instancePath ?? ''}`
      const refusal = body('REQUEST_INVALID', `${where}: ${first?.message ?? 'is wrong'}`)
      return send(request, reply, 400, refusal)
    }
    if (isFrameworkError(thrown)) {
      const [code, message] = FRAMEWORK_CODES[thrown.code] ?? ['REQUEST_INVALID', 'The request is wrong']
      return send(request, reply, thrown.statusCode, body(code, message))
    }
    return await sendBridgeError(log, toBridgeError(thrown), request, reply)
  }
}

function send(request: FastifyRequest, reply: FastifyReply, status: number, answer: ErrorBody) {
  const { errorPage } = request.routeOptions.config
  const { accept, 'accept-language': language } = request.headers
  if (errorPage === undefined || accept?.includes('text/html') !== true)
    return reply.code(status).send(answer)
  return reply
    .code(status)
    .type('text/html; charset=utf-8')
    .header('vary', 'accept, accept-language')
    .send(errorPage(answer.error, language))
}

const bodyFor =
  (request: FastifyRequest) =>
  (code: string, message: string, action?: string): ErrorBody => ({
    ...(request.routeOptions.config.saysSuccess && { success: false }),
    error: { code, message, ...(action !== undefined && { action }) },
  })

function sendBridgeError(log: Log, error: BridgeError, request: FastifyRequest, reply: FastifyReply) {
  const status = statusOf(error.code)
  const body = bodyFor(request)
  const fields = {
    errorCode: error.code,
    method: request.method,
    route: request.routeOptions.url,
    ...error.details,
  }
  if (status >= 500) log.error({ ...fields, err: error.cause ?? error }, 'request failed')
  else log.debug(fields, 'request refused')
  const waitMs =
    error.retryAfterMs ?? (status === 503 && error.disposition === 'retry' ? USUAL_WAIT_MS : undefined)
  sayWait(reply, status, waitMs)
  // What went wrong inside is for the log; the caller learns that it did, and that trying again is right.
  return status === 500
    ? send(request, reply, 500, body('INTERNAL', 'Something went wrong here; the operator’s log has it'))
    : send(request, reply, status, body(error.code, error.message, error.action))
}

/** When to ask again, in seconds, of the refusals that promise it. */
export function sayWait(reply: FastifyReply, status: number, waitMs: number | undefined): void {
  if (waitMs !== undefined && (status === 429 || status === 503))
    reply.header('retry-after', String(Math.max(1, Math.ceil(waitMs / 1_000))))
}

export const locationUnknown = (): RequestError =>
  new RequestError('LOCATION_UNKNOWN', 'The app is not installed in this location', {
    action: 'Install it with /oauth/install.',
  })

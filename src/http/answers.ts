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
  OAUTH_STATE_INVALID: 400,
  WEBHOOK_SIGNATURE_INVALID: 401,
  WEBHOOK_MALFORMED: 400,
  STORE_UNAVAILABLE: 503,
  GHL_RATE_LIMITED: 429,
  GHL_PAUSED: 503,
  GHL_UNAVAILABLE: 502,
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

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly action?: string }
}

const body = (code: string, message: string, action?: string): ErrorBody => ({
  error: { code, message, ...(action !== undefined && { action }) },
})

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

export function errorHandler(log: Log) {
  return async (thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    if (hasZodFastifySchemaValidationErrors(thrown)) {
      const first = thrown.validation[0]
      const where = `${thrown.validationContext ?? 'request'}${first?.instancePath ?? ''}`
      return reply.code(400).send(body('REQUEST_INVALID', `${where}: ${first?.message ?? 'is wrong'}`))
    }
    if (isFrameworkError(thrown)) {
      const [code, message] = FRAMEWORK_CODES[thrown.code] ?? ['REQUEST_INVALID', 'The request is wrong']
      return reply.code(thrown.statusCode).send(body(code, message))
    }
    return await sendBridgeError(log, toBridgeError(thrown), request, reply)
  }
}

function sendBridgeError(log: Log, error: BridgeError, request: FastifyRequest, reply: FastifyReply) {
  const status = STATUS[error.code] ?? 500
  const fields = {
    errorCode: error.code,
    method: request.method,
    route: request.routeOptions.url,
    ...error.details,
  }
  if (status >= 500) log.error({ ...fields, err: error.cause ?? error }, 'request failed')
  else log.debug(fields, 'request refused')
  // What went wrong inside is for the log; the caller learns that it did, and that trying again is right.
  return status === 500
    ? reply.code(500).send(body('INTERNAL', 'Something went wrong here; the operator’s log has it'))
    : reply.code(status).send(body(error.code, error.message, error.action))
}

export const locationUnknown = (): RequestError =>
  new RequestError('LOCATION_UNKNOWN', 'The app is not installed in this location', {
    action: 'Install it with /oauth/install.',
  })

export const sessionUnknown = (): RequestError =>
  new RequestError('SESSION_UNKNOWN', 'This location has no such session')

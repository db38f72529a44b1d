/** A refusal in one of the shapes GHL answers with. Thrown anywhere below a route, written out by the server. */
import { randomUUID } from 'node:crypto'

const REASON: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
}

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly body: unknown
  /** Names of query or body properties that GHL does not know; each is counted. */
  readonly unknownProperties: readonly string[]

  constructor(status: number, body: unknown, unknownProperties: readonly string[] = []) {
    super(`GHL sandbox answers ${status}`)
    this.status = status
    this.body = body
    this.unknownProperties = unknownProperties
  }
}

/** The common shape: status and message, and, except for a 400, the status in words. */
export function refuse(status: number, message: string): Refusal {
  return new Refusal(status, { statusCode: status, message, ...(status === 400 ? {} : inWords(status)) })
}

/** Field validation: always a list of sentences. */
export function refuseFields(
  messages: readonly string[],
  unknownProperties: readonly string[] = [],
): Refusal {
  return new Refusal(422, { statusCode: 422, message: messages, ...inWords(422) }, unknownProperties)
}

/** The conversations area adds a code that a client can decide by. */
export function refuseConversation(status: number, canonicalCode: string, message: string): Refusal {
  return new Refusal(status, {
    statusCode: status,
    ...inWords(status),
    message,
    canonicalCode,
    traceId: randomUUID(),
  })
}

/** `/oauth/token` answers in OAuth's own shape. */
export function refuseOauth(status: number, error: string, description: string): Refusal {
  return new Refusal(status, { error, error_description: description })
}

/** The attachment upload answers in a shape of its own. */
export function refuseUpload(status: number, message: string): Refusal {
  return new Refusal(status, { status, message })
}

function inWords(status: number): { error: string } {
  return { error: REASON[status] ?? 'Error' }
}

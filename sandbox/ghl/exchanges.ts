/**
 * Whole requests and answers on a diagnostics channel, for whoever wants to hold them against the published API.
 * Nothing is built while nobody listens. An exchange that a fault has touched is not the sandbox's own word and is
 * left out.
 */
import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'

export const EXCHANGE_CHANNEL = 'ghl-sandbox:exchange'

export interface Exchange {
  readonly method: string
  /** Pattern with named segments, e.g. `/contacts/:contactId`. */
  readonly path: string
  readonly contentType: string | undefined
  readonly query: unknown
  /** Parsed; a form's files are there as the text `(file)`. */
  readonly body: unknown
  readonly status: number
  /** Parsed JSON; undefined for an empty answer. */
  readonly answer: unknown
}

const exchanges = channel(EXCHANGE_CHANNEL)
const forms = new WeakMap<IncomingMessage, Record<string, string>>()

/** A multipart body is read by its route; `form` is what was in it. */
export function rememberForm(request: IncomingMessage, form: Record<string, string>): void {
  if (exchanges.hasSubscribers) forms.set(request, form)
}

/** @param payload What is sent: JSON as text. Anything else is a page or a file, which no API file describes. */
export function publishExchange(request: FastifyRequest, status: number, payload: unknown): void {
  const path = request.routeOptions.url
  if (!exchanges.hasSubscribers || path === undefined) return
  const answer = parsed(payload)
  if (answer === undefined && payload !== '' && payload !== undefined) return
  const exchange: Exchange = {
    method: request.method,
    path,
    contentType: request.headers['content-type']?.split(';')[0],
    query: request.query,
    body: forms.get(request.raw) ?? request.body,
    status,
    answer,
  }
  exchanges.publish(exchange)
}

function parsed(payload: unknown): unknown {
  if (typeof payload !== 'string') return undefined
  try {
    return JSON.parse(payload)
  } catch {
    return undefined
  }
}

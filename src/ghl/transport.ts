/**
 * HTTP with GHL, without tokens. Knows the limiter, the versions, and whether a request had left when it failed, which
 * decides between "certainly nothing happened" and "nobody knows". What can be repeated without harm is repeated twice,
 * quickly; patience beyond that is the outbox's.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { Agent, type Dispatcher } from 'undici'
import type { Clock } from '../core/clock.ts'
import { GhlError } from '../core/errors.ts'
import type { Breakers, CallEnd, Pass } from './breaker.ts'
import { decoded } from './content-encoding.ts'
import { connectorOf } from './last-words.ts'
import { retryAfterMs } from './limit-headers.ts'
import { Lines } from './lines.ts'
import { callerGone, endedBy, networkError, noticeLeaving } from './network.ts'
import type { Priority, RateLimiter, Ticket } from './rate-limit.ts'
import { parseRefusal, type Refusal } from './refusals.ts'

export interface GhlCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root of the API, trailing slash as documented: GHL tells `/contacts` and `/contacts/` apart. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly json?: unknown
  readonly form?: Readonly<Record<string, string | undefined>>
  /** A body that can be read only once, so the call cannot be repeated. */
  readonly stream?: { readonly body: Readable; readonly headers: Record<string, string> }
  /** As they are, over our own; for {@link GhlTransport.open}. */
  readonly raw?: { readonly body: Uint8Array | undefined; readonly headers: Record<string, string> }
  /** For somebody else: it comes and goes at his pace, on connections of its own, and its failure says nothing of GHL. */
  readonly isPassedOn?: boolean
  /** The caller has gone: stop. */
  readonly signal?: AbortSignal
  /** A repeat changes nothing further. Default: GET, PUT and DELETE. */
  readonly idempotent?: boolean
  readonly priority?: Priority
  /** Less than the configured one. */
  readonly timeoutMs?: number
}

export interface Answer {
  readonly status: number
  /** Parsed JSON; `undefined` when the body is none. */
  readonly body: unknown
  readonly refusal: Refusal | undefined
}

/** What one request to GHL came to. `paused` and `limited` were not made. */
export const CALL_OUTCOMES = [
  'ok',
  'refused',
  'unauthorized',
  'too_many',
  'failed',
  'timeout',
  'unreachable',
  'limited',
  'paused',
] as const
export type CallOutcome = (typeof CALL_OUTCOMES)[number]

/** An answer whose body is still on its way. It must be read or destroyed. */
export interface OpenAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Readable
  /** Only of a 401 or 403, whose body was read for it and is given again. */
  readonly refusal: Refusal | undefined
}

interface TransportOptions {
  readonly apiUrl: string
  readonly timeoutMs: number
  readonly limiter: RateLimiter
  readonly breakers: Breakers
  /** Told of every request, for counters. */
  readonly onCall: (outcome: CallOutcome) => void
  readonly clock: Clock
}

interface How<A> {
  readonly credentials: Credentials | undefined
  readonly pass: Pass | undefined
  readonly read: (response: Dispatcher.ResponseData) => Promise<A>
}

interface Made<A> {
  readonly answer: A
  /** GHL asks to stay away for so long. */
  readonly retryAfterMs: number | undefined
}

/** Whose token, and whose rate limit. */
export interface Credentials {
  readonly resourceId: string
  /** Asked for when it is the call's turn: it may have waited longer than a token lives. */
  accessToken(): string
}

const pressure = new AsyncLocalStorage<Priority>()

/** Every call to GHL that `act` makes stands behind those of live traffic. */
export const behindLive = <T>(act: () => Promise<T>): Promise<T> => pressure.run('history', act)

/** Waits before a quick repeat. */
const REPEAT_AFTER_MS = [150, 1_000]
const PASSING = new Set([502, 503, 504])

/** A file comes as fast as WhatsApp gives it; together with the answer this stays within a job's lease. */
const STREAM_MS = 120_000

/** What is passed on for somebody else comes and goes at his pace; it may stall no longer than any other call. */
const PASSED_ON_MS = 15 * 60_000

/** Open connections to GHL: two locations' worth of a full window. */
const MAX_CONNECTIONS = 256

export class GhlTransport {
  readonly #agent: Agent
  /** For what is passed on: {@link Lines} keeps the number of its connections down. */
  readonly #passingAgent: Agent
  readonly #lines: Lines
  readonly #options: TransportOptions
  readonly #origin: string
  readonly #basePath: string

  constructor(options: TransportOptions) {
    this.#options = options
    const base = new URL(options.apiUrl)
    this.#origin = base.origin
    this.#basePath = base.pathname.replace(/\/$/, '')
    // HTTP/1.1 only: with HTTP/2 a lost connection leaves it open which of its requests GHL had read.
    const common = { allowH2: false, connect: connectorOf(Math.min(options.timeoutMs, 10_000)) }
    this.#agent = new Agent({ ...common, connections: MAX_CONNECTIONS })
    this.#passingAgent = new Agent(common)
    this.#lines = new Lines(options.clock)
  }

  /**
   * Any answer, refusals included.
   *
   * @param credentials undefined for `/oauth/token`, which has neither token nor limit.
   * @throws {GhlError} `GHL_UNAVAILABLE`, `GHL_TIMEOUT`, or without any call `GHL_RATE_LIMITED` (our own limiter) or
   * `GHL_PAUSED` (GHL keeps failing for this location). @throws {RequestError} `CALLER_GONE`.
   */
  async exchange(call: GhlCall, credentials?: Credentials): Promise<Answer> {
    const read = (response: Dispatcher.ResponseData) => this.#readWhole(response)
    return await this.#make(call, credentials, read)
  }

  /** As {@link exchange}, but the body comes as GHL sends it. @throws {GhlError} as there, until the headers are here. */
  async open(call: GhlCall, credentials: Credentials): Promise<OpenAnswer> {
    if (call.isPassedOn !== true) return await this.#make(call, credentials, openedOf)
    const hangUp = await this.#lines.take(credentials.resourceId, call.signal).catch((thrown: unknown) => {
      if (call.signal?.aborted === true) throw callerGone(thrown)
      this.#options.onCall('limited')
      throw thrown
    })
    try {
      const answer = await this.#make(call, credentials, openedOf)
      if (answer.refusal === undefined) answer.body.once('close', hangUp)
      else hangUp()
      return answer
    } catch (thrown) {
      hangUp()
      throw thrown
    }
  }

  async #make<A extends { readonly status: number }>(
    call: GhlCall,
    credentials: Credentials | undefined,
    read: (response: Dispatcher.ResponseData) => Promise<A>,
  ): Promise<A> {
    const pass = credentials && this.#enter(call, credentials)
    try {
      const answer = await this.#makePatiently(call, { credentials, pass, read })
      pass?.ended(endOf(answer.status, call))
      return answer
    } catch (thrown) {
      pass?.ended(endOfError(thrown, call))
      throw call.signal?.aborted === true ? callerGone(thrown) : thrown
    }
  }

  #enter(call: GhlCall, { resourceId }: Credentials): Pass {
    try {
      return this.#options.breakers.enter(resourceId, call.isPassedOn !== true)
    } catch (thrown) {
      this.#options.onCall('paused')
      throw thrown
    }
  }

  async #makePatiently<A extends { readonly status: number }>(call: GhlCall, how: How<A>): Promise<A> {
    for (const waitMs of REPEAT_AFTER_MS) {
      try {
        const { answer, retryAfterMs: askedMs = 0 } = await this.#makeOnce(call, how)
        if (!PASSING.has(answer.status) || !isRepeatable(call) || askedMs > waitMs) return answer
        if ('headers' in answer && 'body' in answer && answer.body instanceof Readable) answer.body.destroy()
      } catch (thrown) {
        if (!mayRepeat(thrown, call)) throw thrown
      }
      await this.#options.clock.sleep(waitMs, call.signal)
    }
    return (await this.#makeOnce(call, how)).answer
  }

  /** This request's turn. @throws {GhlError} `GHL_RATE_LIMITED`, `GHL_PAUSED`. */
  async #turn(call: GhlCall, { resourceId }: Credentials, pass: Pass | undefined): Promise<Ticket> {
    const { limiter, onCall } = this.#options
    const priority = call.priority ?? pressure.getStore() ?? 'live'
    const ticket = await limiter.take(resourceId, priority, call.signal).catch((thrown: unknown) => {
      if (call.signal?.aborted !== true) onCall('limited')
      throw thrown
    })
    try {
      pass?.check()
      return ticket
    } catch (thrown) {
      ticket.lost(false)
      onCall('paused')
      throw thrown
    }
  }

  async #makeOnce<A>(call: GhlCall, { credentials, pass, read }: How<A>): Promise<Made<A>> {
    const { onCall, clock } = this.#options
    const ticket = credentials && (await this.#turn(call, credentials, pass))
    let hasLeft = false
    const onLeaving = () => {
      hasLeft = true
      ticket?.left()
    }
    try {
      const response = await this.#request(call, credentials?.accessToken(), onLeaving)
      ticket?.answered(response.statusCode, response.headers)
      const answer = await read(response)
      onCall(outcomeOf(response.statusCode))
      return { answer, retryAfterMs: retryAfterMs(response.statusCode, response.headers, clock.nowMs()) }
    } catch (thrown) {
      ticket?.lost(hasLeft)
      const error = networkError(thrown, call, hasLeft)
      // A caller who hangs up says nothing of GHL.
      if (call.signal?.aborted !== true) onCall(error.code === 'GHL_TIMEOUT' ? 'timeout' : 'unreachable')
      throw error
    }
  }

  async #readWhole({ statusCode, headers, body: stream }: Dispatcher.ResponseData): Promise<Answer> {
    const body = parsedJson(await stream.text())
    const isRefused = statusCode < 200 || statusCode > 299
    const waitMs = retryAfterMs(statusCode, headers, this.#options.clock.nowMs())
    const refusal = isRefused ? parseRefusal(statusCode, body, waitMs) : undefined
    return { status: statusCode, body, refusal }
  }

  async close(): Promise<void> {
    await Promise.all([this.#agent.destroy(), this.#passingAgent.destroy()])
  }

  async #request(
    call: GhlCall,
    accessToken: string | undefined,
    onLeaving: () => void,
  ): Promise<Dispatcher.ResponseData> {
    const form = call.form && new URLSearchParams(present(call.form)).toString()
    const body = call.json === undefined ? form : JSON.stringify(call.json)
    const answerMs = Math.min(call.timeoutMs ?? Infinity, this.#options.timeoutMs)
    const ownMs = call.stream === undefined ? answerMs : STREAM_MS + answerMs
    const totalMs = call.isPassedOn === true ? PASSED_ON_MS : ownMs
    const signal = AbortSignal.any([AbortSignal.timeout(totalMs), ...(call.signal ? [call.signal] : [])])
    signal.throwIfAborted()
    const agent = call.isPassedOn === true ? this.#passingAgent : this.#agent
    const dispatched = agent.compose(noticeLeaving(onLeaving, signal)).request({
      origin: this.#origin,
      path: `${this.#basePath}${call.path}`,
      method: call.method,
      ...(call.query && { query: present(call.query) }),
      headers: headersOf(call, accessToken),
      body: call.stream?.body ?? call.raw?.body ?? body ?? null,
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal,
    })
    return await endedBy(signal, dispatched)
  }
}

/** A sibling's call may be one that GHL always fails: only our own tell whether GHL works. */
const endOf = (status: number, call: GhlCall): CallEnd =>
  status < 500 ? 'answered' : call.isPassedOn === true ? 'not_made' : 'failed'

/** Our own refusals to make a call, and a file that ended while it was being sent, say nothing of GHL. */
function endOfError(thrown: unknown, call: GhlCall): CallEnd {
  if (call.isPassedOn === true || call.signal?.aborted === true) return 'not_made'
  const code = thrown instanceof GhlError ? thrown.code : undefined
  return code === 'GHL_UNAVAILABLE' || code === 'GHL_TIMEOUT' ? 'failed' : 'not_made'
}

function outcomeOf(status: number): CallOutcome {
  if (status < 300) return 'ok'
  if (status >= 500) return 'failed'
  if (status === 429) return 'too_many'
  return status === 401 || status === 403 ? 'unauthorized' : 'refused'
}

function isRepeatable({ method, idempotent, stream }: GhlCall): boolean {
  return (
    stream === undefined &&
    (idempotent ?? (method === 'GET' || method === 'HEAD' || method === 'PUT' || method === 'DELETE'))
  )
}

function mayRepeat(thrown: unknown, call: GhlCall): boolean {
  if (!(thrown instanceof GhlError) || thrown.code !== 'GHL_UNAVAILABLE' || call.stream !== undefined)
    return false
  return isRepeatable(call) || thrown.certainty === 'not_sent'
}

function headersOf(call: GhlCall, accessToken: string | undefined): Record<string, string> {
  const version = versionOf(call.path)
  return {
    accept: 'application/json',
    ...(version !== undefined && { version }),
    ...(accessToken !== undefined && { authorization: `Bearer ${accessToken}` }),
    ...(call.json !== undefined && { 'content-type': 'application/json' }),
    ...(call.form && { 'content-type': 'application/x-www-form-urlencoded' }),
    ...call.stream?.headers,
    ...call.raw?.headers,
  }
}

/** A refused token is told apart by its words, so such a body is read, and given on from memory. */
async function openedOf({ statusCode, headers, body }: Dispatcher.ResponseData): Promise<OpenAnswer> {
  // Whoever reads it hears of a failure; one that nobody reads must not end the process.
  body.on('error', () => undefined)
  if (statusCode !== 401 && statusCode !== 403)
    return { status: statusCode, headers, body, refusal: undefined }
  const bytes = Buffer.from(await body.arrayBuffer())
  const plain = decoded(bytes, headers['content-encoding'])
  const refusal = parseRefusal(statusCode, parsedJson(plain.toString('utf8')))
  return { status: statusCode, headers, body: Readable.from(bytes, { objectMode: false }), refusal }
}

/** One API version per area. @see ghl.md 1: field names here are those of these versions. */
function versionOf(path: string): string | undefined {
  if (path === '/oauth/token') return undefined
  return /^\/(conversations|voice-ai)\//.test(path) ? '2021-04-15' : '2021-07-28'
}

function present(values: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]))
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

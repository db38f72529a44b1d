/** Between us and GHL's door: when a request leaves, when it ends, and what went wrong on the way in our words. */
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { BridgeError, GhlError, RequestError } from '../core/errors.ts'

/** Tells of the moment before the first byte is written to an open connection. */
export function noticeLeaving(
  onLeaving: () => void,
  signal: AbortSignal,
): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const noticing = new Proxy(handler, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]): unknown => {
          // undici starts an aborted request only to end it, before anything is written.
          if (name === 'onRequestStart' && !signal.aborted) onLeaving()
          return Reflect.apply(value, target, args)
        }
      },
    })
    return dispatch(options, noticing)
  }
}

/** undici ends a request that waits for a connection only when it gets one. */
export async function endedBy<T>(signal: AbortSignal, act: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const end = () => reject(signal.reason as Error) // an abort reason is an Error throughout this program
  signal.addEventListener('abort', end, { once: true })
  try {
    return await Promise.race([act, promise])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

const TIMEOUTS = new Set(['TimeoutError', 'HeadersTimeoutError', 'BodyTimeoutError', 'ConnectTimeoutError'])

/** undici's word for it when the end is read, then the system's when it is not even that. */
const CUTS = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

export function networkError(
  thrown: unknown,
  { method, stream }: { readonly method: string; readonly stream?: { readonly body: Readable } },
  hasLeft: boolean,
): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  // undici destroys a stream that it has not read to its end.
  if (hasLeft && stream?.body.readableEnded === false && CUTS.has(codeOf(thrown) ?? '')) return cutOff(thrown)
  const name = thrown instanceof Error ? thrown.name : typeof thrown
  const certainty = hasLeft && method !== 'GET' ? 'unknown' : 'not_sent'
  const options = { certainty, cause: thrown, details: { cause: codeOf(thrown) ?? name } } as const
  if (hasLeft && TIMEOUTS.has(name)) return new GhlError('GHL_TIMEOUT', 'GHL did not answer in time', options)
  return new GhlError('GHL_UNAVAILABLE', 'GHL could not be reached', options)
}

/** GHL has not seen the end of the body, and said nothing that could be read. */
const cutOff = (cause: unknown): GhlError =>
  new GhlError('GHL_UPLOAD_CUT_OFF', 'GHL hung up before the whole upload was there, and has not taken it', {
    action: 'Send it again; when that ends in the same way, the file is larger than GHL takes there.',
    details: { cause: codeOf(cause) ?? 'unknown' },
    cause,
  })

function codeOf(thrown: unknown): string | undefined {
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' ? code : undefined
}

export function callerGone(thrown: unknown): RequestError {
  const certainty = thrown instanceof BridgeError ? thrown.certainty : 'not_sent'
  const known = certainty === 'not_sent' ? 'nothing was done' : 'whether GHL did it is not known'
  return new RequestError('CALLER_GONE', `The caller hung up before GHL answered; ${known}`, {
    certainty,
    cause: thrown,
  })
}

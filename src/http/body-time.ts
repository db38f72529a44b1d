/**
 * How long a caller may take over the body of a request. Node has one limit for the whole server, which would end the upload
 * of a film over a slow line; so it is off, and each route says which of two limits holds: a body that we read whole must
 * be here soon, one that is passed on as it comes may take long as long as it moves. Headers are limited by Node itself.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is passed on as it comes. */
    streamed?: boolean
  }
}

export interface BodyTimes {
  /** For a body that is read whole, milliseconds. */
  readonly wholeMs: number
  /** For one that is passed on: how long nothing may come, */
  readonly stallMs: number
  /** and how long it may take from first to last byte: as long as a call to GHL is let run. */
  readonly streamMs: number
}

const USUAL: BodyTimes = { wholeMs: 30_000, stallMs: 30_000, streamMs: 15 * 60_000 }

/** For the root scope, so that it holds for every route and for paths that are none. */
export function limitBodyTime(app: FastifyInstance, times: BodyTimes = USUAL): void {
  app.addHook('onRequest', (request, reply, done) => {
    if (hasBody(request)) watch(request, reply, times)
    done()
  })
}

function watch(request: FastifyRequest, reply: FastifyReply, times: BodyTimes): void {
  const { raw } = request
  const { socket } = raw
  const isStreamed = request.routeOptions.config.streamed === true
  const endMs = performance.now() + (isStreamed ? times.streamMs : times.wholeMs)
  let bytesRead = socket.bytesRead
  const look = (): void => {
    const hasMoved = socket.bytesRead > bytesRead
    bytesRead = socket.bytesRead
    if (isStreamed && hasMoved && performance.now() < endMs) return
    stop()
    // As Node's own limit does: an answer, where none is under way, and the end of the connection.
    if (reply.raw.headersSent) raw.destroy()
    else socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n', () => raw.destroy())
  }
  const timer = setInterval(look, isStreamed ? times.stallMs : times.wholeMs)
  const stop = (): void => {
    clearInterval(timer)
  }
  raw.once('end', stop)
  raw.once('close', stop)
}

/** A request without one ends with its headers. */
const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Live session state by SSE: the snapshot at once, then every change. */
import type { FastifyReply } from 'fastify'
import type { SessionDesk, SessionSnapshot } from '../bridge/ports.ts'

export interface SessionStreamOptions {
  /** When the caller's right ends, and the stream with it. */
  readonly until: Date
  /** What of a snapshot the caller may see. */
  readonly bodyOf: (snapshot: SessionSnapshot) => unknown
}

/** Streams snapshots until the caller goes away. Sends are chained: a slow reader gets them late but in order. */
export async function streamSession(
  desk: Pick<SessionDesk, 'watch'>,
  first: SessionSnapshot,
  reply: FastifyReply,
  { until, bodyOf }: SessionStreamOptions,
): Promise<void> {
  reply.sse.keepAlive()
  let sending = Promise.resolve()
  let last = ''
  const send = (snapshot: SessionSnapshot) => {
    const text = JSON.stringify(snapshot)
    if (text === last) return
    last = text
    sending = sending
      // Made when it goes out: it says how long a QR can be used from then on.
      .then(() => reply.sse.send({ event: 'session', data: bodyOf(snapshot) }))
      // The reader went away between two events; onClose ends the watching.
      .catch(() => undefined)
  }
  const unwatch = desk.watch(first.id, send)
  const ending = setTimeout(() => {
    reply.sse.close()
  }, until.getTime() - Date.now())
  reply.sse.onClose(() => {
    unwatch()
    clearTimeout(ending)
  })
  send(first)
  await sending
}

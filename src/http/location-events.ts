/** Live state of a whole location by SSE: its numbers when one changes, and a hint when its messages move. */
import type { FastifyReply } from 'fastify'
import type { SessionDesk, SessionSnapshot } from '../bridge/ports.ts'
import type { LocationId } from '../core/ids.ts'
import type { SessionShown } from './session-body.ts'

/** Readers of a hint ask for much: no more often than this. */
const HINT_EVERY_MS = 700
/** What is announced is work; it is mostly done by then. */
const DONE_AFTER_MS = 2_000

/** @param until when the caller's right ends, and the stream with it. */
export async function streamLocation(
  desk: Pick<SessionDesk, 'list' | 'watchLocation'>,
  locationId: LocationId,
  reply: FastifyReply,
  { until, show }: { until: Date; show: (session: SessionSnapshot) => SessionShown },
): Promise<void> {
  reply.sse.keepAlive()
  let sending = Promise.resolve()
  let last = ''
  const send = (event: string, makeData: () => unknown) => {
    // Made when it goes out: it says how long a QR can be used from then on. The reader may have gone away between two
    // events; onClose ends the watching.
    sending = sending.then(() => reply.sse.send({ event, data: makeData() })).catch(() => undefined)
  }
  const look = async () => {
    const sessions = await desk.list(locationId)
    const text = JSON.stringify(sessions)
    if (text === last) return
    last = text
    send('sessions', () => ({ sessions: sessions.map(show) }))
  }
  let hint: NodeJS.Timeout | undefined
  let afterwards: NodeJS.Timeout | undefined
  const stirred = () => {
    hint ??= setTimeout(() => {
      hint = undefined
      send('activity', () => ({}))
      clearTimeout(afterwards)
      afterwards = setTimeout(() => {
        send('activity', () => ({}))
      }, DONE_AFTER_MS)
    }, HINT_EVERY_MS)
  }
  const unwatch = desk.watchLocation(locationId, (kind) => {
    // The next change, or the reader's reconnect, brings the state.
    if (kind === 'session') look().catch(() => undefined)
    else stirred()
  })
  const ending = setTimeout(() => {
    reply.sse.close()
  }, until.getTime() - Date.now())
  reply.sse.onClose(() => {
    unwatch()
    clearTimeout(ending)
    clearTimeout(hint)
    clearTimeout(afterwards)
  })
  await look()
  await sending
}

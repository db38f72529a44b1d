/** Hints for whoever looks at all locations at once: which of them changed, gathered for a moment. He reads them himself. */
import type { FastifyReply } from 'fastify'
import type { SessionDesk } from '../bridge/ports.ts'
import type { LocationId } from '../core/ids.ts'

const GATHER_MS = 700

export function streamHints(
  desk: Pick<SessionDesk, 'watchAll'>,
  reply: FastifyReply,
  /** Then the caller's right is looked at again; readers reconnect by themselves. */
  until: Date,
): void {
  reply.sse.keepAlive()
  const changed = { session: new Set<LocationId>(), work: new Set<LocationId>() }
  let sending = Promise.resolve()
  const send = (event: string, data: unknown) => {
    // The reader went away between two events; onClose ends the watching.
    sending = sending.then(() => reply.sse.send({ event, data })).catch(() => undefined)
  }
  let gathering: NodeJS.Timeout | undefined
  const unwatch = desk.watchAll((locationId, what) => {
    changed[what].add(locationId)
    gathering ??= setTimeout(() => {
      gathering = undefined
      send('changed', { numbers: [...changed.session], messages: [...changed.work] })
      changed.session.clear()
      changed.work.clear()
    }, GATHER_MS)
  })
  const ending = setTimeout(() => {
    reply.sse.close()
  }, until.getTime() - Date.now())
  reply.sse.onClose(() => {
    unwatch()
    clearTimeout(ending)
    clearTimeout(gathering)
  })
  // What changed before the connection was not heard: the reader looks once at everything.
  send('opened', {})
}

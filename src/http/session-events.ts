/** Live session state by SSE: the snapshot at once, then every change. */
import type { FastifyReply } from 'fastify'
import type { SessionDesk, SessionSnapshot } from '../bridge/ports.ts'

/**
 * Streams snapshots until the caller goes away. Sends are chained: a slow reader gets them late but in order.
 *
 * @param extra further events to send along with a snapshot, such as a drawn QR.
 */
export async function streamSession(
  desk: Pick<SessionDesk, 'watch'>,
  first: SessionSnapshot,
  reply: FastifyReply,
  extra: (snapshot: SessionSnapshot) => Promise<readonly { event: string; data: unknown }[]> = () =>
    Promise.resolve([]),
): Promise<void> {
  reply.sse.keepAlive()
  let sending = Promise.resolve()
  const send = (snapshot: SessionSnapshot) => {
    sending = sending
      .then(async () => {
        await reply.sse.send({ event: 'session', data: snapshot })
        for (const event of await extra(snapshot)) await reply.sse.send(event)
      })
      // The reader went away between two events; onClose ends the watching.
      .catch(() => undefined)
  }
  const unwatch = desk.watch(first.id, send)
  reply.sse.onClose(unwatch)
  send(first)
  await sending
}

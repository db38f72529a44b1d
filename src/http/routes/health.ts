import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { SessionDesk } from '../../bridge/ports.ts'
import { toBridgeError } from '../../core/errors.ts'

export interface HealthDeps {
  readonly ping: () => Promise<void>
  readonly desk: SessionDesk
}

/** `/health`: the process lives. `/ready`: the store answers; numbers that are not ready are named, not failed for. */
export function healthRoutes(deps: HealthDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get('/health', { schema: { response: { 200: z.object({ status: z.literal('ok') }) } } }, () => ({
      status: 'ok' as const,
    }))

    app.get('/ready', async (_request, reply) => {
      try {
        await deps.ping()
      } catch (thrown) {
        return reply.code(503).send({ status: 'unavailable', store: toBridgeError(thrown).code })
      }
      const sessions = await deps.desk.list()
      const notReady = sessions
        .filter((session) => session.status !== 'ready')
        .map(({ id, locationId, status, problem }) => ({
          id,
          locationId,
          status,
          problem: problem?.code ?? null,
        }))
      return { status: 'ready', store: 'ok', sessions: { total: sessions.length, notReady } }
    })
    done()
  }
}

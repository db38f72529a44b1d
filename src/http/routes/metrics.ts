/** What watches the bridge asks here, several times a minute. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { RequestError } from '../../core/errors.ts'
import { confinedTo, may } from '../auth.ts'

export interface MetricsDeps {
  /** Prometheus' text format. */
  readonly exposeMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>
}

export function metricsRoutes({ exposeMetrics }: MetricsDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get('/metrics', { config: may({ scope: 'metrics' }) }, async (request, reply) => {
      // They count all locations together.
      if (confinedTo(request) !== undefined) {
        throw new RequestError('FORBIDDEN', 'This key belongs to one location, metrics to all', {
          action: 'Make a key with the scope metrics and without a locationId: POST /api/keys.',
        })
      }
      const { contentType, text } = await exposeMetrics()
      return await reply.type(contentType).send(text)
    })
    done()
  }
}

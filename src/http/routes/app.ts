/** The location page; what it shows comes by the API, under the bearer that it gets for the person inside GHL. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { type LocationId, parseLocationId } from '../../core/ids.ts'
import { type BuiltPages, sendPage } from '../pages/built-pages.ts'
import { Id } from '../schemas.ts'

export interface AppPageDeps {
  readonly pages: BuiltPages
  /** Origins that may show a page of this location (of any, when none is named) in a frame. */
  readonly frameAncestors: (locationId?: LocationId) => Promise<readonly string[]>
}

export function appPageRoutes({ pages, frameAncestors }: AppPageDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    // GHL fills in `?location={{location.id}}`. Not signed, so it only narrows who may frame the page, never who sees what.
    app.get<{ Querystring: { location?: string } }>(
      '/app',
      { schema: { hide: true } },
      async (request, reply) => {
        const named = Id.safeParse(request.query.location)
        const origins = await frameAncestors(named.success ? parseLocationId(named.data) : undefined)
        return await sendPage(reply, pages.html('app'), ["'self'", ...origins].join(' '))
      },
    )
    done()
  }
}

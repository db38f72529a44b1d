/** People who exist twice. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationStore } from '../../bridge/installations.ts'
import { SPLIT_KINDS, type SplitDesk } from '../../bridge/ports.ts'
import { parseLocationId } from '../../core/ids.ts'
import { locationUnknown } from '../answers.ts'
import { may } from '../auth.ts'
import { Id } from '../schemas.ts'

export interface ContactDeps {
  readonly splitDesk: SplitDesk
  readonly installations: Pick<InstallationStore, 'findByLocation'>
}

const SplitBody = z.object({
  split: z.array(
    z.object({
      kind: z.enum(SPLIT_KINDS),
      people: z.array(
        z.object({
          contactId: z.string(),
          lid: z.string().nullable(),
          phoneNumber: z.string().nullable(),
          pushName: z.string().nullable(),
          ghlContactId: z.string().nullable(),
        }),
      ),
      ghlContactIds: z.array(z.string()),
      message: z.string(),
      action: z.string(),
    }),
  ),
})

export function contactRoutes({ splitDesk, installations }: ContactDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/api/contacts/split',
      {
        config: may({ page: 'user', scope: 'messages:read' }),
        schema: { querystring: z.object({ locationId: Id }), response: { 200: SplitBody } },
      },
      async ({ query }) => {
        const locationId = parseLocationId(query.locationId)
        if ((await installations.findByLocation(locationId)) === undefined) throw locationUnknown()
        return { split: [...(await splitDesk.list(locationId))].map(plain) }
      },
    )
    done()
  }
}

const plain = ({ people, ghlContactIds, ...rest }: Awaited<ReturnType<SplitDesk['list']>>[number]) => ({
  ...rest,
  people: [...people],
  ghlContactIds: [...ghlContactIds],
})

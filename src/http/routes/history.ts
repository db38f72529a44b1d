/** How far the import of a number's past has come. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { HistoryImport, HistoryStore } from '../../bridge/history-import.ts'
import type { SessionDesk } from '../../bridge/ports.ts'
import { sessionUnknown } from '../../bridge/unknown.ts'
import { parseLocationId, parseSessionId } from '../../core/ids.ts'
import { may } from '../auth.ts'
import { SessionParams } from '../schemas.ts'

export interface HistoryDeps {
  readonly desk: Pick<SessionDesk, 'find'>
  readonly history: Pick<HistoryStore, 'find'>
}

const count = z.number().int()
const HistoryBody = z.object({
  /** `none`: the location wanted no history when the number was paired. */
  state: z.enum(['none', 'collecting', 'importing', 'done']),
  days: count,
  found: count,
  imported: count,
  failed: count,
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
})

const NONE: z.output<typeof HistoryBody> = {
  state: 'none',
  days: 0,
  found: 0,
  imported: 0,
  failed: 0,
  startedAt: null,
  finishedAt: null,
}

function bodyOf(known: HistoryImport | undefined): z.output<typeof HistoryBody> {
  if (known === undefined) return NONE
  const { state, days, found, imported, failed, startedAt, finishedAt } = known
  return {
    ...{ state, days, found, imported, failed },
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  }
}

export function historyRoutes({ desk, history }: HistoryDeps): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/ghl/location/:locationId/session/:id/history',
      {
        config: may({ page: 'user', scope: 'sessions:read' }),
        schema: { params: SessionParams, response: { 200: HistoryBody } },
      },
      async ({ params }) => {
        const session = await desk.find(parseLocationId(params.locationId), parseSessionId(params.id))
        if (session === undefined) throw sessionUnknown()
        return bodyOf(await history.find(session.id))
      },
    )
    done()
  }
}

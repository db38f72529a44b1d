/** What a location has decided about its bridge. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationStore } from '../../bridge/installations.ts'
import type { SettingsStore } from '../../bridge/storage/settings.ts'
import { type LocationId, parseLocationId, parseSessionId } from '../../core/ids.ts'
import { locationUnknown } from '../answers.ts'
import { may } from '../auth.ts'
import { Id, LocationParams } from '../schemas.ts'

export interface SettingsDeps {
  readonly settings: SettingsStore
  readonly installations: Pick<InstallationStore, 'findByLocation'>
}

const SettingsBody = z.object({
  groups: z.boolean(),
  label: z.boolean(),
  markRead: z.boolean(),
  /** A week at most: GHL repeats a delivery for days, not for longer. */
  holdAfterMinutes: z.number().int().min(1).max(10_080),
  pinnedSessionId: Id.nullable(),
  historyDays: z.number().int().min(0).max(90),
})

/** What is absent stays as it is. A name we do not know is refused: it would look as if it had been set. */
const SettingsPatch = z.strictObject({
  groups: SettingsBody.shape.groups.exactOptional(),
  label: SettingsBody.shape.label.exactOptional(),
  markRead: SettingsBody.shape.markRead.exactOptional(),
  holdAfterMinutes: SettingsBody.shape.holdAfterMinutes.exactOptional(),
  pinnedSessionId: SettingsBody.shape.pinnedSessionId.exactOptional(),
  historyDays: SettingsBody.shape.historyDays.exactOptional(),
})

const READ = may({ page: 'user', scope: 'sessions:read' })
const WRITE = may({ page: 'admin', scope: 'sessions:write' })

export function settingsRoutes({ settings, installations }: SettingsDeps): FastifyPluginCallbackZod {
  async function installed(locationId: string): Promise<LocationId> {
    const id = parseLocationId(locationId)
    const installation = await installations.findByLocation(id)
    if (installation === undefined || installation.status === 'uninstalled') throw locationUnknown()
    return id
  }

  return (app, _options, done) => {
    const path = '/ghl/location/:locationId/settings'

    app.get(
      path,
      { config: READ, schema: { params: LocationParams, response: { 200: SettingsBody } } },
      async (request) => {
        return await settings.read(await installed(request.params.locationId))
      },
    )

    app.put(
      path,
      {
        config: WRITE,
        schema: { params: LocationParams, body: SettingsPatch, response: { 200: SettingsBody } },
      },
      async ({ params, body: { pinnedSessionId, ...rest } }) => {
        const locationId = await installed(params.locationId)
        return await settings.write(locationId, {
          ...rest,
          ...(pinnedSessionId !== undefined && {
            pinnedSessionId: pinnedSessionId === null ? null : parseSessionId(pinnedSessionId),
          }),
        })
      },
    )
    done()
  }
}

/** What the operator decides about an installation, whatever GHL says of it. Register behind the guard. */
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { InstallationRow, InstallationStore } from '../../bridge/installations.ts'
import { RequestError } from '../../core/errors.ts'
import type { LocationId } from '../../core/ids.ts'
import { Id } from '../schemas.ts'
import { deedOn, InstallationBody, installationBody } from './tokens.ts'

export interface InstallationDeps {
  readonly installations: Pick<InstallationStore, 'find' | 'page' | 'deactivate' | 'activate'>
  /** Messages that waited for the location go on. */
  readonly wake: (locationId: LocationId) => Promise<void>
  /** Where a person connects it again. */
  readonly installUrl: string
}

export function installationRoutes({
  installations,
  wake,
  installUrl,
}: InstallationDeps): FastifyPluginCallbackZod {
  const found = async (installationId: string): Promise<InstallationRow> => {
    const row = await installations.find(installationId)
    if (row !== undefined && row.status !== 'uninstalled') return row
    throw new RequestError('INSTALLATION_UNKNOWN', 'There is no such installation', {
      action: 'GET /api/ghl/tokens lists them.',
    })
  }

  return (app, _options, done) => {
    const schema = { params: z.object({ installationId: Id }), response: { 200: InstallationBody } }

    app.post('/api/ghl/tokens/:installationId/deactivate', { schema }, async (request) => {
      const row = await found(request.params.installationId)
      request.deed = deedOn(row)
      return await installationBody(
        installations,
        (await installations.deactivate(row.installationId)) ?? row,
        installUrl,
      )
    })

    app.post('/api/ghl/tokens/:installationId/activate', { schema }, async (request) => {
      const row = await found(request.params.installationId)
      request.deed = deedOn(row)
      for (const locationId of await installations.activate(row.installationId)) await wake(locationId)
      return await installationBody(installations, row, installUrl)
    })
    done()
  }
}

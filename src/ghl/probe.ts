/** Calls made only to find out whether things work. */
import { z } from 'zod'
import type { InstallationRow, InstallationStore } from '../bridge/installations.ts'
import { isTimeZone } from '../core/days.ts'
import { GhlError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import { refusalError } from './refusals.ts'
import type { GhlTokens } from './tokens.ts'
import type { GhlTransport } from './transport.ts'

const locationSchema = z.looseObject({
  location: z
    .looseObject({
      name: z.string().optional().catch(undefined),
      timezone: z.string().refine(isTimeZone).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
})

export interface LocationFacts {
  readonly locationName?: string | undefined
  /** IANA name that this Node knows. */
  readonly timeZone?: string | undefined
}

export interface GhlProbe {
  /** Whether anything answers at GHL's address; what it answers is no matter. @throws {GhlError} when nothing does. */
  reach(): Promise<void>
  /** A valid token for the location, renewed if need be. @throws {GhlError} as the tokens do. */
  token(locationId: LocationId): Promise<void>
  /** One harmless read under the installation's token. @throws {GhlError} what it met. */
  read(installation: InstallationRow): Promise<LocationFacts>
}

export function createProbe(deps: {
  readonly transport: GhlTransport
  readonly tokens: GhlTokens
  readonly installations: InstallationStore
  readonly clientId: string | undefined
}): GhlProbe {
  const { transport, tokens } = deps

  const readAgency = async (companyId: string | undefined): Promise<void> => {
    const access = await tokens.companyAccess(companyId)
    if (access === undefined)
      throw new GhlError('GHL_NEEDS_RECONNECT', 'GHL no longer accepts this agency’s tokens', {
        action: 'Install the app as the agency again.',
      })
    const query = { companyId, appId: deps.clientId?.split('-')[0], skip: 0, limit: 1 }
    const { refusal } = await tokens.exchange(access, {
      method: 'GET',
      path: '/oauth/installedLocations',
      query,
    })
    if (refusal !== undefined) throw refusalError(refusal, 'GHL refused the list of installed locations')
  }

  return {
    async reach() {
      await transport.exchange({ method: 'GET', path: '/', idempotent: false, timeoutMs: 10_000 })
    },
    async token(locationId) {
      await tokens.access(locationId)
    },
    async read({ locationId, companyId }) {
      if (locationId === undefined) {
        await readAgency(companyId)
        return {}
      }
      const access = await tokens.access(locationId)
      const { body, refusal } = await tokens.exchange(access, {
        method: 'GET',
        path: `/locations/${locationId}`,
        priority: 'history',
      })
      if (refusal !== undefined) throw refusalError(refusal, 'GHL refused to say what this location is')
      const location = locationSchema.safeParse(body).data?.location
      return { locationName: location?.name, timeZone: location?.timezone }
    },
  }
}

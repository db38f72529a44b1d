/** What INSTALL, UNINSTALL and UPDATE mean for us. They come in any order, also before the code of the same installation. */
import { GhlError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { EventHandler } from './app-events.ts'
import type { InstallationStore } from './installations.ts'

/** Some of the locations in which GHL says that the app is installed. */
export interface InstalledPage {
  readonly locations: readonly {
    readonly locationId: LocationId
    readonly name: string | undefined
    readonly versionId: string | undefined
  }[]
  readonly total: number | undefined
  /** Where the next page begins; undefined after the last. */
  readonly nextSkip: number | undefined
}

/** The agency's side of an installation: tokens for its locations without a person. */
export interface AgencyTokens {
  /**
   * Connects a location by an agency's token; `no_agency` when no agency that we know can give one.
   *
   * @param companyId undefined when GHL did not say: then any agency that has the app is asked.
   * @throws {GhlError} `GHL_DEACTIVATED`, what GHL said, or that it could not be reached.
   */
  connect(locationId: LocationId, companyId: string | undefined): Promise<'connected' | 'no_agency'>
}

export interface InstallHandlersDeps {
  readonly installations: InstallationStore
  readonly agency: AgencyTokens
  /** Messages that waited for the location go on. */
  readonly wake: (locationId: LocationId) => Promise<void>
}

export function installHandlers(
  deps: InstallHandlersDeps,
): Record<'INSTALL' | 'UNINSTALL' | 'UPDATE', EventHandler> {
  const { installations, agency, wake } = deps

  const connect = async (locationId: LocationId, companyId: string | undefined): Promise<void> => {
    try {
      if ((await agency.connect(locationId, companyId)) === 'connected') await wake(locationId)
    } catch (thrown) {
      // A plain no of GHL's stays visible on the location, and the next sync asks again; everything else is tried again.
      if (!(thrown instanceof GhlError) || thrown.code !== 'GHL_NEEDS_RECONNECT') throw thrown
    }
  }

  return {
    async INSTALL(event) {
      const { locationId, companyId, companyName, userId, versionId } = event
      // Of an agency: its tokens come with the code, its locations with events of their own.
      if (locationId === undefined) return { ignored: 'agency_install' }
      const row = await installations.noteInstall({
        locationId,
        companyId,
        companyName,
        userId,
        versionId,
        whiteLabelDomain: event.whitelabelDomain,
        happenedAt: event.sentAt,
      })
      if (row.status === 'uninstalled') return { ignored: 'removed_since' }
      if (row.status === 'deactivated') return { ignored: 'deactivated' }
      if (row.status !== 'active') await connect(locationId, row.companyId)
      return 'processed'
    },

    async UNINSTALL({ locationId, companyId, sentAt }) {
      if (locationId === undefined && companyId === undefined) return { ignored: 'names_nothing' }
      const gone = await installations.uninstall({ locationId, companyId, happenedAt: sentAt })
      return gone.length > 0 || locationId === undefined ? 'processed' : { ignored: 'installed_since' }
    },

    async UPDATE({ locationId, companyId, versionId }) {
      if (versionId === undefined) return { ignored: 'names_nothing' }
      await installations.noteVersion({ locationId, companyId }, versionId)
      if (locationId === undefined) return 'processed'
      const row = await installations.findByLocation(locationId)
      // A location on the former version got no token; now it may.
      if (row?.status === 'pending' || row?.status === 'needs_reconnect')
        await connect(locationId, row.companyId ?? companyId)
      return 'processed'
    },
  }
}

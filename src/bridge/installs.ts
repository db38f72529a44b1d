/** What INSTALL, UNINSTALL and UPDATE mean for us. They come in any order, also before the code of the same installation. */
import { GhlError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { EventHandler } from './app-events.ts'
import { type InstallationRow, type InstallationStore, isServed } from './installations.ts'

/** Some of the locations in which GHL says that the app is installed. */
export interface InstalledPage {
  readonly locations: readonly {
    readonly locationId: LocationId
    readonly name: string | undefined
    readonly versionId: string | undefined
  }[]
  /** Of every row of the page, as GHL writes them: also of locations without the app, and those that cannot be read. */
  readonly ids: readonly string[]
  /** Rows that name no location that can be read. */
  readonly unread: number
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
  /**
   * New tokens with the scopes of today for a location that has tokens: minted anew, or refreshed when they came by a code.
   *
   * @throws {GhlError} what GHL said; the tokens it has stay in use then.
   */
  renew(installation: InstallationRow): Promise<void>
}

export interface InstallHandlersDeps {
  readonly installations: InstallationStore
  readonly agency: AgencyTokens
  /** Brings the agency's locations in line with GHL, in the background. */
  readonly sync: (companyId: string) => void
  /** A call under the tokens, made to find out. @throws {GhlError} what it met. */
  readonly check: (installation: InstallationRow) => Promise<unknown>
  /** Messages that waited for the location go on. */
  readonly wake: (locationId: LocationId) => Promise<void>
}

/** GHL's no to a location whose INSTALL has just come is not its last word: its own parts lag behind each other. */
const REFUSALS = 3
/** By so much GHL's clock may be behind ours. */
const CLOCKS_MS = 5_000
const PAGE = 500

export function installHandlers(
  deps: InstallHandlersDeps,
): Record<'INSTALL' | 'UNINSTALL' | 'UPDATE', EventHandler> {
  const { installations, agency, sync, check, wake } = deps

  const connect = async (locationId: LocationId, companyId: string | undefined, attempt: number) => {
    try {
      if ((await agency.connect(locationId, companyId)) === 'connected') await wake(locationId)
    } catch (thrown) {
      // A plain no of GHL's stays visible on the location, and the next sync asks again; everything else is tried again.
      const isNo = thrown instanceof GhlError && thrown.code === 'GHL_NEEDS_RECONNECT'
      if (!isNo || attempt <= REFUSALS) throw thrown
    }
  }

  /** Whether GHL takes the tokens. @throws {GhlError} when that cannot be told now. */
  const isAlive = async (row: InstallationRow): Promise<boolean> => {
    // Some call has found out already.
    if (row.status === 'needs_reconnect') return false
    try {
      await check(row)
      return true
    } catch (thrown) {
      if (!(thrown instanceof GhlError)) throw thrown
      if (thrown.code === 'GHL_NEEDS_RECONNECT') return false
      if (thrown.disposition === 'dead') return true
      throw thrown
    }
  }

  const find = async ({ locationId, companyId }: Where): Promise<InstallationRow | undefined> => {
    if (locationId !== undefined) return await installations.findByLocation(locationId)
    return companyId === undefined ? undefined : await installations.findCompany(companyId)
  }

  /**
   * Tokens that GHL granted a moment after it says that the app was removed: those of a new installation, or those of the
   * old one when GHL's clock is behind ours. GHL itself knows. @returns the locations whose tokens are dead.
   */
  const settleDoubts = async (where: Where, happenedAt: Date): Promise<readonly LocationId[]> => {
    const row = where.locationId && (await installations.findByLocation(where.locationId))
    const { companyId } = where
    const rows =
      where.locationId === undefined && companyId !== undefined
        ? (await installations.page({ companyId, limit: PAGE })).rows
        : [row].filter((each) => each !== undefined)
    const gone: LocationId[] = []
    for (const each of rows) {
      const afterMs = (each.refreshedAt?.getTime() ?? 0) - happenedAt.getTime()
      if (!isServed(each) || afterMs < 0 || afterMs > CLOCKS_MS || (await isAlive(each))) continue
      const grantIsOver = new Date(happenedAt.getTime() + afterMs + 1)
      gone.push(...(await installations.uninstall({ ...idsOf(each), happenedAt: grantIsOver })))
    }
    return gone
  }

  return {
    async INSTALL(event, attempt) {
      const { locationId, companyId, companyName, userId, versionId } = event
      if (locationId === undefined && companyId === undefined) return { ignored: 'names_nothing' }
      const before = await find({ locationId, companyId })
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
      // Of an agency: its tokens come with the code, its locations with events of their own.
      if (locationId !== undefined && row.status !== 'active')
        await connect(locationId, row.companyId, attempt)
      else if (before && isUpdated(before, row)) {
        // The scopes of a version come with new tokens.
        if (locationId !== undefined) await renew(before)
        else if (companyId !== undefined) sync(companyId)
      }
      return 'processed'
    },

    async UNINSTALL({ locationId, companyId, sentAt }) {
      if (locationId === undefined && companyId === undefined) return { ignored: 'names_nothing' }
      const where = { locationId, companyId }
      // Without a time it may be of before the last installation, and GHL alone knows.
      const row = sentAt === undefined ? await find(where) : undefined
      if (row?.status === 'active' && (await isAlive(row))) return { ignored: 'installed_since' }
      const gone = await installations.uninstall({ ...where, happenedAt: sentAt })
      const late = sentAt === undefined ? [] : await settleDoubts(where, sentAt)
      if (locationId === undefined || gone.length + late.length > 0) return 'processed'
      // Also one that nobody had heard of: it is marked, in case its INSTALL comes later.
      const now = await installations.findByLocation(locationId)
      return now?.status === 'uninstalled' ? 'processed' : { ignored: 'installed_since' }
    },

    async UPDATE({ locationId, companyId, versionId, sentAt }, attempt) {
      if (versionId === undefined) return { ignored: 'names_nothing' }
      const before = locationId && (await installations.findByLocation(locationId))
      await installations.noteVersion({ locationId, companyId }, versionId, sentAt)
      // Locations on the former version got no token, or one with its scopes; now they may.
      if (locationId === undefined) {
        if (companyId !== undefined) sync(companyId)
      } else if (before?.status === 'pending' || before?.status === 'needs_reconnect') {
        await connect(locationId, before.companyId ?? companyId, attempt)
      } else if (before?.status === 'active' && before.versionId !== versionId) await renew(before)
      return 'processed'
    },
  }

  /** Best effort: the tokens it has work on, and the hourly refresh renews them within their day. */
  async function renew(row: InstallationRow): Promise<void> {
    try {
      await agency.renew(row)
    } catch (thrown) {
      if (!(thrown instanceof GhlError)) throw thrown
    }
  }
}

/** GHL says INSTALL for an update, too. Of which version tokens are that came with a code is not known. */
const isUpdated = (before: InstallationRow, now: InstallationRow): boolean =>
  before.status === 'active' && before.versionId !== undefined && before.versionId !== now.versionId

interface Where {
  readonly locationId: LocationId | undefined
  readonly companyId: string | undefined
}

/** What an uninstall names: a location, or an agency. */
const idsOf = ({ locationId, companyId }: InstallationRow): Partial<Where> =>
  locationId === undefined ? { companyId } : { locationId }

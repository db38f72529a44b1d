/**
 * Our installations brought in line with what GHL says: every location of every agency that has the app gets its tokens.
 * Page by page, resumed where it was interrupted; one location that fails stops and hides no other.
 */
import type { Clock } from '../core/clock.ts'
import { type BridgeError, GhlError, StoreError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import {
  canMint,
  type InstallationRow,
  type InstallationStore,
  isServed,
  problemOf,
} from './installations.ts'
import type { AgencyTokens, InstalledPage } from './installs.ts'
import { mayPass, Patience } from './patience.ts'
import { type KeptRun, keepRun, type SyncRow, type SyncStore } from './syncs.ts'

const KIND = 'installations'
/** The daily round of all agencies, each of which reports for itself. */
export const DAILY_SYNC = { kind: 'installations_daily', scope: 'all' } as const
const REPORT_EVERY_MS = 500
/** Locations of one agency that are connected at a time. */
const CONCURRENCY = 4
const MOST_AGENCIES = 500
const PAGE = 200
/** Every location says its own trouble in GET /api/ghl/locations; the report of a run has room for so many. */
const MOST_NAMED = 50

type Listed = InstalledPage['locations'][number]

export interface AgencySyncDeps {
  readonly installations: InstallationStore
  readonly syncs: SyncStore
  readonly agency: AgencyTokens & {
    listInstalled(companyId: string, skip: number): Promise<InstalledPage>
  }
  /** A call under the tokens, made to find out. @throws {GhlError} what it met. */
  readonly check: (installation: InstallationRow) => Promise<unknown>
  readonly wake: (locationId: LocationId) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** How far a run has come, and what it met. */
interface Tally {
  done: number
  failed: number
  /** Rows of GHL's list that name no location. */
  unread: number
  /** What the last location met that was given up although it may pass. */
  postponed: BridgeError | undefined
  /** Whom the run did not connect, and why, as far as the report has room. */
  readonly named: string[]
}

export class AgencySync {
  readonly #deps: AgencySyncDeps
  /** By agency, the last work that was begun for it here. */
  readonly #running = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()

  constructor(deps: AgencySyncDeps) {
    this.#deps = deps
  }

  /**
   * Begins or goes on with the agency's sync; it works in the background, and its report is in the store.
   *
   * @param grantedAt of a new code: tokens that are older get the scopes of today. A run that is under way knows nothing of
   * it, so another follows.
   */
  start(companyId: string, grantedAt?: Date): void {
    const before = this.#running.get(companyId)
    if (before !== undefined && grantedAt === undefined) return
    const work = (before ?? Promise.resolve())
      .then(() => this.#run(companyId, grantedAt))
      .catch((thrown: unknown) => {
        this.#deps.log.warn({ companyId, errorCode: toBridgeError(thrown).code }, 'could not sync an agency')
      })
      .finally(() => {
        if (this.#running.get(companyId) === work) this.#running.delete(companyId)
      })
    this.#running.set(companyId, work)
  }

  /** Of every agency that has the app; one that cannot be synced gets a report that says why. @returns those begun. */
  async startAll(): Promise<readonly string[]> {
    const { installations, clock } = this.#deps
    const { rows } = await installations.page({ userType: 'Company', limit: MOST_AGENCIES })
    const begun: string[] = []
    for (const row of rows) {
      const { companyId, status } = row
      if (companyId === undefined || status === 'uninstalled') continue
      if (status === 'active' || canMint(row, clock.nowMs())) {
        this.start(companyId)
        begun.push(companyId)
      } else await this.#report(companyId, WHY_NOT[status])
    }
    return begun
  }

  /** {@link startAll} once a day: what failed is tried again, and what no event told is found. */
  async daily(): Promise<void> {
    const { syncs } = this.#deps
    const run = await keepRun(syncs, DAILY_SYNC)
    if (run === undefined) return
    try {
      const begun = await this.startAll()
      await run.finish('done', `${begun.length} agencies begun`)
    } catch (thrown) {
      await run.release()
      throw thrown
    }
  }

  /** Goes on with those whose node died. */
  async resume(): Promise<void> {
    for (const { scope, state } of await this.reports()) if (state === 'interrupted') this.start(scope)
  }

  async reports(): Promise<readonly SyncRow[]> {
    return await this.#deps.syncs.list({ kind: KIND })
  }

  /** Resolves when nothing of it runs here any more; what is not done is gone on with elsewhere. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopping'))
    await this.idle()
  }

  /** Resolves when what runs here has ended. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values())
  }

  get #isStopping(): boolean {
    return this.#stop.signal.aborted
  }

  async #report(companyId: string, why: string): Promise<void> {
    const run = await keepRun(this.#deps.syncs, { kind: KIND, scope: companyId })
    await run?.finish('failed', why)
  }

  async #run(companyId: string, grantedAt: Date | undefined): Promise<void> {
    const { syncs, log } = this.#deps
    if (this.#isStopping) return
    const run = await keepRun(syncs, { kind: KIND, scope: companyId })
    if (run === undefined) return
    try {
      const tally = await this.#pages(run, grantedAt)
      if (tally === undefined) await run.release()
      else await run.finish(tally.postponed === undefined ? 'done' : 'failed', sentenceOf(tally))
    } catch (thrown) {
      if (thrown instanceof StoreError) {
        await run.release()
        throw thrown
      }
      const error = toBridgeError(thrown)
      log.warn({ companyId, errorCode: error.code }, 'the sync of an agency failed half way')
      await run.finish('failed', `${error.code}: ${error.message}`)
    }
  }

  /** Undefined when it was stopped before its end: the page is begun again elsewhere, which does no harm. */
  async #pages(run: KeptRun, grantedAt: Date | undefined): Promise<Tally | undefined> {
    const { agency, clock } = this.#deps
    const { scope } = run.begun
    const patience = new Patience(clock, this.#stop.signal, () => run.advance({}))
    let skip: number | undefined = Number(run.begun.cursor ?? 0)
    const isWhole = skip === 0
    // Of a page that was interrupted some are counted already, and they come again.
    const failed = Math.min(run.begun.failed, skip)
    const tally: Tally = { done: skip - failed, failed, unread: 0, postponed: undefined, named: [] }
    const counts = () => ({ done: tally.done, failed: tally.failed })
    const report = reporter(async (total) => {
      await run.advance({ ...counts(), total })
    })
    const seen = new Set<string>()
    while (skip !== undefined) {
      const from: number = skip
      const askedAt = new Date(clock.nowMs())
      const page = await this.#unlessStopped(() => patience.through(() => agency.listInstalled(scope, from)))
      const isRepeat = page?.ids.every((id) => seen.has(id)) === true
      // A list that turns in a circle has no more to say than one that has ended.
      if (page !== undefined && isRepeat) break
      for (const id of page?.ids ?? []) seen.add(id)
      const total = Math.max(page?.total ?? 0, from + (page?.ids.length ?? 0))
      tally.unread += page?.unread ?? 0
      tally.failed += page?.unread ?? 0
      await patience.each(
        page?.locations ?? [],
        CONCURRENCY,
        (listed) => this.#settle(scope, listed, askedAt, grantedAt),
        async ({ locationId }, error) => {
          tally[error === undefined ? 'done' : 'failed']++
          if (error !== undefined) this.#failed(locationId, error, tally)
          await report(total)
        },
      )
      if (this.#isStopping) return undefined
      skip = page?.nextSkip
      await run.advance({ ...counts(), cursor: skip === undefined ? null : String(skip), total })
    }
    await run.advance({ ...counts(), cursor: null })
    if (isWhole) await this.#lookForRemoved(scope, seen)
    return tally
  }

  /** What was being asked for when the stop came is no failure. */
  async #unlessStopped<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act()
    } catch (thrown) {
      if (this.#isStopping) return undefined
      throw thrown
    }
  }

  #failed(locationId: LocationId, error: BridgeError, tally: Tally): void {
    if (mayPass(error)) tally.postponed = error
    if (tally.named.length < MOST_NAMED) tally.named.push(`${locationId} ${error.code}`)
    this.#deps.log.warn({ locationId, errorCode: error.code }, 'could not connect a location')
  }

  /** @throws {BridgeError} when the location is not connected by this. */
  async #settle(
    companyId: string,
    listed: Listed,
    askedAt: Date,
    grantedAt: Date | undefined,
  ): Promise<void> {
    const { installations, agency, wake } = this.#deps
    const { locationId, name, versionId } = listed
    const known = await installations.findByLocation(locationId)
    // GHL's list does not bring back what the operator has switched off.
    if (known?.status === 'deactivated') return
    const isActive = known?.status === 'active'
    // Removed after the list was made: the event is younger, and right.
    const noted = isActive
      ? known
      : await installations.noteInstall({ locationId, companyId, versionId, happenedAt: askedAt })
    await installations.describe(locationId, { locationName: name, companyId })
    if (isActive) {
      await this.#renew(known, versionId, askedAt, grantedAt)
      return
    }
    if (!isServed(noted)) return
    if ((await agency.connect(locationId, companyId)) === 'no_agency')
      throw new GhlError('GHL_NEEDS_RECONNECT', 'GHL takes none of this agency’s tokens any more')
    await wake(locationId)
  }

  /** A token keeps the scopes of its day: one of another version, or of before the agency's new consent, is renewed. */
  async #renew(
    row: InstallationRow,
    versionId: string | undefined,
    askedAt: Date,
    grantedAt: Date | undefined,
  ): Promise<void> {
    const { installations, agency, log } = this.#deps
    const { locationId, refreshedAt } = row
    const isOther = versionId !== undefined && row.versionId !== versionId
    const isOlder = grantedAt !== undefined && refreshedAt !== undefined && refreshedAt < grantedAt
    try {
      if ((isOther && row.versionId !== undefined) || isOlder) await agency.renew(row)
      if (isOther) await installations.noteVersion({ locationId }, versionId, askedAt)
    } catch (thrown) {
      // What it has works on; the hourly refresh renews it within its day.
      log.warn(
        { locationId, errorCode: toBridgeError(thrown).code },
        'could not renew a token for its scopes',
      )
    }
  }

  /** Locations of ours that GHL does not list: their UNINSTALL may have been lost, so their tokens are tried. */
  async #lookForRemoved(companyId: string, seen: ReadonlySet<string>): Promise<void> {
    const { installations, check, log } = this.#deps
    let cursor: string | undefined
    do {
      const page = await installations.page({
        companyId,
        userType: 'Location',
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      })
      for (const row of page.rows) {
        const { locationId, installationId } = row
        if (row.status !== 'active' || locationId === undefined || seen.has(locationId) || this.#isStopping)
          continue
        try {
          await check(row)
        } catch (thrown) {
          const error = toBridgeError(thrown)
          log.warn({ locationId, errorCode: error.code }, 'GHL does not list this location any more')
          await installations.noteAttempt(installationId, { problem: problemOf(error) })
        }
      }
      cursor = page.nextCursor
    } while (cursor !== undefined && !this.#isStopping)
  }
}

const WHY_NOT = {
  pending: 'GHL_NOT_CONNECTED: This agency has not connected the app. Open the install link as the agency.',
  needs_reconnect:
    'GHL_NEEDS_RECONNECT: GHL takes none of this agency’s tokens any more. Open the install link as the agency.',
  deactivated: 'GHL_DEACTIVATED: The operator has deactivated this agency. Activate it again in the console.',
} as const

function sentenceOf({ unread, postponed, named }: Tally): string | undefined {
  const said = [
    postponed &&
      `${postponed.code}: ${postponed.message}. What failed by it is tried again with the next sync`,
    unread > 0 && `${unread} rows of GHL’s list name no location that can be read`,
    named.length > 0 && `Not connected: ${named.join(', ')}`,
  ].filter((part) => part !== undefined && part !== false)
  return said.length === 0 ? undefined : said.join('. ')
}

/** Somebody may be looking on: lets a report through now and then, and never two at once. */
function reporter(report: (total: number) => Promise<void>): (total: number) => Promise<void> {
  let nextAtMs = performance.now()
  let isReporting = false
  return async (total) => {
    if (isReporting || performance.now() < nextAtMs) return
    isReporting = true
    try {
      await report(total)
    } finally {
      isReporting = false
      nextAtMs = performance.now() + REPORT_EVERY_MS
    }
  }
}

/**
 * Our installations brought in line with what GHL says: every location of every agency that has the app gets its tokens.
 * Page by page, resumed where it was interrupted; one location that fails stops and hides no other.
 */
import { StoreError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { InstallationStore } from './installations.ts'
import type { AgencyTokens, InstalledPage } from './installs.ts'
import type { SyncRow, SyncRun, SyncStore } from './syncs.ts'

const KIND = 'installations'
/** A page of a hundred tokens at GHL's limit takes ten seconds. */
const HOLD_MS = 120_000
const REPORT_EVERY_MS = 500
/** Locations of one agency that are connected at a time. */
const CONCURRENCY = 4
const MOST_AGENCIES = 500

export interface AgencySyncDeps {
  readonly installations: InstallationStore
  readonly syncs: SyncStore
  readonly agency: AgencyTokens & {
    listInstalled(companyId: string, skip: number): Promise<InstalledPage>
  }
  readonly wake: (locationId: LocationId) => Promise<void>
  readonly log: Log
}

export class AgencySync {
  readonly #deps: AgencySyncDeps
  readonly #running = new Set<Promise<void>>()
  #isStopping = false

  constructor(deps: AgencySyncDeps) {
    this.#deps = deps
  }

  /** Begins or goes on with the agency's sync; it works in the background, and its report is in the store. */
  start(companyId: string): void {
    const work = this.#run(companyId).catch((thrown: unknown) => {
      this.#deps.log.warn({ companyId, errorCode: toBridgeError(thrown).code }, 'could not sync an agency')
    })
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }

  /** Of every agency that has the app. @returns their ids. */
  async startAll(): Promise<readonly string[]> {
    const { rows } = await this.#deps.installations.page({ userType: 'Company', limit: MOST_AGENCIES })
    const companies = rows.flatMap((row) => (row.status === 'active' && row.companyId) || [])
    for (const companyId of companies) this.start(companyId)
    return companies
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
    this.#isStopping = true
    await Promise.all(this.#running)
  }

  /** Resolves when what runs here has ended. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #run(companyId: string): Promise<void> {
    const { syncs, log } = this.#deps
    const run = await syncs.begin({ kind: KIND, scope: companyId }, HOLD_MS)
    if (run === undefined) return
    try {
      const isDone = await this.#pages(run)
      if (isDone) await syncs.finish(run, 'done')
    } catch (thrown) {
      if (thrown instanceof StoreError) throw thrown
      const error = toBridgeError(thrown)
      log.warn({ companyId, errorCode: error.code }, 'the sync of an agency failed half way')
      await syncs.finish(run, 'failed', `${error.code}: ${error.message}`)
    }
  }

  /** False when it was stopped before its end. */
  async #pages(run: SyncRun): Promise<boolean> {
    const { syncs, agency } = this.#deps
    let skip: number | undefined = Number(run.cursor ?? 0)
    // Of a page that was interrupted some are counted already, and they come again.
    const failed = Math.min(run.failed, skip)
    const counts = { done: skip - failed, failed }
    const report = reporter(async (total) => {
      await syncs.advance(run, { ...counts, ...(total !== undefined && { total }) }, HOLD_MS)
    })
    while (skip !== undefined) {
      const page: InstalledPage = await agency.listInstalled(run.scope, skip)
      const waiting = [...page.locations]
      const work = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined && !this.#isStopping; next = waiting.shift()) {
          counts[(await this.#connect(run.scope, next)) ? 'done' : 'failed']++
          await report(page.total)
        }
      }
      await Promise.all(Array.from({ length: CONCURRENCY }, work))
      if (this.#isStopping) {
        // Free for another node at once; the page is begun again there, which does no harm.
        await syncs.advance(run, {}, 0)
        return false
      }
      skip = page.nextSkip
      await syncs.advance(
        run,
        {
          ...counts,
          cursor: skip === undefined ? null : String(skip),
          ...(page.total !== undefined && { total: page.total }),
        },
        HOLD_MS,
      )
    }
    return true
  }

  async #connect(
    companyId: string,
    { locationId, name, versionId }: InstalledPage['locations'][number],
  ): Promise<boolean> {
    const { installations, agency, wake, log } = this.#deps
    try {
      const known = await installations.findByLocation(locationId)
      // Counted as well: GHL's list does not bring back what the operator has switched off.
      if (known?.status === 'deactivated') return true
      const isActive = known?.status === 'active'
      // GHL's list is newer than any event that said otherwise.
      if (!isActive) await installations.noteInstall({ locationId, companyId, versionId })
      await installations.describe(locationId, { locationName: name, companyId })
      if (isActive) return true
      await agency.connect(locationId, companyId)
      await wake(locationId)
      return true
    } catch (thrown) {
      log.warn({ locationId, errorCode: toBridgeError(thrown).code }, 'could not connect a location')
      return false
    }
  }
}

/** Somebody may be looking on: lets a report through now and then, and never two at once. */
function reporter(
  report: (total: number | undefined) => Promise<void>,
): (total: number | undefined) => Promise<void> {
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

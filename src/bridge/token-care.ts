/**
 * Tokens looked after without anyone asking: renewed before they end, checked against GHL, and connected anew where an
 * agency can do it. Each run reports to sync_status.
 */
import type { Clock } from '../core/clock.ts'
import { type BridgeError, GhlError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import {
  deactivated,
  type InstallationRow,
  type InstallationStore,
  isServed,
  type TokenHealth,
} from './installations.ts'
import type { AgencyTokens } from './installs.ts'
import type { SyncRun, SyncStore } from './syncs.ts'

const PAGE = 200
const CONCURRENCY = 4
const HOLD_MS = 300_000
/** Between two starts of one worker: a thousand installations are no reason to call GHL a thousand times in a second. */
const PAUSE_MS = 50
const MOST_RESULTS = 1_000

export interface TokenCareDeps {
  readonly installations: InstallationStore
  readonly syncs: SyncStore
  readonly tokens: {
    /** @throws {GhlError} what the refresh met. */
    refresh(installation: InstallationRow): Promise<unknown>
    /** A call under the tokens, made to find out. @throws {GhlError} what it met. */
    check(installation: InstallationRow): Promise<{
      readonly locationName?: string | undefined
      readonly timeZone?: string | undefined
    }>
  }
  readonly agency: AgencyTokens
  readonly wake: (locationId: LocationId) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

type Row = InstallationRow & { readonly health: TokenHealth }

export interface CareResult {
  readonly installationId: string
  readonly locationId: string | null
  readonly outcome: 'refreshed' | 'would_refresh' | 'failed'
  readonly code: string | null
  readonly message: string | null
}

export interface CareReport {
  /** Installations looked at, those that needed nothing included. */
  readonly considered: number
  readonly refreshed: number
  readonly failed: number
  /** Those that were not passed over, of which only the first thousand are among the results. */
  readonly due: number
  /** The first thousand of those that were not passed over. */
  readonly results: readonly CareResult[]
}

export interface RefreshWish {
  /** Also those that are healthy. */
  readonly force?: boolean | undefined
  /** Says what would be done and does nothing. */
  readonly dryRun?: boolean | undefined
}

export class TokenCare {
  readonly #deps: TokenCareDeps
  #isStopping = false

  constructor(deps: TokenCareDeps) {
    this.#deps = deps
  }

  /** Lets go of what it does after the installation in hand. */
  stop(): void {
    this.#isStopping = true
  }

  /**
   * Renews what is due (within two hours of its end, or over), or with `force` everything; connects anew what an agency can.
   *
   * @param scope the run's name in sync_status. `undefined` comes back while another node does the same run.
   */
  async refresh(
    { force = false, dryRun = false }: RefreshWish,
    scope: string,
  ): Promise<CareReport | undefined> {
    const isDue = (row: Row): boolean => {
      if (row.status === 'active') return force || row.health !== 'healthy'
      return isServed(row) && row.locationId !== undefined && row.companyId !== undefined
    }
    if (dryRun) return await this.#dryRun(isDue)
    return await this.#run({ kind: 'token_refresh', scope }, isDue, async (row) => {
      if (row.status === 'active') await this.#deps.tokens.refresh(row)
      else await this.#reconnect(row)
    })
  }

  /** Calls GHL once under every active installation, and learns names and time zones of locations on the way. */
  async check(scope: string): Promise<CareReport | undefined> {
    const { installations, tokens } = this.#deps
    return await this.#run(
      { kind: 'token_check', scope },
      (row) => row.status === 'active',
      async (row) => {
        const facts = await tokens.check(row)
        await installations.noteAttempt(row.installationId, { isCheck: true })
        if (row.locationId !== undefined) await installations.describe(row.locationId, facts)
      },
    )
  }

  /** One installation, now. @throws {GhlError} what it met. */
  async refreshOne(row: InstallationRow): Promise<void> {
    if (row.status === 'deactivated') throw deactivated(row)
    if (row.status === 'active') {
      await this.#deps.tokens.refresh(row)
      return
    }
    try {
      await this.#reconnect(row)
    } catch (thrown) {
      throw thrown instanceof NoAgency ? needsPerson(row) : thrown
    }
  }

  async #reconnect({ locationId, companyId }: InstallationRow): Promise<void> {
    if (locationId === undefined) throw new NoAgency()
    const { agency, wake } = this.#deps
    if ((await agency.connect(locationId, companyId)) === 'no_agency') throw new NoAgency()
    await wake(locationId)
  }

  async #dryRun(isDue: (row: Row) => boolean): Promise<CareReport> {
    const report = new Report()
    for await (const row of this.#rows(undefined)) {
      report.considered++
      if (isDue(row)) report.add(row, 'would_refresh')
    }
    return report
  }

  async #run(
    subject: { kind: string; scope: string },
    isDue: (row: Row) => boolean,
    act: (row: Row) => Promise<void>,
  ): Promise<CareReport | undefined> {
    const { syncs, log } = this.#deps
    const run = await syncs.begin(subject, HOLD_MS)
    if (run === undefined) return undefined
    const report = new Report(run)
    try {
      await this.#pages(run, report, isDue, act)
    } catch (thrown) {
      const { code } = toBridgeError(thrown)
      await syncs.finish(run, 'failed', code)
      throw thrown
    }
    if (!this.#isStopping) await syncs.finish(run, 'done', report.sentence())
    log.info(
      { ...subject, considered: report.considered, refreshed: report.refreshed, failed: report.failed },
      'tokens looked after',
    )
    return report
  }

  async #pages(
    run: SyncRun,
    report: Report,
    isDue: (row: Row) => boolean,
    act: (row: Row) => Promise<void>,
  ): Promise<void> {
    const { installations, syncs, clock, log } = this.#deps
    let cursor = run.cursor
    do {
      const page = await installations.page({ limit: PAGE, ...(cursor !== undefined && { cursor }) })
      report.considered += page.rows.length
      const due = page.rows.filter(isDue)
      const work = async (): Promise<void> => {
        for (let row = due.shift(); row !== undefined && !this.#isStopping; row = due.shift()) {
          try {
            await act(row)
            report.add(row, 'refreshed')
          } catch (thrown) {
            if (thrown instanceof NoAgency) continue
            const error = toBridgeError(thrown)
            report.add(row, 'failed', error)
            await this.#note(row, error)
            log.warn(
              { installationId: row.installationId, locationId: row.locationId, errorCode: error.code },
              'could not look after a token',
            )
          }
          await clock.sleep(PAUSE_MS * Math.random())
        }
      }
      await Promise.all(Array.from({ length: CONCURRENCY }, work))
      cursor = page.nextCursor
      const { refreshed: done, failed } = report
      await syncs.advance(
        run,
        { total: page.total, done, failed, cursor: cursor ?? null },
        this.#isStopping ? 0 : HOLD_MS,
      )
    } while (cursor !== undefined && !this.#isStopping)
  }

  async #note({ installationId }: Row, { code, message, action }: BridgeError): Promise<void> {
    const problem = { code, message, ...(action !== undefined && { action }) }
    // The report says it too.
    await this.#deps.installations.noteAttempt(installationId, { problem }).catch(() => undefined)
  }

  async *#rows(from: string | undefined): AsyncGenerator<Row> {
    let cursor = from
    do {
      const page = await this.#deps.installations.page({
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      })
      yield* page.rows
      cursor = page.nextCursor
    } while (cursor !== undefined)
  }
}

/** Nobody but a person can connect it. */
class NoAgency extends Error {}

const needsPerson = ({ installationId }: InstallationRow): GhlError =>
  new GhlError('GHL_NEEDS_RECONNECT', 'GHL takes none of this installation’s tokens any more', {
    action: 'Connect it again with the install link.',
    details: { installationId },
  })

class Report implements CareReport {
  considered = 0
  refreshed: number
  failed: number
  due = 0
  readonly results: CareResult[] = []

  /** @param run of which earlier counts are kept. */
  constructor(run?: SyncRun) {
    this.refreshed = run?.done ?? 0
    this.failed = run?.failed ?? 0
  }

  add(row: Row, outcome: CareResult['outcome'], error?: BridgeError): void {
    this.due++
    if (outcome === 'refreshed') this.refreshed++
    if (outcome === 'failed') this.failed++
    if (this.results.length === MOST_RESULTS) return
    this.results.push({
      installationId: row.installationId,
      locationId: row.locationId ?? null,
      outcome,
      code: error?.code ?? null,
      message: error?.message ?? null,
    })
  }

  sentence(): string {
    return `${this.refreshed} of ${this.considered} done, ${this.failed} failed`
  }
}

/**
 * Tokens looked after without anyone asking: renewed before they end, checked against GHL, and connected anew where an
 * agency can do it. Each run reports to sync_status.
 */
import type { Clock } from '../core/clock.ts'
import { type BridgeError, GhlError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import {
  canMint,
  deactivated,
  type InstallationRow,
  type InstallationStore,
  isServed,
  problemOf,
  type TokenHealth,
} from './installations.ts'
import type { AgencyTokens } from './installs.ts'
import { type KeptRun, keepRun, type SyncRow, type SyncStore, type SyncSubject } from './syncs.ts'

const PAGE = 200
/** Of a run: how far it is stands in the store after each. */
const STEP = 20
const CONCURRENCY = 4
/** Between two starts of one worker: a thousand installations are no reason to call GHL a thousand times in a second. */
const PAUSE_MS = 50
const MOST_RESULTS = 1_000
/** Unfinished refreshes that are gone on with in one look. */
const MOST_UNFINISHED = 50

export interface TokenCareDeps {
  readonly installations: InstallationStore
  readonly syncs: SyncStore
  readonly tokens: {
    /** @throws {GhlError} what the refresh met. */
    refresh(installation: InstallationRow): Promise<unknown>
    /** As `refresh`, unless the tokens are others by now than those of this row. */
    finish(installation: InstallationRow): Promise<unknown>
    /** A call under the tokens, made to find out. @throws {GhlError} what it met. */
    check(installation: InstallationRow): Promise<{
      readonly locationName?: string | undefined
      readonly timeZone?: string | undefined
    }>
  }
  readonly agency: Pick<AgencyTokens, 'connect'>
  readonly wake: (locationId: LocationId) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

type Row = InstallationRow & { readonly health: TokenHealth }

export interface CareResult {
  readonly installationId: string
  readonly locationId: string | null
  /** `needs_reconnect`: nothing was tried, for only a person can connect it again. */
  readonly outcome: 'refreshed' | 'would_refresh' | 'failed' | 'needs_reconnect'
  readonly code: string | null
  readonly message: string | null
}

export interface CareReport {
  /** Installations looked at, those that needed nothing included. */
  readonly considered: number
  readonly refreshed: number
  readonly failed: number
  /** Those for which a person is needed; not among the failed. */
  readonly needsReconnect: number
  /** Those that are tried, or would be without a dry run; only a thousand of them are among the results. */
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

/** What can be done for a row: nothing is done for `person`. */
type Cure = 'refresh' | 'connect' | 'person'

export class TokenCare {
  readonly #deps: TokenCareDeps
  readonly #running = new Set<Promise<unknown>>()
  #isStopping = false

  constructor(deps: TokenCareDeps) {
    this.#deps = deps
  }

  /** Resolves when the installations in hand are done with; the rest of a run is free for another node at once. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled(this.#running)
  }

  /**
   * Renews what is due (within two hours of its end, or over), or with `force` everything, also where GHL refused once before;
   * connects anew what an agency can.
   *
   * @param scope the run's name in sync_status. `undefined` comes back while another node does the same run.
   */
  async refresh(
    { force = false, dryRun = false }: RefreshWish,
    scope: string,
  ): Promise<CareReport | undefined> {
    const agencies = new Map<string, boolean>()
    const cureOf = async (row: Row): Promise<Cure | undefined> => {
      if (!isServed(row)) return undefined
      if (row.status === 'active') return force || row.health !== 'healthy' ? 'refresh' : undefined
      if (row.status === 'needs_reconnect' && force) return 'refresh'
      return (await this.#hasAgency(row, agencies)) ? 'connect' : 'person'
    }
    if (dryRun) return await this.#dryRun(cureOf)
    return await this.#run({ kind: 'token_refresh', scope }, cureOf, async (row, cure) => {
      if (cure === 'connect') await this.#connect(row)
      else await this.refreshOne(row)
    })
  }

  /** Whether an agency can give this location a token; asked of the store once per agency. */
  async #hasAgency(
    { locationId, companyId }: InstallationRow,
    known: Map<string, boolean>,
  ): Promise<boolean> {
    if (locationId === undefined) return false
    const { installations, clock } = this.#deps
    const isAble = (row: InstallationRow): boolean => canMint(row, clock.nowMs())
    // Where GHL did not name the agency, any that has the app may be the one.
    const ask = async (): Promise<boolean> =>
      (companyId === undefined
        ? (await installations.page({ userType: 'Company', limit: PAGE })).rows
        : [await installations.findCompany(companyId)].filter((row) => row !== undefined)
      ).some(isAble)
    const has = known.get(companyId ?? '') ?? (await ask())
    known.set(companyId ?? '', has)
    return has
  }

  /** Calls GHL once under every active installation, and learns names and time zones of locations on the way. */
  async check(scope: string): Promise<CareReport | undefined> {
    const { installations, tokens } = this.#deps
    return await this.#run(
      { kind: 'token_check', scope },
      async (row) => (row.status === 'active' ? 'refresh' : undefined),
      async (row) => {
        const facts = await tokens.check(row)
        await installations.noteAttempt(row.installationId, { isCheck: true })
        if (row.locationId !== undefined) await installations.describe(row.locationId, facts)
      },
    )
  }

  /**
   * One installation, now. Where GHL refused once before, what we have is tried before the agency is asked: an answer that was
   * misread, or trouble at GHL's door, has spent nothing.
   *
   * @throws {GhlError} what it met.
   */
  async refreshOne(row: InstallationRow): Promise<void> {
    if (row.status === 'deactivated') throw deactivated(row)
    const { tokens, wake } = this.#deps
    try {
      await tokens.refresh(row)
    } catch (thrown) {
      const isRefused = thrown instanceof GhlError && thrown.code === 'GHL_NEEDS_RECONNECT'
      if (!isRefused || row.status === 'active') throw thrown
      await this.#connect(row, thrown)
      return
    }
    if (row.status !== 'active' && row.locationId !== undefined) await wake(row.locationId)
  }

  /**
   * Goes on with refreshes whose node died over them: for half a minute GHL gives the pair once more that died with it, and
   * an access token that is still valid brings nobody else to ask in time.
   */
  async finishRefreshes(): Promise<void> {
    const { installations, tokens, log } = this.#deps
    const finish = async (row: InstallationRow): Promise<void> => {
      const { installationId, locationId } = row
      try {
        await tokens.finish(row)
        log.info({ installationId, locationId }, 'a refresh that nobody had finished is finished')
      } catch (thrown) {
        const { code } = toBridgeError(thrown)
        log.warn({ installationId, locationId, errorCode: code }, 'could not finish a refresh')
      }
    }
    const unfinished = await installations.unfinishedRefreshes(MOST_UNFINISHED)
    if (!this.#isStopping) await this.#tracked(Promise.all(unfinished.map(finish)))
  }

  async #connect(row: InstallationRow, refusal = needsPerson(row)): Promise<void> {
    const { locationId, companyId } = row
    if (locationId === undefined) throw refusal
    const { agency, wake } = this.#deps
    if ((await agency.connect(locationId, companyId)) === 'no_agency') throw refusal
    await wake(locationId)
  }

  async #tracked<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work)
    try {
      return await work
    } finally {
      this.#running.delete(work)
    }
  }

  async #dryRun(cureOf: (row: Row) => Promise<Cure | undefined>): Promise<CareReport> {
    const report = new Report()
    for await (const row of this.#rows(undefined)) {
      report.considered++
      const cure = await cureOf(row)
      if (cure !== undefined) report.add(row, cure === 'person' ? 'needs_reconnect' : 'would_refresh')
    }
    return report
  }

  async #run(
    subject: SyncSubject,
    cureOf: (row: Row) => Promise<Cure | undefined>,
    act: (row: Row, cure: Cure) => Promise<void>,
  ): Promise<CareReport | undefined> {
    const { syncs, log } = this.#deps
    const run = await keepRun(syncs, subject)
    if (run === undefined) return undefined
    const report = new Report(run.begun)
    try {
      await this.#tracked(this.#pages(run, report, cureOf, act))
    } catch (thrown) {
      const { code } = toBridgeError(thrown)
      await run.finish('failed', code)
      throw thrown
    }
    log.info(
      { ...subject, considered: report.considered, refreshed: report.refreshed, failed: report.failed },
      'tokens looked after',
    )
    return report
  }

  async #pages(
    run: KeptRun,
    report: Report,
    cureOf: (row: Row) => Promise<Cure | undefined>,
    act: (row: Row, cure: Cure) => Promise<void>,
  ): Promise<void> {
    const { installations } = this.#deps
    const isOver = (): boolean => this.#isStopping || run.isLost
    let { cursor } = run.begun
    do {
      const page = await installations.page({ limit: STEP, ...(cursor !== undefined && { cursor }) })
      report.considered += page.rows.length
      const waiting = [...page.rows]
      const work = async (): Promise<void> => {
        for (let row = waiting.shift(); row !== undefined && !isOver(); row = waiting.shift())
          await this.#cure(row, report, cureOf, act)
      }
      await Promise.all(Array.from({ length: CONCURRENCY }, work))
      // The step is begun again elsewhere, which does no harm.
      if (isOver()) {
        await run.release()
        return
      }
      cursor = page.nextCursor
      const { refreshed: done, failed } = report
      await run.advance({ total: page.total, done, failed, cursor: cursor ?? null })
    } while (cursor !== undefined)
    await run.finish('done', report.sentence())
  }

  async #cure(
    row: Row,
    report: Report,
    cureOf: (row: Row) => Promise<Cure | undefined>,
    act: (row: Row, cure: Cure) => Promise<void>,
  ): Promise<void> {
    const { clock, log } = this.#deps
    const cure = await cureOf(row)
    if (cure === 'person') report.add(row, 'needs_reconnect')
    if (cure === undefined || cure === 'person') return
    try {
      await act(row, cure)
      report.add(row, 'refreshed')
    } catch (thrown) {
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

  async #note({ installationId }: Row, error: BridgeError): Promise<void> {
    const { installations } = this.#deps
    // The report says it too.
    await installations.noteAttempt(installationId, { problem: problemOf(error) }).catch(() => undefined)
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
const needsPerson = ({ installationId }: InstallationRow): GhlError =>
  new GhlError('GHL_NEEDS_RECONNECT', 'GHL takes none of this installation’s tokens any more', {
    action: 'Connect it again with the install link.',
    details: { installationId },
  })

class Report implements CareReport {
  considered = 0
  refreshed: number
  failed: number
  needsReconnect = 0
  due = 0
  readonly results: CareResult[] = []

  /** @param run of which earlier counts are kept. */
  constructor(run?: SyncRow) {
    this.refreshed = run?.done ?? 0
    this.failed = run?.failed ?? 0
  }

  add(row: Row, outcome: CareResult['outcome'], error?: BridgeError): void {
    if (outcome !== 'needs_reconnect') this.due++
    if (outcome === 'refreshed') this.refreshed++
    if (outcome === 'failed') this.failed++
    if (outcome === 'needs_reconnect') this.needsReconnect++
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
    const people = this.needsReconnect === 0 ? '' : `, ${this.needsReconnect} need a person`
    return `${this.refreshed} of ${this.considered} done, ${this.failed} failed${people}`
  }
}

/** Voice AI calls of a location, copied from GHL into our store: by page, repeatable, resumed where it was interrupted. */
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { SyncRun, SyncStore } from './syncs.ts'

/** One call that a location's Voice AI agent took. */
export interface CallLog {
  readonly callId: string
  readonly agentId: string | undefined
  readonly ghlContactId: string | undefined
  readonly durationSec: number | undefined
  readonly isTrial: boolean
  readonly calledAt: Date
  /** What was said and done, in GHL's own shape: number, summary, transcript, actions, extracted data. Sealed at rest. */
  readonly details: Readonly<Record<string, unknown>>
}

export interface CallLogStore {
  /** Keeps each call once; a later look replaces what was known of it. @returns how many were new. */
  save(locationId: LocationId, calls: readonly CallLog[]): Promise<number>
  /** Newest first. `cursor` is the `nextCursor` of the page before. */
  list(query: {
    readonly locationId: LocationId
    readonly from?: Date
    readonly to?: Date
    /** 1 to 200. */
    readonly limit: number
    readonly cursor?: string
  }): Promise<{ readonly calls: readonly CallLog[]; readonly nextCursor: string | undefined }>
}

export interface CallLogPage {
  /** As GHL counts now. */
  readonly total: number
  readonly calls: readonly CallLog[]
  readonly isLast: boolean
}

export interface CallLogSource {
  /**
   * Oldest first.
   *
   * @param page from 1.
   * @throws {GhlError} `GHL_FORBIDDEN` with an action when the app lacks the scope, otherwise as the client settles it.
   */
  page(locationId: LocationId, span: CallLogSpan, page: number): Promise<CallLogPage>
}

export interface CallLogSpan {
  readonly from: Date
  readonly to: Date
}

export interface CallLogSyncDeps {
  readonly source: CallLogSource
  readonly callLogs: Pick<CallLogStore, 'save'>
  readonly syncs: SyncStore
  readonly clock: Clock
  readonly log: Log
  /** How long a caller waits for the end, milliseconds; default 20 seconds. */
  readonly patienceMs?: number
}

/** What one location's run came to, or that it is still under way. */
export interface CallLogSynced {
  readonly locationId: LocationId
  readonly state: 'done' | 'failed' | 'running'
  /** Calls that this run has stored; of a failed one, too. */
  readonly records: number
  readonly message: string
  readonly error?: { readonly code: string; readonly message: string; readonly action?: string }
}

export const CALL_LOGS = 'call-logs'
/** Longer than a page takes with all patience; a run that is silent for this long is dead. */
const HOLD_MS = 120_000
/** Proxies and programs commonly give up at 30 seconds. */
const PATIENCE_MS = 20_000

/**
 * Copies the calls of a span, page by page; each page is stored before the next is asked for. A run that was interrupted is
 * gone on with where it stopped, in the span that it began with, when the same is asked for again.
 */
export class CallLogSyncs {
  readonly #deps: CallLogSyncDeps
  readonly #running = new Set<Promise<void>>()
  #isStopping = false

  constructor(deps: CallLogSyncDeps) {
    this.#deps = deps
  }

  /**
   * One location after the other; one bad location hides no other. Answers when all are done, or after the patience while
   * the work goes on: its end then stands in sync_status.
   *
   * @param params what was asked for, so that only the same is gone on with.
   * @throws {StoreError} `STORE_UNAVAILABLE`, while somebody waits.
   */
  async sync(
    locations: readonly LocationId[],
    span: CallLogSpan,
    params: string,
  ): Promise<readonly CallLogSynced[]> {
    const results = new Map<LocationId, CallLogSynced>()
    const work = this.#each(locations, span, params, results)
    const tracked = work
      .catch((thrown: unknown) => {
        this.#deps.log.warn({ errorCode: toBridgeError(thrown).code }, 'could not sync call logs')
      })
      .finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
    const over = new AbortController()
    const patience = this.#deps.clock
      .sleep(this.#deps.patienceMs ?? PATIENCE_MS, over.signal)
      .catch(() => undefined)
    await Promise.race([work, patience])
    over.abort(new Error('answered'))
    return locations.map((locationId) => results.get(locationId) ?? underWay(locationId))
  }

  /** Resolves when nothing of it runs here any more; what is not done is gone on with when it is asked for again. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.all(this.#running)
  }

  async #each(
    locations: readonly LocationId[],
    span: CallLogSpan,
    params: string,
    results: Map<LocationId, CallLogSynced>,
  ): Promise<void> {
    for (const locationId of locations) {
      if (this.#isStopping) return
      const run = await this.#deps.syncs.begin({ kind: CALL_LOGS, scope: locationId }, HOLD_MS, params)
      if (run !== undefined) results.set(locationId, await this.#run(locationId, span, run))
    }
  }

  async #run(locationId: LocationId, asked: CallLogSpan, run: SyncRun): Promise<CallLogSynced> {
    const begun = placeOf(run.cursor)
    const copy: Copy = begun ? { ...begun, records: run.done } : { span: asked, page: 1, records: 0 }
    try {
      if (!(await this.#copyPages(locationId, run, copy))) return underWay(locationId, copy.records)
      const message = `${copy.records} calls ${spanWords(copy.span)}`
      await this.#deps.syncs.finish(run, 'done', message)
      return { locationId, state: 'done', records: copy.records, message }
    } catch (thrown) {
      const { code, message: reason, action } = toBridgeError(thrown)
      const words = action === undefined ? reason : `${reason}. ${action}`
      const message = `${copy.records} calls ${spanWords(copy.span)} were stored, then: ${words}`
      await this.#deps.syncs.finish(run, 'failed', message)
      const error = { code, message: reason, ...(action !== undefined && { action }) }
      return { locationId, state: 'failed', records: copy.records, message, error }
    }
  }

  /** False when it was stopped before its end. */
  async #copyPages(locationId: LocationId, run: SyncRun, copy: Copy): Promise<boolean> {
    const { source, callLogs, syncs } = this.#deps
    for (;;) {
      const { calls, total, isLast } = await source.page(locationId, copy.span, copy.page)
      await callLogs.save(locationId, calls)
      copy.records += calls.length
      copy.page += 1
      const progress = { cursor: cursorOf(copy), total, done: copy.records }
      const isHalfWay = this.#isStopping && !isLast
      // Free for the next to ask, on whatever node.
      await syncs.advance(run, progress, isHalfWay ? 0 : HOLD_MS)
      if (isLast) return true
      if (isHalfWay) return false
    }
  }
}

interface Copy {
  readonly span: CallLogSpan
  /** The next to ask for. */
  page: number
  records: number
}

const cursorOf = ({ span, page }: Copy): string => `${page}/${span.from.getTime()}/${span.to.getTime()}`

/** Where a run stopped; undefined for one that has not stored a page. */
function placeOf(cursor: string | undefined): Pick<Copy, 'span' | 'page'> | undefined {
  const [, page, from, to] = /^(\d+)\/(-?\d+)\/(-?\d+)$/.exec(cursor ?? '') ?? []
  if (page === undefined) return undefined
  return { page: Number(page), span: { from: new Date(Number(from)), to: new Date(Number(to)) } }
}

const spanWords = ({ from, to }: CallLogSpan): string => `from ${from.toISOString()} to ${to.toISOString()}`

const underWay = (locationId: LocationId, records = 0): CallLogSynced => ({
  locationId,
  state: 'running',
  records,
  message: 'Still running: GET /api/sync/status?kind=call-logs shows how far it is',
})

/** Voice AI calls of a location, copied from GHL into our store: by page, repeatable, resumed where it was interrupted. */
import type { Clock } from '../core/clock.ts'
import { StoreError, toBridgeError } from '../core/errors.ts'
import { type LocationId, parseLocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { type KeptRun, keepRun, type SyncStore } from './syncs.ts'

/** One call that a location's Voice AI agent took. */
export interface CallLog {
  readonly callId: string
  readonly agentId: string | undefined
  readonly ghlContactId: string | undefined
  readonly durationSec: number | undefined
  readonly isTrial: boolean
  readonly calledAt: Date
  /**
   * What was said and done, in GHL's own shape: number, summary, transcript, actions, extracted data. Sealed at rest, and
   * empty when its key is gone.
   */
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
  /** Calls without an id or a time, which are left out. */
  readonly skipped: number
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

/** One location's part of what was asked for: days begin where the location is. */
export interface CallLogWish extends CallLogSpan {
  readonly locationId: LocationId
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
  /** Calls that GHL gave without an id or a time: neither stored nor failed. */
  readonly skipped: number
  readonly message: string
  readonly error?: {
    readonly code: string
    readonly message: string
    readonly action?: string
    /** Earliest sensible repeat, milliseconds from the failure. */
    readonly retryAfterMs?: number
  }
}

export const CALL_LOGS = 'call-logs'
/** With the hold of a run (syncs.ts) a dead node's is gone on with inside half a minute. */
const LOOK_MS = 8_000
/** Runs that are gone on with in one look. */
const MOST_RESUMED = 50
/** Proxies and programs commonly give up at 30 seconds. */
const PATIENCE_MS = 20_000

/**
 * Copies the calls of a span, page by page; each page is stored before the next is asked for. A run that was interrupted is
 * gone on with where it stopped, in the span that it began with: by whatever node looks next, and when the same is asked for
 * again.
 */
export class CallLogSyncs {
  readonly #deps: CallLogSyncDeps
  readonly #running = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isStopping = false

  constructor(deps: CallLogSyncDeps) {
    this.#deps = deps
  }

  /** Goes on with what dead nodes left, now and from time to time. */
  start(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#look()
  }

  /**
   * One location after the other; one bad location hides no other. Answers when all are done, or after the patience while
   * the work goes on: its end then stands in sync_status.
   *
   * @param params what was asked for, so that only the same is gone on with.
   * @throws {StoreError} `STORE_UNAVAILABLE`, while somebody waits.
   */
  async sync(wishes: readonly CallLogWish[], params: string): Promise<readonly CallLogSynced[]> {
    const results = new Map<LocationId, CallLogSynced>()
    const work = this.#each(wishes, params, results)
    this.#track(work)
    const over = new AbortController()
    const patience = this.#deps.clock
      .sleep(this.#deps.patienceMs ?? PATIENCE_MS, over.signal)
      .catch(() => undefined)
    await Promise.race([work, patience])
    over.abort(new Error('answered'))
    return wishes.map(({ locationId }) => results.get(locationId) ?? underWay(locationId))
  }

  /** Resolves when nothing of it runs here any more; what is not done is gone on with elsewhere, or by the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#timer)
    await this.#looking
    await Promise.all(this.#running)
  }

  /** Goes on with the runs whose node died or stopped. */
  async resume(): Promise<void> {
    const left = await this.#deps.syncs.page({ kind: CALL_LOGS, state: 'interrupted', limit: MOST_RESUMED })
    for (const { scope, params } of left.syncs) {
      if (this.#isStopping) return
      const locationId = parseLocationId(scope)
      const run = await keepRun(this.#deps.syncs, { kind: CALL_LOGS, scope }, params)
      if (run !== undefined) this.#track(this.#run(locationId, undefined, run))
    }
  }

  #look(): void {
    this.#looking ??= this.resume()
      .catch((thrown: unknown) => {
        this.#deps.log.debug(
          { errorCode: toBridgeError(thrown).code },
          'could not look for call logs left over',
        )
      })
      .finally(() => {
        this.#looking = undefined
      })
  }

  #track(work: Promise<unknown>): void {
    const tracked = work
      .then(
        () => undefined,
        (thrown: unknown) => {
          this.#deps.log.warn({ errorCode: toBridgeError(thrown).code }, 'could not sync call logs')
        },
      )
      .finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
  }

  async #each(
    wishes: readonly CallLogWish[],
    params: string,
    results: Map<LocationId, CallLogSynced>,
  ): Promise<void> {
    for (const { locationId, from, to } of wishes) {
      if (this.#isStopping) return
      const run = await keepRun(this.#deps.syncs, { kind: CALL_LOGS, scope: locationId }, params)
      if (run !== undefined) results.set(locationId, await this.#run(locationId, { from, to }, run))
    }
  }

  /** @param asked undefined to go on with what stands in the run. */
  async #run(locationId: LocationId, asked: CallLogSpan | undefined, run: KeptRun): Promise<CallLogSynced> {
    const begun = placeOf(run.begun.cursor)
    // Where no page is stored yet, whoever asks now says what he means.
    const place = asked !== undefined && (begun?.page ?? 1) === 1 ? { span: asked, page: 1 } : begun
    if (place === undefined) {
      await run.finish('failed', 'It ended before it began; ask for it again')
      return underWay(locationId)
    }
    const copy: Copy = { ...place, records: run.begun.done, skipped: run.begun.skipped }
    try {
      if (!(await this.#copyPages(locationId, run, copy))) {
        await run.release()
        return underWay(locationId, copy)
      }
      const message = `${wordsOf(copy)} ${spanWords(copy.span)}`
      await run.finish('done', message)
      return { locationId, state: 'done', records: copy.records, skipped: copy.skipped, message }
    } catch (thrown) {
      return await this.#failed(locationId, run, copy, thrown)
    }
  }

  async #failed(locationId: LocationId, run: KeptRun, copy: Copy, thrown: unknown): Promise<CallLogSynced> {
    if (thrown instanceof StoreError) {
      // Whoever has it by now goes on with it; so does the next who looks, when the store was away.
      await run.release().catch(() => undefined)
      if (thrown.code === 'STORE_LEASE_LOST') return underWay(locationId, copy)
      throw thrown
    }
    const { code, message: reason, action, retryAfterMs } = toBridgeError(thrown)
    const words = action === undefined ? reason : `${reason}. ${action}`
    const message = `${wordsOf(copy)} ${spanWords(copy.span)} were stored, then: ${words}`
    await run.finish('failed', message)
    const error = {
      code,
      message: reason,
      ...(action !== undefined && { action }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }
    return { locationId, state: 'failed', records: copy.records, skipped: copy.skipped, message, error }
  }

  /** False when it was stopped before its end, or another has it by now. */
  async #copyPages(locationId: LocationId, run: KeptRun, copy: Copy): Promise<boolean> {
    const { source, callLogs } = this.#deps
    await run.advance({ cursor: cursorOf(copy) })
    for (;;) {
      const { calls, skipped, total, isLast } = await source.page(locationId, copy.span, copy.page)
      await callLogs.save(locationId, calls)
      copy.records += calls.length
      copy.skipped += skipped
      copy.page += 1
      await run.advance({ cursor: cursorOf(copy), total, done: copy.records, skipped: copy.skipped })
      if (isLast) return true
      if (this.#isStopping || run.isLost) return false
    }
  }
}

interface Copy {
  readonly span: CallLogSpan
  /** The next to ask for. */
  page: number
  records: number
  skipped: number
}

const cursorOf = ({ span, page }: Copy): string => `${page}/${span.from.getTime()}/${span.to.getTime()}`

/** Where a run stopped. */
function placeOf(cursor: string | undefined): Pick<Copy, 'span' | 'page'> | undefined {
  const [, page, from, to] = /^(\d+)\/(-?\d+)\/(-?\d+)$/.exec(cursor ?? '') ?? []
  if (page === undefined) return undefined
  return { page: Number(page), span: { from: new Date(Number(from)), to: new Date(Number(to)) } }
}

const spanWords = ({ from, to }: CallLogSpan): string => `from ${from.toISOString()} to ${to.toISOString()}`

const wordsOf = ({ records, skipped }: Copy): string =>
  skipped === 0 ? `${records} calls` : `${records} calls (and ${skipped} left out, without an id or a time)`

const underWay = (
  locationId: LocationId,
  { records, skipped }: Pick<Copy, 'records' | 'skipped'> = NONE,
): CallLogSynced => ({
  locationId,
  state: 'running',
  records,
  skipped,
  message: 'Still running: GET /api/sync/status?kind=call-logs shows how far it is',
})
const NONE = { records: 0, skipped: 0 }

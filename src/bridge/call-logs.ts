/** Voice AI calls of a location, copied from GHL into our store: by page, repeatable, resumed where it was interrupted. */
import { toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
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
}

/** What one location's run came to. */
export interface CallLogSynced {
  readonly locationId: LocationId
  readonly success: boolean
  readonly records: number
  readonly message: string
  readonly error?: { readonly code: string; readonly message: string; readonly action?: string }
}

export const CALL_LOGS = 'call-logs'
/** Longer than a page takes with all patience; a run that is silent for this long is dead. */
const HOLD_MS = 120_000

/**
 * Copies the calls of a span, page by page; each page is stored before the next is asked for. A run that was interrupted is
 * gone on with where it stopped when the same span is asked for again. Never throws for what GHL refuses: one bad location
 * hides no other.
 */
export async function syncCallLogs(
  deps: CallLogSyncDeps,
  locationId: LocationId,
  span: CallLogSpan,
  params: string,
): Promise<CallLogSynced> {
  const subject = { kind: CALL_LOGS, scope: locationId }
  const run = await deps.syncs.begin(subject, HOLD_MS, params)
  if (run === undefined)
    return { locationId, success: false, records: 0, message: 'A sync of this location is running already' }
  try {
    const records = await copyPages(deps, locationId, span, run)
    const message = `${records} calls`
    await deps.syncs.finish(run, 'done', message)
    return { locationId, success: true, records, message }
  } catch (thrown) {
    const { code, message, action } = toBridgeError(thrown)
    await deps.syncs.finish(run, 'failed', action === undefined ? message : `${message}. ${action}`)
    const error = { code, message, ...(action !== undefined && { action }) }
    return { locationId, success: false, records: 0, message, error }
  }
}

async function copyPages(
  { source, callLogs, syncs }: CallLogSyncDeps,
  locationId: LocationId,
  span: CallLogSpan,
  run: SyncRun,
): Promise<number> {
  let records = run.done
  for (let page = Number(run.cursor ?? '1'); ; page++) {
    const { calls, total, isLast } = await source.page(locationId, span, page)
    await callLogs.save(locationId, calls)
    records += calls.length
    await syncs.advance(run, { cursor: String(page + 1), total, done: records }, HOLD_MS)
    if (isLast) return records
  }
}

/** Reports of long work (a reconciliation, a scheduled refresh, an import), which is resumed where it was interrupted. */

/** What the work is, and about what: a location, an agency, or `all`. One run at a time for each. */
export interface SyncSubject {
  readonly kind: string
  readonly scope: string
}

export interface SyncRow extends SyncSubject {
  /** `interrupted`: it ran, and whoever did it is gone; the next run goes on from its cursor. */
  readonly state: 'running' | 'interrupted' | 'done' | 'failed'
  /** Where to go on, in the work's own words; undefined at the start and after a good end. */
  readonly cursor: string | undefined
  /** Undefined as long as nobody knows. */
  readonly total: number | undefined
  readonly done: number
  readonly failed: number
  readonly message: string | undefined
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
}

export interface SyncProgress {
  readonly cursor?: string | null
  readonly total?: number
  readonly done?: number
  readonly failed?: number
  readonly message?: string
}

/** A run that is ours until `holdMs` after its last word. */
export interface SyncRun extends SyncRow {
  readonly holder: string
}

export interface SyncStore {
  /**
   * Begins, or goes on where a run with the same `params` was interrupted or failed half way: cursor and counts are then
   * those it had. `undefined` while another runs it.
   *
   * @param params what exactly was asked for, e.g. the days of an import; part of no key.
   */
  begin(subject: SyncSubject, holdMs: number, params?: string): Promise<SyncRun | undefined>
  /** Writes progress and keeps the run for `holdMs`. @throws {StoreError} `STORE_LEASE_LOST` when another runs it by now. */
  advance(run: SyncRun, progress: SyncProgress, holdMs: number): Promise<void>
  finish(run: SyncRun, state: 'done' | 'failed', message?: string): Promise<void>
  /** Latest first, 200 at most. */
  list(filter?: Partial<SyncSubject>): Promise<readonly SyncRow[]>
}

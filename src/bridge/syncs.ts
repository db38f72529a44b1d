/** Reports of long work (a reconciliation, a scheduled refresh, an import), which is resumed where it was interrupted. */
import { StoreError } from '../core/errors.ts'

/** A run that says nothing for this long is dead: another node goes on with it. */
const HOLD_MS = 20_000
/** Three words are lost before a living run counts as dead. */
const BEAT_MS = 5_000

/** What the work is, and about what: a location, an agency, or `all`. One run at a time for each. */
export interface SyncSubject {
  readonly kind: string
  readonly scope: string
}

export const SYNC_STATES = ['running', 'interrupted', 'failed', 'done'] as const
export type SyncState = (typeof SYNC_STATES)[number]

export interface SyncRow extends SyncSubject {
  /** Of the location or the agency that it is about, where we know one. */
  readonly name: string | undefined
  /** `interrupted`: it ran, and whoever did it is gone; the next run goes on from its cursor. */
  readonly state: SyncState
  /** What exactly was asked for, as {@link SyncStore.begin} was told. */
  readonly params: string
  /** Where to go on, in the work's own words; undefined at the start and after a good end. */
  readonly cursor: string | undefined
  /** Undefined as long as nobody knows. */
  readonly total: number | undefined
  readonly done: number
  readonly failed: number
  /** What cannot be taken, whoever tries; neither done nor failed. */
  readonly skipped: number
  readonly message: string | undefined
  readonly startedAt: Date
  readonly finishedAt: Date | undefined
}

export interface SyncProgress {
  readonly cursor?: string | null
  readonly total?: number
  readonly done?: number
  readonly failed?: number
  readonly skipped?: number
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
  /** Latest first. `cursor` is the `nextCursor` of the page before; a run that moves meanwhile is among the first. */
  page(query: SyncQuery): Promise<{
    readonly syncs: readonly SyncRow[]
    readonly nextCursor: string | undefined
    readonly total: number
  }>
  /** How the last runs of all scopes stand, for every kind that ever ran. */
  countByKind(): Promise<readonly SyncCounts[]>
}

export interface SyncQuery extends Partial<SyncSubject> {
  readonly state?: SyncState
  /** 1 to 200. */
  readonly limit: number
  readonly cursor?: string
}

export interface SyncCounts extends Readonly<Record<SyncState, number>> {
  readonly kind: string
  /** When one of them moved last. */
  readonly latestAt: Date
}

/**
 * A run that stays ours for as long as the process lives, however slow its steps are, and is free for another within seconds of
 * its death, or at once when it is let go. Begun by {@link keepRun}; every one must come to `finish` or `release`.
 */
export class KeptRun {
  /** As it was begun: where to go on, and what was counted until then. */
  readonly begun: SyncRow
  readonly #syncs: SyncStore
  readonly #run: SyncRun
  readonly #timer: NodeJS.Timeout
  #beating: Promise<void> | undefined
  #isLost = false

  constructor(syncs: SyncStore, run: SyncRun) {
    this.begun = run
    this.#syncs = syncs
    this.#run = run
    this.#timer = setInterval(() => {
      this.#beat()
    }, BEAT_MS)
    this.#timer.unref()
  }

  /** Another runs it by now: whatever is still done here is done twice. */
  get isLost(): boolean {
    return this.#isLost
  }

  /** Writes progress. @throws {StoreError} `STORE_LEASE_LOST` when another runs it by now. */
  async advance(progress: SyncProgress): Promise<void> {
    await this.#syncs.advance(this.#run, progress, HOLD_MS)
  }

  async finish(state: 'done' | 'failed', message?: string): Promise<void> {
    await this.#end()
    await this.#syncs.finish(this.#run, state, message)
  }

  /** Stopped before its end: any node may go on at once from the cursor that was written last. */
  async release(): Promise<void> {
    await this.#end()
    if (!this.#isLost) await this.#syncs.advance(this.#run, {}, 0)
  }

  #beat(): void {
    this.#beating ??= this.advance({})
      .catch((thrown: unknown) => {
        // Anything else is the database's trouble; the next beat may get through.
        if (!(thrown instanceof StoreError) || thrown.code !== 'STORE_LEASE_LOST') return
        this.#isLost = true
        clearInterval(this.#timer)
      })
      .finally(() => {
        this.#beating = undefined
      })
  }

  /** A beat that came after the end would hold what nobody does any more. */
  async #end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#beating
  }
}

/**
 * Begins a run, or goes on with an interrupted one, as {@link SyncStore.begin} says, and keeps it. `undefined` while another
 * runs it.
 *
 * @throws {StoreError} `STORE_UNAVAILABLE`.
 */
export async function keepRun(
  syncs: SyncStore,
  subject: SyncSubject,
  params?: string,
): Promise<KeptRun | undefined> {
  const run = await syncs.begin(subject, HOLD_MS, params)
  return run && new KeptRun(syncs, run)
}

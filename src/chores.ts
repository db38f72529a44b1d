/**
 * What runs now and then, on one node among all: the one that holds the lease for it. When something ran last stands in
 * sync_status, so that neither a restart nor a hand-over repeats it or leaves it out.
 */
import { DAILY_SYNC } from './bridge/agency-sync.ts'
import type { SyncStore, SyncSubject } from './bridge/syncs.ts'
import { toBridgeError } from './core/errors.ts'
import type { Log } from './core/log.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const PRUNE_EVERY_MS = HOUR_MS
/** Many bridges that were started by one deploy do not all call GHL in the same second. */
const JITTER = 0.05
/** What has never run begins when the start of everything else is over. */
const FIRST_AFTER_MS = 10 * MINUTE_MS

export interface Chore extends SyncSubject {
  readonly everyMs: number
  /** Reports to sync_status under this kind and scope itself. */
  run(): Promise<unknown>
}

export interface ChoresDeps {
  readonly prune: () => Promise<void>
  /** What a dead node left half done. */
  readonly resume: () => Promise<void>
  readonly chores: readonly Chore[]
  readonly syncs: Pick<SyncStore, 'list'>
  readonly log: Log
}

/** Hourly what is due, daily a look at each, weekly everything: seeds.md S4. */
export function tokenChores(care: {
  refresh(wish: { force?: boolean }, scope: string): Promise<unknown>
  check(scope: string): Promise<unknown>
}): readonly Chore[] {
  return [
    { kind: 'token_refresh', scope: 'hourly', everyMs: HOUR_MS, run: () => care.refresh({}, 'hourly') },
    { kind: 'token_check', scope: 'daily', everyMs: 24 * HOUR_MS, run: () => care.check('daily') },
    {
      kind: 'token_refresh',
      scope: 'weekly',
      everyMs: 7 * 24 * HOUR_MS,
      run: () => care.refresh({ force: true }, 'weekly'),
    },
  ]
}

/** Agencies and their locations, brought in line with GHL whether or not an event was lost. */
export const agencyChores = (agencySync: { daily(): Promise<unknown> }): readonly Chore[] => [
  { ...DAILY_SYNC, everyMs: 24 * HOUR_MS, run: () => agencySync.daily() },
]

export class Chores {
  readonly #deps: ChoresDeps
  #timers: NodeJS.Timeout[] = []
  #looking: Promise<void> | undefined
  #startedAtMs = 0

  constructor(deps: ChoresDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#deps.log.debug({}, 'this node does the chores')
    this.#startedAtMs = performance.now()
    this.#timers = [
      setInterval(() => void this.#deps.prune(), PRUNE_EVERY_MS),
      setInterval(() => this.#look(), MINUTE_MS),
      setTimeout(() => this.#look(), Math.random() * MINUTE_MS),
    ]
    for (const timer of this.#timers) timer.unref()
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers = []
  }

  /** Does what is due now. */
  async doDue(): Promise<void> {
    await this.#deps.resume()
    for (const chore of this.#deps.chores) if (await this.#isDue(chore)) await chore.run()
  }

  #look(): void {
    this.#looking ??= this.doDue()
      .catch((thrown: unknown) => {
        this.#deps.log.warn({ errorCode: toBridgeError(thrown).code }, 'could not do the chores')
      })
      .finally(() => {
        this.#looking = undefined
      })
  }

  async #isDue({ kind, scope, everyMs }: Chore): Promise<boolean> {
    const [last] = await this.#deps.syncs.list({ kind, scope })
    if (last === undefined) return performance.now() - this.#startedAtMs > FIRST_AFTER_MS
    if (last.state === 'interrupted') return true
    return Date.now() - last.startedAt.getTime() > everyMs * (1 - JITTER * Math.random())
  }
}

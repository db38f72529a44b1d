/**
 * Durable delivery: claim -> handle -> settle, on lanes that are in order within and independent of each other.
 * Knows nothing of messages.
 *
 * States: `running` (claims and works) -> `draining` (takes nothing new, finishes what it holds) -> `stopped`.
 * {@link OutboxWorker.yield} does the like for what is in hand at one moment, while the worker goes on.
 * A job is ours for LEASE_MS and is extended while its handler runs. When this process dies, the job comes again after
 * that, or at once where the location's new owner frees it, and is known as one that may have happened.
 */
import type { Claim, Job, JobKind, Outbox } from '../bridge/storage/outbox.ts'
import type { Clock } from '../core/clock.ts'
import { type BridgeError, toBridgeError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { settle } from './settle.ts'

const LEASE_MS = 30_000
const HEARTBEAT_MS = 10_000
/** What is not settled this long after a stop goes on where the location is taken over, known as possibly done. */
const DRAIN_MS = 15_000
/** Backstop for a wake-up that was lost, and the poll between nodes. */
const POLL_MS = 1_000
/** Lanes worked on at once. They mostly wait, for GHL, for WhatsApp or for their turn at GHL's limit. */
const CONCURRENCY = 512
/** Those of one location: enough to use its whole limit over slow answers, too few to keep the others from their places. */
const PER_LOCATION = 32
/** Taken by one claim: what a transaction leases in some ten milliseconds. */
const BATCH = 64

const NOTHING: Claim = { jobs: [], nextInMs: undefined }

export type JobHandlers = Readonly<Record<JobKind, (job: Job) => Promise<void>>>

export interface WorkerDeps {
  readonly outbox: Outbox
  readonly handlers: JobHandlers
  /** The locations that this node works for. */
  readonly locations: () => readonly LocationId[]
  /** Called when a job is given up, before it is buried; must be repeatable, and may bury the job itself. */
  readonly onDead: (job: Job, error: BridgeError) => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

export class OutboxWorker {
  readonly #deps: WorkerDeps
  readonly #running = new Set<Promise<void>>()
  readonly #inHand = new Map<LocationId, number>()
  readonly #stop = new AbortController()
  /** Rises with every yield: a lane that was begun under an earlier one takes no further job. */
  #generation = 0
  #claiming: Promise<Claim> = Promise.resolve(NOTHING)
  #wake = Promise.withResolvers<void>()
  #loop: Promise<void> = Promise.resolve()

  constructor(deps: WorkerDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** New work may be waiting. Cheap; call it after every enqueue. */
  nudge(): void {
    this.#wake.resolve()
  }

  /** Resolves when every job that is in hand now is settled. Lanes are claimed anew, where they are still ours. */
  async yield(): Promise<void> {
    this.#generation += 1
    await this.#claiming
    await Promise.all(this.#running)
  }

  /** Takes nothing new and resolves when everything in hand is settled, or after DRAIN_MS. */
  async stop(): Promise<void> {
    this.#stop.abort()
    this.nudge()
    await this.#loop
    const over = new AbortController()
    const patience = this.#deps.clock.sleep(DRAIN_MS, over.signal).catch(() => undefined)
    await Promise.race([Promise.all(this.#running), patience])
    over.abort(new Error('stopped'))
    this.#running.clear()
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#wake = Promise.withResolvers()
      const free = Math.min(BATCH, CONCURRENCY - this.#running.size)
      const generation = this.#generation
      this.#claiming = free > 0 ? this.#claim(free) : Promise.resolve(NOTHING)
      const claim = await this.#claiming
      for (const job of claim.jobs) this.#begin(job, generation)
      if (claim.jobs.length === 0) await this.#pause(Math.min(claim.nextInMs ?? POLL_MS, POLL_MS))
    }
  }

  async #claim(limit: number): Promise<Claim> {
    try {
      const share = { perLocation: PER_LOCATION, inHand: this.#inHand }
      return await this.#deps.outbox.claim(limit, LEASE_MS, this.#deps.locations(), share)
    } catch (thrown) {
      this.#deps.log.warn({ errorCode: toBridgeError(thrown).code }, 'could not claim jobs')
      return { jobs: [], nextInMs: POLL_MS }
    }
  }

  /** Ends early on a nudge; a nudge during the claim has already resolved the promise. */
  async #pause(ms: number): Promise<void> {
    const over = new AbortController()
    const slept = this.#deps.clock.sleep(Math.max(ms, 1), over.signal).catch(() => undefined)
    await Promise.race([slept, this.#wake.promise])
    over.abort(new Error('woken'))
  }

  #begin(job: Job, generation: number): void {
    const { locationId } = job
    this.#inHand.set(locationId, (this.#inHand.get(locationId) ?? 0) + 1)
    const work = this.#workLane(job, generation).finally(() => {
      this.#running.delete(work)
      const left = (this.#inHand.get(locationId) ?? 0) - 1
      if (left > 0) this.#inHand.set(locationId, left)
      else this.#inHand.delete(locationId)
      this.nudge()
    })
    this.#running.add(work)
  }

  /** One job after the other while the lane has more: a burst in one chat drains without a claim in between. */
  async #workLane(first: Job, generation: number): Promise<void> {
    let job: Job | undefined = first
    while (job !== undefined) job = await this.#workOne(job, generation)
  }

  async #workOne(job: Job, generation: number): Promise<Job | undefined> {
    const { outbox, handlers, log } = this.#deps
    try {
      await this.#whileExtending(job, () => handlers[job.kind](job))
      return await this.#keepUnlessDraining(await outbox.complete(job, LEASE_MS), generation)
    } catch (thrown) {
      const error = toBridgeError(thrown)
      await this.#settle(job, error).catch((unsettled: unknown) => {
        // The lease ends by itself and the job comes again, marked as possibly done.
        log.error(
          { jobId: job.jobId, kind: job.kind, errorCode: toBridgeError(unsettled).code },
          'could not settle a job',
        )
      })
      return undefined
    }
  }

  /** A handler may take minutes over a large file; the lease is kept as long as it does. */
  async #whileExtending(job: Job, handle: () => Promise<void>): Promise<void> {
    const heartbeat = setInterval(() => {
      // Once lost, the job is somebody else's: what this handler still does carries ids that make a repeat harmless.
      this.#deps.outbox.extend(job, LEASE_MS).catch((thrown: unknown) => {
        this.#deps.log.warn(
          { jobId: job.jobId, errorCode: toBridgeError(thrown).code },
          'could not extend a job',
        )
      })
    }, HEARTBEAT_MS)
    try {
      await handle()
    } finally {
      clearInterval(heartbeat)
    }
  }

  async #keepUnlessDraining(next: Job | undefined, generation: number): Promise<Job | undefined> {
    const isDraining = this.#stop.signal.aborted || generation !== this.#generation
    if (next === undefined || !isDraining) return next
    await this.#deps.outbox.park(next, 0, { code: 'DRAINING', message: 'Another node may go on with it' })
    return undefined
  }

  async #settle(job: Job, error: BridgeError): Promise<void> {
    const { outbox, log, onDead } = this.#deps
    const decision = settle(error, job.attempts, Math.random())
    const failure = { code: error.code, message: error.message }
    const fields = {
      jobId: job.jobId,
      kind: job.kind,
      attempt: job.attempts,
      errorCode: error.code,
      ...error.details,
    }
    switch (decision.kind) {
      case 'retry':
        log.warn({ ...fields, inMs: decision.inMs }, 'job will be retried')
        await outbox.retry(job, decision.inMs, { ...failure, mayHaveHappened: decision.mayHaveHappened })
        return
      case 'park':
        log.info(fields, 'job is parked')
        await outbox.park(job, decision.forMs, failure)
        return
      case 'bury':
        log.error(
          error.code === 'BUG_INVARIANT' ? { ...fields, err: error.cause ?? error } : fields,
          'job is dead',
        )
        await onDead(job, error)
        await outbox.bury(job, failure)
        return
    }
  }
}

/** Jobs in lanes. Its promises: messages.ts. */
import type { LocationId } from '../../core/ids.ts'

/** What a job does: the lane's kind of work. */
export type JobKind = 'inbound' | 'outbound' | 'ghl_status' | 'note' | 'contact' | 'read'

/** One claimed job. It is ours until the lease ends; `token` proves it. */
export interface Job {
  readonly jobId: string
  readonly lane: string
  readonly locationId: LocationId
  readonly token: string
  readonly kind: JobKind
  /**
   * The message for `inbound`, `outbound` and `note`; `<locationId>/<ghlMessageId>` for `ghl_status`; our contact for
   * `contact`; the session for `read`.
   */
  readonly subject: string
  /** This attempt included. */
  readonly attempts: number
  /** An earlier attempt may have had its effect (it crashed, or failed with certainty `unknown`). */
  readonly mayHaveHappened: boolean
}

export interface Claim {
  readonly jobs: readonly Job[]
  /** Milliseconds until the next lane can be claimed; undefined when none waits, or only for a location's full hands. */
  readonly nextInMs: number | undefined
}

/** How many jobs of one location the claimer has in hand at most, and how many it has. */
export interface ClaimShare {
  readonly perLocation: number
  readonly inHand: ReadonlyMap<LocationId, number>
}

/** What has become well again; the codes of the failures that it caused begin with it. */
export type Cure = 'WA' | 'GHL'

/** Lanes + jobs: strict order in a lane, lanes independent of each other (storage.md 4). */
export interface Outbox {
  /**
   * Takes the oldest job of up to `limit` ready lanes of these locations (of all, when none are named), for `leaseMs`;
   * within `share`, those first whose location has fewest.
   */
  claim(limit: number, leaseMs: number, locations?: readonly LocationId[], share?: ClaimShare): Promise<Claim>
  /** Keeps a job for `leaseMs` from now. False when the claim was lost: somebody else has the job. */
  extend(job: Job, leaseMs: number): Promise<boolean>
  /** Ends the job and hands back the lane's next one, leased anew, if there is one. A lost lease changes nothing. */
  complete(job: Job, leaseMs: number): Promise<Job | undefined>
  /** The attempt failed: the lane waits `retryInMs`, then the same job comes again. */
  retry(
    job: Job,
    retryInMs: number,
    failure: { code: string; message: string; mayHaveHappened: boolean },
  ): Promise<void>
  /** Waits for an outside change without spending the attempt; {@link wake} ends the wait early. */
  park(job: Job, parkMs: number, reason: { code: string; message: string }): Promise<void>
  /** Gives the job up and keeps it as a dead letter; the lane goes on. */
  bury(job: Job, failure: { code: string; message: string }): Promise<void>
  /**
   * Makes a location's parked lanes ready now. With `cured` (a number, or GHL, is well again) also those that back off
   * because of it.
   */
  wake(locationId: LocationId, cured?: Cure): Promise<void>
  /** Waiting jobs by state, for health pages. */
  depth(): Promise<{ waiting: number; parked: number; dead: number }>
}

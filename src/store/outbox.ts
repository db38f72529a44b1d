/** The outbox's side of sql/0004_outbox.sql, where the rules of the queue are written down. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Outbox } from '../bridge/storage/outbox.ts'
import { StoreError } from '../core/errors.ts'
import type { Database } from './database.ts'
import { JobRow } from './rows.ts'

const ClaimRow = z.object({
  jobs: z.array(JobRow),
  nextInMs: z.number().nullable(),
})
const Depth = z.object({ waiting: z.number(), parked: z.number(), dead: z.number() })

export function createOutbox({ database }: { database: Database }): Outbox {
  return {
    async claim(limit, leaseMs, locations, share) {
      const claimId = randomUUID()
      const sharing = share && {
        perLocation: share.perLocation,
        inHand: Object.fromEntries(share.inHand),
      }
      const answer = await repeatLostAnswer((isRepeat) =>
        database.call('claim', { limit, leaseMs, claimId, isRepeat, locations, ...sharing }),
      )
      const { jobs, nextInMs } = ClaimRow.parse(answer)
      return { jobs, nextInMs: nextInMs ?? undefined }
    },
    async complete({ jobId, token, lane }, leaseMs) {
      const answer = await repeatLostAnswer(() => database.call('complete', { jobId, token, lane, leaseMs }))
      return JobRow.nullable().parse(answer) ?? undefined
    },
    async extend({ jobId, token }, leaseMs) {
      return z.boolean().parse(await database.call('extend', { jobId, token, leaseMs }))
    },
    async retry({ jobId, token }, retryInMs, failure) {
      await database.call('retry', { jobId, token, retryInMs: Math.ceil(retryInMs), ...failure })
    },
    async park({ jobId, token }, parkMs, reason) {
      await database.call('park', { jobId, token, parkMs: Math.ceil(parkMs), ...reason })
    },
    async bury({ jobId, token }, failure) {
      await database.call('bury', { jobId, token, ...failure })
    },
    async wake(locationId, cured) {
      await database.call('wake', { locationId, cured })
    },
    async depth() {
      return Depth.parse(await database.call('depth', {}))
    },
  }
}

/**
 * A lost answer may have leased jobs that nobody then works on for the length of the lease; asking once more under the
 * same claim (or token) gets those very jobs.
 */
async function repeatLostAnswer<T>(attempt: (isRepeat: boolean) => Promise<T>): Promise<T> {
  try {
    return await attempt(false)
  } catch (thrown) {
    const isLost =
      thrown instanceof StoreError && thrown.code === 'STORE_UNAVAILABLE' && thrown.certainty === 'unknown'
    if (!isLost) throw thrown
    return await attempt(true)
  }
}

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { SYNC_STATES, type SyncCounts, type SyncRow, type SyncStore } from '../bridge/syncs.ts'
import type { Database } from './database.ts'
import { date, optional } from './rows.ts'

const SyncRowSchema: z.ZodType<SyncRow> = z.object({
  kind: z.string(),
  scope: z.string(),
  name: optional(z.string()),
  state: z.enum(SYNC_STATES),
  params: z.string(),
  cursor: optional(z.string()),
  total: optional(z.number()),
  done: z.number(),
  failed: z.number(),
  skipped: z.number(),
  message: optional(z.string()),
  startedAt: date,
  finishedAt: optional(date),
})

const SyncPage = z.object({
  syncs: z.array(SyncRowSchema),
  lastRank: z.string().nullable(),
  total: z.number(),
})

const SyncCountsSchema: z.ZodType<SyncCounts> = z.object({
  kind: z.string(),
  running: z.number(),
  interrupted: z.number(),
  failed: z.number(),
  done: z.number(),
  latestAt: date,
})

export function createSyncStore({ database }: { database: Database }): SyncStore {
  return {
    async begin({ kind, scope }, holdMs, params = '') {
      const holder = randomUUID()
      const row = SyncRowSchema.nullable().parse(
        await database.call('begin_sync', { kind, scope, params, holder, holdMs }),
      )
      return row === null ? undefined : { ...row, holder }
    },
    async advance({ kind, scope, holder }, progress, holdMs) {
      await database.call('advance_sync', { kind, scope, holder, holdMs, ...progress })
    },
    async finish({ kind, scope, holder }, state, message) {
      await database.call('finish_sync', { kind, scope, holder, state, message })
    },
    async list(filter = {}) {
      return z.array(SyncRowSchema).parse(await database.call('list_syncs', filter))
    },
    async page(query) {
      const { syncs, lastRank, total } = SyncPage.parse(await database.call('page_syncs', query))
      return { syncs, nextCursor: syncs.length < query.limit ? undefined : (lastRank ?? undefined), total }
    },
    async countByKind() {
      return z.array(SyncCountsSchema).parse(await database.call('count_syncs', {}))
    },
  }
}

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { SyncRow, SyncStore } from '../bridge/syncs.ts'
import type { Database } from './database.ts'
import { date, optional } from './rows.ts'

const SyncRowSchema: z.ZodType<SyncRow> = z.object({
  kind: z.string(),
  scope: z.string(),
  state: z.enum(['running', 'interrupted', 'done', 'failed']),
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
  }
}

import { z } from 'zod'
import type { AuditStore } from '../bridge/audit.ts'
import { RequestError } from '../core/errors.ts'
import type { Database } from './database.ts'
import { date, optional } from './rows.ts'

const AuditPage = z.object({
  entries: z.array(
    z.object({
      id: z.string(),
      at: date,
      callerKind: z.enum(['operator', 'page', 'service']),
      callerId: optional(z.string()),
      callerName: optional(z.string()),
      action: z.string(),
      locationId: optional(z.string()),
      locationName: optional(z.string()),
      target: optional(z.string()),
      targetName: optional(z.string()),
      outcome: z.string(),
    }),
  ),
  lastId: z.string().nullable(),
})

export function createAuditStore({ database }: { database: Database }): AuditStore {
  return {
    async record(deed) {
      await database.call('record_audit', deed)
    },
    async list({ cursor, limit, ...filter }) {
      if (cursor !== undefined && !/^\d{1,18}$/.test(cursor))
        throw new RequestError('REQUEST_INVALID', 'The cursor is none that a page gave')
      const args = { ...filter, limit, ...(cursor !== undefined && { before: cursor }) }
      const { entries, lastId } = AuditPage.parse(await database.call('list_audit', args))
      return { entries, nextCursor: entries.length === limit ? (lastId ?? undefined) : undefined }
    },
  }
}

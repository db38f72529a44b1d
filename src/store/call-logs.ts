import { z } from 'zod'
import type { CallLog, CallLogStore } from '../bridge/call-logs.ts'
import { RequestError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Database } from './database.ts'
import { date, optional } from './rows.ts'
import { ifItOpens, type Seal, type SealedPlace } from './seal.ts'

const CallRow = z.object({
  callId: z.string(),
  agentId: optional(z.string()),
  ghlContactId: optional(z.string()),
  durationSec: optional(z.number()),
  isTrial: z.boolean(),
  calledAt: date,
  details: z.string(),
})

export function createCallLogStore(deps: { database: Database; seal: Seal }): CallLogStore {
  const { database, seal } = deps
  return {
    async save(locationId, calls) {
      const rows = calls.map(({ details, calledAt, ...call }) => ({
        ...call,
        calledAt: calledAt.getTime(),
        details: seal.seal(detailsOf(locationId, call.callId), JSON.stringify(details)),
      }))
      return z.number().parse(await database.call('save_call_logs', { locationId, calls: rows }))
    },
    async list({ locationId, from, to, limit, cursor }) {
      const args = {
        locationId,
        limit,
        from: from?.getTime(),
        to: to?.getTime(),
        ...(cursor !== undefined && readCursor(cursor)),
      }
      const rows = z.array(CallRow).parse(await database.call('list_call_logs', args))
      const calls = rows.map(({ details, ...row }): CallLog => {
        const opened = ifItOpens(() => seal.openText(detailsOf(locationId, row.callId), details))
        // Sealed by save, and nobody else can.
        return { ...row, details: JSON.parse(opened ?? '{}') as CallLog['details'] }
      })
      const last = calls.at(-1)
      const isFull = calls.length === limit && last !== undefined
      return { calls, nextCursor: isFull ? `${last.calledAt.getTime()}.${last.callId}` : undefined }
    },
  }
}

const detailsOf = (locationId: LocationId, callId: string): SealedPlace => ({
  scope: `location:${locationId}`,
  kind: 'call_log',
  id: callId,
})

function readCursor(cursor: string): { beforeAt: number; beforeId: string } {
  const [, at = '', beforeId = ''] = /^(\d{1,16})\.(.{1,100})$/.exec(cursor) ?? []
  if (beforeId === '') throw new RequestError('REQUEST_INVALID', 'The cursor is none that a page gave')
  return { beforeAt: Number(at), beforeId }
}

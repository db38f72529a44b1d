import { z } from 'zod'
import { INSTALLATION_STATUSES } from '../bridge/installations.ts'
import type { StatsStore } from '../bridge/stats.ts'
import { MESSAGE_STATES, SESSION_STATUSES } from '../core/message.ts'
import type { Database } from './database.ts'
import { date, LedgerRow, sessionId } from './rows.ts'

const count = z.number().int()
const TimingRow = z.object({ count, p50Ms: z.number(), p95Ms: z.number() }).nullable()
const TimingsRow = z.object({ toGhl: TimingRow, toWhatsApp: TimingRow, toPhone: TimingRow })

const StatsRow = LedgerRow.extend({
  hours: z.array(z.object({ at: date, inbound: count, outbound: count })),
  timings: TimingsRow,
  numbers: z.array(TimingsRow.extend({ sessionId, inbound: count, outbound: count })),
})

const CensusRow = z.object({
  messages: z.array(
    z.object({ direction: z.enum(['inbound', 'outbound']), state: z.enum(MESSAGE_STATES), count }),
  ),
  queue: z.object({ waiting: count, parked: count, dead: count, oldestWaitingMs: z.number().nullable() }),
  sessions: z.array(z.object({ status: z.enum(SESSION_STATUSES), count })),
  installations: z.array(z.object({ status: z.enum(INSTALLATION_STATUSES), count })),
})

export function createStatsStore(database: Database): StatsStore {
  return {
    async stats({ from, to, locationId, sessionId: session }) {
      return StatsRow.parse(
        await database.call('stats', {
          fromMs: from.getTime(),
          toMs: to.getTime(),
          locationId,
          sessionId: session,
        }),
      )
    },
    async census() {
      return CensusRow.parse(await database.call('census', {}))
    },
  }
}

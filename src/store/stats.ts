import { z } from 'zod'
import type { StatsStore } from '../bridge/stats.ts'
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
  }
}

import { z } from 'zod'
import type { HistoryStore } from '../bridge/history-import.ts'
import type { Envelope } from '../core/message.ts'
import { inboundColumns, type MessageStoreDeps } from './messages.ts'
import { date } from './rows.ts'

const ImportRow = z
  .object({
    state: z.enum(['collecting', 'importing', 'done']),
    days: z.number(),
    pairedAt: date,
    startedAt: date,
    finishedAt: date.nullable().transform((at) => at ?? undefined),
    found: z.number(),
    imported: z.number(),
    failed: z.number(),
  })
  .nullable()
const Released = z.object({ released: z.number(), open: z.number() })

export function createHistoryStore({ database, owned, seal }: MessageStoreDeps): HistoryStore {
  const columns = (envelope: Envelope) => {
    const { pushName, ...others } = inboundColumns(seal, envelope)
    return {
      ...others,
      pushName: envelope.fromMe ? undefined : pushName,
      sentAt: envelope.sentAt.getTime(),
    }
  }
  return {
    async begin({ sessionId, locationId, days, pairedAt }) {
      await owned.call('begin_history', { sessionId, locationId, days, pairedAt: pairedAt.getTime() })
    },
    async find(sessionId) {
      return ImportRow.parse(await database.call('find_history', { sessionId })) ?? undefined
    },
    async accept({ sessionId, locationId }, envelopes) {
      const messages = envelopes.map(columns)
      return z.number().parse(await owned.call('accept_history', { sessionId, locationId, messages }))
    },
    async release(locations, pace) {
      return Released.parse(await database.call('release_history', { locations, ...pace }))
    },
  }
}

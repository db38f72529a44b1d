import { z } from 'zod'
import { type EvidenceStore, PIECES } from '../bridge/evidence.ts'
import type { Database } from './database.ts'
import { date, optional } from './rows.ts'

const SeenRows = z.array(
  z.object({
    piece: z.enum(PIECES),
    setting: z.string(),
    goodAt: optional(date),
    badAt: optional(date),
    reason: optional(z.enum(['refused', 'signature', 'foreign_provider'])),
  }),
)

export function createEvidenceStore({ database }: { database: Database }): EvidenceStore {
  return {
    async note(piece, setting, reason) {
      await database.call('note_evidence', { piece, setting, reason })
    },
    async list() {
      return SeenRows.parse(await database.call('list_evidence', {}))
    },
  }
}

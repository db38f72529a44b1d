import { z } from 'zod'
import type { GroupStore } from '../bridge/groups.ts'
import { inboundColumns, type MessageStoreDeps } from './messages.ts'

const Accepted = z.enum(['enqueued', 'duplicate', 'unknown_group'])

export function createGroupStore({ database, owned, seal }: MessageStoreDeps): GroupStore {
  return {
    async acceptEvent(envelope) {
      const args = { ...inboundColumns(seal, envelope), onlyKnown: true }
      return Accepted.parse(await owned.call('accept_group_message', args))
    },
    async findName(contactId) {
      return (
        z
          .string()
          .nullable()
          .parse(await database.call('find_group_name', { contactId })) ?? undefined
      )
    },
    async recordName(contactId, name) {
      await database.call('record_group_name', { contactId, name })
    },
  }
}

import type { ContactStore } from '../bridge/storage.ts'
import type { Database } from './database.ts'
import { addressColumns } from './person.ts'
import { ContactRow } from './rows.ts'

export function createContactStore({ database }: { database: Database }): ContactStore {
  return {
    async linkGhl(contactId, ghlContactId) {
      await database.call('link_ghl', { contactId, ghlContactId })
    },
    async unlinkGhl(locationId, ghlContactId) {
      await database.call('unlink_ghl', { locationId, ghlContactId })
    },
    async settle(locationId, { chat, alt, ghlContactId }) {
      const answer = await database.call('settle_person', {
        locationId,
        ghlContactId,
        ...addressColumns(chat, alt),
      })
      return ContactRow.parse(answer)
    },
  }
}

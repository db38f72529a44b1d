import { z } from 'zod'
import type { ContactStore } from '../bridge/storage/contacts.ts'
import type { Database } from './database.ts'
import { addressColumns } from './person.ts'
import { ContactRow, SplitContactsRow } from './rows.ts'

const OwedRow = z.object({ contact: ContactRow, owesPhone: z.boolean(), owesName: z.boolean() }).nullable()

export function createContactStore({ database }: { database: Database }): ContactStore {
  return {
    async linkGhl(contactId, ghlContactId, owed) {
      await database.call('link_ghl', { contactId, ghlContactId, ...owed })
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
    async learn(locationId, pairs) {
      return z.number().parse(await database.call('learn_addresses', { locationId, pairs }))
    },
    async findOwed(contactId) {
      return OwedRow.parse(await database.call('find_owed_contact', { contactId })) ?? undefined
    },
    async recordPaid(contactId, ghlContactId, { owesPhone, owesName, phoneHolder }) {
      await database.call('record_paid', {
        contactId,
        ghlContactId,
        phone: owesPhone,
        name: owesName,
        phoneHolder,
      })
    },
    async listSplit(locationId) {
      return SplitContactsRow.parse(await database.call('split_contacts', { locationId }))
    },
  }
}

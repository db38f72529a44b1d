import { z } from 'zod'
import type { ServiceKeyRow, ServiceKeyStore } from '../bridge/service-keys.ts'
import type { Database } from './database.ts'
import { date, locationId, optional } from './rows.ts'

const KeyRow: z.ZodType<ServiceKeyRow> = z.object({
  id: z.string(),
  name: z.string(),
  locationId: optional(locationId),
  scopes: z.array(z.string()),
  createdAt: date,
  lastUsedAt: optional(date),
})

export function createServiceKeyStore({ database }: { database: Database }): ServiceKeyStore {
  return {
    create: async (key) => KeyRow.parse(await database.call('create_service_key', key)),
    list: async () => z.array(KeyRow).parse(await database.call('list_service_keys', {})),
    revoke: async (id) => z.boolean().parse(await database.call('revoke_service_key', { id })),
    find: async (keyHash) =>
      KeyRow.nullable().parse(await database.call('find_service_key', { keyHash })) ?? undefined,
  }
}

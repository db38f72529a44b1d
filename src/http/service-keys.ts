/** Keys of sibling backends, as the store never sees them: 256 random bits, known there by their digest only. */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { ServiceKeyRow, ServiceKeyStore, ServiceScope } from '../bridge/service-keys.ts'
import type { LocationId } from '../core/ids.ts'

export interface ServiceKeys {
  /** Makes a key. It is in this answer and nowhere else. */
  issue(wish: {
    readonly name: string
    readonly locationId: LocationId | undefined
    readonly scopes: readonly ServiceScope[]
  }): Promise<{ readonly id: string; readonly key: string }>
  list(): Promise<readonly ServiceKeyRow[]>
  /** False for an unknown id. */
  revoke(id: string): Promise<boolean>
  /** Undefined for one that is none of ours, unknown or revoked. */
  find(key: string): Promise<ServiceKeyRow | undefined>
}

/** Tells a key of ours from other bearers without asking the store, and is found by scanners for leaked secrets. */
const PREFIX = 'gwb_'

export function createServiceKeys(store: ServiceKeyStore): ServiceKeys {
  return {
    async issue(wish) {
      const key = `${PREFIX}${randomBytes(32).toString('base64url')}`
      const { id } = await store.create({ ...wish, id: randomUUID(), keyHash: digest(key) })
      return { id, key }
    },
    list: () => store.list(),
    revoke: (id) => store.revoke(id),
    find: (key) => (key.startsWith(PREFIX) ? store.find(digest(key)) : Promise.resolve(undefined)),
  }
}

const digest = (key: string): string => createHash('sha256').update(key).digest('base64url')

/** Keys of sibling backends: made and revoked by the operator, shown once, known to the store by their digest only. */
import type { LocationId } from '../core/ids.ts'

/** What a key may do; each is documented in docs/gateway.md. */
export const SERVICE_SCOPES = [
  'proxy:read',
  'proxy:write',
  'media',
  'products',
  'sync',
  'tokens',
  'messages:inbound',
  'locations:read',
  'messages:read',
  'messages:write',
  'sessions:read',
  'sessions:write',
  'metrics',
] as const
export type ServiceScope = (typeof SERVICE_SCOPES)[number]

/** Short for all scopes that end in it, when a key is made. */
export const SCOPE_SHORTHANDS = ['read', 'write'] as const

/** The scopes themselves, each once: a key keeps what it was made with, whatever is added later. */
export function expandScopes(
  wished: readonly (ServiceScope | (typeof SCOPE_SHORTHANDS)[number])[],
): ServiceScope[] {
  return SERVICE_SCOPES.filter((scope) => wished.some((wish) => wish === scope || scope.endsWith(`:${wish}`)))
}

export interface ServiceKeyRow {
  readonly id: string
  /** For people: which backend has it. */
  readonly name: string
  /** Undefined: every location. */
  readonly locationId: LocationId | undefined
  readonly scopes: readonly string[]
  readonly createdAt: Date
  /** To the minute; undefined before the first use. */
  readonly lastUsedAt: Date | undefined
}

export interface ServiceKeyStore {
  /** Repeatable: a known id is answered as it stands. */
  create(key: {
    readonly id: string
    readonly name: string
    readonly locationId: LocationId | undefined
    readonly scopes: readonly string[]
    readonly keyHash: string
  }): Promise<ServiceKeyRow>
  /** Oldest first, without revoked ones. */
  list(): Promise<readonly ServiceKeyRow[]>
  /** False for an unknown id. */
  revoke(id: string): Promise<boolean>
  /** The key with this digest, unless revoked; notes its use. */
  find(keyHash: string): Promise<ServiceKeyRow | undefined>
}

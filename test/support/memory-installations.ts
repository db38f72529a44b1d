/**
 * Installations in memory with the promises of {@link InstallationStore}: one holder of a refresh at a time, a lease
 * that ends by itself, states that work once. Counts what a test wants to know.
 */
import { randomUUID } from 'node:crypto'
import type { InstallationRow, InstallationStore, TokenPair } from '../../src/bridge/storage.ts'
import { StoreError } from '../../src/core/errors.ts'

interface Entry {
  row: InstallationRow
  tokens: TokenPair
  held: { holder: string; untilMs: number } | undefined
}

export interface MemoryInstallations extends InstallationStore {
  /** Calls of `beginRefresh` that gave the right to refresh. */
  readonly begun: () => number
  /** The next `count` writes of new tokens fail as if the database were down. */
  failFinish(count: number): void
  /** Ends a hold as its time would. */
  release(installationId: string): void
  /** Changes a row behind everybody's back, as another node would. */
  edit(installationId: string, change: { row?: Partial<InstallationRow>; tokens?: Partial<TokenPair> }): void
}

export function createMemoryInstallations(nowMs: () => number = Date.now): MemoryInstallations {
  const entries = new Map<string, Entry>()
  const states = new Map<string, number>()
  let begun = 0
  let failures = 0

  const entryOf = (installationId: string): Entry => {
    const entry = entries.get(installationId)
    if (entry === undefined) throw new StoreError('STORE_REJECTED', 'no such installation')
    return entry
  }
  const heldBy = (installationId: string, holder: string): Entry => {
    const entry = entryOf(installationId)
    if (entry.held?.holder !== holder || entry.held.untilMs <= nowMs())
      throw new StoreError('STORE_LEASE_LOST', 'the right to refresh was lost')
    return entry
  }

  return {
    begun: () => begun,
    failFinish: (count) => {
      failures = count
    },
    release(installationId) {
      entryOf(installationId).held = undefined
    },
    edit(installationId, { row, tokens }) {
      const entry = entryOf(installationId)
      entry.tokens = { ...entry.tokens, ...tokens }
      entry.row = { ...entry.row, ...row, tokenExpiresAt: entry.tokens.expiresAt }
    },

    async save({ tokens, ...installation }) {
      const same = [...entries.values()].find(({ row }) =>
        installation.locationId === undefined
          ? row.locationId === undefined && row.companyId === installation.companyId
          : row.locationId === installation.locationId,
      )
      const row: InstallationRow = {
        ...installation,
        installationId: same?.row.installationId ?? randomUUID(),
        status: 'active',
        locationName: undefined,
        providerType: same?.row.providerType,
        tokenExpiresAt: tokens.expiresAt,
        installedAt: new Date(nowMs()),
      }
      entries.set(row.installationId, { row, tokens, held: undefined })
      return row
    },
    findByLocation: async (locationId) =>
      [...entries.values()].find(({ row }) => row.locationId === locationId)?.row,
    list: async () => [...entries.values()].map(({ row }) => row),
    readTokens: async (installationId) => entries.get(installationId)?.tokens,

    async beginRefresh(installationId, holdMs) {
      const entry = entryOf(installationId)
      if (entry.held !== undefined && entry.held.untilMs > nowMs()) return undefined
      entry.held = { holder: randomUUID(), untilMs: nowMs() + holdMs }
      begun++
      return { holder: entry.held.holder, tokens: entry.tokens }
    },
    async finishRefresh(installationId, holder, tokens, scopes) {
      if (failures > 0) {
        failures--
        throw new StoreError('STORE_UNAVAILABLE', 'the database is down')
      }
      const entry = heldBy(installationId, holder)
      entry.tokens = tokens
      entry.row = {
        ...entry.row,
        status: 'active',
        tokenExpiresAt: tokens.expiresAt,
        scopes: scopes ?? entry.row.scopes,
      }
      entry.held = undefined
    },
    async abandonRefresh(installationId, holder, needsReconnect) {
      const entry = entryOf(installationId)
      if (entry.held?.holder !== holder) return
      entry.held = undefined
      if (needsReconnect) entry.row = { ...entry.row, status: 'needs_reconnect' }
    },

    async rememberProviderType(locationId, providerType) {
      for (const entry of entries.values())
        if (entry.row.locationId === locationId) entry.row = { ...entry.row, providerType }
    },
    async createOauthState(stateHash, ttlMs) {
      states.set(stateHash, nowMs() + ttlMs)
    },
    async takeOauthState(stateHash) {
      const untilMs = states.get(stateHash)
      states.delete(stateHash)
      return untilMs !== undefined && untilMs > nowMs()
    },
  }
}

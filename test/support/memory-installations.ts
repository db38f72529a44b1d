/**
 * Installations in memory with the promises of {@link InstallationStore}: one holder of a refresh at a time, a lease
 * that ends by itself, states that work once. Counts what a test wants to know.
 */
import { randomUUID } from 'node:crypto'
import type {
  InstallationRow,
  InstallationStore,
  NewInstallation,
  TokenHealth,
  TokenPair,
} from '../../src/bridge/installations.ts'
import { StoreError } from '../../src/core/errors.ts'
import type { LocationId } from '../../src/core/ids.ts'

interface Entry {
  row: InstallationRow
  tokens: TokenPair | undefined
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

  const rows = () => [...entries.values()].map(({ row }) => row)
  const isCompany = (row: { locationId: unknown }) => row.locationId === undefined
  const sameAs = ({ locationId, companyId }: NewInstallation) =>
    [...entries.values()].find(({ row }) =>
      locationId === undefined
        ? isCompany(row) && row.companyId === companyId
        : row.locationId === locationId,
    )
  const blank = (locationId: LocationId | undefined): InstallationRow => ({
    installationId: randomUUID(),
    locationId,
    companyId: undefined,
    userType: 'Location',
    status: 'pending',
    scopes: '',
    locationName: undefined,
    timeZone: undefined,
    companyName: undefined,
    providerType: undefined,
    providerAddress: undefined,
    userId: undefined,
    versionId: undefined,
    isBulk: false,
    whiteLabelDomain: undefined,
    problem: undefined,
    tokenExpiresAt: new Date(nowMs()),
    refreshedAt: undefined,
    checkedAt: undefined,
    installedAt: new Date(nowMs()),
    uninstalledAt: undefined,
  })
  const save = ({ tokens, ...installation }: NewInstallation): InstallationRow => {
    const known = sameAs({ tokens, ...installation })?.row ?? blank(installation.locationId)
    const given = Object.entries(installation).filter(([, value]) => value !== undefined)
    const row: InstallationRow = {
      ...known,
      ...Object.fromEntries(given),
      status: 'active',
      problem: undefined,
      tokenExpiresAt: tokens.expiresAt,
      refreshedAt: new Date(nowMs()),
      uninstalledAt: undefined,
    }
    entries.set(row.installationId, { row, tokens, held: undefined })
    return row
  }
  const healthOf = ({ status, tokenExpiresAt }: InstallationRow): TokenHealth => {
    if (status !== 'active') return status
    if (tokenExpiresAt.getTime() <= nowMs()) return 'expired'
    return tokenExpiresAt.getTime() <= nowMs() + 2 * 3_600_000 ? 'expiring' : 'healthy'
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
      if (entry.tokens !== undefined) entry.tokens = { ...entry.tokens, ...tokens }
      entry.row = { ...entry.row, ...(entry.tokens && { tokenExpiresAt: entry.tokens.expiresAt }), ...row }
    },

    save: async (installation) => save(installation),
    async saveMinted(installation, askedAt) {
      const { uninstalledAt } = sameAs(installation)?.row ?? {}
      return uninstalledAt !== undefined && uninstalledAt > askedAt ? undefined : save(installation)
    },
    removedAmong: (locations) =>
      Promise.resolve(
        rows().flatMap(({ locationId, status }) =>
          locationId !== undefined && status === 'uninstalled' && locations.includes(locationId)
            ? [locationId]
            : [],
        ),
      ),
    async deactivate(installationId) {
      const entry = entries.get(installationId)
      if (entry !== undefined) entry.row = { ...entry.row, status: 'deactivated' }
      return entry?.row
    },
    async activate(installationId) {
      const entry = entryOf(installationId)
      entry.row = { ...entry.row, status: 'active' }
      return entry.row.locationId === undefined ? [] : [entry.row.locationId]
    },
    findByLocation: async (locationId) =>
      [...entries.values()].find(({ row }) => row.locationId === locationId)?.row,
    list: async () => [...entries.values()].map(({ row }) => row),
    find: async (installationId) => entries.get(installationId)?.row,
    findCompany: async (companyId) => rows().find((row) => isCompany(row) && row.companyId === companyId),
    page: async ({ limit }) => ({
      rows: rows()
        .slice(0, limit)
        .map((row) => ({ ...row, health: healthOf(row), dead: 0, held: 0 })),
      total: entries.size,
      nextCursor: undefined,
    }),
    countTokens: () => Promise.reject(new Error('no test with this store counts tokens')),
    async countByHealth() {
      const counts = {
        healthy: 0,
        expiring: 0,
        expired: 0,
        pending: 0,
        needs_reconnect: 0,
        uninstalled: 0,
        deactivated: 0,
      }
      for (const row of rows()) counts[healthOf(row)]++
      return counts
    },
    countLocations: () => Promise.reject(new Error('no test with this store counts numbers')),
    async noteInstall({ happenedAt: _, ...note }) {
      const known = rows().find((row) => row.locationId === note.locationId)
      const row: InstallationRow = {
        ...(known ?? blank(note.locationId)),
        ...note,
        status: known === undefined || known.status === 'uninstalled' ? 'pending' : known.status,
        uninstalledAt: undefined,
      }
      entries.set(row.installationId, {
        tokens: undefined,
        held: undefined,
        ...entries.get(row.installationId),
        row,
      })
      return row
    },
    async uninstall({ locationId, companyId }) {
      const gone = [...entries.values()].filter(({ row }) =>
        locationId === undefined ? row.companyId === companyId : row.locationId === locationId,
      )
      for (const entry of gone) {
        entry.tokens = undefined
        entry.held = undefined
        entry.row = { ...entry.row, status: 'uninstalled', uninstalledAt: new Date(nowMs()) }
      }
      return gone.flatMap(({ row }) => row.locationId ?? [])
    },
    async noteVersion({ locationId }, versionId) {
      for (const entry of entries.values())
        if (entry.row.locationId === locationId) entry.row = { ...entry.row, versionId }
    },
    async describe(locationId, facts) {
      for (const entry of entries.values())
        if (entry.row.locationId === locationId) entry.row = { ...entry.row, ...facts }
    },
    async noteAttempt(installationId, { problem, isCheck }) {
      const entry = entryOf(installationId)
      entry.row = {
        ...entry.row,
        problem,
        ...(isCheck && problem === undefined && { checkedAt: new Date(nowMs()) }),
      }
    },
    whiteLabelDomains: async () => rows().flatMap((row) => row.whiteLabelDomain ?? []),
    readTokens: async (installationId) => entries.get(installationId)?.tokens,

    async beginRefresh(installationId, holdMs) {
      const entry = entryOf(installationId)
      if (entry.tokens === undefined) return undefined
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
        problem: undefined,
        tokenExpiresAt: tokens.expiresAt,
        refreshedAt: new Date(nowMs()),
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

    unfinishedRefreshes: async (limit) =>
      [...entries.values()]
        .filter(({ held }) => held !== undefined && held.untilMs <= nowMs())
        .slice(0, limit)
        .map(({ row }) => row),
    async endTokens(installationId, expiresAt) {
      const entry = entryOf(installationId)
      if (entry.row.status === 'active' || entry.tokens?.expiresAt.getTime() !== expiresAt.getTime()) return
      entry.tokens = { ...entry.tokens, expiresAt: new Date(nowMs()) }
      entry.row = { ...entry.row, tokenExpiresAt: entry.tokens.expiresAt }
    },
    async rememberProviderWay(locationId, way) {
      for (const entry of entries.values())
        if (entry.row.locationId === locationId) entry.row = { ...entry.row, ...way }
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

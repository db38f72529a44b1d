import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { InstallationRow, InstallationStore, TokenPair } from '../bridge/installations.ts'
import { RequestError, StoreError } from '../core/errors.ts'
import type { Database } from './database.ts'
import {
  date,
  HealthCounts,
  InstallationPage,
  InstallationRowSchema,
  LocationCounts,
  locationId,
  TokenCounts,
} from './rows.ts'
import { ifItOpens, type Seal, type SealedPlace } from './seal.ts'

const TokensRow = z.object({
  locationId: z.string().nullable(),
  companyId: z.string().nullable(),
  accessToken: z.string(),
  refreshToken: z.string().nullable(),
  expiresAt: date,
})

/** Whose installation it is: known before it has an id, and what its tokens are sealed for. */
interface Owner {
  readonly locationId: string | null | undefined
  readonly companyId: string | null | undefined
}

export function createInstallationStore(deps: { database: Database; seal: Seal }): InstallationStore {
  const { database, seal } = deps

  const sealed = (owner: Owner, tokens: TokenPair) => ({
    accessToken: seal.seal(tokenOf(owner, 'access_token'), tokens.accessToken),
    refreshToken:
      tokens.refreshToken === undefined
        ? undefined
        : seal.seal(tokenOf(owner, 'refresh_token'), tokens.refreshToken),
    expiresAt: tokens.expiresAt.getTime(),
  })
  const opened = (row: z.output<typeof TokensRow>): TokenPair => ({
    accessToken: seal.openText(tokenOf(row, 'access_token'), row.accessToken),
    refreshToken:
      row.refreshToken === null ? undefined : seal.openText(tokenOf(row, 'refresh_token'), row.refreshToken),
    expiresAt: row.expiresAt,
  })
  const readRow = async (installationId: string) =>
    TokensRow.nullable().parse(await database.call('read_tokens', { installationId }))

  const one = async (fn: string, args: object): Promise<InstallationRow | undefined> =>
    InstallationRowSchema.nullable().parse(await database.call(fn, args)) ?? undefined

  return {
    async save({ tokens, ...installation }) {
      const answer = await database.call('save_installation', {
        ...installation,
        ...sealed(installation, tokens),
      })
      return InstallationRowSchema.parse(answer)
    },
    async saveMinted({ tokens, ...installation }, askedAt) {
      const answer = await database.call('save_installation', {
        ...installation,
        ...sealed(installation, tokens),
        askedAt: askedAt.getTime(),
      })
      return InstallationRowSchema.nullable().parse(answer) ?? undefined
    },
    find: async (installationId) => await one('find_installation_by_id', { installationId }),
    findCompany: async (companyId) => await one('find_company_installation', { companyId }),
    async page({ cursor, ...query }) {
      const { rows, total, lastRank } = InstallationPage.parse(
        await database.call('page_installations', { ...query, cursor: cursor && rankOf(cursor) }),
      )
      return { rows, total, nextCursor: rows.length < query.limit ? undefined : cursorOf(lastRank) }
    },
    countTokens: async () => TokenCounts.parse(await database.call('count_tokens', {})),
    countByHealth: async () => HealthCounts.parse(await database.call('count_installations', {})),
    countLocations: async () => LocationCounts.parse(await database.call('count_locations', {})),
    async noteInstall({ happenedAt, ...note }) {
      const answer = await database.call('note_install', { ...note, eventAt: happenedAt?.getTime() })
      return InstallationRowSchema.parse(answer)
    },
    async uninstall({ happenedAt, ...gone }) {
      const answer = await database.call('uninstall', { ...gone, eventAt: happenedAt?.getTime() })
      return z.array(locationId).parse(answer)
    },
    deactivate: async (installationId) => await one('deactivate_installation', { installationId }),
    async activate(installationId) {
      return z.array(locationId).parse(await database.call('activate_installation', { installationId }))
    },
    async removedAmong(locations) {
      return z.array(locationId).parse(await database.call('removed_locations', { locations }))
    },
    async noteVersion(where, versionId, happenedAt) {
      await database.call('note_version', { ...where, versionId, eventAt: happenedAt?.getTime() })
    },
    async describe(location, facts) {
      await database.call('describe_installation', { locationId: location, ...facts })
    },
    async noteAttempt(installationId, attempt) {
      await database.call('note_attempt', { installationId, ...attempt })
    },
    async whiteLabelDomains(location) {
      return z.array(z.string()).parse(await database.call('white_label_domains', { locationId: location }))
    },
    findByLocation: async (location) => await one('find_installation', { locationId: location }),
    async list() {
      return z.array(InstallationRowSchema).parse(await database.call('list_installations', {}))
    },
    async readTokens(installationId) {
      const row = await readRow(installationId)
      return row === null ? undefined : ifItOpens(() => opened(row))
    },
    async beginRefresh(installationId, holdMs) {
      const holder = randomUUID()
      const answer = await database.call('begin_refresh', { installationId, holdMs, holder })
      const row = TokensRow.nullable().parse(answer)
      return row === null ? undefined : { holder, tokens: ifItOpens(() => opened(row)) }
    },
    async finishRefresh(installationId, holder, tokens, scopes) {
      const owner = await readRow(installationId)
      if (owner === null) {
        throw new StoreError('STORE_LEASE_LOST', 'This installation does not exist any more', {
          details: { installationId },
        })
      }
      await database.call('finish_refresh', { installationId, holder, scopes, ...sealed(owner, tokens) })
    },
    async abandonRefresh(installationId, holder, needsReconnect) {
      await database.call('abandon_refresh', { installationId, holder, needsReconnect })
    },
    async unfinishedRefreshes(limit) {
      return z.array(InstallationRowSchema).parse(await database.call('unfinished_refreshes', { limit }))
    },
    async endTokens(installationId, expiresAt) {
      await database.call('end_tokens', { installationId, expiresAt: expiresAt.getTime() })
    },
    async rememberProviderWay(locationId, { providerType, providerAddress }) {
      await database.call('remember_provider_way', {
        locationId,
        type: providerType,
        address: providerAddress,
      })
    },
    async createOauthState(stateHash, ttlMs) {
      await database.call('create_oauth_state', { stateHash, ttlMs })
    },
    async takeOauthState(stateHash) {
      return z.boolean().parse(await database.call('take_oauth_state', { stateHash }))
    },
  }
}

/** The cursor is opaque to callers, so that nobody builds one. */
const cursorOf = (rank: string | null): string | undefined =>
  rank === null ? undefined : Buffer.from(rank).toString('base64url')

function rankOf(cursor: string): string {
  const rank = Buffer.from(cursor, 'base64url').toString('utf8')
  if (cursorOf(rank) === cursor && rank.includes('\u0001')) return rank
  throw new RequestError('REQUEST_INVALID', 'This cursor is not one that a page gave')
}

function tokenOf({ locationId, companyId }: Owner, kind: string): SealedPlace {
  const scope = locationId == null ? `company:${companyId ?? ''}` : `location:${locationId}`
  return { scope, kind, id: '' }
}

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { InstallationStore, TokenPair } from '../bridge/storage.ts'
import { StoreError } from '../core/errors.ts'
import type { Database } from './database.ts'
import { date, InstallationRowSchema } from './rows.ts'
import type { Seal, SealedPlace } from './seal.ts'

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

  return {
    async save({ tokens, ...installation }) {
      const answer = await database.call('save_installation', {
        ...installation,
        ...sealed(installation, tokens),
      })
      return InstallationRowSchema.parse(answer)
    },
    async findByLocation(locationId) {
      const answer = await database.call('find_installation', { locationId })
      return InstallationRowSchema.nullable().parse(answer) ?? undefined
    },
    async list() {
      return z.array(InstallationRowSchema).parse(await database.call('list_installations', {}))
    },
    async readTokens(installationId) {
      const row = await readRow(installationId)
      return row === null ? undefined : opened(row)
    },
    async beginRefresh(installationId, holdMs) {
      const holder = randomUUID()
      const answer = await database.call('begin_refresh', { installationId, holdMs, holder })
      const row = TokensRow.nullable().parse(answer)
      return row === null ? undefined : { holder, tokens: opened(row) }
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
    async rememberProviderType(locationId, providerType) {
      await database.call('remember_provider_type', { locationId, providerType })
    },
    async createOauthState(stateHash, ttlMs) {
      await database.call('create_oauth_state', { stateHash, ttlMs })
    },
    async takeOauthState(stateHash) {
      return z.boolean().parse(await database.call('take_oauth_state', { stateHash }))
    },
  }
}

function tokenOf({ locationId, companyId }: Owner, kind: string): SealedPlace {
  const scope = locationId == null ? `company:${companyId ?? ''}` : `location:${locationId}`
  return { scope, kind, id: '' }
}

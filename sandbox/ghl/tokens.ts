/**
 * Codes and tokens of the one app. A code works once. A refresh token works once, and answers with the pair it
 * became for a short grace; after that it is dead. Access tokens look like JWTs but are looked up, never parsed.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { documentId, objectId } from './ids.ts'
import { refuseOauth } from './refusal.ts'
import type { Settings } from './settings.ts'

export interface AppIdentity {
  readonly appId: string
  readonly clientId: string
  readonly clientSecret: string
  /** The published version; publishing another one changes it. */
  versionId: string
}

/** Whom a token speaks for. `private`: a private integration token, which no provider call accepts. */
export interface Grant {
  readonly authClass: 'Company' | 'Location' | 'Private'
  readonly companyId: string
  readonly locationId: string | undefined
  readonly userId: string
  readonly scopes: readonly string[]
  readonly isBulkInstallation: boolean
}

export interface Caller extends Grant {
  readonly token: string
  expiresAtMs: number
}

export interface TokenPair {
  readonly accessToken: string
  readonly refreshToken: string
  readonly refreshTokenId: string
  readonly expiresInSec: number
}

/** Our own figure; GHL publishes none. */
const CODE_TTL_MS = 10 * 60_000

interface RefreshRecord {
  readonly grant: Grant
  readonly refreshTokenId: string
  spent: { atMs: number; pair: TokenPair } | undefined
  revoked: boolean
}

interface CodeRecord {
  readonly grant: Grant
  /** undefined: a code that came without a redirect, by `/oauth/reconnect`. */
  readonly redirectUri: string | undefined
  readonly expiresAtMs: number
}

export interface TokenAuthority {
  issueCode(grant: Grant, redirectUri: string | undefined): { code: string; expiresAtMs: number }
  issuePair(grant: Grant): TokenPair
  issuePrivate(grant: Grant): string
  /** Whom the bearer token speaks for, if it was ever issued. It may have expired. */
  find(accessToken: string): Caller | undefined
  exchangeCode(code: string, redirectUri: string | undefined): Grant
  /** The grant behind a live code, without using it up. */
  peekCode(code: string): Grant | undefined
  refresh(refreshToken: string): { grant: Grant; pair: TokenPair }
  /** The scopes of the newest pair that matches, dead or alive. */
  lastScopes(matches: (grant: Grant) => boolean): readonly string[] | undefined
  expireAccess(matches: (grant: Grant) => boolean): number
  revokeRefresh(matches: (grant: Grant) => boolean): number
}

export function createTokenAuthority(app: AppIdentity, settings: Settings): TokenAuthority {
  const codes = new Map<string, CodeRecord>()
  const access = new Map<string, Caller>()
  const refresh = new Map<string, RefreshRecord>()

  const liveCode = (code: string): CodeRecord | undefined => {
    const record = codes.get(code)
    return record && record.expiresAtMs > Date.now() ? record : undefined
  }

  const issuePair = (grant: Grant): TokenPair => {
    const expiresInSec = settings.accessTokenTtlSec
    const accessToken = signedToken(app, grant, expiresInSec)
    const refreshToken = signedToken(app, grant, 365 * 86_400)
    const refreshTokenId = objectId()
    access.set(accessToken, { ...grant, token: accessToken, expiresAtMs: Date.now() + expiresInSec * 1000 })
    refresh.set(refreshToken, { grant, refreshTokenId, spent: undefined, revoked: false })
    return { accessToken, refreshToken, refreshTokenId, expiresInSec }
  }

  return {
    issueCode(grant, redirectUri) {
      const code = documentId() + documentId()
      const expiresAtMs = Date.now() + CODE_TTL_MS
      codes.set(code, { grant, redirectUri, expiresAtMs })
      return { code, expiresAtMs }
    },
    issuePair,
    issuePrivate(grant) {
      const token = `pit-${randomUUID()}`
      access.set(token, { ...grant, authClass: 'Private', token, expiresAtMs: Number.POSITIVE_INFINITY })
      return token
    },
    find: (accessToken) => access.get(accessToken),
    peekCode: (code) => liveCode(code)?.grant,
    exchangeCode(code, redirectUri) {
      const record = liveCode(code)
      if (!record) throw refuseOauth(401, 'UnAuthorized!', 'Authorization code not found')
      const isRedirected = redirectUri !== undefined && record.redirectUri !== undefined
      if (isRedirected && redirectUri !== record.redirectUri) {
        throw refuseOauth(400, 'invalid_grant', 'Invalid grant: redirect_uri does not match')
      }
      codes.delete(code)
      return record.grant
    },
    refresh(refreshToken) {
      const record = refresh.get(refreshToken)
      if (!record || record.revoked) throw deadRefreshToken(settings)
      if (!record.spent) {
        record.spent = { atMs: Date.now(), pair: issuePair(record.grant) }
      } else if (Date.now() - record.spent.atMs > settings.refreshGraceMs) {
        throw deadRefreshToken(settings)
      }
      return { grant: record.grant, pair: record.spent.pair }
    },
    lastScopes: (matches) => [...refresh.values()].findLast(({ grant }) => matches(grant))?.grant.scopes,
    expireAccess(matches) {
      const hit = [...access.values()].filter((caller) => caller.expiresAtMs > Date.now() && matches(caller))
      for (const caller of hit) caller.expiresAtMs = 0
      return hit.length
    },
    revokeRefresh(matches) {
      const hit = [...refresh.values()].filter((record) => !record.revoked && matches(record.grant))
      for (const record of hit) record.revoked = true
      return hit.length
    },
  }
}

function deadRefreshToken(settings: Settings): Error {
  return settings.refreshRefusal === 'invalid_grant'
    ? refuseOauth(400, 'invalid_grant', 'Invalid grant: refresh token is invalid or expired')
    : refuseOauth(401, 'UnAuthorized!', 'This refresh token is invalid or has expired')
}

function signedToken(app: AppIdentity, grant: Grant, ttlSec: number): string {
  const nowSec = Math.floor(Date.now() / 1000)
  const claims = {
    authClass: grant.authClass,
    authClassId: grant.locationId ?? grant.companyId,
    primaryAuthClassId: grant.locationId ?? grant.companyId,
    source: 'INTEGRATION',
    sourceId: app.clientId,
    channel: 'OAUTH',
    oauthMeta: { scopes: grant.scopes, client: app.appId, versionId: app.versionId },
    iat: nowSec,
    exp: nowSec + ttlSec,
    // Two tokens of one second must differ.
    uniqueId: randomUUID(),
  }
  const head = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${head}.${createHmac('sha256', app.clientSecret).update(head).digest('base64url')}`
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

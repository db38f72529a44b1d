/** The GHL adapter, put together. The only door to this folder for the composition root. */

import type { AppEvent } from '../bridge/app-events.ts'
import type { CallLogSource } from '../bridge/call-logs.ts'
import type { GhlGateway, GhlProducts, LentToken } from '../bridge/gateway.ts'
import type { GroupContacts } from '../bridge/groups.ts'
import type { InstallationStore } from '../bridge/installations.ts'
import type { GhlAttachments, GhlContacts, GhlConversations } from '../bridge/ports.ts'
import type { Clock } from '../core/clock.ts'
import { GhlError } from '../core/errors.ts'
import type { LocationId } from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import { createAttachments } from './attachments.ts'
import { type BreakerState, createBreakers } from './breaker.ts'
import { GhlClient } from './client.ts'
import { createContacts } from './contacts.ts'
import { createConversations } from './conversations.ts'
import { createGateway } from './gateway.ts'
import { createGroupContacts } from './group-contacts.ts'
import { createOauth, type GhlOauth } from './oauth.ts'
import { type Delivery, parseAppEvent, parseDelivery } from './payloads.ts'
import { createProbe, type GhlProbe } from './probe.ts'
import { createProducts } from './products.ts'
import { createRateLimiter, type LimitState } from './rate-limit.ts'
import { openPageUser, type PageUser } from './sso.ts'
import { GhlTokens } from './tokens.ts'
import { behindLive, type CallOutcome, GhlTransport } from './transport.ts'
import { createCallLogSource } from './voice-ai.ts'
import { createWebhookVerifier, type WebhookVerifier } from './webhook-signature.ts'

/** The GHL_* values of the environment, plain. */
export interface GhlConfig {
  readonly apiUrl: string
  readonly marketplaceUrl: string
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly sharedSecret: string | undefined
  readonly redirectUri: string
  readonly appVersionId: string | undefined
  readonly providerId: string | undefined
  readonly providerType: 'custom' | 'sms'
  /** Ed25519, SPKI, base64. */
  readonly webhookPublicKeys: readonly string[]
  readonly timeoutMs: number
  /** `host[:port]`, exempt from the rule that attachments come from public https addresses. */
  readonly attachmentAllowedHosts: readonly string[]
}

export interface Ghl {
  readonly conversations: GhlConversations
  readonly contacts: GhlContacts
  readonly groupContacts: GroupContacts
  readonly attachments: GhlAttachments & { check(url: string): void }
  readonly oauth: GhlOauth
  readonly tokens: GhlTokens
  readonly client: GhlClient
  readonly probe: GhlProbe
  readonly gateway: GhlGateway
  readonly products: GhlProducts
  readonly callLogs: CallLogSource
  readonly verifyWebhook: WebhookVerifier
  /** Every call that `act` makes stands behind those of live traffic. */
  behindLive<T>(act: () => Promise<T>): Promise<T>
  /** Who opened a page inside GHL; `undefined` for anything that GHL did not seal with our secret. */
  openPageUser(payload: string): PageUser | undefined
  /** @throws {RequestError} `WEBHOOK_MALFORMED`. */
  parseDelivery(json: unknown): Delivery
  /** @throws {RequestError} `WEBHOOK_MALFORMED`. */
  parseAppEvent(json: unknown): AppEvent
  /** A valid token, renewed if need be. @throws {GhlError} `GHL_NOT_INSTALLED`, `GHL_NEEDS_RECONNECT`, or what a renewal met. */
  lend(installationId: string): Promise<LentToken>
  /** Limit and breaker of every location (or `company:<id>`) that was called. */
  conditions(): readonly GhlCondition[]
  /** Another node makes this location's calls: those that wait for their turn are not made. */
  leave(location: LocationId): void
  /** Lets refreshes under way finish, then ends every connection; other calls under way fail. */
  close(): Promise<void>
}

/** How GHL treats one location at the moment. */
export interface GhlCondition {
  readonly resourceId: string
  readonly limit: LimitState | undefined
  readonly breaker: BreakerState | undefined
}

interface GhlDeps {
  readonly config: GhlConfig
  readonly installations: InstallationStore
  readonly log: Log
  readonly clock: Clock
  /** Told of every request to GHL, for counters. */
  readonly onCall?: (outcome: CallOutcome) => void
  /** GHL answers for this location (or `company:<id>`) again, after it was left alone for a while. */
  readonly onRecovered?: (resourceId: string) => void
  /** Told whenever GHL has accepted or refused the app's own credentials. */
  readonly onCredentials?: (areAccepted: boolean) => void
}

/** @throws {ConfigError} `CONFIG_INVALID` for a webhook key that is none. */
export function createGhl({
  config,
  installations,
  log,
  clock,
  onCall,
  onRecovered,
  onCredentials,
}: GhlDeps): Ghl {
  const limiter = createRateLimiter(clock)
  const breakers = createBreakers(clock, (resourceId) => {
    log.info({ locationId: resourceId }, 'GHL answers for this location again')
    onRecovered?.(resourceId)
  })
  const transport = new GhlTransport({
    apiUrl: config.apiUrl,
    timeoutMs: config.timeoutMs,
    limiter,
    breakers,
    onCall: onCall ?? (() => undefined),
    clock,
  })
  const { clientId, clientSecret } = config
  const tokens = new GhlTokens({
    installations,
    transport,
    clientId,
    clientSecret,
    onCredentials,
    clock,
    log,
  })
  const client = new GhlClient(tokens)
  const attachments = createAttachments({ allowedHosts: config.attachmentAllowedHosts })
  return {
    conversations: createConversations({ ...config, client, tokens, installations, clock, log }),
    contacts: createContacts(client, log),
    groupContacts: createGroupContacts(client),
    attachments,
    oauth: createOauth({ ...config, installations, tokens, clock, log }),
    tokens,
    client,
    probe: createProbe({ transport, tokens, installations, clientId }),
    gateway: createGateway(client),
    products: createProducts(client),
    callLogs: createCallLogSource(client),
    behindLive,
    verifyWebhook: createWebhookVerifier(config.webhookPublicKeys),
    openPageUser: (payload) =>
      config.sharedSecret === undefined ? undefined : openPageUser(payload, config.sharedSecret),
    parseDelivery: (json) => parseDelivery(json, config.providerId),
    parseAppEvent,
    lend: async (installationId) => {
      const row = await installations.find(installationId)
      if (row === undefined || row.status === 'uninstalled') {
        throw new GhlError('GHL_NOT_INSTALLED', 'The app is not installed there', {
          action: 'Install the app again.',
          details: { installationId },
        })
      }
      const access = await (row.locationId === undefined
        ? tokens.accessOf(row)
        : tokens.access(row.locationId))
      return { accessToken: access.tokens.accessToken, installationId, locationId: row.locationId }
    },
    conditions: () => {
      const limits = limiter.states()
      const states = breakers.states()
      return [...new Set([...limits.keys(), ...states.keys()])].map((resourceId) => ({
        resourceId,
        limit: limits.get(resourceId),
        breaker: states.get(resourceId),
      }))
    },
    leave: (location) => {
      limiter.abandon(location)
    },
    close: async () => {
      await tokens.drain()
      await Promise.all([transport.close(), attachments.close()])
    },
  }
}

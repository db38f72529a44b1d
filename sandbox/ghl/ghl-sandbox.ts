/**
 * A strict GoHighLevel on loopback. It answers as the real service was seen to answer, refuses what the real one
 * refuses, and counts whatever a correct client never does. `stop()` ends every timer, post and connection.
 */
import { randomUUID } from 'node:crypto'
import sse from '@fastify/sse'
import fastify, { type FastifyInstance } from 'fastify'
import { addApiRoutes, watchApi } from './api.ts'
import { createCallLog } from './call-log.ts'
import { createDeliveries } from './deliveries.ts'
import { createFaultBook } from './faults.ts'
import { addFileRoutes } from './files.ts'
import { appIdOf, documentId, newClientId, objectId } from './ids.ts'
import { type GhlSandbox, inProcessApi } from './in-process.ts'
import { createRateLimiter } from './rate-limit.ts'
import { contactRoutes } from './routes/contacts.ts'
import { addControlRoutes } from './routes/control.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { addInboxRoutes } from './routes/inbox.ts'
import { locationRoutes } from './routes/locations.ts'
import { messageRoutes } from './routes/messages.ts'
import { addOauthRoutes, companyRoutes } from './routes/oauth.ts'
import { uploadRoutes } from './routes/uploads.ts'
import type { ProviderIdentity, SandboxParts } from './sandbox-parts.ts'
import { defaultSettings, type Settings } from './settings.ts'
import { type AppIdentity, createTokenAuthority } from './tokens.ts'
import { announce, createWorld } from './world.ts'

export interface GhlSandboxOptions {
  port?: number
  clientId?: string
  clientSecret?: string
  /** The install link works with these only. */
  redirectUris?: string[]
  /** Encrypts what a custom page is told about its user. */
  sharedSecret?: string
  providerId?: string
  providerKind?: ProviderIdentity['kind']
  deliveryUrl?: string
  webhookUrl?: string
  statusEarlyMs?: number
  accessTokenTtlSec?: number
  rateLimit?: Settings['rateLimit']
  /** Any other setting; see `settings.ts`. */
  settings?: Partial<Settings>
}

/**
 * Starts the sandbox on 127.0.0.1.
 *
 * @example
 * const ghl = await startGhlSandbox({ redirectUris: ['http://127.0.0.1:8080/oauth/callback'], statusEarlyMs: 0 })
 * const location = ghl.addLocation({ name: 'Dental Care' })
 */
export async function startGhlSandbox(options: GhlSandboxOptions = {}): Promise<GhlSandbox> {
  const parts = makeParts(options)
  const server = fastify({ forceCloseConnections: true })
  const sandbox = inProcessApi(parts, async () => {
    await parts.deliveries.stop()
    await server.close()
  })
  await addRoutes(server, parts, sandbox)
  parts.url = await server.listen({ host: '127.0.0.1', port: options.port ?? 0 })
  return sandbox
}

async function addRoutes(server: FastifyInstance, parts: SandboxParts, sandbox: GhlSandbox): Promise<void> {
  await server.register(sse.default)
  addBodyParsers(server)
  watchApi(server, parts)
  addOauthRoutes(server, parts)
  addApiRoutes(server, parts, [
    ...companyRoutes(parts),
    ...contactRoutes(parts),
    ...messageRoutes(parts),
    ...uploadRoutes(parts),
    ...conversationRoutes(parts),
    ...locationRoutes(parts),
  ])
  addFileRoutes(server, parts)
  addInboxRoutes(server, parts)
  addControlRoutes(server, sandbox)
}

function addBodyParsers(server: FastifyInstance): void {
  server.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => Object.fromEntries(new URLSearchParams(body)),
  )
  // Read as streams by their routes.
  server.addContentTypeParser('multipart/form-data', async (_request: unknown, body: unknown) => body)
  server.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer' },
    async (_request: unknown, body: Buffer) => body,
  )
}

function makeParts(options: GhlSandboxOptions): SandboxParts {
  const clientId = options.clientId ?? newClientId()
  const app: AppIdentity = {
    appId: appIdOf(clientId),
    clientId,
    clientSecret: options.clientSecret ?? randomUUID(),
    versionId: objectId(),
  }
  const settings: Settings = { ...defaultSettings(), ...options.settings, ...namedSettings(options) }
  const world = createWorld(documentId(), documentId())
  return {
    app,
    provider: { id: options.providerId ?? objectId(), kind: options.providerKind ?? 'custom' },
    redirectUris: options.redirectUris ?? [],
    sharedSecret: options.sharedSecret ?? randomUUID(),
    settings,
    world,
    tokens: createTokenAuthority(app, settings),
    limiter: createRateLimiter(settings),
    faults: createFaultBook(),
    callLog: createCallLog(() => announce(world, { kind: 'call' })),
    deliveries: createDeliveries(settings, (post) => {
      announce(world, { kind: 'delivery', locationId: post.locationId ?? '' })
    }),
    url: '',
  }
}

function namedSettings(options: GhlSandboxOptions): Partial<Settings> {
  return {
    ...(options.deliveryUrl === undefined ? {} : { deliveryUrl: options.deliveryUrl }),
    ...(options.webhookUrl === undefined ? {} : { webhookUrl: options.webhookUrl }),
    ...(options.statusEarlyMs === undefined ? {} : { statusEarlyMs: options.statusEarlyMs }),
    ...(options.accessTokenTtlSec === undefined ? {} : { accessTokenTtlSec: options.accessTokenTtlSec }),
    ...(options.rateLimit === undefined ? {} : { rateLimit: options.rateLimit }),
  }
}

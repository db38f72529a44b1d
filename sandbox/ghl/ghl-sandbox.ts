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
import { agencyRoutes } from './routes/agency.ts'
import { addAuthorizeRoutes } from './routes/authorize.ts'
import { contactSearchRoutes } from './routes/contact-search.ts'
import { contactRoutes } from './routes/contacts.ts'
import { addControlRoutes } from './routes/control.ts'
import { conversationRoutes } from './routes/conversations.ts'
import { addCustomPageRoutes } from './routes/custom-page.ts'
import { addInboxRoutes } from './routes/inbox.ts'
import { locationRoutes } from './routes/locations.ts'
import { mediaRoutes } from './routes/medias.ts'
import { messageExportRoutes } from './routes/message-export.ts'
import { messageRoutes } from './routes/messages.ts'
import { addOauthRoutes } from './routes/oauth.ts'
import { productRoutes } from './routes/products.ts'
import { uploadRoutes } from './routes/uploads.ts'
import { userRoutes } from './routes/users.ts'
import { voiceAiRoutes } from './routes/voice-ai.ts'
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
  addAuthorizeRoutes(server, parts)
  addOauthRoutes(server, parts)
  addApiRoutes(server, parts, [
    ...agencyRoutes(parts),
    ...contactRoutes(parts),
    ...contactSearchRoutes(parts),
    ...messageRoutes(parts),
    ...messageExportRoutes(parts),
    ...uploadRoutes(parts),
    ...conversationRoutes(parts),
    ...locationRoutes(parts),
    ...mediaRoutes(parts),
    ...productRoutes(parts),
    ...userRoutes(parts),
    ...voiceAiRoutes(parts),
  ])
  addFileRoutes(server, parts)
  addInboxRoutes(server, parts)
  addCustomPageRoutes(server, parts)
  addControlRoutes(server, sandbox)
}

function addBodyParsers(server: FastifyInstance): void {
  const parseJson = server.getDefaultJsonParser('error', 'error')
  // The official SDK names JSON on a DELETE without a body, and the service takes it.
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined)
    else void parseJson(request, body, done)
  })
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
  const world = createWorld(documentId(), documentId(), app.versionId)
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

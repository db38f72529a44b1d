/** Fastify, with explicit limits and one error handler. Routes are registered by hand, in order. */
import { fastifySSE } from '@fastify/sse'
import { type FastifyInstance, fastify } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import type { InstallationStore } from '../bridge/installations.ts'
import type { MessageDesk, SessionDesk, SplitDesk } from '../bridge/ports.ts'
import type { SessionStore } from '../bridge/storage/sessions.ts'
import type { SettingsStore } from '../bridge/storage/settings.ts'
import { ConfigError } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import { errorHandler } from './answers.ts'
import { documentApi } from './api-docs.ts'
import { auditChanges } from './audited.ts'
import { type CallerDeps, guard } from './auth.ts'
import { type BodyTimes, limitBodyTime } from './body-time.ts'
import { limitAddresses, limitCallers } from './caller-limits.ts'
import { readBuiltPages, sendPage } from './pages/built-pages.ts'
import { type AdminDeps, adminRoutes } from './routes/admin.ts'
import { type AppPageDeps, appPageRoutes } from './routes/app.ts'
import { assetRoutes } from './routes/assets.ts'
import { type ConsoleDeps, consoleDoorRoutes, consoleRoutes } from './routes/console.ts'
import { contactRoutes } from './routes/contacts.ts'
import { type FileDeps, fileRoutes } from './routes/files.ts'
import { healthRoutes } from './routes/health.ts'
import { type HistoryDeps, historyRoutes } from './routes/history.ts'
import { type InstallationDeps, installationRoutes } from './routes/installations.ts'
import { type IntegrationDeps, integrationRoutes } from './routes/integrations.ts'
import { locationRoutes } from './routes/locations.ts'
import { messageRoutes } from './routes/messages.ts'
import { type MetricsDeps, metricsRoutes } from './routes/metrics.ts'
import { type OauthDeps, oauthRoutes } from './routes/oauth.ts'
import { pairingRoutes } from './routes/pairing.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { settingsRoutes } from './routes/settings.ts'
import { type SiblingDeps, siblingRoutes } from './routes/siblings.ts'
import { ssoRoutes } from './routes/sso.ts'
import { type StatsDeps, statsRoutes } from './routes/stats.ts'
import { type TokenDeps, tokenRoutes } from './routes/tokens.ts'
import { type WebhookDeps, webhookRoutes } from './routes/webhooks.ts'

/** Installations and their tokens, as the operator cares for them. */
export type AccountDeps = Omit<
  AdminDeps & TokenDeps & InstallationDeps & IntegrationDeps & ConsoleDeps,
  'installations' | 'oauth' | 'log' | 'desk'
>

export interface ServerDeps {
  readonly bodyLimitBytes: number
  /** Default: as body-time.ts says. */
  readonly bodyTimes?: BodyTimes
  readonly publicUrl: string
  /** Addresses and ranges whose `X-Forwarded-For` is believed; default none. */
  readonly trustedProxies?: readonly string[]
  readonly callers: CallerDeps
  readonly desk: SessionDesk
  readonly messageDesk: MessageDesk
  readonly history: HistoryDeps['history']
  readonly splitDesk: SplitDesk
  readonly sessions: SessionStore
  readonly settings: SettingsStore
  readonly installations: InstallationStore
  /** Absent: no sibling backends, and no audit. */
  readonly siblings?: Omit<SiblingDeps, 'installations'>
  readonly files?: FileDeps
  readonly stats: StatsDeps['stats']
  readonly exposeMetrics?: MetricsDeps['exposeMetrics']
  readonly ping: () => Promise<void>
  readonly frameAncestors: AppPageDeps['frameAncestors']
  readonly oauth: OauthDeps['oauth']
  readonly accounts: AccountDeps
  readonly webhooks: Omit<WebhookDeps, 'log'>
  readonly log: Log
}

/** Each is fetched from WhatsApp whole. Of one address, which may be an office's or a proxy's. */
const FILES_PER_MINUTE = 120
/** Of one part of a path, percent signs and all: a file's name is the longest. */
const MAX_PARAM_LENGTH = 2_000
const HEADERS_MS = 30_000

/** The HTTP side, ready to listen. */
export async function createServer(deps: ServerDeps): Promise<FastifyInstance> {
  const onError = errorHandler(deps.log)
  const pages = await readBuiltPages()
  const app = fastify({
    logger: false,
    bodyLimit: deps.bodyLimitBytes,
    // Read from the right, up to the first address that is none of these: what a caller writes there himself stands left of it.
    trustProxy: deps.trustedProxies?.length ? [...deps.trustedProxies] : false,
    // A caller that trickles its request must not hold a socket for ever: the body is limited by limitBodyTime.
    requestTimeout: 0,
    http: { headersTimeout: HEADERS_MS },
    // SSE streams never end by themselves; closing the server ends them.
    forceCloseConnections: true,
    // Before any route is found; Fastify's own answer repeats the address, which may be a secret.
    frameworkErrors: (error, request, reply) => {
      // A link that something else was pasted behind is a dead link like any other.
      if (request.method === 'GET' && request.url.startsWith('/pair/')) {
        reply.statusCode = 410
        void sendPage(reply, pages.html('pair'))
      } else void onError(error, request, reply)
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
  })
  limitBodyTime(app, deps.bodyTimes)
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  app.setErrorHandler(onError)
  app.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: { code: 'NOT_FOUND', message: 'There is nothing here' } }),
  )
  await documentApi(app)
  await app.register(fastifySSE)

  await app.register(healthRoutes(deps))
  await app.register(assetRoutes(pages))
  await app.register(appPageRoutes({ ...deps, pages }))
  await app.register(webhookRoutes({ ...deps.webhooks, log: deps.log }))
  await app.register(async (open) => {
    await limitAddresses(open)
    await open.register(ssoRoutes(deps))
    await open.register(oauthRoutes(deps))
    await open.register(pairingRoutes({ ...deps, pages }))
    await open.register(consoleDoorRoutes({ ...deps, pages }))
  })
  const { files } = deps
  if (files)
    await app.register(async (open) => {
      await limitAddresses(open, FILES_PER_MINUTE)
      await open.register(fileRoutes(files))
    })
  await app.register(async (guarded) => {
    guarded.decorateRequest('caller', undefined)
    guarded.addHook('onRoute', (route) => {
      route.config = { ...route.config, isGuarded: true }
    })
    if (deps.siblings) auditChanges(guarded, { audit: deps.siblings.audit, log: deps.log })
    guarded.addHook('onRequest', guard(deps.callers))
    await limitCallers(guarded)
    await guarded.register(tokenRoutes({ ...deps, ...deps.accounts }))
    await guarded.register(installationRoutes({ ...deps, ...deps.accounts }))
    await guarded.register(adminRoutes({ ...deps, ...deps.accounts }))
    await guarded.register(integrationRoutes({ ...deps, ...deps.accounts }))
    await guarded.register(locationRoutes({ ...deps, installUrl: `${deps.publicUrl}/oauth/install` }))
    await guarded.register(sessionRoutes(deps))
    await guarded.register(settingsRoutes(deps))
    await guarded.register(historyRoutes(deps))
    await guarded.register(messageRoutes(deps))
    await guarded.register(contactRoutes(deps))
    if (deps.siblings) await guarded.register(siblingRoutes({ ...deps, ...deps.siblings }))
    await guarded.register(statsRoutes(deps))
    const { exposeMetrics } = deps
    if (exposeMetrics) await guarded.register(metricsRoutes({ exposeMetrics }))
    await guarded.register(consoleRoutes({ ...deps, ...deps.accounts }))
  })
  await app.ready()
  return app
}

/** @throws {ConfigError} `PORT_IN_USE`, naming the address. */
export async function listen(app: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause // Node's listen errors carry a code
    throw new ConfigError('PORT_IN_USE', `PORT ${port} on ${host} is in use by another program`, {
      action: 'Stop it, or set PORT to another number.',
      cause,
    })
  }
}

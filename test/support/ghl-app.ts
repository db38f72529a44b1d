/** Whole bridges on one Postgres in front of the strict GHL sandbox, in this process. No number is paired in them. */
import { randomBytes } from 'node:crypto'
import { type GhlSandboxOptions, startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import { type App, startApp } from '../../src/app.ts'
import { parseConfig } from '../../src/config.ts'
import { freshDatabase } from './postgres.ts'
import { silentLog } from './silent-log.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/oauth/callback'

/** `operator`, nobody, or a bearer. */
type As = 'operator' | 'nobody' | { readonly bearer: string }

export interface Answered<Body> {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
}

export interface GhlApp {
  readonly sandbox: GhlSandbox
  readonly databaseUrl: string
  readonly apiKey: string
  readonly nodes: readonly App[]
  call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    options?: { as?: As; body?: unknown; node?: number },
  ): Promise<Answered<Body>>
  /** A person's whole way: link, choice, code, callback. */
  install(choice: { location: string } | { company: true }): Promise<Answered<string>>
  /** The code that GHL sends to the callback, not used yet. */
  codeFor(choice: { location: string } | { company: true }): Promise<{ code: string; state: string }>
  /** A page's bearer by SSO. */
  page(locationId: string, role?: 'admin' | 'user'): Promise<As>
  stop(): Promise<void>
}

export async function startGhlApp(
  options: {
    nodes?: number
    ghl?: GhlSandboxOptions
    env?: Readonly<Record<string, string>>
    /** Where the bridge finds its store, given the database's own address; default: there. */
    storeUrl?: (databaseUrl: string) => Promise<string>
  } = {},
): Promise<GhlApp> {
  const database = await freshDatabase()
  const sandbox = await startGhlSandbox({ redirectUris: [REDIRECT_URI], statusEarlyMs: 0, ...options.ghl })
  const apiKey = randomBytes(24).toString('base64url')
  const config = parseConfig({
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: (await options.storeUrl?.(database.url)) ?? database.url,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    API_KEY: apiKey,
    PUBLIC_URL: 'http://127.0.0.1:9',
    GHL_CLIENT_ID: sandbox.clientId,
    GHL_CLIENT_SECRET: sandbox.clientSecret,
    GHL_SHARED_SECRET: sandbox.sharedSecret,
    GHL_REDIRECT_URI: REDIRECT_URI,
    GHL_PROVIDER_ID: sandbox.providerId,
    GHL_API_URL: sandbox.url,
    GHL_MARKETPLACE_URL: sandbox.marketplaceUrl,
    GHL_WEBHOOK_PUBLIC_KEY: sandbox.publicKey,
    WHATSAPP_WEB_SOCKET_URL: 'ws://127.0.0.1:9',
    ...options.env,
  })
  const secrets = { encryptionKeys: config.ENCRYPTION_KEY ?? [], apiKey }
  const nodes: App[] = []
  for (let n = 0; n < (options.nodes ?? 1); n++) nodes.push(await startApp(config, secrets, silentLog))
  sandbox.setWebhookUrl(`${nodes[0]?.url}/ghl/webhook`)
  sandbox.setDeliveryUrl(`${nodes[0]?.url}/ghl/provider/webhook`)

  const call: GhlApp['call'] = async <Body>(
    method: string,
    path: string,
    { as = 'operator', body, node = 0 }: { as?: As; body?: unknown; node?: number } = {},
  ) => {
    const bearer = as === 'operator' ? apiKey : as === 'nobody' ? undefined : as.bearer
    const answer = await fetch(`${nodes[node]?.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const isJson = answer.headers.get('content-type')?.includes('json') === true
    return {
      status: answer.status,
      headers: answer.headers,
      body: (isJson ? JSON.parse(text) : text) as Body,
    } // the test says what it expects
  }

  const codeFor: GhlApp['codeFor'] = async (choice) => {
    const { headers } = await call('GET', '/oauth/install', { as: 'nobody' })
    const link = new URL(headers.get('location') ?? '')
    const chosen = 'location' in choice ? { location_id: choice.location } : { company: '1' }
    for (const [name, value] of Object.entries({ approve: '1', ...chosen }))
      link.searchParams.set(name, value)
    const approved = await fetch(link, { redirect: 'manual' })
    const back = new URL(approved.headers.get('location') ?? '')
    return { code: back.searchParams.get('code') ?? '', state: back.searchParams.get('state') ?? '' }
  }

  return {
    sandbox,
    databaseUrl: database.url,
    apiKey,
    nodes,
    call,
    codeFor,
    async install(choice) {
      const query = new URLSearchParams(await codeFor(choice))
      return await call<string>('GET', `/oauth/callback?${query.toString()}`, { as: 'nobody' })
    },
    async page(locationId, role = 'admin') {
      const payload = sandbox.ssoPayload({ locationId, role })
      const { body } = await call<{ token: string }>('POST', '/api/sso', { as: 'nobody', body: { payload } })
      return { bearer: body.token }
    },
    async stop() {
      for (const node of nodes) await node.stop()
      await sandbox.stop()
      await database.drop()
    },
  }
}

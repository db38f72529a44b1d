import { generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HistoryImport } from '../../../src/bridge/history-import.ts'
import type { InstallationRow, InstallationStore } from '../../../src/bridge/installations.ts'
import type { MessageDesk, SessionDesk, SessionSnapshot, SplitDesk } from '../../../src/bridge/ports.ts'
import type { SessionStore } from '../../../src/bridge/storage/sessions.ts'
import type { SettingsStore } from '../../../src/bridge/storage/settings.ts'
import { RequestError, StoreError } from '../../../src/core/errors.ts'
import {
  parseGhlContactId,
  parseGhlMessageId,
  parseLocationId,
  parseSessionId,
} from '../../../src/core/ids.ts'
import type { AgentMessage } from '../../../src/core/message.ts'
import { createServer, listen } from '../../../src/http/server.ts'
import { createLogger } from '../../../src/logger.ts'
import { notReached, onlyOperator } from '../../support/callers.ts'

const API_KEY = 'operator-key-of-the-test'
const LOCATION = parseLocationId('loc1')
const log = createLogger('silent')

const snapshot = (over: Partial<SessionSnapshot> = {}): SessionSnapshot => ({
  id: parseSessionId('s1'),
  locationId: LOCATION,
  status: 'qr',
  phoneNumber: null,
  name: null,
  isDefault: true,
  qr: 'raw-qr-text',
  pairingCode: null,
  expiresAt: null,
  expectedPhone: null,
  problem: null,
  notice: null,
  nextAttemptAt: null,
  lastSeenAt: null,
  ...over,
})

const installation: InstallationRow = {
  installationId: 'i1',
  locationId: LOCATION,
  companyId: undefined,
  userType: 'Location',
  status: 'active',
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
  tokenExpiresAt: new Date(),
  refreshedAt: undefined,
  checkedAt: undefined,
  installedAt: new Date(),
  uninstalledAt: undefined,
}

const imported: HistoryImport = {
  state: 'importing',
  days: 30,
  pairedAt: new Date(0),
  found: 10,
  imported: 4,
  failed: 1,
  startedAt: new Date(0),
  finishedAt: undefined,
}

/** What the routes reach, held in memory; every call that changes something is recorded. */
function surroundings() {
  const listeners = new Set<(changed: SessionSnapshot) => void>()
  const links = new Map<string, Date>()
  const states = new Set<string>()
  const accepted: AgentMessage[] = []
  const calls: string[] = []
  let storeIsDown = false
  const desk: SessionDesk = {
    create: (locationId, wish) => {
      calls.push(`create ${locationId} ${JSON.stringify(wish)}`)
      return Promise.resolve(snapshot())
    },
    list: () => Promise.resolve([snapshot()]),
    listOf: () => Promise.resolve([snapshot()]),
    find: (locationId, id) =>
      Promise.resolve(locationId === LOCATION && id === 's1' ? snapshot() : undefined),
    edit: () => Promise.reject(new RequestError('SESSION_UNKNOWN', 'not in this test')),
    restart: () => Promise.resolve(snapshot({ status: 'initializing', qr: null })),
    logOut: (id) => {
      calls.push(`logOut ${id}`)
      return Promise.resolve()
    },
    watchLocation: () => () => undefined,
    watchAll: () => () => undefined,
    watch: (_id, listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const sessions = {
    createPairingLink: (hash: string, _id: unknown, ttlMs: number) => {
      links.set(hash, new Date(Date.now() + ttlMs))
      return Promise.resolve()
    },
    findPairingLink: (hash: string) => {
      const expiresAt = links.get(hash)
      return Promise.resolve(expiresAt && { sessionId: parseSessionId('s1'), expiresAt })
    },
    find: () => Promise.resolve({ sessionId: parseSessionId('s1'), locationId: LOCATION }),
  } as unknown as SessionStore // only what these routes call
  const installations = {
    findByLocation: (id: string) => Promise.resolve(id === LOCATION ? installation : undefined),
    createOauthState: (hash: string) => {
      states.add(hash)
      return Promise.resolve()
    },
    takeOauthState: (hash: string) => Promise.resolve(states.delete(hash)),
  } as unknown as InstallationStore // only what these routes call
  return {
    desk,
    messageDesk: {} as MessageDesk, // these routes do not call it; messages.test.ts does
    sessions,
    installations,
    listeners,
    links,
    accepted,
    calls,
    storeDown: (down: boolean) => (storeIsDown = down),
    isDown: () => storeIsDown,
  }
}

const { privateKey } = generateKeyPairSync('ed25519')

async function start(world: ReturnType<typeof surroundings>) {
  return await createServer({
    bodyLimitBytes: 4_096,
    publicUrl: 'https://bridge.example',
    callers: onlyOperator(API_KEY),
    accounts: notReached,
    desk: world.desk,
    messageDesk: world.messageDesk,
    splitDesk: {} as SplitDesk, // not reached by these routes
    sessions: world.sessions,
    history: { find: (id) => Promise.resolve(id === 's1' ? imported : undefined) },
    settings: {} as SettingsStore, // these routes do not call it; settings.test.ts does
    installations: world.installations,
    stats: { stats: () => Promise.reject(new RequestError('FORBIDDEN', 'not in this test')) },
    frameAncestors: (location) => Promise.resolve([`https://${location ?? 'any'}.example`]),
    ping: () =>
      world.isDown() ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'down')) : Promise.resolve(),
    oauth: {
      installUrl: (state) => `https://marketplace.example/choose?state=${state}`,
      complete: () => Promise.resolve({ userType: 'Location' as const }),
    },
    webhooks: {
      verify: (raw, headers) => headers['x-ghl-signature'] === signature(raw),
      parseDelivery: (json) => {
        const { messageId } = json as { messageId?: string }
        if (messageId === undefined) throw new RequestError('WEBHOOK_MALFORMED', 'messageId is missing')
        const message: AgentMessage = {
          locationId: LOCATION,
          ghlMessageId: parseGhlMessageId(messageId),
          ghlContactId: parseGhlContactId('c1'),
          text: 'hi',
          attachments: [],
        }
        return {
          webhookId: 'w1',
          locationId: LOCATION,
          message,
          parts: [{ kind: 'text', text: 'hi' }],
        }
      },
      ignore: () => Promise.resolve(),
      isInstalled: () => Promise.resolve(true),
      accept: (message) => {
        if (world.isDown()) return Promise.reject(new StoreError('STORE_UNAVAILABLE', 'down'))
        if (message.ghlMessageId === 'hangs') return new Promise(() => undefined)
        if (message.ghlMessageId === 'elsewhere')
          return Promise.resolve({ ignored: 'unknown_location' as const })
        const seen = world.accepted.some(({ ghlMessageId }) => ghlMessageId === message.ghlMessageId)
        if (!seen) world.accepted.push(message)
        return Promise.resolve(seen ? ('duplicate' as const) : ('enqueued' as const))
      },
      acceptEvent: () => Promise.resolve({ accepted: 'recorded' }),
    },
    log,
  })
}

const signature = (raw: Buffer): string => sign(null, raw, privateKey).toString('base64')

describe('the routes', () => {
  let world: ReturnType<typeof surroundings>
  let app: Awaited<ReturnType<typeof createServer>>
  const operator = { authorization: `Bearer ${API_KEY}` }
  const path = `/ghl/location/${LOCATION}/session`

  beforeEach(async () => {
    world = surroundings()
    app = await start(world)
  })
  afterEach(() => app.close())

  async function deliver(
    body: string,
    headers: Record<string, string> = { 'x-ghl-signature': signature(Buffer.from(body)) },
  ) {
    return await app.inject({
      method: 'POST',
      url: '/ghl/provider/webhook',
      headers: { 'content-type': 'application/json', ...headers },
      payload: body,
    })
  }

  describe('provider webhook', () => {
    it('accepts what GHL signed, byte for byte, and says so twice for a repeat', async () => {
      const body = '{ "messageId":"m1",   "newField": {"any": 1} }'
      expect((await deliver(body)).json()).toEqual({ accepted: 'enqueued' })
      expect((await deliver(body)).json()).toEqual({ accepted: 'duplicate' })
      expect(world.accepted).toHaveLength(1)
    })

    it.each([
      ['no signature', {}],
      ['a wrong one', { 'x-ghl-signature': signature(Buffer.from('{"messageId":"m2"}')) }],
    ])('refuses %s with 401 and stores nothing', async (_name, headers) => {
      const answer = await deliver('{"messageId":"m1"}', headers)
      expect(answer.statusCode).toBe(401)
      expect(answer.json()).toMatchObject({ error: { code: 'WEBHOOK_SIGNATURE_INVALID' } })
      expect(world.accepted).toHaveLength(0)
    })

    it.each(['{"messageId":', '', '{}'])(
      'refuses the signed but malformed body %j with 400',
      async (body) => {
        const answer = await deliver(body)
        expect(answer.statusCode).toBe(400)
        expect(answer.json()).toMatchObject({ error: { code: 'WEBHOOK_MALFORMED' } })
      },
    )

    it('refuses a body over the limit with 413', async () => {
      const answer = await deliver(JSON.stringify({ messageId: 'm1', message: 'x'.repeat(5_000) }))
      expect(answer.statusCode).toBe(413)
      expect(answer.json()).toMatchObject({ error: { code: 'BODY_TOO_LARGE' } })
    })

    it('answers 200 for what it ignores, so that GHL does not repeat it for days', async () => {
      const answer = await deliver('{"messageId":"elsewhere"}')
      expect(answer.statusCode).toBe(200)
      expect(answer.json()).toEqual({ ignored: 'unknown_location' })
    })

    it('answers 503 while the store is down, so that GHL repeats it', async () => {
      world.storeDown(true)
      const answer = await deliver('{"messageId":"m1"}')
      expect(answer.statusCode).toBe(503)
      expect(answer.json()).toMatchObject({ error: { code: 'STORE_UNAVAILABLE' } })
    })

    it('answers 503 while GHL still listens when the store hangs', async () => {
      const startMs = performance.now()
      expect((await deliver('{"messageId":"hangs"}')).statusCode).toBe(503)
      expect(performance.now() - startMs).toBeLessThan(5_000)
    })
  })

  describe('history', () => {
    it('tells how far the import has come', async () => {
      const answer = await app.inject({ method: 'GET', url: `${path}/s1/history`, headers: operator })
      expect(answer.json()).toEqual({
        state: 'importing',
        days: 30,
        found: 10,
        imported: 4,
        failed: 1,
        startedAt: '1970-01-01T00:00:00.000Z',
        finishedAt: null,
      })
      const unknown = await app.inject({ method: 'GET', url: `${path}/s2/history`, headers: operator })
      expect(unknown.statusCode).toBe(404)
    })
  })

  describe('sessions', () => {
    it.each([
      ['POST', path],
      ['GET', path],
      ['GET', `${path}/s1/events`],
      ['POST', `${path}/s1/restart`],
      ['POST', `${path}/s1/pairing-link`],
      ['PATCH', `${path}/s1`],
      ['DELETE', `${path}/s1`],
      ['GET', `/ghl/location/${LOCATION}/session/s1/history`],
      ['GET', `/ghl/location/${LOCATION}/settings`],
      ['PUT', `/ghl/location/${LOCATION}/settings`],
      ['GET', `/api/contacts/split?locationId=${LOCATION}`],
    ] as const)('%s %s needs the operator’s key', async (method, url) => {
      for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: API_KEY }]) {
        const answer = await app.inject({ method, url, headers })
        expect(answer.statusCode).toBe(401)
        expect(answer.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } })
      }
      expect(world.calls).toEqual([])
    })

    it('creates with nothing, with a phone number for a code, with an expected phone', async () => {
      const created = await app.inject({ method: 'POST', url: path, headers: operator })
      expect(created.statusCode).toBe(201)
      expect(created.json()).toEqual({ session_id: 's1', status: 'qr' })
      await app.inject({
        method: 'POST',
        url: path,
        headers: operator,
        payload: { phoneNumber: ' +1 (555) 123-0001', expectedPhone: '+15551230001' },
      })
      expect(world.calls).toEqual([
        'create loc1 {}',
        'create loc1 {"phoneNumber":"+15551230001","expectedPhone":"+15551230001"}',
      ])
    })

    it.each([
      ['a phone without country code', { phoneNumber: '5551230001' }],
      ['a phone that no country has', { expectedPhone: '+1555123000123' }],
      ['a body that is no object', [1]],
    ])('refuses %s with 400', async (_name, payload) => {
      const answer = await app.inject({ method: 'POST', url: path, headers: operator, payload })
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toMatchObject({ error: { code: 'REQUEST_INVALID' } })
      expect(world.calls).toEqual([])
    })

    it('says 404 for a location without installation and for a session of another location', async () => {
      const nowhere = await app.inject({
        method: 'POST',
        url: '/ghl/location/other/session',
        headers: operator,
      })
      expect([nowhere.statusCode, nowhere.json()]).toMatchObject([
        404,
        { error: { code: 'LOCATION_UNKNOWN' } },
      ])
      const foreign = await app.inject({
        method: 'DELETE',
        url: '/ghl/location/other/session/s1',
        headers: operator,
      })
      expect([foreign.statusCode, foreign.json()]).toMatchObject([
        404,
        { error: { code: 'SESSION_UNKNOWN' } },
      ])
      expect(world.calls).toEqual([])
    })

    it('lists, restarts with 202, logs out with 204', async () => {
      const listed = await app.inject({ url: path, headers: operator })
      expect(listed.json()).toEqual({ sessions: [{ ...snapshot(), expiresInMs: null }] })
      const restarted = await app.inject({ method: 'POST', url: `${path}/s1/restart`, headers: operator })
      expect([restarted.statusCode, restarted.json()]).toMatchObject([
        202,
        { id: 's1', status: 'initializing' },
      ])
      const deleted = await app.inject({ method: 'DELETE', url: `${path}/s1`, headers: operator })
      expect(deleted.statusCode).toBe(204)
      expect(world.calls).toEqual(['logOut s1'])
    })

    it('streams the snapshot at once and then every change, and stops watching when the reader leaves', async () => {
      const url = await listen(app, '127.0.0.1', 0)
      const abort = new AbortController()
      const response = await fetch(`${url}${path}/s1/events`, { headers: operator, signal: abort.signal })
      expect(response.headers.get('content-type')).toContain('text/event-stream')
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
      const read = async () => (await reader?.read())?.value ?? ''
      expect(await read()).toContain('"status":"qr"')
      for (const listener of world.listeners) listener(snapshot({ status: 'ready', qr: null }))
      const next = await read()
      expect(next).toContain('event: session')
      expect(next).toContain('"status":"ready"')
      const expiresAt = new Date(Date.now() + 20_000).toISOString()
      for (const listener of world.listeners) listener(snapshot({ expiresAt }))
      const [, leftMs] = /"expiresInMs":(\d+)/.exec(await read()) ?? []
      expect(Number(leftMs)).toBeGreaterThan(15_000)
      expect(Number(leftMs)).toBeLessThanOrEqual(20_000)
      abort.abort()
      await expect.poll(() => world.listeners.size).toBe(0)
    })
  })

  describe('pairing link', () => {
    async function link(): Promise<string> {
      const made = await app.inject({ method: 'POST', url: `${path}/s1/pairing-link`, headers: operator })
      return new URL(made.json<{ url: string }>().url).pathname
    }

    it('opens without any key, and shows nothing without its token', async () => {
      const page = await app.inject(await link())
      expect(page.statusCode).toBe(200)
      expect(page.headers['content-security-policy']).toContain("script-src 'self'")
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(page.headers['cache-control']).toBe('no-store')
      for (const wrong of ['/pair/x', `/pair/${'A'.repeat(32)}`]) {
        expect((await app.inject(wrong)).statusCode).toBe(410)
        expect((await app.inject(`${wrong}/events`)).statusCode).toBeGreaterThanOrEqual(400)
      }
    })

    it('tells its holder of the one number, and of nothing else', async () => {
      const restarted = await app.inject({ method: 'POST', url: `${await link()}/restart`, payload: {} })
      expect(restarted.statusCode).toBe(202)
      expect(Object.keys(restarted.json<object>()).sort()).toEqual([
        ...['expectedPhone', 'expiresAt', 'expiresInMs', 'linkExpiresAt', 'nextAttemptAt'],
        ...['pairingCode', 'phoneNumber', 'problem', 'qr', 'status'],
      ])
    })

    it('ends the stream with its right', async () => {
      const address = await link()
      for (const hash of world.links.keys()) world.links.set(hash, new Date(Date.now() + 300))
      const url = await listen(app, '127.0.0.1', 0)
      const stream = await fetch(`${url}${address}/events`)
      expect(await stream.text()).toContain('"status":"qr"')
      expect((await fetch(`${url}${address}/events`)).status).toBe(410)
    })

    it('is dead after its time', async () => {
      const address = await link()
      for (const hash of world.links.keys()) world.links.set(hash, new Date(Date.now() - 1))
      expect((await app.inject(address)).statusCode).toBe(410)
    })

    it('keeps only a hash of the token', async () => {
      const token = (await link()).split('/')[2] ?? ''
      expect([...world.links.keys()].join()).not.toContain(token)
    })
  })

  describe('OAuth', () => {
    it('starts with a one-time state and takes it back once, under both names', async () => {
      for (const prefix of ['/oauth', '/ghl']) {
        const start = await app.inject(`${prefix}/install`)
        expect(start.statusCode).toBe(302)
        const state = new URL(start.headers.location ?? '').searchParams.get('state') ?? ''
        expect((await app.inject(`${prefix}/callback?code=c&state=${state}`)).statusCode).toBe(200)
        const again = await app.inject(`${prefix}/callback?code=c&state=${state}`)
        expect([again.statusCode, again.json()]).toMatchObject([
          400,
          { error: { code: 'OAUTH_STATE_INVALID' } },
        ])
      }
    })

    it('accepts an install begun on GHL’s own page, which carries no state, and refuses one without a code', async () => {
      expect((await app.inject('/oauth/callback?code=c')).statusCode).toBe(200)
      expect((await app.inject('/oauth/callback')).statusCode).toBe(400)
    })
  })

  it('is alive always, and ready only while the store answers; numbers that are not ready are named', async () => {
    expect((await app.inject('/health')).json()).toEqual({ status: 'ok' })
    expect((await app.inject('/ready')).json()).toMatchObject({
      sessions: { total: 1, notReady: [{ id: 's1', status: 'qr' }] },
    })
    world.storeDown(true)
    expect((await app.inject('/ready')).statusCode).toBe(503)
    expect((await app.inject('/health')).statusCode).toBe(200)
  })

  it('names a port that is in use', async () => {
    const url = await listen(app, '127.0.0.1', 0)
    const second = await start(surroundings())
    await expect(listen(second, '127.0.0.1', Number(new URL(url).port))).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    })
    await second.close()
  })

  it('answers unknown paths with our error shape, and describes itself', async () => {
    expect((await app.inject('/nothing')).json()).toMatchObject({ error: { code: 'NOT_FOUND' } })
    const docs = (await app.inject('/docs')).json<{ paths: Record<string, unknown> }>()
    expect(Object.keys(docs.paths)).toContain('/ghl/location/{locationId}/session')
  })
})

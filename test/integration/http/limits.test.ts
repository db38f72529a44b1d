/** How often and how long: allowances per caller and per address, and streams that end with the right to them. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { SessionDesk, SessionSnapshot, SplitDesk } from '../../../src/bridge/ports.ts'
import type { SessionStore } from '../../../src/bridge/storage/sessions.ts'
import type { SettingsStore } from '../../../src/bridge/storage/settings.ts'
import { RequestError } from '../../../src/core/errors.ts'
import { parseLocationId, parseSessionId } from '../../../src/core/ids.ts'
import { createConsoleTokens } from '../../../src/http/console-token.ts'
import { createPageTokens } from '../../../src/http/page-token.ts'
import { createServer, listen } from '../../../src/http/server.ts'
import { notReached } from '../../support/callers.ts'
import { createMemoryInstallations } from '../../support/memory-installations.ts'
import { silentLog } from '../../support/silent-log.ts'

const API_KEY = 'operator-key-of-the-test'
const HERE = parseLocationId('here')
const TOKEN_MS = 15 * 60_000
/** src/http/caller-limits.ts: per minute. */
const PER_PAGE = 600
const PER_ADDRESS = 1_200
/** src/http/bearer-guesses.ts: likewise. */
const WRONG_PER_ADDRESS = 60

type Server = Awaited<ReturnType<typeof createServer>>
let app: Server
/** Bearers that the store was asked for. */
const lookedUp: string[] = []
const revoked = new Set<string>()
afterEach(async () => {
  lookedUp.length = 0
  revoked.clear()
  vi.useRealTimers()
  await app.close()
})

const tokens = createPageTokens([randomBytes(32).toString('base64')], 'shared')
const pageOf = (userId: string) => tokens.issue({ locationId: HERE, role: 'admin', userId }).token
/** A token of which only this much is left. */
function pageFor(leftMs: number): string {
  vi.useFakeTimers({ now: Date.now() - TOKEN_MS + leftMs, toFake: ['Date'] })
  const token = pageOf('u1')
  vi.useRealTimers()
  return token
}

async function start(trustedProxies: readonly string[] = []): Promise<void> {
  const session: SessionSnapshot = {
    id: parseSessionId('s1'),
    locationId: HERE,
    status: 'ready',
    phoneNumber: '+15551230001',
    name: null,
    isDefault: true,
    qr: null,
    pairingCode: null,
    expiresAt: null,
    expectedPhone: null,
    problem: null,
    notice: null,
    nextAttemptAt: null,
    lastSeenAt: null,
  }
  const unused = () => Promise.reject(new RequestError('FORBIDDEN', 'not in this test'))
  const installations = createMemoryInstallations()
  const expiresAt = new Date(Date.now() + 3_600_000)
  const grant = { accessToken: 'a', refreshToken: 'r', expiresAt }
  await installations.save({
    locationId: HERE,
    companyId: undefined,
    userType: 'Location',
    scopes: '',
    tokens: grant,
  })
  app = await createServer({
    bodyLimitBytes: 4_096,
    publicUrl: 'https://bridge.example',
    trustedProxies,
    callers: {
      apiKey: API_KEY,
      consoleTokens: createConsoleTokens([randomBytes(32).toString('base64')], API_KEY),
      pageTokens: tokens,
      openPageUser: () => undefined,
      findServiceKey: async (key) => {
        lookedUp.push(key)
        await new Promise(setImmediate)
        return key.startsWith('key-') && !revoked.has(key)
          ? { kind: 'service', id: key, locationId: HERE, scopes: ['sessions:read'] }
          : undefined
      },
    },
    accounts: notReached,
    desk: {
      list: () => Promise.resolve([session]),
      find: () => Promise.resolve(session),
      watch: () => () => undefined,
      watchLocation: () => () => undefined,
    } as unknown as SessionDesk, // as much as these routes ask
    messageDesk: {
      list: unused,
      find: unused,
      retry: unused,
      discard: unused,
      waiting: unused,
      retryWaiting: unused,
      discardWaiting: unused,
      ledger: unused,
    },
    splitDesk: {} as SplitDesk, // not reached by these routes
    sessions: {} as SessionStore, // likewise
    settings: {} as SettingsStore, // likewise
    history: { find: () => Promise.resolve(undefined) },
    installations,
    stats: { stats: unused },
    ping: () => Promise.resolve(),
    frameAncestors: () => Promise.resolve([]),
    oauth: undefined,
    webhooks: {
      verify: () => false,
      parseDelivery: () => ({ ignored: 'empty', webhookId: 'none', locationId: undefined }),
      ignore: () => Promise.resolve(),
      isInstalled: () => Promise.resolve(false),
      accept: unused,
      acceptEvent: () => Promise.resolve({ ignored: 'nothing' }),
    },
    log: silentLog,
  })
}

describe('the stream of a page', () => {
  it.each([
    ['a number', '/ghl/location/here/session/s1/events'],
    ['a location', '/ghl/location/here/events'],
  ])('about %s ends with its token, and opens again with a fresh one only', async (_, path) => {
    await start()
    const url = (await listen(app, '127.0.0.1', 0)) + path
    const open = (bearer: string) =>
      fetch(url, { headers: { authorization: `Bearer ${bearer}`, accept: 'text/event-stream' } })
    const old = pageFor(400)
    const beganAtMs = Date.now()
    const stream = await open(old)
    expect(stream.status).toBe(200)
    // Resolves only when the server ends it.
    expect(await stream.text()).toContain('event: session')
    expect(Date.now() - beganAtMs).toBeGreaterThan(200)
    expect((await open(old)).status).toBe(401)
    const again = await open(pageOf('u1'))
    expect(again.status).toBe(200)
    await again.body?.cancel()
  })
})

describe('a caller', () => {
  const ask = (bearer: string) =>
    app.inject({ url: '/ghl/location/here/session', headers: { authorization: `Bearer ${bearer}` } })
  const spend = async (bearer: string) => {
    for (let n = 0; n < PER_PAGE; n++) await ask(bearer)
  }

  it('who asks too often is told when to come again, and slows nobody else', async () => {
    await start()
    const one = pageOf('u1')
    await spend(one)
    const refused = await ask(one)
    expect([refused.statusCode, refused.json()]).toMatchObject([
      429,
      {
        error: {
          code: 'TOO_MANY_REQUESTS',
          action: expect.stringMatching(/^Try again in \d+ seconds/) as string,
        },
      },
    ])
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0)
    // A fresh token is the same person; a colleague, a sibling backend and the operator are not.
    expect((await ask(pageOf('u1'))).statusCode).toBe(429)
    for (const other of [pageOf('u2'), 'key-1', API_KEY]) expect((await ask(other)).statusCode).not.toBe(429)
  })

  it('has one allowance, whatever address he says he has', async () => {
    await start()
    const one = pageOf('u1')
    await spend(one)
    const moved = await app.inject({
      url: '/ghl/location/here/session',
      headers: { authorization: `Bearer ${one}`, 'x-forwarded-for': '203.0.113.77' },
      remoteAddress: '203.0.113.78',
    })
    expect(moved.statusCode).toBe(429)
  })
})

describe('an address from which wrong bearers come', () => {
  const CLIENT = '203.0.113.7'
  const ask = async (bearer: string, remoteAddress = CLIENT) =>
    await app.inject({
      url: '/ghl/location/here/session',
      remoteAddress,
      headers: { authorization: `Bearer ${bearer}` },
    })
  const statusOf = async (bearer: string, from?: string) => (await ask(bearer, from)).statusCode
  const guess = () => `gwb_${randomBytes(32).toString('base64url')}`
  const spend = async (from?: string) => {
    for (let n = 0; n < WRONG_PER_ADDRESS; n++) expect(await statusOf(guess(), from)).toBe(401)
  }

  it('is told to wait, and its further guesses are looked up nowhere', async () => {
    await start()
    await spend()
    expect(lookedUp).toHaveLength(WRONG_PER_ADDRESS)
    const refused = await ask(guess())
    expect([refused.statusCode, refused.json()]).toMatchObject([
      429,
      { error: { code: 'TOO_MANY_REQUESTS' } },
    ])
    const waitSec = Number(refused.headers['retry-after'])
    expect(waitSec).toBeGreaterThan(0)
    // Also the right one, of which nothing is known there: it could be a guess.
    expect(await statusOf(API_KEY)).toBe(429)
    expect(lookedUp).toHaveLength(WRONG_PER_ADDRESS)
    expect(await statusOf(guess(), '203.0.113.8')).toBe(401)
    expect(await statusOf(API_KEY, '203.0.113.8')).toBe(200)
    vi.useFakeTimers({ now: Date.now() + waitSec * 1_000, toFake: ['Date'] })
    expect(await statusOf(API_KEY)).toBe(200)
  })

  it('gets no more of them through by sending them all at once', async () => {
    await start()
    const answers = await Promise.all(Array.from({ length: 500 }, () => statusOf(guess())))
    expect(answers.filter((status) => status === 401)).toHaveLength(WRONG_PER_ADDRESS)
    expect(answers.filter((status) => status === 429)).toHaveLength(500 - WRONG_PER_ADDRESS)
    expect(lookedUp).toHaveLength(WRONG_PER_ADDRESS)
  })

  it('lets in all the same whoever was let in from there, and pages', async () => {
    await start()
    const good = [API_KEY, 'key-1']
    for (const bearer of good) expect(await statusOf(bearer)).toBe(200)
    const over = pageFor(-1)
    await spend()
    for (const bearer of [...good, pageOf('u1')]) expect(await statusOf(bearer)).toBe(200)
    // A page asks for its next token when it reads 401.
    expect(await statusOf(over)).toBe(401)
    expect(await statusOf(guess())).toBe(429)
  })

  it('forgets a key that is revoked', async () => {
    await start()
    expect(await statusOf('key-1')).toBe(200)
    revoked.add('key-1')
    for (let n = 0; n < WRONG_PER_ADDRESS; n++) expect(await statusOf('key-1')).toBe(401)
    expect(await statusOf('key-1')).toBe(429)
  })

  it('is not one from which many good keys come at once', async () => {
    await start()
    const keys = Array.from({ length: 4 * WRONG_PER_ADDRESS }, (_, n) => `key-${n}`)
    const answers = await Promise.all(keys.map((key) => statusOf(key)))
    expect(new Set(answers)).toEqual(new Set([200]))
  })

  it('is what a trusted proxy says, and of IPv6 a whole network', async () => {
    await start(['uniquelocal'])
    const through = (bearer: string, forwarded: string) =>
      app.inject({
        url: '/ghl/location/here/session',
        remoteAddress: '10.0.0.5',
        headers: { authorization: `Bearer ${bearer}`, 'x-forwarded-for': forwarded },
      })
    for (let n = 0; n < WRONG_PER_ADDRESS; n++)
      expect((await through(guess(), `2001:db8:1:2::${n.toString(16)}`)).statusCode).toBe(401)
    expect((await through(guess(), '2001:db8:1:2:ffff::1')).statusCode).toBe(429)
    expect((await through(guess(), '2001:db8:1:3::1')).statusCode).toBe(401)
  })
})

describe('an address', () => {
  interface From {
    readonly remoteAddress: string
    readonly forwarded?: string
  }
  const knock = async ({ remoteAddress, forwarded }: From): Promise<number> => {
    const { statusCode } = await app.inject({
      method: 'POST',
      url: '/api/sso',
      remoteAddress,
      headers: { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) },
      payload: { payload: 'nonsense' },
    })
    return statusCode
  }
  const spend = async (from: (n: number) => From) => {
    for (let n = 0; n < PER_ADDRESS; n++) expect(await knock(from(n))).toBe(401)
  }
  /** As many as one likes to make up. */
  const invented = (n: number) => `198.51.${n >> 8}.${n & 255}`
  const PROXY = '10.0.0.5'
  const CLIENT = '203.0.113.7'

  it('without trusted proxies is that of the connection: a header is only a word', async () => {
    await start()
    await spend((n) => ({ remoteAddress: CLIENT, forwarded: invented(n) }))
    expect(await knock({ remoteAddress: CLIENT, forwarded: '192.0.2.1' })).toBe(429)
    expect(await knock({ remoteAddress: '203.0.113.8' })).toBe(401)
  })

  it('behind a trusted proxy is what the proxy wrote, whatever the caller wrote before it', async () => {
    await start(['uniquelocal'])
    await spend((n) => ({ remoteAddress: PROXY, forwarded: `${invented(n)}, 10.9.9.9, ${CLIENT}` }))
    expect(await knock({ remoteAddress: PROXY, forwarded: `192.0.2.1, ${CLIENT}` })).toBe(429)
    // Through two proxies of the same network he is the same.
    expect(await knock({ remoteAddress: PROXY, forwarded: `${CLIENT}, 10.0.0.6` })).toBe(429)
    expect(await knock({ remoteAddress: PROXY, forwarded: '203.0.113.8' })).toBe(401)
  })

  it('of one who comes past the proxy is that of his connection', async () => {
    await start(['uniquelocal'])
    await spend((n) => ({ remoteAddress: CLIENT, forwarded: invented(n) }))
    expect(await knock({ remoteAddress: CLIENT, forwarded: '10.0.0.1' })).toBe(429)
  })

  it('of IPv6 is a whole network of it: one subscriber has 2^64 of them', async () => {
    await start()
    await spend((n) => ({ remoteAddress: `2001:db8:1:2::${n.toString(16)}` }))
    expect(await knock({ remoteAddress: '2001:db8:1:2:ffff::1' })).toBe(429)
    expect(await knock({ remoteAddress: '2001:db8:1:3::1' })).toBe(401)
  })
})

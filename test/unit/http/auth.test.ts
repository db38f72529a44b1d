import { randomBytes } from 'node:crypto'
import { fastify } from 'fastify'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { parseLocationId } from '../../../src/core/ids.ts'
import { errorHandler } from '../../../src/http/answers.ts'
import { callerOf, confinedTo, guard, may, requireLocation } from '../../../src/http/auth.ts'
import { createConsoleTokens } from '../../../src/http/console-token.ts'
import { createPageTokens } from '../../../src/http/page-token.ts'
import { silentLog } from '../../support/silent-log.ts'

const API_KEY = 'operator-key-of-the-test'
const HERE = parseLocationId('here')
const key = () => randomBytes(32).toString('base64')
const KEYS = [key()]
const tokens = createPageTokens(KEYS, 'shared')
const consoleTokens = createConsoleTokens(KEYS, API_KEY)
const SERVICE_KEYS: Readonly<Record<string, { locationId: typeof HERE | undefined; scopes: string[] }>> = {
  'key-of-here': { locationId: HERE, scopes: ['things:read'] },
  'key-of-all': { locationId: undefined, scopes: ['things:read', 'things:write'] },
}

async function server() {
  const app = fastify()
  app.setErrorHandler(errorHandler(silentLog))
  app.decorateRequest('caller', undefined)
  app.addHook(
    'onRequest',
    guard({
      apiKey: API_KEY,
      consoleTokens,
      pageTokens: tokens,
      openPageUser: () => undefined,
      findServiceKey: async (given) => {
        const found = SERVICE_KEYS[given]
        return found && { kind: 'service', id: given, ...found }
      },
    }),
  )
  app.get('/operator', () => 'in')
  app.get('/:locationId/read', { config: may({ page: 'user', scope: 'things:read' }) }, () => 'in')
  app.get('/:locationId/write', { config: may({ page: 'admin', scope: 'things:write' }) }, () => 'in')
  app.get('/mine', { config: may({ page: 'user', scope: 'things:read' }) }, (request) => ({
    confinedTo: confinedTo(request) ?? null,
    kind: callerOf(request).kind,
  }))
  app.get('/of-elsewhere', { config: may({ page: 'user', scope: 'things:read' }) }, (request) => {
    requireLocation(request, 'elsewhere')
    return 'in'
  })
  await app.ready()
  return app
}

const page = (role: 'admin' | 'user') => tokens.issue({ locationId: HERE, role, userId: 'u1' }).token

const CALLERS = {
  operator: API_KEY,
  admin: page('admin'),
  user: page('user'),
  'key of one location': 'key-of-here',
  'key of all': 'key-of-all',
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a guarded route', () => {
  const ROWS: [path: string, ...allowed: (keyof typeof CALLERS)[]][] = [
    ['/operator', 'operator'],
    ['/here/read', 'operator', 'admin', 'user', 'key of one location', 'key of all'],
    ['/here/write', 'operator', 'admin', 'key of all'],
    ['/elsewhere/read', 'operator', 'key of all'],
    ['/elsewhere/write', 'operator', 'key of all'],
    ['/mine', 'operator', 'admin', 'user', 'key of one location', 'key of all'],
    ['/mine?locationId=elsewhere', 'operator', 'key of all'],
    ['/mine?locationId=here&locationId=elsewhere', 'operator', 'key of all'],
    ['/of-elsewhere', 'operator', 'key of all'],
  ]
  it.each(ROWS)('%s lets in only those it names', async (url, ...allowed) => {
    const app = await server()
    for (const [name, bearer] of Object.entries(CALLERS)) {
      const answer = await app.inject({ url, headers: { authorization: `Bearer ${bearer}` } })
      const isAllowed = allowed.some((each) => each === name)
      expect([name, answer.statusCode]).toEqual([name, isAllowed ? 200 : 403])
      if (!isAllowed) expect(answer.json()).toMatchObject({ error: { code: 'FORBIDDEN' } })
    }
  })

  it('knows who is confined where', async () => {
    const app = await server()
    const seen = async (bearer: string) =>
      (await app.inject({ url: '/mine', headers: { authorization: `Bearer ${bearer}` } })).json<unknown>()
    expect(await seen(API_KEY)).toEqual({ kind: 'operator', confinedTo: null })
    expect(await seen(page('user'))).toEqual({ kind: 'page', confinedTo: 'here' })
    expect(await seen('key-of-here')).toEqual({ kind: 'service', confinedTo: 'here' })
    expect(await seen('key-of-all')).toEqual({ kind: 'service', confinedTo: null })
  })

  it.each([
    undefined,
    API_KEY,
    'Bearer',
    `Bearer ${API_KEY}x`,
    `Basic ${API_KEY}`,
    'Bearer page..',
    'Bearer page.e30.',
  ])('lets nobody in for %j', async (authorization) => {
    const app = await server()
    const answer = await app.inject({ url: '/mine', headers: { ...(authorization && { authorization }) } })
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } })
  })
})

describe('a page token', () => {
  it('says who it is for', () => {
    const { token, expiresAt } = tokens.issue({ locationId: HERE, role: 'user', userId: 'u1' })
    expect(tokens.read(token)).toEqual({
      kind: 'page',
      locationId: HERE,
      role: 'user',
      userId: 'u1',
      expiresAt,
    })
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(14 * 60_000)
  })

  it('is over after 15 minutes', () => {
    const token = page('admin')
    vi.useFakeTimers({ now: Date.now() + 15 * 60_000 + 1 })
    expect(tokens.read(token)).toBe('over')
  })

  it('cannot be changed', () => {
    const [prefix, claims = '', mac] = page('user').split('.')
    const forged = Buffer.from(
      Buffer.from(claims, 'base64url').toString('utf8').replace('"user"', '"admin"'),
    ).toString('base64url')
    expect(tokens.read([prefix, forged, mac].join('.'))).toBeUndefined()
    expect(tokens.read([prefix, claims, ''].join('.'))).toBeUndefined()
    expect(tokens.read([prefix, claims].join('.'))).toBeUndefined()
  })

  it('outlives a key that is rotated, and ends with a key that is taken away or another shared secret', () => {
    const token = page('admin')
    expect(createPageTokens([key(), ...KEYS], 'shared').read(token)).toBeDefined()
    expect(createPageTokens([key()], 'shared').read(token)).toBeUndefined()
    expect(createPageTokens(KEYS, 'other').read(token)).toBeUndefined()
  })
})

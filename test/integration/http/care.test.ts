/** The operator's care for installations and tokens: routes and command line on a real store, in front of the strict sandbox. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freePort } from '../../../sandbox/bridge-process.ts'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Report {
  readonly considered: number
  readonly refreshed: number
  readonly failed: number
  readonly needsReconnect: number
  readonly results: readonly {
    readonly locationId: string | null
    readonly outcome: string
    readonly code: string | null
  }[]
}
interface Measured {
  readonly latencyMs: { readonly store: number; readonly ghl: number | null }
}
interface Tokens {
  readonly counts: Readonly<Record<string, number>>
  readonly installations: readonly {
    readonly installationId: string
    readonly locationId: string | null
    readonly scopes: readonly string[]
    readonly health: string
    readonly status: string
    readonly expiresAt: string | null
    readonly refreshedAt: string | null
    readonly reconnectUrl: string | null
  }[]
  readonly total: number
  readonly nextCursor: string | null
}
interface Refused {
  readonly error: { readonly code: string }
}
interface Checked {
  readonly ok: boolean
  readonly locationId: string | null
  readonly totalMs: number
  readonly steps: readonly {
    readonly name: string
    readonly ok: boolean
    readonly ms: number
    readonly code: string | null
    readonly action: string | null
  }[]
}

const CLI = fileURLToPath(new URL('../../../src/tokens-cli.ts', import.meta.url))
const TOKEN = 'POST /oauth/token'

describe('the care for tokens', () => {
  let app: GhlApp
  let here: string
  let there: string
  beforeAll(async () => {
    app = await startGhlApp()
    here = app.sandbox.addLocation({ name: 'Here' }).id
    there = app.sandbox.addLocation({ name: 'There' }).id
    await installBoth()
  }, 60_000)
  beforeEach(() => {
    app.sandbox.forget()
  })
  afterAll(() => app.stop())

  const installBoth = async () => {
    for (const location of [here, there]) {
      app.sandbox.forget()
      expect((await app.install({ location })).status).toBe(200)
      // It is named in the background.
      await app.sandbox.waitForCall(
        ({ route, status }) => route.startsWith('GET /locations/') && status === 200,
      )
    }
  }
  const get = <Body>(path: string) => app.call<Body>('GET', path)
  const refresh = (body?: unknown) => app.call<Report & Refused>('POST', '/api/ghl/tokens/refresh', { body })
  const refreshes = () => app.sandbox.calls({ route: TOKEN }).length

  it('refreshes nothing that is healthy, and says what it looked at', async () => {
    const { status, body } = await refresh()
    expect([status, body]).toEqual([
      200,
      { considered: 2, refreshed: 0, failed: 0, needsReconnect: 0, due: 0, results: [] },
    ])
    expect(refreshes()).toBe(0)
  })

  it('with force refreshes all, each once', async () => {
    const { body } = await refresh({ force: true })
    expect(body).toMatchObject({ considered: 2, refreshed: 2, failed: 0 })
    expect(body.results.map(({ locationId }) => locationId).toSorted()).toEqual([here, there].toSorted())
    expect(refreshes()).toBe(2)
  })

  it('on a dry run says what it would do, and does nothing', async () => {
    const { body } = await refresh({ force: true, dryRun: true })
    expect(body).toMatchObject({ considered: 2, refreshed: 0, failed: 0 })
    expect(body.results.map(({ outcome }) => outcome)).toEqual(['would_refresh', 'would_refresh'])
    expect(refreshes()).toBe(0)
  })

  it('goes on behind one that GHL refuses, and names it', async () => {
    app.sandbox.tokens.revokeRefresh(here)
    const { status, body } = await refresh({ force: true })
    expect([status, body.refreshed, body.failed]).toEqual([200, 1, 1])
    expect(body.results.find(({ locationId }) => locationId === here)).toMatchObject({
      outcome: 'failed',
      code: 'GHL_NEEDS_RECONNECT',
    })
    expect((await get<{ authStatus: string }>('/api/integrations/ghl/status')).body.authStatus).toBe(
      'degraded',
    )
    await installBoth()
  })

  it('tries what it has once more where GHL refused it before: one tap heals what has healed', async () => {
    const row = async () =>
      (await get<Tokens>('/api/ghl/tokens')).body.installations.find(({ locationId }) => locationId === here)
    const path = `/api/ghl/tokens/${(await row())?.installationId ?? ''}/refresh`
    const dead = { error: 'invalid_grant', error_description: 'Invalid grant' }
    app.sandbox.faults.add({ route: TOKEN, effect: { kind: 'status', status: 400, body: dead } })
    const refused = await app.call<Refused>('POST', path)
    expect([refused.status, refused.body.error.code]).toEqual([409, 'GHL_NEEDS_RECONNECT'])
    expect(await row()).toMatchObject({
      status: 'needs_reconnect',
      reconnectUrl: expect.stringContaining('/oauth/install') as string,
    })
    const healed = await app.call<Tokens['installations'][number]>('POST', path)
    expect([healed.status, healed.body.status, healed.body.reconnectUrl]).toEqual([200, 'active', null])
  })

  it('tells the state of the whole', async () => {
    const { status, body } = await get('/api/integrations/ghl/status')
    expect([status, body]).toMatchObject([
      200,
      {
        configured: true,
        missing: [],
        hasAccessToken: true,
        hasRefreshToken: true,
        valid: true,
        authStatus: 'ok',
        installations: { healthy: 2, needs_reconnect: 0 },
        latencyMs: { store: expect.any(Number) as number, ghl: expect.any(Number) as number },
      },
    ])
  })

  it('lists each installation with what it is, and never a token', async () => {
    const { body } = await get<Tokens>('/api/ghl/tokens')
    expect(body.counts).toMatchObject({ healthy: 2, expiring: 0, expired: 0, needs_reconnect: 0 })
    expect([body.total, body.nextCursor]).toEqual([2, null])
    const row = body.installations.find(({ locationId }) => locationId === here)
    expect(row).toMatchObject({ name: 'Here', userType: 'Location', status: 'active', isBulk: false })
    expect(row?.scopes).toContain('conversations/message.write')
    expect(Date.parse(row?.expiresAt ?? '')).toBeGreaterThan(Date.now())
    expect(JSON.stringify(body)).not.toMatch(/eyJ|access_?token|refresh_?token/i)
  })

  it('refreshes one alone', async () => {
    const rows = async () => (await get<Tokens>('/api/ghl/tokens')).body.installations
    const before = await rows()
    const row = before.find(({ locationId }) => locationId === here)
    const path = `/api/ghl/tokens/${row?.installationId ?? ''}/refresh`
    const { status, body } = await app.call<Tokens['installations'][number]>('POST', path)
    expect([status, body.locationId, body.health]).toEqual([200, here, 'healthy'])
    expect(refreshes()).toBe(1)
    const renewed = (await rows()).filter(
      ({ installationId, refreshedAt }) =>
        refreshedAt !== before.find((each) => each.installationId === installationId)?.refreshedAt,
    )
    expect(renewed.map(({ locationId }) => locationId)).toEqual([here])
  })

  it('gives an install link that works once', async () => {
    const { body } = await get<{ url: string; expiresAt: string }>('/api/integrations/ghl/auth-url')
    expect(Date.parse(body.expiresAt)).toBeGreaterThan(Date.now() + 20 * 60_000)
    const link = new URL(body.url)
    for (const [name, value] of [
      ['approve', '1'],
      ['location_id', here],
    ] as const)
      link.searchParams.set(name, value)
    const back = new URL((await fetch(link, { redirect: 'manual' })).headers.get('location') ?? '')
    const callback = () => app.call<Refused>('GET', `/oauth/callback${back.search}`, { as: 'nobody' })
    expect((await callback()).status).toBe(200)
    const again = await callback()
    expect([again.status, again.body.error.code]).toEqual([400, 'OAUTH_STATE_INVALID'])
  })

  it('tests the whole way, each step with its time', async () => {
    const { body } = await get<Checked>(`/api/integrations/ghl/test-integration?locationId=${here}`)
    expect([body.ok, body.locationId]).toEqual([true, here])
    expect(body.steps.map(({ name }) => name)).toEqual([
      'configuration',
      'store',
      'ghl_reach',
      'token',
      'location_read',
      'credentials',
      'provider',
      'events',
      'delivery',
      'sso',
      'webhook_key',
    ])
    expect(body.totalMs).toBeGreaterThan(0)
    for (const step of body.steps) expect([step.name, step.ok, step.ms >= 0]).toEqual([step.name, true, true])
    expect((await get<Checked>('/api/integrations/ghl/test-integration')).body.locationId).not.toBeNull()
  })

  it('tests on behind a step that fails, which says what to do', async () => {
    const { body } = await get<Checked>('/api/integrations/ghl/test-integration?locationId=nowhere')
    expect([body.ok, body.locationId]).toEqual([false, null])
    expect(body.steps.filter(({ ok }) => !ok)).toMatchObject([
      {
        name: 'token',
        code: 'GHL_NOT_INSTALLED',
        action: expect.stringContaining('/oauth/install') as string,
      },
      { name: 'location_read', code: 'GHL_NOT_INSTALLED' },
    ])
  })

  /** `npm run tokens`, without npm. */
  const cli = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const { hostname, port } = new URL(app.nodes[0]?.url ?? '')
      const child = execFile(
        process.execPath,
        ['--liftoff-only', CLI, ...args],
        { env: { PATH: process.env['PATH'], HOST: hostname, PORT: port, API_KEY: app.apiKey, ...env } },
        (_failed, stdout, stderr) => {
          resolve({ code: child.exitCode ?? -1, stdout, stderr })
        },
      )
    })

  it('is asked from the command line: what it did, as JSON', async () => {
    const dry = await cli(['--dry-run', '--force'])
    expect([dry.code, JSON.parse(dry.stdout)]).toMatchObject([0, { considered: 2, refreshed: 0 }])
    expect(refreshes()).toBe(0)
    const forced = await cli(['--force'])
    expect([forced.code, JSON.parse(forced.stdout)]).toMatchObject([0, { considered: 2, refreshed: 2 }])
    expect(refreshes()).toBe(2)
  }, 30_000)

  it('on the command line exits with 1 when one failed, and finds a server that listens on IPv6', async () => {
    app.sandbox.faults.add({ route: TOKEN, effect: { kind: 'status', status: 403, body: {} } })
    const some = await cli(['--force'])
    expect([some.code, JSON.parse(some.stdout)]).toMatchObject([1, { refreshed: 1, failed: 1 }])
    const six = createServer((_request, response) => void response.end('{"failed":0}'))
    await once(six.listen(0, '::1'), 'listening')
    const { port } = six.address() as AddressInfo // a TCP server's address is always this
    const found = await cli([], { HOST: '::1', PORT: String(port) })
    six.close()
    expect([found.code, JSON.parse(found.stdout)]).toEqual([0, { failed: 0 }])
  }, 30_000)

  it.each([
    ['well', undefined, 0, { state: 'done', done: 2, failed: 0 }],
    ['badly for one', 403, 1, { state: 'done', done: 1, failed: 1 }],
  ] as const)(
    'on the command line follows a long refresh that ends %s',
    async (_, refusal, code, end) => {
      if (refusal !== undefined)
        app.sandbox.faults.add({
          route: TOKEN,
          skip: 1,
          effect: { kind: 'status', status: refusal, body: {} },
        })
      const held = app.sandbox.faults.hold(TOKEN)
      // In front of the server: as patient as one whose refresh takes longer than an answer.
      const front = createServer((asked, response) => {
        const answer = async () => {
          const sent = fetch(`${app.nodes[0]?.url}${asked.url}`, {
            method: asked.method ?? 'GET',
            headers: { authorization: asked.headers.authorization ?? '', 'content-type': 'application/json' },
            ...(asked.method === 'POST' && { body: JSON.stringify({ force: true }) }),
          })
          if (asked.method === 'POST') {
            await held.met
            response.writeHead(202).end('{"running":true}')
            await sent
          } else {
            response.end(await (await sent).text())
            held.letGo()
          }
        }
        answer().catch((thrown: unknown) => response.writeHead(500).end(String(thrown)))
      })
      await once(front.listen(0, '127.0.0.1'), 'listening')
      const { port } = front.address() as AddressInfo // a TCP server's address is always this
      const followed = await cli(['--force'], { PORT: String(port) })
      front.close()
      expect([followed.code, JSON.parse(followed.stdout)]).toMatchObject([code, end])
      expect(followed.stderr).toMatch(/^Under way: 0 refreshed/)
    },
    30_000,
  )

  it('on the command line fails aloud: wrong key, wrong option, no server', async () => {
    const refused = await cli([], { API_KEY: 'another-key-than-the-right-one' })
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('UNAUTHENTICATED')])
    const odd = await cli(['--all'])
    expect([odd.code, odd.stdout]).toEqual([1, ''])
    expect(odd.stderr).toContain('--all')
    const nobody = await cli([], { PORT: String(await freePort()) })
    expect(nobody).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('not running') as string,
    })
    expect(refreshes()).toBe(0)
  }, 30_000)

  it.each([
    ['POST', '/api/ghl/tokens/refresh', { force: 'yes' }, 400, 'REQUEST_INVALID'],
    ['POST', '/api/ghl/tokens/refresh', { forced: true }, 400, 'REQUEST_INVALID'],
    ['POST', '/api/ghl/tokens/refresh', [], 400, 'REQUEST_INVALID'],
    ['POST', '/api/ghl/tokens/no-such-one/refresh', undefined, 404, 'INSTALLATION_UNKNOWN'],
    ['POST', '/api/ghl/tokens/%20/refresh', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/tokens?health=ill', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/tokens?limit=501', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/tokens?cursor=bm90IG91cnM', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/locations?limit=0', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/locations?locationId=a%20b', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/locations?cursor=x', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/events?state=lost', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/events?limit=201', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/ghl/events?before=', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/sync/status?kind=', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/api/integrations/ghl/test-integration?locationId=a%20b', undefined, 400, 'REQUEST_INVALID'],
    ['POST', '/api/sso', { payload: 7 }, 400, 'REQUEST_INVALID'],
    ['POST', '/api/sso', { payload: 'x'.repeat(16_385) }, 400, 'REQUEST_INVALID'],
    ['GET', '/oauth/callback', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/oauth/callback?error=access_denied', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/oauth/callback?code=none-of-ghl', undefined, 400, 'REQUEST_INVALID'],
    ['GET', '/oauth/callback?code=c&state=not-ours', undefined, 400, 'OAUTH_STATE_INVALID'],
    ['POST', '/ghl/webhook', { type: 'UNINSTALL' }, 401, 'WEBHOOK_SIGNATURE_INVALID'],
  ] as const)('refuses %s %s %o with %i %s and changes nothing', async (method, path, body, status, code) => {
    const state = async () => {
      const [tokens, events, syncs] = await Promise.all(
        ['/api/ghl/tokens', '/api/ghl/events', '/api/sync/status'].map((each) => get(each)),
      )
      return [tokens?.body, events?.body, syncs?.body]
    }
    const before = await state()
    const answer = await app.call<Refused>(method, path, { body })
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
    expect(await state()).toEqual(before)
  })

  it.each([
    ['POST', '/api/ghl/tokens/refresh'],
    ['POST', '/admin/ghl/sync-all-subaccounts'],
    ['GET', '/api/ghl/tokens'],
    ['GET', '/api/ghl/events'],
    ['GET', '/api/integrations/ghl/status'],
    ['GET', '/api/integrations/ghl/auth-url'],
    ['GET', '/api/integrations/ghl/test-integration'],
  ] as const)('%s %s is the operator’s alone', async (method, path) => {
    const nobody = await app.call<Refused>(method, path, { as: 'nobody' })
    expect([nobody.status, nobody.body.error.code]).toEqual([401, 'UNAUTHENTICATED'])
    const page = await app.call<Refused>(method, path, { as: await app.page(here) })
    expect([page.status, page.body.error.code]).toEqual([403, 'FORBIDDEN'])
    expect(app.sandbox.calls()).toEqual([])
  })

  it('says of what only a person can connect that it needs him, on a dry run as on a real one', async () => {
    const pending = app.sandbox.addLocation({ name: 'Waits' }).id
    const event = JSON.stringify({
      type: 'INSTALL',
      appId: app.sandbox.appId,
      locationId: pending,
      companyId: 'anAgencyWithoutTheApp',
      webhookId: 'waits',
    })
    const send = async (body: string) =>
      await fetch(`${app.nodes[0]?.url}/ghl/webhook`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-ghl-signature': app.sandbox.deliveries.sign(body) },
        body,
      })
    expect((await send(event)).status).toBe(200)
    const row = async () =>
      (await get<Tokens>('/api/ghl/tokens')).body.installations.find(
        ({ locationId }) => locationId === pending,
      )
    await waitFor('the pending row', row)
    expect(await row()).toMatchObject({
      expiresAt: null,
      reconnectUrl: expect.stringContaining('/oauth/install') as string,
    })
    const said = { refreshed: 0, failed: 0, needsReconnect: 1 }
    const results = [{ locationId: pending, outcome: 'needs_reconnect' }]
    expect((await refresh({ dryRun: true })).body).toMatchObject({ ...said, results })
    expect((await refresh()).body).toMatchObject({ ...said, results })
    expect(refreshes()).toBe(0)
    const gone = { type: 'UNINSTALL', appId: app.sandbox.appId, locationId: pending, webhookId: 'gone' }
    await send(JSON.stringify(gone))
    await waitFor('the removal', async () => (await row())?.status === 'uninstalled')
  })
})

it('the status measures how long GHL takes to answer, and says nothing when it does not', async () => {
  const slow = createServer((_request, response) => void setTimeout(() => response.end('{}'), 400))
  const port = await freePort()
  await once(slow.listen(port, '127.0.0.1'), 'listening')
  const app = await startGhlApp({ env: { GHL_API_URL: `http://127.0.0.1:${port}` } })
  try {
    const latency = async () =>
      (await app.call<Measured>('GET', '/api/integrations/ghl/status')).body.latencyMs
    const { store, ghl } = await latency()
    expect(ghl).toBeGreaterThanOrEqual(390)
    expect(store).toBeGreaterThan(0)
    slow.closeAllConnections()
    slow.close()
    expect((await latency()).ghl).toBeNull()
  } finally {
    slow.close()
    await app.stop()
  }
})

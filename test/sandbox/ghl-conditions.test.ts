import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import { type ApiClient, apiClient, soon } from './ghl-client.ts'

let ghl: GhlSandbox
let locationId: string
let client: ApiClient

beforeAll(async () => {
  ghl = await startGhlSandbox()
})
beforeEach(() => {
  ghl.settings.rateLimit = null
  ghl.forget()
  locationId = ghl.addLocation().id
  client = apiClient(ghl.url, ghl.tokens.issueLocation(locationId))
})
afterAll(() => ghl.stop())

const upsert = () => client.send('POST', '/contacts/upsert', { locationId, phone: '+5511999990001' })
const read = () => client.get(`/locations/${locationId}`)

describe('the rate limit', () => {
  const TIGHT = { max: 3, intervalMs: 1500, perDay: 1000, window: 'fixed' } as const

  it('says in headers what is left', async () => {
    ghl.settings.rateLimit = { ...TIGHT, max: 100, intervalMs: 10_000, perDay: 200_000 }
    const { headers } = await read()
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-ratelimit-limit-daily': '200000',
      'x-ratelimit-daily-remaining': '199999',
      'x-ratelimit-interval-milliseconds': '10000',
      'x-ratelimit-max': '100',
      'x-ratelimit-remaining': '99',
    })
    expect(Number(headers.get('x-ratelimit-daily-reset'))).toBeGreaterThan(86_000_000)
  })

  it.each(['fixed', 'sliding'] as const)(
    'answers 429 above it and counts that (%s window)',
    async (window) => {
      ghl.settings.rateLimit = { ...TIGHT, window }
      const statuses = []
      for (let call = 0; call < 5; call++) statuses.push((await read()).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429])
      expect(ghl.stats().rateLimited).toBe(2)
      await soon(async () => (await read()).status).toBe(200)
    },
  )

  it('is kept for each location apart', async () => {
    ghl.settings.rateLimit = { ...TIGHT, intervalMs: 60_000 }
    for (let call = 0; call < 4; call++) await read()
    const other = ghl.addLocation().id
    const answer = await apiClient(ghl.url, ghl.tokens.issueLocation(other)).get(`/locations/${other}`)
    expect(answer.status).toBe(200)
    expect((await read()).status).toBe(429)
  })

  it('names no time to wait unless switched on', async () => {
    ghl.settings.rateLimit = { ...TIGHT, intervalMs: 60_000 }
    const answers = [await read(), await read(), await read(), await read()]
    expect(answers.at(-1)?.status).toBe(429)
    expect(answers.at(-1)?.headers.get('retry-after')).toBeNull()
    ghl.settings.rateLimit = { ...ghl.settings.rateLimit, retryAfter: true }
    const waitSec = Number((await read()).headers.get('retry-after'))
    expect(waitSec).toBeGreaterThan(50)
    expect(waitSec).toBeLessThanOrEqual(60)
  })

  it('ends with the day', async () => {
    ghl.settings.rateLimit = { ...TIGHT, max: 100, perDay: 1 }
    await read()
    const answer = await read()
    expect(answer.status).toBe(429)
    expect(answer.headers.get('x-ratelimit-daily-remaining')).toBe('0')
  })
})

describe('faults', () => {
  it('answers a status so many times, then serves again', async () => {
    ghl.faults.add({
      route: 'POST /contacts/*',
      times: 2,
      effect: { kind: 'status', status: 503, headers: { 'retry-after': '1' } },
    })
    const answers = [await upsert(), await upsert(), await upsert()]
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 200])
    expect(answers[0]?.headers.get('retry-after')).toBe('1')
    expect(ghl.contacts.list(locationId)).toHaveLength(1)
  })

  it('lets some calls pass first', async () => {
    ghl.faults.add({ route: '*', skip: 1, effect: { kind: 'status', status: 500 } })
    expect([(await read()).status, (await read()).status, (await read()).status]).toEqual([200, 500, 200])
  })

  it('drops the connection before the effect', async () => {
    ghl.faults.add({ route: 'POST /contacts/upsert', effect: { kind: 'drop' } })
    await expect(upsert()).rejects.toThrow('fetch failed')
    expect(ghl.contacts.list(locationId)).toEqual([])
    expect(ghl.calls()).toMatchObject([{ status: 0, fault: 'drop before' }])
  })

  it('drops the connection after the effect', async () => {
    ghl.faults.add({ route: 'POST /contacts/upsert', when: 'after', effect: { kind: 'drop' } })
    await expect(upsert()).rejects.toThrow('fetch failed')
    expect(ghl.contacts.list(locationId)).toHaveLength(1)
    expect(ghl.calls()).toMatchObject([{ status: 0, fault: 'drop after' }])
  })

  it('spoils the status after the effect, as a gateway does that gave up waiting', async () => {
    ghl.faults.add({ route: 'POST /contacts/upsert', when: 'after', effect: { kind: 'status', status: 504 } })
    expect((await upsert()).status).toBe(504)
    expect(ghl.contacts.list(locationId)).toHaveLength(1)
  })

  it('delays', async () => {
    ghl.faults.add({ route: '*', effect: { kind: 'delay', ms: 80 } })
    await read()
    expect(ghl.calls()[0]?.durationMs).toBeGreaterThanOrEqual(75)
  })

  it('hits one location only when told to, until taken back', async () => {
    const other = ghl.addLocation().id
    const otherClient = apiClient(ghl.url, ghl.tokens.issueLocation(other))
    const takeBack = ghl.faults.add({
      route: '*',
      locationId,
      times: null,
      effect: { kind: 'status', status: 500 },
    })
    expect((await read()).status).toBe(500)
    expect((await otherClient.get(`/locations/${other}`)).status).toBe(200)
    takeBack()
    expect((await read()).status).toBe(200)
  })
})

describe('the record', () => {
  it('keeps every call with route, status, location and a summary without secrets', async () => {
    await upsert()
    await fetch(`${ghl.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({ client_id: 'x', client_secret: 'hush', grant_type: 'refresh_token' }),
    })
    await ghl.waitForCall((call) => call.route === 'POST /oauth/token' && call.status !== null)
    expect(ghl.calls({ route: 'POST /contacts/upsert' })).toMatchObject([
      { status: 200, locationId, version: '2021-07-28', path: '/contacts/upsert' },
    ])
    expect(ghl.calls({ locationId })[0]?.bodySummary).toContain('+5511999990001')
    expect(JSON.stringify(ghl.calls())).not.toContain('hush')
    expect(ghl.stats().byRoute).toEqual({ 'POST /contacts/upsert': 1, 'POST /oauth/token': 1 })
  })

  it.each([
    ['GET', '/contacts'],
    ['POST', '/conversations/messages/outbound'],
    ['PATCH', '/contacts/abc'],
  ])('refuses and counts the unknown %s %s', async (method, path) => {
    const answer = await fetch(ghl.url + path, { method })
    expect(answer.status).toBe(404)
    expect(ghl.stats()).toMatchObject({
      unknownRoutes: 1,
      oddities: [{ kind: 'unknown-route', route: `${method} ${path}` }],
    })
  })
})

/** Installations over real HTTP and a real store: every way GHL has of installing, updating and removing our app. */
import { afterEach, describe, expect, it } from 'vitest'
import type { FaultInput } from '../../../sandbox/ghl/faults.ts'
import { Random } from '../../chaos/random.ts'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Listed {
  readonly locations: readonly {
    readonly locationId: string
    readonly name: string | null
    readonly status: string
    readonly tokenHealth: string
    readonly versionId: string | null
    readonly problem: { readonly code: string; readonly message: string } | null
    readonly reconnectUrl: string | null
  }[]
  readonly total: number
  readonly nextCursor: string | null
}
interface Refused {
  readonly error: { readonly code: string }
}
interface Events {
  readonly events: readonly {
    readonly type: string
    readonly state: string
    readonly reason: string | null
  }[]
}
interface Syncs {
  readonly syncs: readonly {
    readonly scope: string
    readonly state: string
    readonly done: number
    readonly failed: number
    readonly total: number | null
    readonly message: string | null
  }[]
}

const PLENTY = { max: 20_000, intervalMs: 10_000, perDay: 2_000_000, window: 'fixed' } as const

let app: GhlApp
afterEach(async () => {
  expect(app.sandbox.stats().oddities).toEqual([])
  await app.stop()
})

const list = async (query = '') => (await app.call<Listed>('GET', `/api/ghl/locations?${query}`)).body
const one = async (locationId: string) => (await list(`locationId=${locationId}`)).locations[0]
const status = async (locationId: string) => (await one(locationId))?.status
const events = async (query = '') => (await app.call<Events>('GET', `/api/ghl/events?${query}`)).body.events
const syncs = async () => (await app.call<Syncs>('GET', '/api/sync/status?kind=installations')).body.syncs
const found = async (locationId: string) => {
  const { body } = await app.call<{ installations: { installationId: string; locationId: string | null }[] }>(
    'GET',
    '/api/ghl/tokens',
  )
  const row = body.installations.find((each) => each.locationId === locationId)
  if (row === undefined) throw new Error('not listed')
  return row
}
const becomes = (locationId: string, wanted: string) =>
  waitFor(`${wanted}`, async () => ((await status(locationId)) === wanted ? true : undefined), 20_000)

async function everyLocation(): Promise<Listed['locations']> {
  const all: Listed['locations'][number][] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Listed = await list(`limit=200${cursor && `&cursor=${cursor}`}`)
    all.push(...page.locations)
    cursor = page.nextCursor
  }
  return all
}

describe('an agency', () => {
  it('with 500 locations is connected whole, whatever single ones of them meet', async () => {
    app = await startGhlApp({ ghl: { rateLimit: PLENTY } })
    const { sandbox } = app
    const random = new Random(20_261_128)
    const ids = Array.from({ length: 501 }, (_, n) => sandbox.addLocation({ name: `Branch ${n}` }).id)
    const shuffled = <T>(items: readonly T[]): T[] =>
      items
        .map((item) => ({ item, at: random.next() }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ item }) => item)
    const mixed = shuffled(ids)
    const [forbidden, broken, cut, passing] = [
      mixed.slice(0, 3),
      mixed.slice(3, 4),
      mixed.slice(4, 5),
      mixed.slice(5, 45),
    ]
    const fault = (mentions: string, times: number | null, effect: FaultInput['effect']) =>
      sandbox.faults.add({ route: 'POST /oauth/locationToken', mentions, times, effect })
    const status = (code: number, message: string, headers = {}) =>
      ({ kind: 'status', status: code, body: { message }, headers }) as const
    for (const id of forbidden) fault(id, null, status(403, 'The location runs another version of the app'))
    for (const id of broken) fault(id, null, status(500, 'oops'))
    for (const id of cut) fault(id, null, { kind: 'drop' })
    for (const [n, id] of passing.entries()) {
      if (n % 3 === 0) fault(id, 1, status(500, 'oops'))
      else if (n % 3 === 1) fault(id, 1, { kind: 'drop' })
      else if (n < 9) fault(id, 1, status(429, 'Too Many Requests', { 'retry-after': '1' }))
    }
    // Some events come twice, under the same id and under another; each a while before the code or after it.
    sandbox.setWebhookUrl(null)
    sandbox.bulkInstall()
    const sent = shuffled(
      ids.flatMap((locationId) => {
        const event = {
          ...{ type: 'INSTALL', installType: 'Location', locationId, companyId: sandbox.companyId },
          ...{ appId: sandbox.appId, versionId: sandbox.versionId, timestamp: new Date().toISOString() },
          webhookId: crypto.randomUUID(),
        }
        const twice = random.chance(0.1) ? [event] : []
        const anew = random.chance(0.1) ? [{ ...event, webhookId: crypto.randomUUID() }] : []
        return [event, ...twice, ...anew]
      }),
    )
    const early = sent.splice(0, Math.floor(sent.length / 2))
    const deliver = async (events: readonly Record<string, unknown>[]) => {
      for (const event of events) await post(event)
    }
    await deliver(early)
    const [first = ''] = early.map(({ locationId }) => locationId)
    expect((await one(first))?.problem?.code).toBe('GHL_NOT_CONNECTED')
    expect((await app.install({ company: true })).status).toBe(200)
    await deliver(sent)

    const sync = await waitFor(
      'the sync',
      async () => {
        const [latest] = await syncs()
        return latest !== undefined && latest.state !== 'running' && latest
      },
      200_000,
    )
    const bad = [...forbidden, ...broken, ...cut]
    expect(sync).toMatchObject({ state: 'failed', total: 501, done: 501 - bad.length, failed: bad.length })
    for (const id of forbidden) expect(sync.message).toContain(`${id} GHL_NEEDS_RECONNECT`)
    for (const id of [...broken, ...cut])
      expect(sync.message).toMatch(new RegExp(`${id} GHL_(UNAVAILABLE|PAUSED)`))
    const listed = new Map((await everyLocation()).map((each) => [each.locationId, each]))
    expect(listed.size).toBe(501)
    const connected = ids.filter((id) => listed.get(id)?.status === 'connected')
    expect(connected.toSorted()).toEqual(ids.filter((id) => !bad.includes(id)).toSorted())
    for (const id of bad) expect(listed.get(id)?.problem?.code).toMatch(/^GHL_/)
    for (const id of forbidden) expect(listed.get(id)?.problem?.code).toBe('GHL_NEEDS_RECONNECT')

    // When the trouble is over, one tap connects them.
    sandbox.faults.clear()
    await app.call('POST', '/admin/ghl/sync-all-subaccounts')
    await waitFor(
      'every location',
      async () => (await everyLocation()).every((each) => each.status === 'connected') || undefined,
      120_000,
    )
  }, 400_000)

  it('gets later locations without a person, also when GHL does not say whose they are', async () => {
    app = await startGhlApp({ ghl: { settings: { futureInstallIsAnonymous: true } } })
    app.sandbox.addLocation()
    await app.install({ company: true })
    app.sandbox.bulkInstall({ toFutureLocations: true })
    const later = app.sandbox.addLocation({ name: 'Later' }).id
    await becomes(later, 'connected')
  })

  it('is told when a location runs another version than it can speak for, and it heals with the update', async () => {
    app = await startGhlApp()
    const id = app.sandbox.addLocation().id
    app.sandbox.bulkInstall()
    await app.install({ company: true })
    await becomes(id, 'connected')
    app.sandbox.publishVersion()
    app.sandbox.updateIn(id)
    await waitFor('the event', async () => (await events('type=UPDATE'))[0]?.state === 'processed')
    const { installationId } = await found(id)
    const refused = await app.call<Refused>('POST', `/api/ghl/tokens/${installationId}/refresh`)
    expect([refused.status, refused.body.error.code]).toEqual([409, 'GHL_NEEDS_RECONNECT'])
    expect(await one(id)).toMatchObject({
      status: 'not_connected',
      problem: { message: expect.stringContaining('another version') as string },
    })
    // The agency updates too: the events bring the location back, nobody has to ask.
    app.sandbox.updateIn()
    await becomes(id, 'connected')
  })

  it('that removes the app takes all its locations with it; the next installation brings them back', async () => {
    app = await startGhlApp()
    const ids = [app.sandbox.addLocation().id, app.sandbox.addLocation().id]
    app.sandbox.bulkInstall()
    await app.install({ company: true })
    for (const id of ids) await becomes(id, 'connected')
    app.sandbox.uninstallFromCompany()
    for (const id of ids) await becomes(id, 'uninstalled')
    app.sandbox.bulkInstall()
    await app.install({ company: true })
    for (const id of ids) await becomes(id, 'connected')
  })

  it('is synced again on demand: what failed is connected, what went well is left alone', async () => {
    app = await startGhlApp()
    const [good, bad] = [app.sandbox.addLocation().id, app.sandbox.addLocation().id]
    app.sandbox.bulkInstall()
    app.sandbox.faults.add({
      route: 'POST /oauth/locationToken',
      times: null,
      effect: { kind: 'status', status: 403, body: { message: 'not now' } },
    })
    await app.install({ company: true })
    await waitFor('the sync', async () => ((await syncs())[0]?.state === 'done' ? true : undefined))
    expect(await syncs()).toMatchObject([{ done: 0, failed: 2 }])
    expect((await one(bad))?.problem).toMatchObject({ code: 'GHL_NEEDS_RECONNECT' })
    app.sandbox.faults.clear()
    const started = await app.call<{ agencies: string[] }>('POST', '/admin/ghl/sync-all-subaccounts')
    expect([started.status, started.body.agencies]).toEqual([202, [app.sandbox.companyId]])
    for (const id of [good, bad]) await becomes(id, 'connected')
    app.sandbox.forget()
    await app.call('POST', '/admin/ghl/sync-all-subaccounts')
    await waitFor('the second sync', async () => ((await syncs())[0]?.done === 2 ? true : undefined))
    expect(app.sandbox.calls({ route: 'POST /oauth/locationToken' })).toEqual([])
  })
})

it('an agency whose refresh token is dead serves its locations until GHL takes its access token no more', async () => {
  app = await startGhlApp()
  const { sandbox } = app
  const ids = Array.from({ length: 6 }, () => sandbox.addLocation().id)
  sandbox.bulkInstall()
  await app.install({ company: true })
  for (const id of ids) await becomes(id, 'connected')
  const synced = (state: string, done: number) =>
    waitFor(`a sync that is ${state}`, async () => {
      const [sync] = await syncs()
      return (sync?.state === state && sync.done === done) || undefined
    })
  await synced('done', ids.length)
  const sync = async () =>
    (await app.call<{ agencies: string[] }>('POST', '/admin/ghl/sync-all-subaccounts')).body.agencies

  sandbox.tokens.revokeRefresh()
  for (let n = 0; n < 2; n++) {
    const { body } = await app.call('POST', '/api/ghl/tokens/refresh', { body: { force: true } })
    expect(body).toMatchObject({ refreshed: ids.length, failed: 1 })
  }
  for (const id of ids) expect(await status(id)).toBe('connected')
  const later = sandbox.addLocation().id
  sandbox.installIn(later)
  await becomes(later, 'connected')
  expect(await sync()).toEqual([sandbox.companyId])
  await synced('done', ids.length + 1)

  // A token that GHL refuses is over before its time, and then nothing is asked in the agency's name.
  sandbox.tokens.expireAccess()
  expect(await sync()).toEqual([sandbox.companyId])
  await synced('failed', 0)
  expect((await syncs())[0]?.message).toContain('GHL_NEEDS_RECONNECT')
  sandbox.forget()
  expect(await sync()).toEqual([])
  expect(sandbox.calls({ route: 'GET /oauth/installedLocations' })).toEqual([])
})

describe('an INSTALL of another version, where the app is already', () => {
  const MINT = 'POST /oauth/locationToken'
  const REFRESH = 'POST /oauth/token'
  const install = async (event: Record<string, unknown>) => {
    await post({ type: 'INSTALL', appId: app.sandbox.appId, timestamp: new Date().toISOString(), ...event })
    await waitFor('settled', async () => (await events('state=received')).length === 0 || undefined)
  }
  const version = async (locationId: string) => (await one(locationId))?.versionId

  it.each([
    ['of an agency', MINT],
    ['of its own', REFRESH],
  ])('gives a location %s tokens with the scopes of today, once', async (whose, route) => {
    app = await startGhlApp()
    const { sandbox } = app
    const id = sandbox.addLocation().id
    if (whose === 'of its own') await app.install({ location: id })
    else {
      sandbox.bulkInstall()
      await app.install({ company: true })
    }
    await becomes(id, 'connected')
    const first = sandbox.versionId
    await install({ locationId: id, versionId: first, installType: 'Location' })
    await waitFor('its version', async () => (await version(id)) === first || undefined)
    sandbox.setWebhookUrl(null)
    const second = sandbox.publishVersion()
    sandbox.updateIn()
    sandbox.updateIn(id)
    sandbox.forget()

    const news = { locationId: id, versionId: second, installType: 'Location' }
    await install(news)
    expect([await version(id), sandbox.calls({ route }).length]).toEqual([second, 1])
    // Told again it is no news, and neither is what GHL said before.
    await install(news)
    await install({ ...news, versionId: first, timestamp: new Date(Date.now() - 60_000).toISOString() })
    expect([await version(id), sandbox.calls({ route }).length]).toEqual([second, 1])
  })

  it('of an agency brings its locations in line', async () => {
    app = await startGhlApp()
    const { sandbox } = app
    const id = sandbox.addLocation().id
    sandbox.bulkInstall()
    await app.install({ company: true })
    await becomes(id, 'connected')
    const agency = { companyId: sandbox.companyId, installType: 'Company' }
    await install({ ...agency, versionId: sandbox.versionId })
    sandbox.setWebhookUrl(null)
    const second = sandbox.publishVersion()
    sandbox.updateIn()
    sandbox.updateIn(id)
    sandbox.forget()
    await install({ ...agency, versionId: second })
    await waitFor('a token of the new version', () => sandbox.calls({ route: MINT }).length > 0 || undefined)
    await waitFor('its version', async () => (await version(id)) === second || undefined)
  })
})

describe('a location', () => {
  it('is named, and removed and installed again, whatever the order of the events', async () => {
    app = await startGhlApp()
    const id = app.sandbox.addLocation({ name: 'Dental Care' }).id
    await app.install({ location: id })
    await waitFor('its name', async () => ((await one(id))?.name === 'Dental Care' ? true : undefined))
    app.sandbox.uninstallFrom(id)
    await becomes(id, 'uninstalled')
    expect((await one(id))?.problem?.code).toBe('GHL_NOT_INSTALLED')
    const session = await app.call<{ error: { code: string } }>('GET', `/ghl/location/${id}/session`)
    expect([session.status, session.body.error.code]).toEqual([404, 'LOCATION_UNKNOWN'])
    const page = await app.call<{ error: { code: string } }>('POST', '/api/sso', {
      as: 'nobody',
      body: { payload: app.sandbox.ssoPayload({ locationId: id }) },
    })
    expect([page.status, page.body.error.code]).toEqual([404, 'LOCATION_UNKNOWN'])
    await app.install({ location: id })
    expect(await status(id)).toBe('connected')
  })

  it('keeps its tokens when GHL repeats an UNINSTALL that is older than they are', async () => {
    app = await startGhlApp()
    const id = app.sandbox.addLocation().id
    await app.install({ location: id })
    const stale = {
      type: 'UNINSTALL',
      locationId: id,
      timestamp: new Date(Date.now() - 60_000).toISOString(),
    }
    expect(await post({ ...stale, appId: app.sandbox.appId })).toEqual({ accepted: 'recorded' })
    await waitFor(
      'settled',
      async () => (await events('type=UNINSTALL'))[0]?.state !== 'received' || undefined,
    )
    expect(await events('type=UNINSTALL')).toMatchObject([{ state: 'ignored', reason: 'installed_since' }])
    expect(await status(id)).toBe('connected')
  })

  it('is not removed by another app’s event, which GHL signs with the same key', async () => {
    app = await startGhlApp()
    const id = app.sandbox.addLocation().id
    await app.install({ location: id })
    const foreign = { type: 'UNINSTALL', locationId: id, timestamp: new Date().toISOString() }
    expect(await post({ ...foreign, appId: '0123456789abcdef01234567' })).toEqual({ ignored: 'foreign_app' })
    expect(await post(foreign)).toEqual({ ignored: 'foreign_app' })
    expect(await status(id)).toBe('connected')
  })
})

/** An app event as GHL signs and sends it. */
async function post(event: Record<string, unknown>): Promise<unknown> {
  const body = JSON.stringify({ webhookId: crypto.randomUUID(), ...event })
  const answer = await fetch(`${app.nodes[0]?.url}/ghl/webhook`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-ghl-signature': app.sandbox.deliveries.sign(body),
    },
    body,
  })
  expect(answer.status).toBe(200)
  return await answer.json()
}

it('an event is stored once, echoes and what we do not need are ignored with their reason', async () => {
  app = await startGhlApp()
  const locationId = app.sandbox.addLocation().id
  const appId = app.sandbox.appId
  const echo = { type: 'OutboundMessage', locationId, appId, source: 'api', webhookId: 'w1', messageId: 'm1' }
  expect(await post(echo)).toEqual({ ignored: 'echo' })
  expect(await post(echo)).toEqual({ ignored: 'echo' })
  expect(await post({ type: 'InvoicePaid', locationId, appId })).toEqual({ ignored: 'not_needed' })
  const install = { type: 'INSTALL', locationId, appId, installType: 'Location', webhookId: 'w2' }
  expect(await post(install)).toEqual({ accepted: 'recorded' })
  expect(await post(install)).toEqual({ accepted: 'duplicate' })
  await waitFor('settled', async () => (await events('state=received')).length === 0 || undefined)
  const seen = (await events()).map(({ type, state, reason }) => [type, state, reason])
  expect(seen.toSorted()).toEqual([
    ['INSTALL', 'processed', null],
    ['InvoicePaid', 'ignored', 'not_needed'],
    ['OutboundMessage', 'ignored', 'echo'],
  ])
})

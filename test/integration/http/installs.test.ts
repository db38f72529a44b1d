/** Installations over real HTTP and a real store: every way GHL has of installing, updating and removing our app. */
import { afterEach, describe, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Listed {
  readonly locations: readonly {
    readonly locationId: string
    readonly name: string | null
    readonly status: string
    readonly tokenHealth: string
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
  it('with 500 locations is connected whole, its events in random order and before the code', async () => {
    app = await startGhlApp({ ghl: { rateLimit: PLENTY, settings: { deliveryCopies: 1 } } })
    const { sandbox } = app
    for (let n = 0; n < 500; n++) sandbox.addLocation({ name: `Branch ${n}` })
    const first = sandbox.addLocation({ name: 'The last one' }).id
    sandbox.bulkInstall()
    // Events first: nothing can be connected yet, and every location is in sight.
    await waitFor(
      'all events',
      async () => ((await list('limit=1')).total === 501 ? true : undefined),
      60_000,
    )
    expect((await one(first))?.problem?.code).toBe('GHL_NOT_CONNECTED')
    // One of them is refused its token.
    sandbox.faults.add({
      route: 'POST /oauth/locationToken',
      skip: 250,
      effect: {
        kind: 'status',
        status: 403,
        body: { message: 'The location runs another version of the app' },
      },
    })
    expect((await app.install({ company: true })).status).toBe(200)

    await waitFor(
      'the sync',
      async () => {
        const [sync] = await syncs()
        return sync?.state === 'done' ? sync : undefined
      },
      120_000,
    )
    expect(await syncs()).toMatchObject([{ total: 501, state: 'done' }])
    // The refusal stopped no other location, and the next event of that one cured it.
    expect(sandbox.calls({ route: 'POST /oauth/locationToken', status: 403 })).toHaveLength(1)
    const every = await waitFor('every location', async () => {
      const listed = await everyLocation()
      return listed.every((each) => each.status === 'connected') && listed
    })
    expect(new Set(every.map(({ locationId }) => locationId)).size).toBe(501)
    await waitFor('the last event', async () => (await events('state=received')).length === 0)
    expect(await events('state=failed')).toEqual([])
  }, 240_000)

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
    expect([page.status, page.body.error.code]).toEqual([401, 'SSO_REFUSED'])
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

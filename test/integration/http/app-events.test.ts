/** App events that GHL sends late, twice, half readable or without its ids: what happened stands, in the order it happened. */
import { afterEach, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Listed {
  readonly status: string
  readonly versionId: string | null
  readonly companyName: string | null
}
interface Event {
  readonly type: string
  readonly state: string
  readonly reason: string | null
}

let app: GhlApp
afterEach(async () => {
  expect(app.sandbox.stats().oddities).toEqual([])
  await app.stop()
})

/** A bridge whose GHL says nothing by itself. */
async function quietApp(): Promise<void> {
  app = await startGhlApp()
  app.sandbox.setWebhookUrl(null)
}
const one = async (locationId: string) =>
  (await app.call<{ locations: Listed[] }>('GET', `/api/ghl/locations?locationId=${locationId}`)).body
    .locations[0]
const becomes = (locationId: string, status: string) =>
  waitFor(status, async () => (await one(locationId))?.status === status || undefined, 30_000)
const events = async (query = '') =>
  (await app.call<{ events: Event[] }>('GET', `/api/ghl/events?${query}`)).body.events
const settled = () =>
  waitFor('every event settled', async () => (await events('state=received')).length === 0 || undefined)
/** As GHL signs it, with nothing added. */
async function post(event: Record<string, unknown>): Promise<unknown> {
  const body = JSON.stringify({ appId: app.sandbox.appId, ...event })
  const answer = await fetch(`${app.nodes[0]?.url}/ghl/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-ghl-signature': app.sandbox.deliveries.sign(body) },
    body,
  })
  expect(answer.status).toBe(200)
  return await answer.json()
}

it('the documented bodies, without id and time, are acted on each time', async () => {
  await quietApp()
  const id = app.sandbox.addLocation().id
  for (let n = 0; n < 2; n++) {
    await app.install({ location: id })
    expect((await one(id))?.status).toBe('connected')
    app.sandbox.uninstallFrom(id)
    expect(await post({ type: 'UNINSTALL', locationId: id })).toEqual({ accepted: 'recorded' })
    await becomes(id, 'uninstalled')
  }
})

it('a removal without a time is believed when GHL takes the tokens no more', async () => {
  await quietApp()
  const [own, branch] = [app.sandbox.addLocation().id, app.sandbox.addLocation().id]
  const { companyId } = app.sandbox
  await app.install({ location: own })
  app.sandbox.bulkInstall({ locationIds: [branch] })
  await app.install({ company: true })
  await becomes(branch, 'connected')
  // GHL repeats them for days: they may be older than the installation.
  const removals = [{ locationId: own }, { companyId }] as const
  for (const removal of removals) await post({ type: 'UNINSTALL', ...removal })
  await settled()
  for (const id of [own, branch]) expect((await one(id))?.status).toBe('connected')
  expect(await events('type=UNINSTALL')).toMatchObject([
    { state: 'ignored', reason: 'installed_since' },
    { state: 'ignored', reason: 'installed_since' },
  ])
  app.sandbox.uninstallFrom(own)
  app.sandbox.uninstallFromCompany()
  for (const removal of removals) await post({ type: 'UNINSTALL', ...removal })
  for (const id of [own, branch]) await becomes(id, 'uninstalled')
})

it.each([
  ['a number', (ms: number) => ms],
  ['digits', (ms: number) => String(ms)],
  ['a date', (ms: number) => new Date(ms).toISOString()],
])('an event’s time counts as %s', async (_, written) => {
  await quietApp()
  const at = (ms: number) => written(Date.now() + ms)
  await post({ type: 'UNINSTALL', locationId: 'branch', timestamp: at(0) })
  await settled()
  await post({ type: 'INSTALL', locationId: 'branch', timestamp: at(-5_000) })
  await settled()
  expect((await one('branch'))?.status).toBe('uninstalled')
  await post({ type: 'INSTALL', locationId: 'branch', timestamp: at(5_000) })
  await settled()
  expect((await one('branch'))?.status).toBe('not_connected')
})

it('a removal whose location cannot be read removes nothing, least of all the agency', async () => {
  await quietApp()
  const id = app.sandbox.addLocation().id
  app.sandbox.bulkInstall()
  await app.install({ company: true })
  await becomes(id, 'connected')
  const timestamp = new Date(Date.now() + 10_000).toISOString()
  for (const locationId of ['not an id', 7, ['a'], { id: 'a' }])
    expect(
      await post({ type: 'UNINSTALL', locationId, companyId: app.sandbox.companyId, timestamp }),
    ).toEqual({
      ignored: 'unreadable_location',
    })
  await settled()
  expect((await one(id))?.status).toBe('connected')
  // Absent is said in three ways, and then it is the agency.
  await post({ type: 'UNINSTALL', locationId: '', companyId: app.sandbox.companyId, timestamp })
  await becomes(id, 'uninstalled')
})

it('a late removal does not take the tokens of the installation that followed it', async () => {
  await quietApp()
  const id = app.sandbox.addLocation().id
  await app.install({ location: id })
  const timestamp = new Date().toISOString()
  await app.install({ location: id })
  await post({ type: 'UNINSTALL', locationId: id, timestamp })
  await settled()
  expect((await one(id))?.status).toBe('connected')
  expect(await events('type=UNINSTALL')).toMatchObject([{ state: 'ignored', reason: 'installed_since' }])
})

it('a removal that GHL’s clock puts a moment before the grant is one all the same, when the tokens are dead', async () => {
  await quietApp()
  const id = app.sandbox.addLocation().id
  await app.install({ location: id })
  const { body } = await app.call<{ installations: { refreshedAt: string }[] }>('GET', '/api/ghl/tokens')
  const grantedAtMs = Date.parse(body.installations[0]?.refreshedAt ?? '')
  const timestamp = new Date(grantedAtMs - 1_000).toISOString()
  app.sandbox.uninstallFrom(id)
  await post({ type: 'UNINSTALL', locationId: id, timestamp })
  await becomes(id, 'uninstalled')
  expect(await events('type=UNINSTALL')).toMatchObject([{ state: 'processed' }])
})

it('the removal of a location that nobody had heard of is kept, as what it is', async () => {
  await quietApp()
  await post({ type: 'UNINSTALL', locationId: 'neverSeen' })
  await becomes('neverSeen', 'uninstalled')
  await settled()
  expect(await events()).toMatchObject([{ type: 'UNINSTALL', state: 'processed', reason: null }])
})

it('the removal of an agency stands against INSTALLs that are older and come later', async () => {
  await quietApp()
  const { companyId } = app.sandbox
  const at = (ms: number) => new Date(Date.now() + ms).toISOString()
  await post({ type: 'UNINSTALL', companyId, timestamp: at(0) })
  await settled()
  await post({ type: 'INSTALL', companyId, installType: 'Company', timestamp: at(-5_000) })
  await post({ type: 'INSTALL', companyId, locationId: 'branch', timestamp: at(-5_000) })
  await settled()
  expect(await events('type=INSTALL')).toMatchObject([
    { state: 'ignored', reason: 'removed_since' },
    { state: 'ignored', reason: 'removed_since' },
  ])
  expect((await one('branch'))?.status).toBe('uninstalled')
})

it('an agency’s own INSTALL keeps its name and its white-label domain, before its code or after', async () => {
  await quietApp()
  const domainShown = async (domain: string) => {
    const { headers } = await app.call('GET', '/app', { as: 'nobody' })
    return headers.get('content-security-policy')?.includes(domain) === true
  }
  const said = { type: 'INSTALL', installType: 'Company', companyId: app.sandbox.companyId }
  await post({ ...said, companyName: 'Agency X', whitelabelDetails: { domain: 'crm.big.example' } })
  await settled()
  expect(await domainShown('crm.big.example')).toBe(true)
  await app.install({ company: true })
  await post({ ...said, whitelabelDetails: { domain: 'crm.new.example' } })
  await settled()
  expect(await domainShown('crm.new.example')).toBe(true)
  const { body } = await app.call<{ installations: unknown[] }>('GET', '/api/ghl/tokens')
  expect(body.installations).toMatchObject([{ userType: 'Company', name: 'Agency X', status: 'active' }])
})

it('an INSTALL that runs ahead of GHL’s own token door is connected a moment later', async () => {
  await quietApp()
  await app.install({ company: true })
  const id = app.sandbox.addLocation().id
  app.sandbox.installIn(id)
  app.sandbox.faults.add({
    route: 'POST /oauth/locationToken',
    times: 2,
    effect: { kind: 'status', status: 400, body: { message: 'The app is not installed in this location' } },
  })
  await post({ type: 'INSTALL', locationId: id })
  await becomes(id, 'connected')
})

it('of two updates the younger counts, and an agency’s update brings its waiting locations on', async () => {
  await quietApp()
  const id = app.sandbox.addLocation().id
  const { companyId } = app.sandbox
  await post({ type: 'INSTALL', locationId: id, companyId, versionId: 'v1' })
  await settled()
  const at = (ms: number) => new Date(Date.now() + ms).toISOString()
  await post({ type: 'UPDATE', locationId: id, versionId: 'v3', timestamp: at(60_000) })
  await settled()
  await post({ type: 'UPDATE', locationId: id, versionId: 'v2', timestamp: at(30_000) })
  await settled()
  expect((await one(id))?.versionId).toBe('v3')

  await app.install({ company: true })
  await waitFor('the sync', async () => {
    const { body } = await app.call<{ syncs: { state: string }[] }>(
      'GET',
      '/api/sync/status?kind=installations',
    )
    return body.syncs[0]?.state === 'done' || undefined
  })
  // Installed there since, and the word of it was lost.
  app.sandbox.installIn(id)
  await post({ type: 'UPDATE', companyId, versionId: 'v4' })
  await becomes(id, 'connected')
})

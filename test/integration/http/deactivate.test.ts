/** What the operator switches off stays off, whatever GHL says; nothing is lost over it, and no call is made for it. */
import { afterEach, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Installation {
  readonly installationId: string
  readonly locationId: string | null
  readonly userType: string
  readonly status: string
  readonly health: string
  readonly deactivated: boolean
  readonly problem: { readonly code: string; readonly action: string | null } | null
}
interface Location {
  readonly status: string
  readonly tokenHealth: string
  readonly deactivated: boolean
  readonly problem: { readonly code: string; readonly action: string | null } | null
}
interface Refused {
  readonly error: { readonly code: string }
  readonly success?: boolean
}

let app: GhlApp
afterEach(async () => {
  expect(app.sandbox.stats().oddities).toEqual([])
  await app.stop()
})

const rows = async () =>
  (await app.call<{ installations: Installation[] }>('GET', '/api/ghl/tokens')).body.installations
const rowOf = async (locationId: string | null) => {
  const row = (await rows()).find((each) => each.locationId === locationId)
  if (row === undefined) throw new Error('not listed')
  return row
}
const one = async (locationId: string) =>
  (await app.call<{ locations: Location[] }>('GET', `/api/ghl/locations?locationId=${locationId}`)).body
    .locations[0]
const isConnected = (locationId: string) =>
  waitFor('connected', async () => (await one(locationId))?.status === 'connected' || undefined)
const turn = async (word: 'deactivate' | 'activate', locationId: string | null) =>
  await app.call<Installation>('POST', `/api/ghl/tokens/${(await rowOf(locationId)).installationId}/${word}`)
const post = async (event: Record<string, unknown>) => {
  const body = JSON.stringify({ webhookId: crypto.randomUUID(), appId: app.sandbox.appId, ...event })
  await fetch(`${app.nodes[0]?.url}/ghl/webhook`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-ghl-signature': app.sandbox.deliveries.sign(body) },
    body,
  })
}
const settled = () =>
  waitFor('every event settled', async () => {
    const { body } = await app.call<{ events: unknown[] }>('GET', '/api/ghl/events?state=received')
    return body.events.length === 0 || undefined
  })
const synced = () =>
  waitFor('the sync', async () => {
    const { body } = await app.call<{ syncs: { state: string }[] }>(
      'GET',
      '/api/sync/status?kind=installations',
    )
    return (body.syncs.length > 0 && body.syncs.every(({ state }) => state !== 'running')) || undefined
  })

it('a deactivated location stays in the list with its reason, and everything asked of it is refused', async () => {
  app = await startGhlApp()
  const id = app.sandbox.addLocation().id
  await app.install({ location: id })
  const { installationId } = await rowOf(id)
  const answer = await turn('deactivate', id)
  expect(answer).toMatchObject({
    status: 200,
    body: { installationId, deactivated: true, health: 'deactivated' },
  })
  expect(await one(id)).toMatchObject({
    status: 'not_connected',
    deactivated: true,
    tokenHealth: 'deactivated',
    problem: { code: 'GHL_DEACTIVATED', action: expect.stringContaining('Activate') as string },
  })
  // Twice is as good as once.
  expect((await turn('deactivate', id)).body).toMatchObject({ deactivated: true })

  app.sandbox.forget()
  const { body: key } = await app.call<{ key: string }>('POST', '/api/keys', {
    body: { name: 'sibling', scopes: ['tokens', 'proxy:read'] },
  })
  const as = { bearer: key.key }
  const lent = await app.call<Refused>('GET', `/api/token-access/${installationId}`, { as })
  expect(lent).toMatchObject({ status: 409, body: { success: false, error: { code: 'GHL_DEACTIVATED' } } })
  const relayed = await app.call<Refused>('GET', `/api/ghl/location/${id}/proxy/contacts/x`, { as })
  expect(relayed).toMatchObject({ status: 409, body: { error: { code: 'GHL_DEACTIVATED' } } })
  const refreshed = await app.call<Refused>('POST', `/api/ghl/tokens/${installationId}/refresh`)
  expect(refreshed).toMatchObject({ status: 409, body: { error: { code: 'GHL_DEACTIVATED' } } })
  const added = await app.call<Refused>('POST', `/ghl/location/${id}/session`, { body: {} })
  expect(added).toMatchObject({ status: 409, body: { error: { code: 'GHL_DEACTIVATED' } } })
  const care = await app.call('POST', '/api/ghl/tokens/refresh', { body: { force: true } })
  expect(care.body).toMatchObject({ refreshed: 0, failed: 0 })
  expect(app.sandbox.calls({})).toEqual([])

  expect((await turn('activate', id)).body).toMatchObject({ deactivated: false, health: 'healthy' })
  expect(await one(id)).toMatchObject({ status: 'connected', deactivated: false, problem: null })
  expect((await app.call('GET', `/api/token-access/${installationId}`, { as })).status).toBe(200)
  // Its tokens were kept: nothing had to be granted again.
  expect(app.sandbox.calls({ route: 'POST /oauth/token' })).toEqual([])

  const { body: audit } = await app.call<{
    entries: { action: string; locationId: string; target: string }[]
  }>('GET', '/api/audit')
  expect(audit.entries).toContainEqual(
    expect.objectContaining({
      action: 'POST /api/ghl/tokens/:installationId/deactivate',
      locationId: id,
      target: installationId,
    }),
  )
})

it('neither events nor a sync nor the chores bring it back; a person who installs it does', async () => {
  app = await startGhlApp()
  const [id, other] = [app.sandbox.addLocation().id, app.sandbox.addLocation().id]
  app.sandbox.bulkInstall()
  await app.install({ company: true })
  for (const each of [id, other]) await isConnected(each)
  await settled()
  await turn('deactivate', id)
  app.sandbox.forget()

  const said = { locationId: id, companyId: app.sandbox.companyId, timestamp: new Date().toISOString() }
  await post({ type: 'INSTALL', ...said, versionId: 'v2' })
  await post({ type: 'UPDATE', ...said, versionId: 'v3' })
  await settled()
  await app.call('POST', '/admin/ghl/sync-all-subaccounts')
  await synced()
  await app.call('POST', '/api/ghl/tokens/refresh', { body: {} })
  expect(await one(id)).toMatchObject({ status: 'not_connected', deactivated: true })
  expect(await one(other)).toMatchObject({ status: 'connected' })
  expect(app.sandbox.calls({ locationId: id })).toEqual([])

  // Removed and installed again by GHL's word alone: off all the same.
  await post({ type: 'UNINSTALL', locationId: id, timestamp: new Date(Date.now() + 1_000).toISOString() })
  await settled()
  expect(await one(id)).toMatchObject({ status: 'uninstalled' })
  expect((await turn('activate', id)).status).toBe(404)
  await post({ type: 'INSTALL', ...said, timestamp: new Date(Date.now() + 2_000).toISOString() })
  await settled()
  expect(await one(id)).toMatchObject({ status: 'not_connected', deactivated: true })

  await app.install({ location: id })
  expect(await one(id)).toMatchObject({ status: 'connected', deactivated: false })
})

it.each(['deactivated', 'uninstalled'] as const)(
  'a refresh under way while it is %s brings no token back into use',
  async (how) => {
    app = await startGhlApp()
    const { sandbox } = app
    const id = sandbox.addLocation().id
    await app.install({ location: id })
    const { body: key } = await app.call<{ key: string }>('POST', '/api/keys', {
      body: { name: 'sibling', scopes: ['proxy:read'] },
    })
    const path = `/api/ghl/location/${id}/proxy/contacts/${sandbox.contacts.add(id, { name: 'Ana' }).id}`
    const ask = () => app.call<Refused>('GET', path, { as: { bearer: key.key } })
    expect((await ask()).status).toBe(200)
    sandbox.tokens.expireAccess(id)
    const door = sandbox.faults.hold('POST /oauth/token')
    const asked = ask()
    await door.met
    if (how === 'deactivated') await turn('deactivate', id)
    else {
      await post({ type: 'UNINSTALL', locationId: id, timestamp: new Date().toISOString() })
      await settled()
    }
    const code = how === 'deactivated' ? 'GHL_DEACTIVATED' : 'GHL_NOT_INSTALLED'
    door.letGo()
    const refusals = [await asked, await ask(), await ask()]
    expect(refusals.map(({ body }) => body.error.code)).toEqual([code, code, code])
    // The one that found the token spent, and none after it.
    expect(sandbox.calls({ route: 'GET /contacts/:contactId' }).map(({ status }) => status)).toEqual([
      200, 401,
    ])
    if (how === 'uninstalled') return
    // The pair that came meanwhile was kept.
    await turn('activate', id)
    expect((await ask()).status).toBe(200)
    expect(sandbox.calls({ route: 'POST /oauth/token', status: 200 })).toHaveLength(2)
  },
)

it('an agency takes its locations along, and brings back only those', async () => {
  app = await startGhlApp()
  const [first, second] = [app.sandbox.addLocation().id, app.sandbox.addLocation().id]
  app.sandbox.bulkInstall()
  await app.install({ company: true })
  for (const each of [first, second]) await isConnected(each)
  await turn('deactivate', first)
  await turn('deactivate', null)
  expect((await rows()).map(({ deactivated }) => deactivated)).toEqual([true, true, true])
  expect((await turn('activate', null)).body).toMatchObject({ userType: 'Company', deactivated: false })
  expect(await one(second)).toMatchObject({ status: 'connected' })
  expect(await one(first)).toMatchObject({ deactivated: true })

  // The agency's own new consent is a person's word too.
  await turn('deactivate', null)
  await app.install({ company: true })
  expect(await one(second)).toMatchObject({ status: 'connected' })
  expect(await one(first)).toMatchObject({ deactivated: true })
})

it('is the operator’s alone, and refuses what it does not know', async () => {
  app = await startGhlApp()
  const id = app.sandbox.addLocation().id
  await app.install({ location: id })
  const path = `/api/ghl/tokens/${(await rowOf(id)).installationId}`
  const page = await app.page(id)
  for (const word of ['deactivate', 'activate']) {
    expect((await app.call('POST', `${path}/${word}`, { as: 'nobody' })).status).toBe(401)
    expect((await app.call('POST', `${path}/${word}`, { as: page })).status).toBe(403)
    const unknown = await app.call<Refused>('POST', `/api/ghl/tokens/nobody/${word}`)
    expect([unknown.status, unknown.body.error.code]).toEqual([404, 'INSTALLATION_UNKNOWN'])
    expect((await app.call('POST', `/api/ghl/tokens/a.b/${word}`)).status).toBe(400)
  }
  expect(await one(id)).toMatchObject({ status: 'connected' })
})

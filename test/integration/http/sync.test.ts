/** The sync of an agency over real HTTP and a real store, with a GHL that blips, lies about its pages and forgets to tell. */
import { afterEach, describe, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Sync {
  readonly scope: string
  readonly state: string
  readonly done: number
  readonly failed: number
  readonly total: number | null
  readonly message: string | null
}
interface Listed {
  readonly status: string
  readonly versionId: string | null
  readonly problem: { readonly code: string } | null
}

const PLENTY = { max: 20_000, intervalMs: 10_000, perDay: 2_000_000, window: 'fixed' } as const
const MINT = 'POST /oauth/locationToken'

let app: GhlApp
afterEach(async () => {
  expect(app.sandbox.stats().oddities).toEqual([])
  await app.stop()
})

const one = async (locationId: string) =>
  (await app.call<{ locations: Listed[] }>('GET', `/api/ghl/locations?locationId=${locationId}`)).body
    .locations[0]
const becomes = (locationId: string, status: string) =>
  waitFor(status, async () => (await one(locationId))?.status === status || undefined, 20_000)
const synced = () =>
  waitFor(
    'the sync',
    async () => {
      const { body } = await app.call<{ syncs: Sync[] }>('GET', '/api/sync/status?kind=installations')
      const [sync] = body.syncs
      return sync !== undefined && sync.state !== 'running' ? sync : undefined
    },
    60_000,
  )
const syncAll = () =>
  app.call<{ agencies: string[]; syncs: Sync[] }>('POST', '/admin/ghl/sync-all-subaccounts')
const agency = async () => {
  const { body } = await app.call<{ installations: { installationId: string; userType: string }[] }>(
    'GET',
    '/api/ghl/tokens',
  )
  return body.installations.find(({ userType }) => userType === 'Company')?.installationId
}
const mints = () => app.sandbox.calls({ route: MINT }).length

describe('the sync of an agency', () => {
  it('comes through a blip, short pages that count themselves, and a row that cannot be read', async () => {
    app = await startGhlApp({
      ghl: { rateLimit: PLENTY, settings: { installedPageMax: 20, installedCount: 'page' } },
    })
    const { sandbox } = app
    sandbox.setWebhookUrl(null)
    for (let n = 0; n < 65; n++) sandbox.addLocation({ name: `Branch ${n}` })
    sandbox.addLocation({ id: 'no id of ours!' })
    const last = sandbox.addLocation({ name: 'The last one' }).id
    sandbox.bulkInstall()
    // Enough in a row that the agency's breaker opens, and one page that cannot be had at first.
    const down = { kind: 'status', status: 500, body: { message: 'oops' } } as const
    sandbox.faults.add({ route: MINT, skip: 10, times: 8, effect: down })
    sandbox.faults.add({ route: 'GET /oauth/installedLocations', skip: 1, times: 2, effect: down })
    await app.install({ company: true })
    expect(await synced()).toMatchObject({
      state: 'done',
      done: 66,
      failed: 1,
      total: 67,
      message: expect.stringContaining('1 rows of GHL’s list') as string,
    })
    expect((await one(last))?.status).toBe('connected')
  }, 120_000)

  it('shows how far it is while it runs, and is not begun a second time meanwhile', async () => {
    app = await startGhlApp({ ghl: { rateLimit: PLENTY } })
    const { sandbox } = app
    sandbox.setWebhookUrl(null)
    for (let n = 0; n < 9; n++) sandbox.addLocation({ name: `Branch ${n}` })
    sandbox.bulkInstall()
    const held = sandbox.faults.hold(MINT)
    await app.install({ company: true })
    await held.met
    const running = await waitFor('the others', async () => {
      const { body } = await app.call<{ syncs: Sync[] }>('GET', '/api/sync/status?kind=installations')
      return body.syncs.find(({ total, done }) => total === 9 && done > 0)
    })
    expect(running).toMatchObject({ scope: sandbox.companyId, state: 'running', failed: 0 })
    const asked = await syncAll()
    expect([asked.status, asked.body.syncs]).toMatchObject([202, [{ state: 'running' }]])
    held.letGo()
    expect(await synced()).toMatchObject({ state: 'done', done: 9, failed: 0, total: 9 })
    expect(mints()).toBe(9)
  })

  it('says when it gave some up, and connects them the next time', async () => {
    app = await startGhlApp({ ghl: { rateLimit: PLENTY } })
    const { sandbox } = app
    sandbox.setWebhookUrl(null)
    const bad = sandbox.addLocation().id
    sandbox.bulkInstall()
    const down = { kind: 'status', status: 500, body: { message: 'oops' } } as const
    sandbox.faults.add({ route: MINT, times: null, effect: down })
    await app.install({ company: true })
    expect(await synced()).toMatchObject({
      state: 'failed',
      done: 0,
      failed: 1,
      message: expect.stringMatching(
        /^GHL_.*tried again with the next sync\. Not connected: \S+ GHL_UNAVAILABLE$/,
      ) as string,
    })
    sandbox.faults.clear()
    await syncAll()
    await becomes(bad, 'connected')
  }, 120_000)

  it('does not bring back a location that was removed while its page was in work', async () => {
    app = await startGhlApp({ ghl: { rateLimit: PLENTY } })
    const { sandbox } = app
    sandbox.setWebhookUrl(null)
    for (let n = 0; n < 5; n++) sandbox.addLocation({ name: `Branch ${n}` })
    const gone = sandbox.addLocation().id
    sandbox.bulkInstall()
    sandbox.faults.add({ route: MINT, times: 4, effect: { kind: 'delay', ms: 1_500 } })
    await app.install({ company: true })
    await waitFor('the first mint', () => mints() > 0 || undefined)
    sandbox.setWebhookUrl(`${app.nodes[0]?.url}/ghl/webhook`)
    sandbox.uninstallFrom(gone)
    await becomes(gone, 'uninstalled')
    expect(await synced()).toMatchObject({ state: 'done', failed: 0 })
    expect((await one(gone))?.status).toBe('uninstalled')
  })

  it('finds a location whose removal nobody told', async () => {
    app = await startGhlApp()
    const { sandbox } = app
    const [stays, gone] = [sandbox.addLocation().id, sandbox.addLocation().id]
    sandbox.bulkInstall()
    await app.install({ company: true })
    for (const id of [stays, gone]) await becomes(id, 'connected')
    await synced()
    sandbox.setWebhookUrl(null)
    sandbox.uninstallFrom(gone)
    expect((await one(gone))?.status).toBe('connected')
    await syncAll()
    await becomes(gone, 'not_connected')
    expect((await one(stays))?.status).toBe('connected')
  })

  it('of one that cannot be synced says why, instead of showing its last success', async () => {
    app = await startGhlApp()
    const id = app.sandbox.addLocation().id
    app.sandbox.bulkInstall()
    await app.install({ company: true })
    await becomes(id, 'connected')
    await synced()
    app.sandbox.tokens.revokeRefresh()
    expect((await app.call('POST', `/api/ghl/tokens/${await agency()}/refresh`)).status).toBe(409)
    app.sandbox.tokens.expireAccess()
    await syncAll()
    await waitFor('its failure', async () => (await synced()).state === 'failed' || undefined)
    const { status, body } = await syncAll()
    expect([status, body.agencies]).toEqual([202, []])
    expect(body.syncs).toMatchObject([
      {
        scope: app.sandbox.companyId,
        state: 'failed',
        message: expect.stringContaining('install link') as string,
      },
    ])
    await app.install({ company: true })
    await waitFor('the sync', async () => (await synced()).state === 'done' || undefined)
  })

  it('renews what has tokens with the scopes of another day: after an update, and after a new consent', async () => {
    app = await startGhlApp()
    const { sandbox } = app
    const id = sandbox.addLocation().id
    sandbox.bulkInstall()
    await app.install({ company: true })
    await becomes(id, 'connected')
    await synced()
    await waitFor('its version', async () => (await one(id))?.versionId !== null || undefined)
    sandbox.forget()
    sandbox.publishVersion()
    sandbox.updateIn()
    sandbox.updateIn(id)
    await waitFor('a token of the new version', () => mints() > 0 || undefined)
    await synced()
    sandbox.forget()
    await syncAll()
    await synced()
    expect(mints()).toBe(0)
    await app.install({ company: true })
    await waitFor('a token of the new consent', () => mints() === 1 || undefined)
    expect(await synced()).toMatchObject({ state: 'done', failed: 0 })
  })
})

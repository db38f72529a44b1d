/** Tokens that were sealed with a key that is gone: they count as none, and nothing else suffers for them. */
import pg from 'pg'
import { afterEach, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Row {
  readonly installationId: string
  readonly locationId: string | null
  readonly status: string
  readonly health: string
  readonly refreshedAt: string | null
  readonly problem: { readonly message: string } | null
}

/** A node that has not read the tokens yet. */
const OTHER_NODE = 1

let app: GhlApp
let as: { readonly bearer: string }
const start = async () => {
  app = await startGhlApp({ nodes: 2 })
  app.sandbox.setWebhookUrl(null)
  const { body } = await app.call<{ key: string }>('POST', '/api/keys', {
    body: { name: 'sibling', scopes: ['proxy:read'] },
  })
  as = { bearer: body.key }
}
afterEach(async () => {
  expect(app.sandbox.stats().oddities).toEqual([])
  await app.stop()
})

const rowOf = async (locationId: string) =>
  (await app.call<{ installations: Row[] }>('GET', '/api/ghl/tokens')).body.installations.find(
    (row) => row.locationId === locationId,
  )
const becomes = (locationId: string, status: string) =>
  waitFor(status, async () => (await rowOf(locationId))?.status === status || undefined)
const sql = async (text: string) => {
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
/** As sealed by a key that nobody has: it opens no more. */
const loseKey = (locationId: string) =>
  sql(`update bridge.ghl_accounts set access_token = 'x' || access_token, refresh_token = 'x' || refresh_token
    where location_id = '${locationId}'`)
const giveKeyBack = (locationId: string) =>
  sql(`update bridge.ghl_accounts set access_token = substr(access_token, 2), refresh_token = substr(refresh_token, 2)
    where location_id = '${locationId}'`)
const proxied = (locationId: string) =>
  app.call<{ error?: { code: string; message: string; action?: string } }>(
    'GET',
    `/api/ghl/location/${locationId}/proxy/locations/${locationId}`,
    { as, node: OTHER_NODE },
  )

it.each([
  ['the next call', async (locationId: string) => (await proxied(locationId)).status === 200],
  [
    'a forced refresh',
    async () => {
      const { body } = await app.call('POST', '/api/ghl/tokens/refresh', { body: { force: true } })
      return body['failed'] === 0
    },
  ],
  [
    'a sync',
    async () =>
      (await app.call('POST', '/admin/ghl/sync-all-subaccounts', { node: OTHER_NODE })).status === 202,
  ],
])('a location of an agency gets others by %s', async (_, act) => {
  await start()
  const locationId = app.sandbox.addLocation().id
  app.sandbox.bulkInstall()
  await app.install({ company: true })
  await becomes(locationId, 'active')
  await waitFor('the first sync', async () => {
    const { body } = await app.call<{ syncs: { state: string }[] }>(
      'GET',
      '/api/sync/status?kind=installations',
    )
    return body.syncs[0]?.state === 'done' || undefined
  })
  const before = await rowOf(locationId)
  await loseKey(locationId)
  app.sandbox.forget()
  expect(await act(locationId)).toBe(true)
  const isRenewed = async () => (await rowOf(locationId))?.refreshedAt !== before?.refreshedAt
  await waitFor('the new token', async () => (await isRenewed()) || undefined)
  expect((await proxied(locationId)).status).toBe(200)
  expect(app.sandbox.calls({ route: 'POST /oauth/locationToken' })).toHaveLength(1)
  expect(await rowOf(locationId)).toMatchObject({ status: 'active', health: 'healthy', problem: null })
})

it('a location of its own needs a reconnect and says why, until the key is back or a person has connected it', async () => {
  await start()
  const locationId = app.sandbox.addLocation().id
  await app.install({ location: locationId })
  await loseKey(locationId)
  app.sandbox.forget()
  for (let n = 0; n < 2; n++) {
    const { status, body } = await proxied(locationId)
    expect([status, body.error?.code]).toEqual([409, 'GHL_NEEDS_RECONNECT'])
    expect(body.error?.action).toContain('ENCRYPTION_KEY')
  }
  const { installationId, ...row } = (await rowOf(locationId)) ?? {}
  expect(row).toMatchObject({
    health: 'needs_reconnect',
    problem: { message: expect.stringContaining('cannot be opened') as string },
  })
  const one = await app.call<{ error: { code: string } }>('POST', `/api/ghl/tokens/${installationId}/refresh`)
  expect([one.status, one.body.error.code]).toEqual([409, 'GHL_NEEDS_RECONNECT'])
  const all = await app.call('POST', '/api/ghl/tokens/refresh', { body: { force: true } })
  expect([all.status, all.body]).toMatchObject([200, { refreshed: 0, failed: 1 }])
  expect(app.sandbox.calls({ route: 'POST /oauth/token' })).toEqual([])

  await giveKeyBack(locationId)
  expect((await proxied(locationId)).status).toBe(200)
  app.sandbox.tokens.expireAccess()
  expect((await proxied(locationId)).status).toBe(200)
  expect(await rowOf(locationId)).toMatchObject({ status: 'active', problem: null })

  await loseKey(locationId)
  await app.install({ location: locationId })
  expect((await proxied(locationId)).status).toBe(200)
})

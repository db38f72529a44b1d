/** Token answers as GHL may give them, and a node that leaves over a refresh: whole bridges on a real store, the sandbox in front. */
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

const TOKEN = 'POST /oauth/token'
const MINT = 'POST /oauth/locationToken'

let app: GhlApp
afterEach(() => app.stop())

interface Listed {
  readonly installations: readonly {
    readonly installationId: string
    readonly locationId: string | null
    readonly status: string
    readonly health: string
  }[]
}

const rowOf = async (locationId: string, node = 0) => {
  const { body } = await app.call<Listed>('GET', '/api/ghl/tokens', { node })
  return body.installations.find((row) => row.locationId === locationId)
}
/** A call to GHL under the location's token. */
const read = async (locationId: string): Promise<number> => {
  const contactId = app.sandbox.contacts.add(locationId, { name: 'Ana' }).id
  return (await app.call('GET', `/api/ghl/location/${locationId}/proxy/contacts/${contactId}`)).status
}
const calls = (route: string): number => app.sandbox.calls({ route }).length
const holdsRefreshToken = async (locationId: string): Promise<boolean | undefined> => {
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  const { rows } = await client.query<{ holds: boolean }>(
    'select refresh_token is not null as holds from bridge.ghl_accounts where location_id = $1',
    [locationId],
  )
  await client.end()
  return rows[0]?.holds
}

describe.each(['snake', 'camel'] as const)('token answers spelled in %s', (tokenSpelling) => {
  it('keep the location that a refresh leaves out, and the new refresh token', async () => {
    app = await startGhlApp({ ghl: { settings: { tokenSpelling, refreshOmitsLocationId: true } } })
    const locationId = app.sandbox.addLocation().id
    expect((await app.install({ location: locationId })).status).toBe(200)
    app.sandbox.settings.refreshGraceMs = 0
    for (let n = 0; n < 2; n++) {
      app.sandbox.forget()
      app.sandbox.tokens.expireAccess(locationId)
      expect(await read(locationId)).toBe(200)
      expect(calls(TOKEN)).toBe(1)
      expect(await rowOf(locationId)).toMatchObject({ locationId, status: 'active', health: 'healthy' })
    }
    expect(await holdsRefreshToken(locationId)).toBe(true)
  })

  it('of a minted token may hold a refresh token, which nobody spends: it is minted again', async () => {
    app = await startGhlApp({ ghl: { settings: { tokenSpelling, locationTokenHasRefresh: true } } })
    const locationId = app.sandbox.addLocation().id
    app.sandbox.bulkInstall()
    expect((await app.install({ company: true })).status).toBe(200)
    await waitFor('the location', async () => (await rowOf(locationId))?.status === 'active')
    expect(await holdsRefreshToken(locationId)).toBe(false)
    app.sandbox.forget()
    app.sandbox.tokens.expireAccess(locationId)
    expect(await read(locationId)).toBe(200)
    expect([calls(MINT), calls(TOKEN)]).toEqual([1, 0])
  })
})

it('a node that is stopped over a run of refreshes loses no pair, and another goes on at once', async () => {
  app = await startGhlApp({ nodes: 2 })
  const ids = Array.from({ length: 6 }, () => app.sandbox.addLocation().id)
  for (const location of ids) await app.install({ location })
  app.sandbox.settings.refreshGraceMs = 0
  app.sandbox.forget()
  app.sandbox.faults.add({ route: TOKEN, times: null, when: 'after', effect: { kind: 'delay', ms: 800 } })
  const force = async (node: number) =>
    await app.call<{ refreshed: number; failed: number }>('POST', '/api/ghl/tokens/refresh', {
      body: { force: true },
      node,
    })
  const asked = force(0).catch(() => 'the connection was closed')
  await waitFor('refreshes under way', () => calls(TOKEN) >= 4)
  await app.nodes[0]?.stop()
  await asked
  app.sandbox.faults.clear()
  const other = await force(1)
  expect([other.status, other.body]).toMatchObject([200, { refreshed: 6, failed: 0 }])
  for (const id of ids) expect(await rowOf(id, 1)).toMatchObject({ status: 'active', health: 'healthy' })
}, 30_000)

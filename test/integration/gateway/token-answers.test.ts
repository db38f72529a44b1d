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
const read = async (locationId: string, node = 0): Promise<number> => {
  const contactId = app.sandbox.contacts.add(locationId, { name: 'Ana' }).id
  const path = `/api/ghl/location/${locationId}/proxy/contacts/${contactId}`
  return (await app.call('GET', path, { node })).status
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

/** The token of this location is to be renewed, and works for two minutes more. */
const nearsItsEnd = async (locationId: string): Promise<void> => {
  const client = new pg.Client({ connectionString: app.databaseUrl })
  await client.connect()
  const sql = `update bridge.ghl_accounts set token_expires_at = now() + interval '2 minutes' where location_id = $1`
  await client.query(sql, [locationId])
  await client.end()
}

describe('an answer of 200 without a token', () => {
  const effect = {
    kind: 'status',
    status: 200,
    body: { scope: 'contacts.readonly', userType: 'Location' },
  } as const

  it('is a typed failure after a while, not a loop, and the pair is not lost', async () => {
    app = await startGhlApp()
    const locationId = app.sandbox.addLocation().id
    await app.install({ location: locationId })
    app.sandbox.tokens.expireAccess(locationId)
    app.sandbox.forget()
    app.sandbox.faults.add({ route: TOKEN, times: null, effect })
    const path = `/api/ghl/location/${locationId}/proxy/contacts/c1`
    const asked = await Promise.all([1, 2, 3].map(() => app.call('GET', path)))
    for (const { status, body } of asked)
      expect([status, body]).toMatchObject([502, { error: { code: 'GHL_UNAVAILABLE' } }])
    // As long as GHL would give the same pair, with growing pauses, one for all.
    expect(calls(TOKEN)).toBeLessThan(12)
    expect(await rowOf(locationId)).toMatchObject({ status: 'active', problem: { code: 'GHL_UNAVAILABLE' } })
    app.sandbox.faults.clear()
    expect(await read(locationId)).toBe(200)
    expect(await rowOf(locationId)).toMatchObject({ status: 'active', health: 'healthy' })
  }, 90_000)

  it('keeps a token in use that still works', async () => {
    app = await startGhlApp({ nodes: 2 })
    const locationId = app.sandbox.addLocation().id
    await app.install({ location: locationId })
    await nearsItsEnd(locationId)
    app.sandbox.forget()
    app.sandbox.faults.add({ route: TOKEN, times: 2, effect })
    // The other node has read the token before that.
    expect(await read(locationId, 1)).toBe(200)
    await waitFor('the renewal', async () => (await rowOf(locationId))?.health === 'healthy')
    expect(calls(TOKEN)).toBe(3)
    expect(await read(locationId)).toBe(200)
  })

  it('to a code installs nothing, and says that GHL answered so', async () => {
    app = await startGhlApp()
    const locationId = app.sandbox.addLocation().id
    app.sandbox.faults.add({ route: TOKEN, effect })
    const { status, body } = await app.install({ location: locationId })
    expect([status, body]).toMatchObject([502, { error: { code: 'GHL_RESPONSE_INVALID' } }])
    // By GHL's event it is in sight, without a token.
    await waitFor('the event', async () => (await rowOf(locationId))?.status === 'pending')
  })
})

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

  it('name the location by the token alone where the answer to a code leaves it out', async () => {
    app = await startGhlApp({ ghl: { settings: { tokenSpelling, codeOmitsLocationId: true } } })
    const locationId = app.sandbox.addLocation().id
    expect((await app.install({ location: locationId })).status).toBe(200)
    expect(await rowOf(locationId)).toMatchObject({ locationId, status: 'active' })
    expect(await read(locationId)).toBe(200)
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

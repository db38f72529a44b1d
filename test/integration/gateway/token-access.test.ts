/** What a sibling backend gets from token access when the installation is not simply well. */
import { afterEach, expect, it, vi } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { waitFor } from '../../support/wait-for.ts'

const TOKEN = 'POST /oauth/token'
/** Longer than a token is renewed ahead of its end. */
const TTL_MS = 400_000
/** Less than what a call may still need of a token. */
const ALMOST_OVER_MS = 15_000

interface Listed {
  readonly installations: readonly {
    readonly installationId: string
    readonly locationId: string | null
    readonly status: string
  }[]
}
interface Lent {
  readonly success: boolean
  readonly access_token?: string
  readonly error?: { readonly code: string; readonly action?: string }
}

let app: GhlApp
let locationId: string
let installationId: string
let as: { readonly bearer: string }
async function start(ttlSec: number): Promise<void> {
  app = await startGhlApp({ ghl: { settings: { accessTokenTtlSec: ttlSec } } })
  locationId = app.sandbox.addLocation().id
  await app.install({ location: locationId })
  app.sandbox.settings.refreshGraceMs = 0
  installationId = (await rowOf())?.installationId ?? ''
  const { body } = await app.call<{ key: string }>('POST', '/api/keys', {
    body: { name: 'sibling', scopes: ['tokens'], locationId },
  })
  as = { bearer: body.key }
}
afterEach(async () => {
  vi.useRealTimers()
  await app.stop()
})

const rowOf = async () =>
  (await app.call<Listed>('GET', '/api/ghl/tokens')).body.installations.find(
    (row) => row.locationId === locationId,
  )
const lend = () => app.call<Lent>('GET', `/api/token-access/${installationId}`, { as })
const worksAtGhl = async (token: string | undefined) =>
  (
    await fetch(`${app.sandbox.url}/locations/${locationId}`, {
      headers: { authorization: `Bearer ${token}`, version: '2021-07-28' },
    })
  ).status === 200

it('a token that is about to end is renewed before it is lent, once for many who ask', async () => {
  await start(TTL_MS / 1_000)
  vi.useFakeTimers({ now: Date.now() + TTL_MS - ALMOST_OVER_MS, toFake: ['Date'] })
  const answers = await Promise.all([lend(), lend(), lend()])
  for (const { status, body } of answers) {
    expect([status, body.success]).toEqual([200, true])
    const claims = JSON.parse(
      Buffer.from(body.access_token?.split('.')[1] ?? '', 'base64url').toString(),
    ) as { exp: number } // a JWT, as GHL's are
    expect(claims.exp * 1_000 - Date.now()).toBeGreaterThan(TTL_MS / 2)
  }
  expect(new Set(answers.map(({ body }) => body.access_token)).size).toBe(1)
  expect(await worksAtGhl(answers[0].body.access_token)).toBe(true)
  // The code of the installation, and one refresh.
  expect(app.sandbox.calls({ route: TOKEN })).toHaveLength(2)
})

it('an installation that GHL no longer lets renew is to be connected again, and no token is lent', async () => {
  await start(1)
  app.sandbox.tokens.revokeRefresh(locationId)
  const overAtMs = Date.now() + 1_000
  await waitFor('the end of the token', () => Date.now() > overAtMs)
  for (const attempt of ['first', 'second']) {
    const { status, body } = await lend()
    expect([attempt, status, body]).toMatchObject([
      attempt,
      409,
      {
        success: false,
        error: { code: 'GHL_NEEDS_RECONNECT', action: expect.stringMatching(/install link/) as string },
      },
    ])
    expect(body).not.toHaveProperty('access_token')
  }
  expect(await rowOf()).toMatchObject({ status: 'needs_reconnect' })
})

it('an installation that was uninstalled lends nothing, and GHL is not asked', async () => {
  await start(86_400)
  app.sandbox.uninstallFrom(locationId)
  await waitFor('the uninstall', async () => (await rowOf())?.status === 'uninstalled')
  app.sandbox.forget()
  const { status, body } = await lend()
  expect([status, body]).toMatchObject([404, { success: false, error: { code: 'GHL_NOT_INSTALLED' } }])
  expect(body).not.toHaveProperty('access_token')
  expect(app.sandbox.calls({})).toEqual([])
})

it('an agency’s token is lent like a location’s, and refused like it when it is over or switched off', async () => {
  app = await startGhlApp({ ghl: { settings: { accessTokenTtlSec: 2 } } })
  await app.install({ company: true })
  app.sandbox.settings.refreshGraceMs = 0
  const { body: listed } = await app.call<Listed>('GET', '/api/ghl/tokens')
  installationId = listed.installations.find((row) => row.locationId === null)?.installationId ?? ''
  const { body: key } = await app.call<{ key: string }>('POST', '/api/keys', {
    body: { name: 'sibling', scopes: ['tokens'] },
  })
  as = { bearer: key.key }
  expect((await lend()).body).toMatchObject({
    success: true,
    installation_id: installationId,
    locationId: null,
  })
  const refused = { success: false, error: { action: expect.any(String) as string } }
  const turn = (word: string) => app.call('POST', `/api/ghl/tokens/${installationId}/${word}`)
  await turn('deactivate')
  const off = await lend()
  expect([off.status, off.body]).toMatchObject([409, { ...refused, error: { code: 'GHL_DEACTIVATED' } }])
  await turn('activate')
  app.sandbox.tokens.revokeRefresh()
  const overAtMs = Date.now() + 2_000
  await waitFor('the end of the token', () => Date.now() > overAtMs)
  for (const attempt of ['first', 'second']) {
    const { status, body } = await lend()
    expect([attempt, status, body]).toMatchObject([
      attempt,
      409,
      {
        ...refused,
        error: { code: 'GHL_NEEDS_RECONNECT', action: expect.stringMatching(/install link/) as string },
      },
    ])
    expect(body).not.toHaveProperty('access_token')
  }
})

/** Pages inside GHL: from GHL's payload to a token of ours, and what that token opens. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { frameAncestors } from '../../../src/bridge/frame-ancestors.ts'
import { parseLocationId } from '../../../src/core/ids.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { silentLog } from '../../support/silent-log.ts'

interface Refused {
  readonly error: { readonly code: string; readonly message: string; readonly action?: string }
}
interface Admitted {
  readonly token: string
  readonly expiresAt: string
  readonly locationId: string
  readonly role: string
}
interface Located {
  readonly locations: readonly {
    readonly locationId: string
    readonly name: string | null
    readonly status: string
    readonly tokenHealth: string
    readonly problem: { readonly code: string } | null
    readonly reconnectUrl: string | null
    readonly sessions: readonly { readonly id: string; readonly qr: string | null }[]
  }[]
  readonly total: number
  readonly nextCursor: string | null
}

describe('pages inside GHL', () => {
  let app: GhlApp
  let here: string
  let elsewhere: string

  beforeAll(async () => {
    app = await startGhlApp({
      ghl: { settings: { whitelabel: { domain: 'crm.agency.example', logoUrl: 'https://x.example/l.png' } } },
    })
    here = app.sandbox.addLocation({ name: 'Here Dental' }).id
    elsewhere = app.sandbox.addLocation({ name: 'Elsewhere Dental' }).id
    for (const location of [here, elsewhere]) expect((await app.install({ location })).status).toBe(200)
  }, 60_000)
  afterAll(() => app.stop())

  const enter = (payload: unknown) =>
    app.call<Admitted & Refused>('POST', '/api/sso', { as: 'nobody', body: { payload } })

  it.each([
    ['a location’s admin', { role: 'admin', type: 'location' }],
    ['a location’s user', { role: 'user', type: 'location' }],
    ['an agency’s user inside a location', { role: 'admin', type: 'agency' }],
  ] as const)('lets in %s, for 15 minutes and that location', async (_name, person) => {
    const { status, headers, body } = await enter(app.sandbox.ssoPayload({ locationId: here, ...person }))
    expect([status, body.locationId, body.role]).toEqual([200, here, person.role])
    expect(headers.get('cache-control')).toBe('no-store')
    const leftMs = Date.parse(body.expiresAt) - Date.now()
    expect(leftMs).toBeGreaterThan(14 * 60_000)
    expect(leftMs).toBeLessThanOrEqual(15 * 60_000)
    const listed = await app.call<Located>('GET', '/api/ghl/locations', { as: { bearer: body.token } })
    expect(listed.body.locations.map(({ locationId }) => locationId)).toEqual([here])
  })

  it('come without a secret of the server that sends them', async () => {
    const { clientSecret, sharedSecret } = app.sandbox
    const secrets = { clientSecret, sharedSecret, apiKey: app.apiKey }
    const root = app.nodes[0]?.url ?? ''
    const sent = new Map<string, string>()
    const follow = async (path: string): Promise<void> => {
      if (sent.has(path)) return
      const answer = await fetch(root + path)
      expect([path, answer.status]).toEqual([path, 200])
      const text = await answer.text()
      sent.set(path, text)
      for (const [name] of text.matchAll(/[\w.-]+\.(?:js|css)(?=["'`])/g)) await follow(`/assets/${name}`)
    }
    await follow(`/app?location=${here}`)
    expect([...sent.keys()].filter((path) => path.endsWith('.js')).length).toBeGreaterThan(1)
    for (const [path, text] of sent)
      for (const [name, value] of Object.entries(secrets))
        expect(value.length > 8 && !text.includes(value), `${name} in ${path}`).toBe(true)
  })

  it('refuses everything else with one and the same answer', async () => {
    const good = Buffer.from(app.sandbox.ssoPayload({ locationId: here }), 'base64')
    const changed = (at: number) => {
      const bytes = Buffer.from(good)
      bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at)
      return bytes.toString('base64')
    }
    const payloads = [
      '',
      'not base64!',
      'U2FsdGVkX18=',
      Buffer.from('Salted__12345678').toString('base64'),
      good.subarray(0, good.length - 16).toString('base64'),
      good.subarray(0, good.length - 3).toString('base64'),
      changed(0),
      changed(9),
      changed(good.length - 1),
      'A'.repeat(10_000),
      // The agency's own view: no location is open.
      app.sandbox.ssoPayload({}),
      // One that names another agency.
      app.sandbox.ssoPayload({ locationId: here, companyId: 'another' }),
    ]
    // No single changed byte is let through.
    for (let at = 16; at < good.length; at += 7) payloads.push(changed(at))
    for (const payload of payloads) {
      const { status, body } = await enter(payload)
      expect([status, body]).toEqual([
        401,
        {
          error: {
            code: 'SSO_REFUSED',
            message: 'GHL’s word for who you are was not accepted',
            action: 'Open the page again from inside GHL.',
          },
        },
      ])
    }
    expect((await enter(undefined)).status).toBe(400)
    expect((await enter({ nested: true })).status).toBe(400)
  })

  it('tells whom GHL vouches for that the app is not installed in the location, or not any more', async () => {
    const never = app.sandbox.addLocation().id
    const gone = app.sandbox.addLocation().id
    await app.install({ location: gone })
    app.sandbox.uninstallFrom(gone)
    await vi.waitFor(async () => {
      for (const locationId of [never, gone]) {
        const { status, body } = await enter(app.sandbox.ssoPayload({ locationId }))
        expect([status, body]).toEqual([
          404,
          {
            error: {
              code: 'LOCATION_UNKNOWN',
              message: 'The app is not installed in this location',
              action: 'Install it with /oauth/install.',
            },
          },
        ])
      }
    }, 10_000)
    // From another secret, or changed, it is as good as nothing: nobody learns by it where the app is.
    const payload = Buffer.from(app.sandbox.ssoPayload({ locationId: never }), 'base64')
    payload.writeUInt8((payload.at(-1) ?? 0) ^ 1, payload.length - 1)
    expect((await enter(payload.toString('base64'))).body.error.code).toBe('SSO_REFUSED')
  })

  it('keeps a page to its location and a plain user to reading', async () => {
    const [admin, user] = [await app.page(here, 'admin'), await app.page(here, 'user')]
    const own = `/ghl/location/${here}/session`
    const foreign = `/ghl/location/${elsewhere}/session`
    const created = await app.call<{ session_id: string }>('POST', own, { as: admin })
    expect(created.status).toBe(201)
    expect((await app.call('GET', own, { as: user })).status).toBe(200)
    const refusals = [
      await app.call<Refused>('POST', own, { as: user }),
      await app.call<Refused>('DELETE', `${own}/${created.body.session_id}`, { as: user }),
      await app.call<Refused>('POST', `${own}/${created.body.session_id}/pairing-link`, { as: user }),
      await app.call<Refused>('GET', foreign, { as: admin }),
      await app.call<Refused>('POST', foreign, { as: admin }),
      await app.call<Refused>('GET', `/api/ghl/locations?locationId=${elsewhere}`, { as: admin }),
      await app.call<Refused>('GET', `/api/messages?locationId=${elsewhere}`, { as: admin }),
      await app.call<Refused>('GET', `/api/ledger/${elsewhere}`, { as: admin }),
    ]
    expect(refusals.map(({ status, body }) => [status, body.error.code])).toEqual(
      refusals.map(() => [403, 'FORBIDDEN']),
    )
    // Another location's session under one's own path is not there.
    const theirs = await app.call<{ session_id: string }>('POST', foreign)
    const reached = await app.call<Refused>('POST', `${own}/${theirs.body.session_id}/restart`, { as: admin })
    expect([reached.status, reached.body.error.code]).toEqual([404, 'SESSION_UNKNOWN'])
  })

  it('learns the agency’s own domain, which may then show our pages in a frame', async () => {
    await enter(app.sandbox.ssoPayload({ locationId: here }))
    const store = await openStore({
      databaseUrl: app.databaseUrl,
      dataDir: '',
      encryptionKeys: [randomBytes(32).toString('base64')],
      log: silentLog,
    })
    const { installations } = store
    const own = await frameAncestors(installations, ['https://own.example'], parseLocationId(here))
    expect(own).toEqual(expect.arrayContaining(['https://own.example', 'https://crm.agency.example']))
    expect(own).toContain('https://*.gohighlevel.com')
    expect(await frameAncestors(installations, [])).toContain('https://crm.agency.example')
    expect(await frameAncestors(installations, [], parseLocationId('unknown'))).not.toContain(
      'https://crm.agency.example',
    )
    await store.close()
  })
})

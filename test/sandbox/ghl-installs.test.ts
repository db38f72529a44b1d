import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import {
  answerOf,
  apiClient,
  approvedCode,
  at,
  isSignedBy,
  type Receiver,
  requestToken,
  soon,
  startReceiver,
} from './ghl-client.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/oauth/callback'

let ghl: GhlSandbox
let receiver: Receiver

beforeEach(async () => {
  receiver = await startReceiver()
  ghl = await startGhlSandbox({
    redirectUris: [REDIRECT_URI],
    rateLimit: null,
    webhookUrl: receiver.url,
    settings: { retry: { maxRetries: 12, baseMs: 5, capMs: 20, timeoutMs: 10_000 } },
  })
})
afterEach(async () => {
  await ghl.stop()
  await receiver[Symbol.asyncDispose]()
})

const addLocations = (count: number) =>
  Array.from({ length: count }, (_, index) => ghl.addLocation({ name: `Branch ${index}` }).id)
const eventsOf = (type: string) =>
  receiver.received.map(({ body }) => body).filter((body) => body['type'] === type)

async function codeAnswer(choice: Record<string, string>) {
  const code = await approvedCode(ghl, REDIRECT_URI, choice)
  return requestToken(ghl, { grant_type: 'authorization_code', code })
}

async function mint(token: string, locationId: string) {
  return answerOf(
    await fetch(`${ghl.url}/oauth/locationToken`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, version: '2021-07-28' },
      body: new URLSearchParams({ companyId: ghl.companyId, locationId }),
    }),
  )
}

describe('a bulk install', () => {
  it('tells of each of 500 locations once, signed and in another order than they were made', async () => {
    const ids = addLocations(500)
    ghl.bulkInstall()
    await soon(() => eventsOf('INSTALL').length).toBe(500)
    const told = eventsOf('INSTALL').map((body) => String(body['locationId']))
    expect(new Set(told)).toEqual(new Set(ids))
    expect(told).not.toEqual(ids)
    expect(receiver.received.every((post) => isSignedBy(ghl.publicKey, post))).toBe(true)
  })

  it('tells before the code is exchanged, and names no location in the token answer', async () => {
    const [first = '', second = ''] = addLocations(2)
    const code = await approvedCode(ghl, REDIRECT_URI, { company: '1', location_id: first })
    await soon(() => eventsOf('INSTALL').length).toBe(1)
    expect(ghl.calls({ route: 'POST /oauth/token' })).toEqual([])
    const { body } = await requestToken(ghl, { grant_type: 'authorization_code', code })
    expect(body).toMatchObject({
      userType: 'Company',
      isBulkInstallation: true,
      installToFutureLocations: false,
    })
    expect(body).not.toHaveProperty('locationId')
    expect(body).not.toHaveProperty('approvedLocations')
    const company = at(body, 'access_token')
    expect((await mint(company, first)).status).toBe(201)
    expect((await mint(company, second)).status).toBe(400)
  })

  it('is listed page by page, with every location on exactly one page', async () => {
    const ids = addLocations(205)
    ghl.bulkInstall()
    const client = apiClient(ghl.url, ghl.tokens.issueCompany())
    const seen: string[] = []
    for (let skip = 0; skip < 300; skip += 100) {
      const { body } = await client.get(
        `/oauth/installedLocations?companyId=${ghl.companyId}&appId=${ghl.appId}&isInstalled=true&skip=${skip}&limit=100`,
      )
      expect(body['count']).toBe(205)
      const page = body['locations']
      if (Array.isArray(page)) seen.push(...page.map((location: unknown) => at(location, '_id')))
    }
    expect(seen).toEqual(ids)
  })

  it('refuses pages of more than 100 and a foreign company', async () => {
    const client = apiClient(ghl.url, ghl.tokens.issueCompany())
    const path = `/oauth/installedLocations?appId=${ghl.appId}`
    expect((await client.get(`${path}&companyId=${ghl.companyId}&limit=101`)).status).toBe(422)
    expect((await client.get(`${path}&companyId=another`)).status).toBe(403)
  })

  it('takes later locations too when the agency agreed, without saying who', async () => {
    await codeAnswer({ company: '1', future: '1' })
    const later = ghl.addLocation({ name: 'Opened today' })
    await soon(() => eventsOf('INSTALL').length).toBe(1)
    const [event] = eventsOf('INSTALL')
    expect(event).toMatchObject({ locationId: later.id, appId: ghl.appId })
    expect(event).not.toHaveProperty('userId')
    expect(event).not.toHaveProperty('companyId')
    expect((await mint(ghl.tokens.issueCompany(), later.id)).status).toBe(201)
  })

  it('leaves later locations alone otherwise', async () => {
    await codeAnswer({ company: '1' })
    const later = ghl.addLocation()
    expect((await mint(ghl.tokens.issueCompany(), later.id)).status).toBe(400)
    expect(eventsOf('INSTALL')).toEqual([])
  })

  it('carries the domain of a white-label agency', async () => {
    ghl.settings.whitelabel = { domain: 'crm.example.com', logoUrl: 'https://crm.example.com/logo.png' }
    addLocations(1)
    ghl.bulkInstall()
    await soon(() => eventsOf('INSTALL')[0]).toMatchObject({
      isWhitelabelCompany: true,
      whitelabelDetails: { domain: 'crm.example.com' },
    })
  })
})

describe('a new version of the app', () => {
  it('reaches a location by an UPDATE that names the version before', async () => {
    const [id = ''] = addLocations(1)
    ghl.installIn(id)
    const before = ghl.versionId
    const after = ghl.publishVersion()
    ghl.updateIn(id)
    await soon(() => eventsOf('UPDATE')[0]).toMatchObject({
      locationId: id,
      versionId: after,
      previousVersionId: before,
    })
  })

  it('mints nothing for a location on another version than the agency, until both are updated', async () => {
    const [id = ''] = addLocations(1)
    const company = at((await codeAnswer({ company: '1' })).body, 'access_token')
    ghl.publishVersion()
    ghl.updateIn(id)
    expect((await mint(company, id)).status).toBe(403)
    ghl.updateIn()
    expect((await mint(company, id)).status).toBe(201)
  })
})

describe('an uninstall', () => {
  it('of a location kills its tokens only, and names the location only', async () => {
    const [gone = '', stays = ''] = addLocations(2)
    const goneToken = at((await codeAnswer({ location_id: gone })).body, 'access_token')
    const staysToken = at((await codeAnswer({ location_id: stays })).body, 'access_token')
    ghl.uninstallFrom(gone)
    await soon(() => eventsOf('UNINSTALL')[0]).toMatchObject({ locationId: gone })
    expect(eventsOf('UNINSTALL')[0]).not.toHaveProperty('companyId')
    const statusWith = async (token: string, id: string) =>
      (await apiClient(ghl.url, token).get(`/contacts/?locationId=${id}`)).status
    expect([await statusWith(goneToken, gone), await statusWith(staysToken, stays)]).toEqual([401, 200])
  })

  it('of the agency names the company only and ends everything', async () => {
    const [id = ''] = addLocations(1)
    const { body } = await codeAnswer({ company: '1', future: '1' })
    ghl.uninstallFromCompany()
    await soon(() => eventsOf('UNINSTALL')[0]).toMatchObject({ companyId: ghl.companyId })
    expect(eventsOf('UNINSTALL')[0]).not.toHaveProperty('locationId')
    expect((await mint(at(body, 'access_token'), id)).status).toBe(401)
    const refreshed = await requestToken(ghl, {
      grant_type: 'refresh_token',
      refresh_token: at(body, 'refresh_token'),
    })
    expect(refreshed.status).toBe(400)
    ghl.addLocation()
    expect(eventsOf('INSTALL')).toHaveLength(1)
  })
})

describe('token answers', () => {
  it('come in either spelling', async () => {
    const [id = ''] = addLocations(1)
    ghl.settings.tokenSpelling = 'camel'
    const { body } = await codeAnswer({ location_id: id })
    expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: 86_399, locationId: id })
    expect(body).not.toHaveProperty('access_token')
  })

  it('to a refresh may leave out the location', async () => {
    const [id = ''] = addLocations(1)
    ghl.settings.refreshOmitsLocationId = true
    const first = await codeAnswer({ location_id: id })
    expect(first.body['locationId']).toBe(id)
    const refreshed = await requestToken(ghl, {
      grant_type: 'refresh_token',
      refresh_token: at(first.body, 'refresh_token'),
    })
    expect(refreshed.status).toBe(200)
    expect(refreshed.body).not.toHaveProperty('locationId')
  })
})

describe('reconnecting', () => {
  async function reconnect(fields: Record<string, string>) {
    return answerOf(
      await fetch(`${ghl.url}/oauth/reconnect`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ clientKey: ghl.clientId, clientSecret: ghl.clientSecret, ...fields }),
      }),
    )
  }

  it('does not exist unless switched on', async () => {
    const [id = ''] = addLocations(1)
    await codeAnswer({ location_id: id })
    expect((await reconnect({ locationId: id })).status).toBe(404)
  })

  it('gives a code that becomes a pair once, for a location and for an agency', async () => {
    const [id = ''] = addLocations(1)
    await codeAnswer({ location_id: id })
    await codeAnswer({ company: '1' })
    ghl.settings.reconnectEnabled = true
    for (const [target, userType] of [
      [{ locationId: id }, 'Location'],
      [{ companyId: ghl.companyId }, 'Company'],
    ] as const) {
      const answer = await reconnect(target)
      expect(answer.status).toBe(200)
      expect(Date.parse(at(answer.body, 'expiresAt'))).toBeGreaterThan(Date.now())
      const code = at(answer.body, 'authorizationCode')
      const pair = await requestToken(ghl, { grant_type: 'authorization_code', code })
      expect(pair.body['userType']).toBe(userType)
      const again = await requestToken(ghl, { grant_type: 'authorization_code', code })
      expect(again.status).toBe(401)
    }
  })

  it.each([
    ['a wrong secret', { clientSecret: 'wrong' }, 401],
    ['neither location nor company', {}, 422],
    ['a location without the app', { locationId: 'nowhere' }, 400],
  ])('is refused with %s', async (_what, fields, status) => {
    ghl.settings.reconnectEnabled = true
    expect((await reconnect(fields)).status).toBe(status)
  })
})

describe("an agency's private token", () => {
  it.each(['/contacts/?locationId=any', '/locations/search'])(
    'is of the wrong user type for %s',
    async (path) => {
      const answer = await apiClient(ghl.url, ghl.tokens.issuePrivate()).get(path)
      expect(answer.status).toBe(401)
      expect(answer.body['message']).toBe("Token's user type mismatch!")
    },
  )

  it('mints nothing', async () => {
    const [id = ''] = addLocations(1)
    ghl.installIn(id)
    expect((await mint(ghl.tokens.issuePrivate(), id)).status).toBe(401)
  })
})

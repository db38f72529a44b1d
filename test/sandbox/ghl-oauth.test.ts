import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type GhlSandboxOptions, startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import type { Location } from '../../sandbox/ghl/world.ts'
import { answerOf, apiClient, approvedCode, at, installLink, requestToken, soon } from './ghl-client.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/oauth/callback'
const OPTIONS: GhlSandboxOptions = { redirectUris: [REDIRECT_URI] }

let ghl: GhlSandbox
let location: Location
const defaults: Partial<GhlSandbox['settings']> = {}

beforeAll(async () => {
  ghl = await startGhlSandbox(OPTIONS)
  location = ghl.addLocation({ name: 'Dental <Care>' })
  Object.assign(defaults, structuredClone(ghl.settings))
})
beforeEach(() => {
  Object.assign(ghl.settings, defaults)
  ghl.forget()
})
afterAll(() => ghl.stop())

const codeFor = (choice: Record<string, string>) => approvedCode(ghl, REDIRECT_URI, choice)

async function locationPair() {
  const answer = await requestToken(ghl, {
    grant_type: 'authorization_code',
    code: await codeFor({ location_id: location.id }),
  })
  return { access: at(answer.body, 'access_token'), refresh: at(answer.body, 'refresh_token') }
}

async function companyToken(choice: Record<string, string> = {}) {
  const code = await codeFor({ company: '1', ...choice })
  return requestToken(ghl, { grant_type: 'authorization_code', code })
}

describe('the authorize page', () => {
  it('shows every location as a choice, with names escaped', async () => {
    const response = await fetch(installLink(ghl, REDIRECT_URI))
    const page = await response.text()
    expect(response.status).toBe(200)
    expect(page).toContain('Dental &lt;Care&gt;')
    expect(page).toContain(`location_id=${location.id}`)
  })

  it('also answers at the older path', async () => {
    const response = await fetch(installLink(ghl, REDIRECT_URI).replace('/v2/', '/'))
    expect(response.status).toBe(200)
  })

  it('redirects with a code and the untouched state once approved', async () => {
    const link = installLink(ghl, REDIRECT_URI, { location_id: location.id, approve: '1', state: 'a b&c' })
    const response = await fetch(link, { redirect: 'manual' })
    const target = new URL(response.headers.get('location') ?? '')
    expect(response.status).toBe(302)
    expect(target.origin + target.pathname).toBe(REDIRECT_URI)
    expect(target.searchParams.get('state')).toBe('a b&c')
    expect(target.searchParams.get('code')).toMatch(/^\w{40}$/)
  })

  it.each([
    ['an unknown client_id', { client_id: 'nobody' }, 'noAppFound'],
    ['an unregistered redirect_uri', { redirect_uri: 'https://evil.example/cb' }, 'invalidRedirectUri'],
    ['another response_type', { response_type: 'token' }, 'invalidResponseType'],
    ['no scope', { scope: '' }, 'noScope'],
    ['a foreign version_id', { version_id: 'ffffffffffffffffffffffff' }, 'invalidVersion'],
  ])('refuses %s', async (_what, overrides, reason) => {
    const response = await fetch(installLink(ghl, REDIRECT_URI, overrides))
    expect(response.status).toBe(400)
    expect(await response.text()).toContain(reason)
  })

  it('asks for version_id when the app is a draft', async () => {
    ghl.settings.requireVersionId = true
    expect((await fetch(installLink(ghl, REDIRECT_URI))).status).toBe(400)
    expect((await fetch(installLink(ghl, REDIRECT_URI, { version_id: ghl.versionId }))).status).toBe(200)
  })
})

describe('the token endpoint', () => {
  it('turns a code into a location token that looks like a JWT', async () => {
    const code = await codeFor({ location_id: location.id })
    const { status, body } = await requestToken(ghl, { grant_type: 'authorization_code', code })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 86_399,
      userType: 'Location',
      locationId: location.id,
      companyId: ghl.companyId,
      isBulkInstallation: false,
    })
    const claims: unknown = JSON.parse(
      Buffer.from(at(body, 'access_token').split('.')[1] ?? '', 'base64url').toString(),
    )
    expect(claims).toMatchObject({ authClass: 'Location', authClassId: location.id, source: 'INTEGRATION' })
  })

  it('takes a code once', async () => {
    const code = await codeFor({ location_id: location.id })
    await requestToken(ghl, { grant_type: 'authorization_code', code })
    const again = await requestToken(ghl, { grant_type: 'authorization_code', code })
    expect(again.status).toBe(401)
    expect(again.body).toEqual({ error: 'UnAuthorized!', error_description: 'Authorization code not found' })
  })

  it('looks at the code before it looks at the client credentials, and keeps the code', async () => {
    const code = await codeFor({ location_id: location.id })
    const wrong = { grant_type: 'authorization_code', client_secret: 'wrong' }
    expect((await requestToken(ghl, { ...wrong, code: 'nope' })).body['error_description']).toContain('code')
    const refused = await requestToken(ghl, { ...wrong, code })
    expect(refused.status).toBe(401)
    expect(refused.body['error_description']).toContain('credentials')
    expect((await requestToken(ghl, { grant_type: 'authorization_code', code })).status).toBe(200)
  })

  it('takes a form only', async () => {
    const response = await fetch(`${ghl.url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_id: ghl.clientId,
        client_secret: ghl.clientSecret,
        grant_type: 'refresh_token',
      }),
    })
    expect(response.status).toBe(422)
    expect(ghl.stats().oddities).toContainEqual(expect.objectContaining({ kind: 'wrong-content-type' }))
  })

  it('refuses and counts an unknown field', async () => {
    const answer = await requestToken(ghl, { grant_type: 'refresh_token', refresh_token: 'x', foo: '1' })
    expect(answer.status).toBe(422)
    expect(answer.body['message']).toEqual(['property foo should not exist'])
    expect(ghl.stats().unknownProperties).toBe(1)
  })

  it('rotates the refresh token and keeps the new access token working', async () => {
    const first = await locationPair()
    const second = await requestToken(ghl, { grant_type: 'refresh_token', refresh_token: first.refresh })
    expect(second.status).toBe(200)
    expect(at(second.body, 'refresh_token')).not.toBe(first.refresh)
    const contacts = await apiClient(ghl.url, at(second.body, 'access_token')).get(
      `/contacts/?locationId=${location.id}`,
    )
    expect(contacts.status).toBe(200)
  })

  it('answers the same pair for a refresh token used twice within the grace', async () => {
    const { refresh } = await locationPair()
    const [one, two] = await Promise.all([
      requestToken(ghl, { grant_type: 'refresh_token', refresh_token: refresh }),
      requestToken(ghl, { grant_type: 'refresh_token', refresh_token: refresh }),
    ])
    expect(one.status).toBe(200)
    expect(two.body).toEqual(one.body)
  })

  it.each([
    ['invalid_grant', 400, 'invalid_grant'],
    ['unauthorized', 401, 'UnAuthorized!'],
  ] as const)('refuses a spent refresh token after the grace with %s', async (refusal, status, error) => {
    ghl.settings.refreshGraceMs = 0
    ghl.settings.refreshRefusal = refusal
    const { refresh } = await locationPair()
    await requestToken(ghl, { grant_type: 'refresh_token', refresh_token: refresh })
    await soon(() =>
      requestToken(ghl, { grant_type: 'refresh_token', refresh_token: refresh }),
    ).toMatchObject({ status, body: { error } })
  })

  it('refuses a revoked refresh token at once', async () => {
    const { refresh } = await locationPair()
    expect(ghl.tokens.revokeRefresh(location.id)).toBeGreaterThan(0)
    const answer = await requestToken(ghl, { grant_type: 'refresh_token', refresh_token: refresh })
    expect(answer.status).toBe(400)
    expect(answer.body['error']).toBe('invalid_grant')
  })
})

describe('an access token', () => {
  it('ends after its time to live', async () => {
    ghl.settings.accessTokenTtlSec = 0
    const { access } = await locationPair()
    const answer = await apiClient(ghl.url, access).get(`/contacts/?locationId=${location.id}`)
    expect(answer.status).toBe(401)
    expect(answer.body).toEqual({ statusCode: 401, message: 'Invalid JWT', error: 'Unauthorized' })
  })

  it('ends on demand, for one location only', async () => {
    const other = ghl.addLocation()
    const token = ghl.tokens.issueLocation(other.id)
    const { access } = await locationPair()
    ghl.tokens.expireAccess(location.id)
    expect((await apiClient(ghl.url, access).get(`/contacts/?locationId=${location.id}`)).status).toBe(401)
    expect((await apiClient(ghl.url, token).get(`/contacts/?locationId=${other.id}`)).status).toBe(200)
  })

  it('covers only the scopes that were asked for', async () => {
    const token = ghl.tokens.issueLocation(location.id, ['contacts.readonly'])
    const answer = await apiClient(ghl.url, token).send('POST', '/contacts/upsert', {
      locationId: location.id,
    })
    expect(answer.status).toBe(401)
    expect(answer.body['message']).toBe('The token is not authorized for this scope.')
  })

  it('reaches its own location only', async () => {
    const other = ghl.addLocation()
    const client = apiClient(ghl.url, ghl.tokens.issueLocation(location.id))
    for (const path of [`/contacts/?locationId=${other.id}`, `/locations/${other.id}`]) {
      const answer = await client.get(path)
      expect(answer.status).toBe(403)
      expect(answer.body['message']).toBe('The token does not have access to this location.')
    }
  })

  it.each(['', 'garbage'])('is refused when it is %j', async (token) => {
    const answer = await apiClient(ghl.url, token).get(`/contacts/?locationId=${location.id}`)
    expect(answer.status).toBe(401)
    expect(answer.body['message']).toBe('Invalid JWT')
  })

  it('is refused when it is well formed but never issued', async () => {
    const answer = await apiClient(ghl.url, 'a.b.c').get(`/contacts/?locationId=${location.id}`)
    expect(answer.body['message']).toBe('Invalid token: access token is invalid')
  })

  it('dies with the app, which is told', async () => {
    const gone = ghl.addLocation()
    ghl.installIn(gone.id)
    const client = apiClient(ghl.url, ghl.tokens.issueLocation(gone.id))
    ghl.uninstallFrom(gone.id)
    expect((await client.get(`/locations/${gone.id}`)).status).toBe(401)
  })
})

describe('the Version header', () => {
  it('must be there', async () => {
    const client = apiClient(ghl.url, ghl.tokens.issueLocation(location.id))
    const answer = await client.get(`/locations/${location.id}`, { version: '' })
    expect(answer.status).toBe(401)
    expect(answer.body['message']).toBe('version header was not found.')
  })

  it('must be a known version', async () => {
    const client = apiClient(ghl.url, ghl.tokens.issueLocation(location.id))
    const answer = await client.get(`/locations/${location.id}`, { version: '1999' })
    expect(answer.status).toBe(400)
    expect(answer.body['message']).toBe("Invalid API version segment '1999' at position 0")
  })

  it.each(['2021-04-15', '2021-07-28', '2023-02-21', 'v3'])('may be %s', async (version) => {
    const client = apiClient(ghl.url, ghl.tokens.issueLocation(location.id))
    expect((await client.get(`/locations/${location.id}`, { version })).status).toBe(200)
  })
})

describe('an agency install', () => {
  it('gives a Company token without a location', async () => {
    const { body } = await companyToken()
    expect(body).toMatchObject({ userType: 'Company', companyId: ghl.companyId, isBulkInstallation: true })
    expect(body).not.toHaveProperty('locationId')
  })

  it('cannot be used on a sub-account', async () => {
    const client = apiClient(ghl.url, at((await companyToken()).body, 'access_token'))
    const answer = await client.get(`/contacts/?locationId=${location.id}`)
    expect(answer.status).toBe(401)
    expect(answer.body['message']).toContain('This authClass type is not allowed to access this scope')
  })

  it('mints location tokens that gain the OAuth scopes', async () => {
    const company = at((await companyToken()).body, 'access_token')
    const minted = await mint(company, location.id)
    expect(minted.status).toBe(201)
    expect(minted.body).toMatchObject({
      userType: 'Location',
      locationId: location.id,
      versionId: ghl.versionId,
    })
    expect(minted.body).not.toHaveProperty('refresh_token')
    expect(at(minted.body, 'scope')).toContain('oauth.write')
    const client = apiClient(ghl.url, at(minted.body, 'access_token'))
    expect((await client.get(`/contacts/?locationId=${location.id}`)).status).toBe(200)
  })

  it('mints a refresh token too when switched on', async () => {
    ghl.settings.locationTokenHasRefresh = true
    const minted = await mint(at((await companyToken()).body, 'access_token'), location.id)
    expect(minted.body).toHaveProperty('refresh_token')
  })

  it('mints nothing where the app is not installed, nor for a stranger', async () => {
    const elsewhere = ghl.addLocation()
    const company = at((await companyToken({ location_id: location.id })).body, 'access_token')
    expect((await mint(company, elsewhere.id)).status).toBe(400)
    expect((await mint(company, 'unknown')).status).toBe(403)
    expect((await mint(ghl.tokens.issueLocation(location.id), location.id)).status).toBe(401)
  })

  it('lists where the app is installed', async () => {
    const elsewhere = ghl.addLocation({ name: 'Not yet' })
    const company = at((await companyToken({ location_id: location.id })).body, 'access_token')
    const client = apiClient(ghl.url, company)
    const query = `companyId=${ghl.companyId}&appId=${ghl.appId}`
    const installed = await client.get(`/oauth/installedLocations?${query}&isInstalled=true`)
    const all = await client.get(`/oauth/installedLocations?${query}&limit=100`)
    expect(JSON.stringify(installed.body)).toContain(location.id)
    expect(JSON.stringify(installed.body)).not.toContain(elsewhere.id)
    expect(all.body['locations']).toContainEqual(
      expect.objectContaining({ _id: elsewhere.id, name: 'Not yet', isInstalled: false }),
    )
  })

  async function mint(token: string, locationId: string) {
    return answerOf(
      await fetch(`${ghl.url}/oauth/locationToken`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, version: '2021-07-28' },
        body: new URLSearchParams({ companyId: ghl.companyId, locationId }),
      }),
    )
  }
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import type { Location } from '../../sandbox/ghl/world.ts'
import { type ApiClient, answerOf, apiClient, at, valueAt } from './ghl-client.ts'

let ghl: GhlSandbox
let location: Location
let elsewhere: Location
let client: ApiClient
const defaults: Partial<GhlSandbox['settings']> = {}

beforeAll(async () => {
  ghl = await startGhlSandbox({ rateLimit: null })
  elsewhere = ghl.addLocation()
  Object.assign(defaults, structuredClone(ghl.settings))
})
beforeEach(() => {
  Object.assign(ghl.settings, defaults)
  location = ghl.addLocation()
  client = apiClient(ghl.url, ghl.tokens.issueLocation(location.id))
})
afterAll(() => ghl.stop())

describe('the media library', () => {
  async function upload(form: FormData, token = ghl.tokens.issueLocation(location.id)) {
    const headers = { authorization: `Bearer ${token}`, version: '2021-07-28' }
    return answerOf(await fetch(`${ghl.url}/medias/upload-file`, { method: 'POST', headers, body: form }))
  }
  function formWith(name: string, bytes: number | string, type: string, part = 'file'): FormData {
    const form = new FormData()
    const content = typeof bytes === 'string' ? bytes : new Uint8Array(bytes)
    form.append(part, new Blob([content], { type }), name)
    return form
  }
  const listPath = () =>
    `/medias/files?altType=location&altId=${location.id}&type=file&sortBy=createdAt&sortOrder=asc`

  it('keeps a file under a URL that serves it', async () => {
    const answer = await upload(formWith('menu.pdf', '%PDF-1.7', 'application/pdf'))
    expect(answer.status).toBe(200)
    expect(await (await fetch(at(answer.body, 'url'))).text()).toBe('%PDF-1.7')
  })

  it('fetches a hosted file and gives it a URL of its own', async () => {
    const source = ghl.hostFile('logo.png', Buffer.from('pixels'), 'image/png')
    const form = new FormData()
    form.append('hosted', 'true')
    form.append('fileUrl', source)
    const answer = await upload(form)
    expect(answer.status).toBe(200)
    expect(answer.body['url']).not.toBe(source)
    expect(await (await fetch(at(answer.body, 'url'))).text()).toBe('pixels')
  })

  it.each([
    ['another part name', () => formWith('a.pdf', 'x', 'application/pdf', 'fileAttachment'), 422],
    ['no file', () => new FormData(), 400],
    ['a hosted file without its URL', () => hosted(), 422],
    ['a hosted file that is not there', () => hosted(`${ghl.url}/_files/none/none`), 400],
    ['an unknown field', () => withField(formWith('a.pdf', 'x', 'application/pdf'), 'locationId', 'x'), 422],
  ])('refuses %s', async (_what, form, status) => {
    expect((await upload(form())).status).toBe(status)
    expect(ghl.medias(location.id)).toEqual([])
  })

  it('refuses a file above its limit, and gives videos more room', async () => {
    Object.assign(ghl.settings, { mediaMaxBytes: 1000, mediaMaxVideoBytes: 3000 })
    expect((await upload(formWith('a.pdf', 1000, 'application/pdf'))).status).toBe(200)
    expect((await upload(formWith('a.pdf', 1001, 'application/pdf'))).status).toBe(413)
    expect((await upload(formWith('a.mp4', 3000, 'video/mp4'))).status).toBe(200)
    expect((await upload(formWith('a.mp4', 3001, 'video/mp4'))).status).toBe(413)
  })

  it("is closed to an agency's token", async () => {
    const answer = await upload(formWith('a.pdf', 'x', 'application/pdf'), ghl.tokens.issueCompany())
    expect(answer.status).toBe(401)
    expect(at(answer.body, 'message')).toContain('This authClass type is not allowed')
  })

  it('lists by page and by name, and deletes only what is its own', async () => {
    for (const name of ['one.pdf', 'two.pdf', 'three.pdf'])
      await upload(formWith(name, 'x', 'application/pdf'))
    const names = async (query: string) => {
      const files = (await client.get(listPath() + query)).body['files']
      return Array.isArray(files) ? files.map((file: unknown) => at(file, 'name')) : []
    }
    expect(await names('&limit=2')).toEqual(['one.pdf', 'two.pdf'])
    expect(await names('&limit=2&offset=2')).toEqual(['three.pdf'])
    expect(await names('&query=TWO')).toEqual(['two.pdf'])

    const [first] = ghl.medias(location.id)
    const stranger = apiClient(ghl.url, ghl.tokens.issueLocation(elsewhere.id))
    const path = (altId: string) => `/medias/${first?.id}?altType=location&altId=${altId}`
    expect((await stranger.send('DELETE', path(elsewhere.id), {})).status).toBe(404)
    expect((await client.send('DELETE', path(location.id), {})).status).toBe(200)
    expect((await client.send('DELETE', path(location.id), {})).status).toBe(404)
    expect(ghl.medias(location.id)).toHaveLength(2)
  })

  it('lists nothing without saying of what and how', async () => {
    const { status, body } = await client.get(`/medias/files?altType=location&altId=${location.id}`)
    expect(status).toBe(422)
    expect(JSON.stringify(body['message'])).toContain('sortOrder')
  })

  function hosted(fileUrl?: string): FormData {
    const form = withField(new FormData(), 'hosted', 'true')
    return fileUrl === undefined ? form : withField(form, 'fileUrl', fileUrl)
  }
  function withField(form: FormData, name: string, value: string): FormData {
    form.append(name, value)
    return form
  }
})

describe('products', () => {
  const product = () => ({ name: 'Cleaning', locationId: location.id, productType: 'SERVICE' })
  const price = () => ({
    name: 'Once',
    type: 'one_time',
    currency: 'BRL',
    amount: 150,
    locationId: location.id,
  })

  it('are created with a price and read back', async () => {
    const created = await client.send('POST', '/products/', { ...product(), availableInStore: true })
    expect(created.status).toBe(201)
    const id = at(created.body, '_id')
    const priced = await client.send('POST', `/products/${id}/price`, price())
    expect(priced.status).toBe(201)
    expect(priced.body).toMatchObject({ product: id, amount: 150, currency: 'BRL' })
    expect(ghl.prices(id)).toHaveLength(1)
    const read = await client.get(`/products/${id}?locationId=${location.id}`)
    expect(read.body).toMatchObject({ _id: id, name: 'Cleaning', availableInStore: true })
  })

  it.each([
    ['a missing name', { name: undefined }, 422],
    ['an unknown type', { productType: 'GIFT' }, 422],
    ['an unknown property', { price: 10 }, 422],
    ['another location', { locationId: 'elsewhere' }, 403],
  ])('are not created with %s', async (_what, change, status) => {
    expect((await client.send('POST', '/products/', { ...product(), ...change })).status).toBe(status)
    expect(ghl.products(location.id)).toEqual([])
  })

  it.each([
    ['no amount', { amount: undefined }, 422],
    ['an unknown type', { type: 'monthly' }, 422],
    ['an amount in words', { amount: '150' }, 422],
    ['another location', { locationId: 'elsewhere' }, 403],
  ])('get no price with %s', async (_what, change, status) => {
    const id = at((await client.send('POST', '/products/', product())).body, '_id')
    expect((await client.send('POST', `/products/${id}/price`, { ...price(), ...change })).status).toBe(
      status,
    )
    expect(ghl.prices(id)).toEqual([])
  })

  it('that do not exist get no price', async () => {
    expect((await client.send('POST', '/products/none/price', price())).status).toBe(400)
  })

  it('need their scopes', async () => {
    const poor = apiClient(ghl.url, ghl.tokens.issueLocation(location.id, ['products.readonly']))
    const answer = await poor.send('POST', '/products/', product())
    expect(answer.status).toBe(401)
    expect(answer.body['message']).toBe('The token is not authorized for this scope.')
  })

  it('are listed by page, with the total in either shape', async () => {
    for (const name of ['A', 'B', 'C']) await client.send('POST', '/products/', { ...product(), name })
    const path = `/products/?locationId=${location.id}&limit=2&sortOrder=asc`
    const page = await client.get(path)
    expect(page.body).toMatchObject({ products: [{ name: 'A' }, { name: 'B' }], total: [{ total: 3 }] })
    ghl.settings.productTotal = 'object'
    expect((await client.get(`${path}&offset=2`)).body).toMatchObject({
      products: [{ name: 'C' }],
      total: { total: 3 },
    })
  })
})

describe('Voice AI call logs', () => {
  const path = (query = '') => `/voice-ai/dashboard/call-logs?locationId=${location.id}${query}`
  const idsOf = async (query: string) => {
    const logs = (await client.get(path(query))).body['callLogs']
    return Array.isArray(logs) ? logs.map((log: unknown) => at(log, 'id')) : []
  }

  it('come newest first, by pages that together hold each call once', async () => {
    const made = Array.from({ length: 123 }, (_, minute) =>
      ghl.addVoiceCall(location.id, { createdAt: new Date(Date.UTC(2026, 0, 1, 0, minute)) }),
    )
    const seen: string[] = []
    for (let page = 1; page <= 3; page++) {
      const { body } = await client.get(path(`&pageSize=50&page=${page}`))
      expect(body).toMatchObject({ total: 123, page, pageSize: 50 })
      const logs = body['callLogs']
      if (Array.isArray(logs)) seen.push(...logs.map((log: unknown) => at(log, 'id')))
    }
    expect(seen).toEqual(made.map(({ id }) => id).reverse())
    expect(await idsOf('&page=4&pageSize=50')).toEqual([])
  })

  it('are filtered by agent, contact, kind, action and time', async () => {
    const at1 = new Date('2026-02-01T10:00:00Z')
    ghl.addVoiceCall(location.id, { id: 'a', agentId: 'agent-1', contactId: 'c1', createdAt: at1 })
    ghl.addVoiceCall(location.id, { id: 'b', contactId: 'c2', isTrial: true, actionTypes: ['SMS'] })
    ghl.addVoiceCall(location.id, {
      id: 'c',
      contactId: 'c3',
      durationSec: 9,
      actionTypes: ['CALL_TRANSFER'],
    })
    ghl.addVoiceCall(elsewhere.id, { id: 'foreign' })
    expect(await idsOf('&agentId=agent-1')).toEqual(['a'])
    expect((await idsOf('&contactId=c1,c3')).sort()).toEqual(['a', 'c'])
    expect(await idsOf('&callType=TRIAL')).toEqual(['b'])
    expect((await idsOf('&callType=LIVE')).sort()).toEqual(['a', 'c'])
    expect((await idsOf('&actionType=SMS,CALL_TRANSFER')).sort()).toEqual(['b', 'c'])
    expect(await idsOf(`&startDate=${at1.getTime()}&endDate=${at1.getTime() + 1}`)).toEqual(['a'])
    expect((await idsOf('&sortBy=duration&sort=ascend'))[0]).toBe('c')
  })

  it.each([
    ['half a time span', '&startDate=1'],
    ['pages above 50', '&pageSize=51'],
    ['page 0', '&page=0'],
    ['an unknown action', '&actionType=DANCE'],
    ['an unknown parameter', '&from=1'],
  ])('refuse %s', async (_what, query) => {
    expect((await client.get(path(query))).status).toBe(422)
  })

  it('are read one by one, only in their own location', async () => {
    ghl.addVoiceCall(location.id, { id: 'mine', extractedData: { name: 'Ana' } })
    ghl.addVoiceCall(elsewhere.id, { id: 'theirs' })
    const one = (id: string) => client.get(`/voice-ai/dashboard/call-logs/${id}?locationId=${location.id}`)
    expect(valueAt((await one('mine')).body, 'extractedData')).toEqual({ name: 'Ana' })
    expect((await one('theirs')).status).toBe(400)
  })

  it('need their scope', async () => {
    const poor = apiClient(ghl.url, ghl.tokens.issueLocation(location.id, ['contacts.readonly']))
    expect((await poor.get(path())).status).toBe(401)
  })
})

describe('users', () => {
  it('of a location are its members and the agency', async () => {
    const member = ghl.addUser({ locationIds: [location.id], firstName: 'Rui' })
    const stranger = ghl.addUser({ locationIds: [elsewhere.id] })
    const users = JSON.stringify((await client.get(`/users/?locationId=${location.id}`)).body)
    expect(users).toContain(member.id)
    expect(users).toContain(ghl.userId)
    expect(users).not.toContain(stranger.id)
    expect((await client.get(`/users/${member.id}`)).body).toMatchObject({ firstName: 'Rui' })
    expect((await client.get(`/users/${stranger.id}`)).status).toBe(400)
  })

  it('are searched across an agency', async () => {
    const member = ghl.addUser({ locationIds: [location.id], email: 'find.me@example.com' })
    const agency = apiClient(ghl.url, ghl.tokens.issueCompany())
    const found = await agency.get(`/users/search?companyId=${ghl.companyId}&query=find.me`)
    expect(found.body).toMatchObject({ count: 1, users: [{ id: member.id }] })
    expect((await agency.get('/users/search?companyId=another')).status).toBe(403)
  })
})

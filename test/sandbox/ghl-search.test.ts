import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import type { Location } from '../../sandbox/ghl/world.ts'
import { type ApiClient, apiClient, at, valueAt } from './ghl-client.ts'

let ghl: GhlSandbox
let location: Location
let client: ApiClient

beforeAll(async () => {
  ghl = await startGhlSandbox({ rateLimit: null })
})
beforeEach(() => {
  ghl.settings.searchLagMs = 0
  location = ghl.addLocation()
  client = apiClient(ghl.url, ghl.tokens.issueLocation(location.id))
})
afterAll(() => ghl.stop())

describe('searching contacts', () => {
  const search = (body: Record<string, unknown>) =>
    client.send('POST', '/contacts/search', { locationId: location.id, pageLimit: 20, ...body })
  async function idsOf(body: Record<string, unknown>): Promise<string[]> {
    const { contacts } = (await search(body)).body
    return Array.isArray(contacts) ? contacts.map((contact: unknown) => at(contact, 'id')) : []
  }
  const where = (field: string, operator: string, value?: unknown) => ({
    filters: [{ field, operator, ...(value === undefined ? {} : { value }) }],
  })

  it('finds by each operator', async () => {
    const ana = ghl.contacts.add(location.id, { name: 'Ana Lima', phone: '+15550123451', tags: ['vip'] }).id
    const bob = ghl.contacts.add(location.id, { name: 'Bob', email: 'bob@example.com' }).id
    expect(await idsOf(where('phone', 'eq', '+15550123451'))).toEqual([ana])
    expect(await idsOf(where('phone', 'not_eq', '+15550123451'))).toEqual([bob])
    expect(await idsOf(where('email', 'contains', 'EXAMPLE'))).toEqual([bob])
    expect(await idsOf(where('firstName', 'not_contains', 'an'))).toEqual([bob])
    expect(await idsOf(where('phone', 'exists'))).toEqual([ana])
    expect(await idsOf(where('phone', 'not_exists'))).toEqual([bob])
    expect(await idsOf(where('tags', 'eq', ['vip']))).toEqual([ana])
    const since = new Date(Date.now() - 60_000).toISOString()
    expect((await idsOf(where('dateAdded', 'range', { gte: since }))).sort()).toEqual([ana, bob].sort())
    expect(await idsOf(where('dateAdded', 'range', { lt: since }))).toEqual([])
  })

  it('joins groups of filters, and sorts', async () => {
    const add = (firstName: string) => ghl.contacts.add(location.id, { firstName }).id
    const [carla, ana] = [add('Carla'), add('Ana'), add('Bia')]
    const either = {
      group: 'OR',
      filters: ['Ana', 'Carla'].map((value) => ({ field: 'firstName', operator: 'eq', value })),
    }
    expect(await idsOf({ filters: [either], sort: [{ field: 'firstName', direction: 'asc' }] })).toEqual([
      ana,
      carla,
    ])
  })

  it('gives each contact once over pages and over cursors', async () => {
    const all = Array.from(
      { length: 25 },
      (_, index) => ghl.contacts.add(location.id, { name: `P${index}` }).id,
    )
    const byPage = [
      ...(await idsOf({ pageLimit: 15, page: 1 })),
      ...(await idsOf({ pageLimit: 15, page: 2 })),
    ]
    expect(byPage.toSorted()).toEqual(all.toSorted())
    const first = await search({ pageLimit: 15 })
    expect(first.body['total']).toBe(25)
    const searchAfter = valueAt(first.body, 'contacts.14.searchAfter')
    expect(await idsOf({ pageLimit: 15, searchAfter })).toEqual(byPage.slice(15))
  })

  it('does not see what was written a moment ago while the index lags', async () => {
    ghl.settings.searchLagMs = 60_000
    const { id } = ghl.contacts.add(location.id, { name: 'Just now' })
    expect((await search({})).body['total']).toBe(0)
    expect((await client.get(`/contacts/${id}`)).status).toBe(200)
  })

  it.each([
    ['no page limit', { pageLimit: undefined }, 422],
    ['too large a page', { pageLimit: 501 }, 422],
    ['an unknown operator', where('phone', 'like', 'x'), 422],
    ['an unknown property', { limit: 20 }, 422],
    ['page and cursor together', { page: 2, searchAfter: [1, 'x'] }, 422],
    ['another location', { locationId: 'elsewhere' }, 403],
  ])('refuses %s', async (_what, body, status) => {
    expect((await search(body)).status).toBe(status)
  })
})

describe('exporting messages', () => {
  const path = (query = '') => `/conversations/messages/export?locationId=${location.id}${query}`
  async function say(contactId: string, message: string, date: string) {
    const body = {
      type: 'Custom',
      conversationProviderId: ghl.providerId,
      contactId,
      message,
      date,
      direction: 'inbound',
    }
    return at((await client.send('POST', '/conversations/messages/inbound', body)).body, 'messageId')
  }
  async function page(query: string) {
    const { body } = await client.get(path(query))
    const messages = body['messages']
    const ids = Array.isArray(messages) ? messages.map((message: unknown) => at(message, 'id')) : []
    return { ids, next: z.string().optional().parse(body['nextCursor']), total: body['total'] }
  }

  it('walks all messages by cursor, oldest first when asked', async () => {
    const { id } = ghl.contacts.add(location.id, { name: 'Ana' })
    const said: string[] = []
    for (let day = 1; day <= 25; day++) {
      said.push(await say(id, `day ${day}`, `2026-01-${String(day).padStart(2, '0')}T10:00:00Z`))
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const query = `&limit=10&sortOrder=asc${cursor === undefined ? '' : `&cursor=${cursor}`}`
      const { ids, next, total } = await page(query)
      expect(total).toBe(25)
      seen.push(...ids)
      cursor = next
    } while (cursor !== undefined)
    expect(seen).toEqual(said)
  })

  it('is narrowed by contact and by time', async () => {
    const [ana, bob] = ['Ana', 'Bob'].map((name) => ghl.contacts.add(location.id, { name }).id)
    const early = await say(ana ?? '', 'early', '2026-01-01T10:00:00Z')
    const late = await say(ana ?? '', 'late', '2026-01-03T10:00:00Z')
    await say(bob ?? '', 'other', '2026-01-02T10:00:00Z')
    expect((await page(`&contactId=${ana}`)).ids).toEqual([late, early])
    expect((await page('&endDate=2026-01-01T12:00:00Z')).ids).toEqual([early])
  })

  it.each([
    ['fewer than 10', '&limit=9', 422],
    ['more than 500', '&limit=501', 422],
    ['an unknown channel', '&channel=Pigeon', 422],
    ['a made-up cursor', '&cursor=abc', 400],
  ])('refuses %s', async (_what, query, status) => {
    expect((await client.get(path(query))).status).toBe(status)
  })
})

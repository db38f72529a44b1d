import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import { type ApiClient, apiClient, at, valueAt } from './ghl-client.ts'

let ghl: GhlSandbox
let locationId: string
let client: ApiClient

beforeAll(async () => {
  ghl = await startGhlSandbox({ rateLimit: null, statusEarlyMs: 0 })
})
beforeEach(() => {
  ghl.settings.searchLagMs = 0
  ghl.forget()
  locationId = ghl.addLocation().id
  client = apiClient(ghl.url, ghl.tokens.issueLocation(locationId))
})
afterAll(() => ghl.stop())

const upsert = (body: Record<string, unknown>) =>
  client.send('POST', '/contacts/upsert', { locationId, ...body })
const create = (body: Record<string, unknown>) => client.send('POST', '/contacts/', { locationId, ...body })

describe('upsert', () => {
  it('makes a contact once and finds it by phone afterwards', async () => {
    const first = await upsert({ phone: '+5511999990001' })
    const second = await upsert({ phone: '+5511999990001' })
    expect(first.status).toBe(200)
    expect(first.body['new']).toBe(true)
    expect(second.body['new']).toBe(false)
    expect(at(second.body, 'contact.id')).toBe(at(first.body, 'contact.id'))
  })

  it('replaces names and tags that people gave', async () => {
    const contact = ghl.contacts.add(locationId, {
      phone: '+5511999990002',
      name: 'Ana Lima',
      tags: ['vip', 'gold'],
    })
    await upsert({ phone: '+5511999990002', name: 'WhatsApp User', tags: ['whatsapp'] })
    expect(ghl.contacts.get(contact.id)).toMatchObject({
      text: { firstName: 'WhatsApp', lastName: 'User' },
      tags: ['whatsapp'],
    })
  })

  it('leaves names and tags alone when it carries none', async () => {
    const contact = ghl.contacts.add(locationId, { phone: '+5511999990003', name: 'Ana', tags: ['vip'] })
    await upsert({ phone: '+5511999990003' })
    expect(ghl.contacts.get(contact.id)).toMatchObject({ text: { firstName: 'Ana' }, tags: ['vip'] })
  })

  it('refuses and counts an unknown property', async () => {
    const answer = await upsert({ phone: '+5511999990004', whatsapp: true })
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject({
      statusCode: 422,
      message: ['property whatsapp should not exist'],
      error: 'Unprocessable Entity',
    })
    expect(ghl.stats()).toMatchObject({
      unknownProperties: 1,
      oddities: [{ kind: 'unknown-property', route: 'POST /contacts/upsert', detail: 'whatsapp' }],
    })
  })

  it.each(['5511999990005', '+55 11 99999-0005', '12345@lid', '+0123456789', '+123'])(
    'refuses the phone %j, which is not E.164',
    async (phone) => {
      const answer = await upsert({ phone })
      expect(answer.status).toBe(422)
      expect(String(answer.body['message'])).toContain('phone')
    },
  )

  it('makes a contact without phone or e-mail each time', async () => {
    const [one, two] = [await upsert({ name: 'Family group' }), await upsert({ name: 'Family group' })]
    expect([one.body['new'], two.body['new']]).toEqual([true, true])
  })

  it('updates the first of two contacts that e-mail and phone hit', async () => {
    const byEmail = ghl.contacts.add(locationId, { email: 'ana@example.com' })
    ghl.contacts.add(locationId, { phone: '+5511999990006' })
    const answer = await upsert({ email: 'ANA@example.com', phone: '+5511999990006' })
    expect(at(answer.body, 'contact.id')).toBe(byEmail.id)
  })
})

describe('create', () => {
  it('answers 201 with the contact', async () => {
    const answer = await create({
      phone: '+5511999990010',
      firstName: 'Bia',
      customFields: [{ id: 'lid', field_value: '77@lid' }],
    })
    expect(answer.status).toBe(201)
    expect(answer.body['contact']).toMatchObject({
      locationId,
      firstName: 'Bia',
      phone: '+5511999990010',
      customFields: [{ id: 'lid', value: '77@lid' }],
    })
  })

  it('refuses a duplicate and names the contact that is there', async () => {
    const contact = ghl.contacts.add(locationId, { phone: '+5511999990011', name: 'Ana' })
    const answer = await create({ phone: '+5511999990011' })
    expect(answer.status).toBe(400)
    expect(answer.body).toEqual({
      statusCode: 400,
      message: 'This location does not allow duplicated contacts.',
      meta: { contactId: contact.id, contactName: 'Ana', matchingField: 'phone' },
    })
  })

  it('takes a duplicate where the location allows them', async () => {
    locationId = ghl.addLocation({ allowDuplicateContact: true }).id
    client = apiClient(ghl.url, ghl.tokens.issueLocation(locationId))
    await create({ phone: '+5511999990012' })
    expect((await create({ phone: '+5511999990012' })).status).toBe(201)
  })
})

describe('read and update', () => {
  it('reads a contact by id', async () => {
    const { id } = ghl.contacts.add(locationId, { phone: '+5511999990020' })
    expect(at((await client.get(`/contacts/${id}`)).body, 'contact.phone')).toBe('+5511999990020')
  })

  it('refuses the contact of another location, and one that does not exist', async () => {
    const foreign = ghl.contacts.add(ghl.addLocation().id, { phone: '+5511999990021' })
    expect((await client.get(`/contacts/${foreign.id}`)).status).toBe(403)
    expect((await client.get('/contacts/nobody')).status).toBe(400)
  })

  it('answers an update in their spelling and refuses locationId', async () => {
    const { id } = ghl.contacts.add(locationId, { phone: '+5511999990022' })
    const answer = await client.send('PUT', `/contacts/${id}`, { firstName: 'Caio' })
    expect(answer.body).toMatchObject({ succeded: true, contact: { firstName: 'Caio' } })
    const refused = await client.send('PUT', `/contacts/${id}`, { locationId, gender: 'f', companyName: 'x' })
    expect(refused.status).toBe(422)
    expect(ghl.stats().unknownProperties).toBe(3)
  })

  it('refuses an update with the phone of another contact', async () => {
    const other = ghl.contacts.add(locationId, { phone: '+5511999990023' })
    const { id } = ghl.contacts.add(locationId, {})
    const answer = await client.send('PUT', `/contacts/${id}`, { phone: '+5511999990023' })
    expect(answer.status).toBe(400)
    expect(at(answer.body, 'meta.contactId')).toBe(other.id)
  })

  it('adds and removes tags without touching the others', async () => {
    const { id } = ghl.contacts.add(locationId, { tags: ['vip'] })
    const added = await client.send('POST', `/contacts/${id}/tags`, { tags: ['WhatsApp'] })
    expect(added.status).toBe(201)
    expect(added.body['tags']).toEqual(['vip', 'whatsapp'])
    const removed = await client.send('DELETE', `/contacts/${id}/tags`, { tags: ['vip'] })
    expect(removed.status).toBe(200)
    expect(removed.body['tags']).toEqual(['whatsapp'])
  })

  it('deletes a contact and its thread', async () => {
    const { id } = ghl.contacts.add(locationId, {})
    expect((await client.send('DELETE', `/contacts/${id}`, {})).body).toEqual({ succeded: true })
    expect((await client.get(`/contacts/${id}`)).status).toBe(400)
  })
})

describe('search', () => {
  it('finds a duplicate by number, or answers null', async () => {
    const { id } = ghl.contacts.add(locationId, { phone: '+5511999990030' })
    const found = await client.get(
      `/contacts/search/duplicate?locationId=${locationId}&number=%2B5511999990030`,
    )
    const none = await client.get(
      `/contacts/search/duplicate?locationId=${locationId}&number=%2B5511999990031`,
    )
    expect(at(found.body, 'contact.id')).toBe(id)
    expect(none.body).toEqual({ contact: null })
  })

  it('does not find a number whose plus sign was not encoded', async () => {
    ghl.contacts.add(locationId, { phone: '+5511999990032' })
    const answer = await client.get(
      `/contacts/search/duplicate?locationId=${locationId}&number=+5511999990032`,
    )
    expect(answer.body).toEqual({ contact: null })
  })

  it('lags behind a write when told to, while reading by id does not', async () => {
    ghl.settings.searchLagMs = 60_000
    const { id } = ghl.contacts.add(locationId, { phone: '+5511999990033' })
    const listed = await client.get(`/contacts/?locationId=${locationId}&query=0033`)
    expect(valueAt(listed.body, 'count')).toBe(0)
    expect((await client.get(`/contacts/${id}`)).status).toBe(200)
    ghl.settings.searchLagMs = 0
    const later = await client.get(`/contacts/?locationId=${locationId}&query=0033`)
    expect(valueAt(later.body, 'count')).toBe(1)
  })

  it('refuses and counts an unknown query parameter', async () => {
    const answer = await client.get(`/contacts/search/duplicate?locationId=${locationId}&phone=1`)
    expect(answer.status).toBe(422)
    expect(ghl.stats().unknownProperties).toBe(1)
  })
})

describe('merge', () => {
  it('lets the old contact id and its conversation die, and moves the messages', async () => {
    const survivor = ghl.contacts.add(locationId, { name: 'Ana' })
    const loser = ghl.contacts.add(locationId, { phone: '+5511999990040' })
    const logged = await client.send('POST', '/conversations/messages/inbound', {
      type: 'Custom',
      conversationProviderId: ghl.providerId,
      contactId: loser.id,
      message: 'before',
      direction: 'inbound',
    })
    ghl.contacts.merge(loser.id, survivor.id)
    const refused = await client.send('POST', '/conversations/messages/inbound', {
      type: 'Custom',
      conversationProviderId: ghl.providerId,
      contactId: loser.id,
      message: 'after',
      direction: 'inbound',
    })
    expect(refused.status).toBe(400)
    expect(refused.body).toMatchObject({
      canonicalCode: 'CONVERSATIONS_CONTACT_NOT_FOUND',
      message: `Contact not found for id:${loser.id}`,
    })
    expect((await client.get(`/conversations/${at(logged.body, 'conversationId')}`)).status).toBe(400)
    expect(ghl.contacts.byPhone(locationId, '+5511999990040')?.id).toBe(survivor.id)
    expect(ghl.conversations.ofContact(survivor.id)?.messages.map(({ body }) => body)).toEqual(['before'])
  })
})

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import { type Answer, type ApiClient, answerOf, apiClient, at, soon, valueAt } from './ghl-client.ts'

let ghl: GhlSandbox
let locationId: string
let contactId: string
let token: string
let client: ApiClient

beforeAll(async () => {
  ghl = await startGhlSandbox({ rateLimit: null, statusEarlyMs: 0 })
})
beforeEach(() => {
  Object.assign(ghl.settings, { statusEarlyMs: 0, rateLimit: null, wrapSingleMessage: true, searchLagMs: 0 })
  ghl.forget()
  locationId = ghl.addLocation().id
  contactId = ghl.contacts.add(locationId, { phone: '+5511999990001', name: 'Ana' }).id
  token = ghl.tokens.issueLocation(locationId)
  client = apiClient(ghl.url, token)
})
afterAll(() => ghl.stop())

/** A correct inbound call; `undefined` takes a property out. */
function inbound(overrides: Record<string, unknown> = {}): Promise<Answer> {
  return client.send('POST', '/conversations/messages/inbound', {
    type: 'Custom',
    conversationProviderId: ghl.providerId,
    contactId,
    message: 'hello',
    direction: 'inbound',
    altId: 'WA1',
    ...overrides,
  })
}

function send(overrides: Record<string, unknown> = {}): Promise<Answer> {
  return client.send('POST', '/conversations/messages', {
    type: 'Custom',
    conversationProviderId: ghl.providerId,
    contactId,
    message: 'hi',
    ...overrides,
  })
}

describe('inbound', () => {
  it('stores the message on the left and answers 201 with its id', async () => {
    const answer = await inbound({ attachments: ['https://files.example/a.png'] })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({ success: true, contactId })
    expect(ghl.message(at(answer.body, 'messageId'))).toMatchObject({
      altId: 'WA1',
      direction: 'inbound',
      body: 'hello',
      attachments: ['https://files.example/a.png'],
      type: 22,
      messageType: 'TYPE_CUSTOM_PROVIDER_SMS',
      source: 'api',
    })
    expect(ghl.stats().oddities).toEqual([])
  })

  it('takes a conversation instead of a contact', async () => {
    const first = await inbound()
    const second = await inbound({
      contactId: undefined,
      conversationId: at(first.body, 'conversationId'),
      altId: 'WA2',
    })
    expect(second.status).toBe(201)
    expect(second.body['conversationId']).toBe(first.body['conversationId'])
  })

  it('stores a message without a direction as outbound', async () => {
    const answer = await inbound({ direction: undefined })
    expect(ghl.message(at(answer.body, 'messageId'))?.direction).toBe('outbound')
  })

  it('accepts a second message with the same altId, and counts it', async () => {
    const [one, two] = [await inbound(), await inbound()]
    expect([one.status, two.status]).toEqual([201, 201])
    expect(ghl.messages(locationId)).toHaveLength(2)
    expect(ghl.stats().oddities).toMatchObject([{ kind: 'same-alt-id-again', detail: 'WA1' }])
  })

  it('files a back-dated message by its date', async () => {
    await inbound({ message: 'new' })
    await inbound({ message: 'old', altId: 'WA0', date: '2020-01-01T10:00:00.000Z' })
    expect(ghl.conversations.ofContact(contactId)?.messages.map(({ body }) => body)).toEqual(['old', 'new'])
  })

  it.each([[undefined], ['CUSTOM'], ['Whatsapp']])('refuses the type %j', async (type) => {
    const answer = await inbound({ type })
    expect(answer.status).toBe(422)
    expect(answer.body['message']).toEqual(['type must be a valid enum value', 'type should not be empty'])
  })

  it.each(['SMS', 'WhatsApp'])('answers MISMATCH to type %s of a custom provider', async (type) => {
    const answer = await inbound({ type })
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({
      message: 'Incorrect conversationProviderId/type',
      canonicalCode: 'CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH',
    })
  })

  it('answers NO_ACCESS to the provider of another app', async () => {
    const answer = await inbound({ conversationProviderId: 'ffffffffffffffffffffffff' })
    expect(answer.status).toBe(401)
    expect(answer.body['canonicalCode']).toBe('CONVERSATIONS_MSG_PROVIDER_NO_ACCESS')
  })

  it('answers NO_ACCESS to a private integration token', async () => {
    client = apiClient(ghl.url, ghl.tokens.issuePrivate(locationId))
    const answer = await inbound()
    expect(answer.status).toBe(401)
    expect(answer.body['canonicalCode']).toBe('CONVERSATIONS_MSG_PROVIDER_NO_ACCESS')
  })

  it('answers 201 with nothing and stores nothing for Custom without a provider', async () => {
    const answer = await inbound({ conversationProviderId: undefined })
    expect(answer.status).toBe(201)
    expect(answer.body).toEqual({})
    expect(ghl.messages(locationId)).toEqual([])
    expect(ghl.stats().oddities).toMatchObject([{ kind: 'nothing-stored' }])
  })

  it('refuses an empty list of attachments', async () => {
    const answer = await inbound({ attachments: [] })
    expect(answer.status).toBe(422)
    expect(answer.body['message']).toEqual([
      'attachments must contain at least 1 elements',
      'attachments must be an array',
    ])
  })

  it('refuses an attachment URL with a query string', async () => {
    expect((await inbound({ attachments: ['https://files.example/a.png?alt=media'] })).status).toBe(422)
  })

  it('refuses a message without words and without attachments', async () => {
    const answer = await inbound({ message: undefined })
    expect(answer.status).toBe(422)
    expect(answer.body['canonicalCode']).toBe('CONVERSATIONS_MSG_NO_CONTENT')
  })

  it('refuses a call that names neither contact nor conversation', async () => {
    expect((await inbound({ contactId: undefined })).status).toBe(422)
  })

  it.each(['status', 'userId', 'locationId'])(
    'refuses and counts %s, which does not exist here',
    async (property) => {
      const answer = await inbound({ [property]: 'x' })
      expect(answer.status).toBe(422)
      expect(answer.body['message']).toEqual([`property ${property} should not exist`])
      expect(ghl.stats().unknownProperties).toBe(1)
    },
  )

  it('does not know the contact of another location', async () => {
    const foreign = ghl.contacts.add(ghl.addLocation().id, {})
    const answer = await inbound({ contactId: foreign.id })
    expect(answer.status).toBe(400)
    expect(answer.body['canonicalCode']).toBe('CONVERSATIONS_CONTACT_NOT_FOUND')
  })

  it('wants SMS, and no provider id, where the provider replaces SMS', async () => {
    const sms = await startGhlSandbox({ providerKind: 'sms' })
    try {
      const smsLocation = sms.addLocation().id
      const contact = sms.contacts.add(smsLocation, { phone: '+5511999990001' })
      const api = apiClient(sms.url, sms.tokens.issueLocation(smsLocation))
      const body = { contactId: contact.id, message: 'hi', direction: 'inbound' }
      const path = '/conversations/messages/inbound'
      const right = await api.send('POST', path, { ...body, type: 'SMS' })
      const wrong = await api.send('POST', path, {
        ...body,
        type: 'Custom',
        conversationProviderId: sms.providerId,
      })
      expect(right.status).toBe(201)
      expect(sms.message(at(right.body, 'messageId'))?.messageType).toBe('TYPE_SMS')
      expect(wrong.body['canonicalCode']).toBe('CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH')
    } finally {
      await sms.stop()
    }
  })
})

describe('send', () => {
  it('stores a pending outbound message for the provider', async () => {
    const answer = await send()
    expect(answer.status).toBe(201)
    expect(ghl.message(at(answer.body, 'messageId'))).toMatchObject({
      direction: 'outbound',
      status: 'pending',
      forProvider: true,
      source: 'api',
    })
  })

  it('stores a WhatsApp send as failed: that is another channel', async () => {
    const answer = await send({ type: 'WhatsApp', conversationProviderId: undefined })
    expect(answer.status).toBe(201)
    expect(ghl.message(at(answer.body, 'messageId'))).toMatchObject({
      status: 'failed',
      messageType: 'TYPE_WHATSAPP',
    })
  })

  it('keeps an internal comment inside', async () => {
    const answer = await send({ type: 'InternalComment', conversationProviderId: undefined })
    expect(ghl.message(at(answer.body, 'messageId'))).toMatchObject({ type: 37, forProvider: false })
  })

  it('is refused for a contact that must not be disturbed', async () => {
    ghl.contacts.update(contactId, { dnd: true })
    const answer = await send()
    expect(answer.status).toBe(400)
    expect(answer.body['canonicalCode']).toBe('CONVERSATIONS_MSG_DND_ACTIVE_SMS')
  })

  it.each(['direction', 'altId', 'conversationId'])('refuses and counts %s', async (property) => {
    expect((await send({ [property]: 'x' })).status).toBe(422)
    expect(ghl.stats().unknownProperties).toBe(1)
  })
})

describe('status', () => {
  const reply = () => ghl.agentReply({ locationId, contactId, message: 'answer' }).messageId
  const put = (messageId: string, body: unknown, api = client) =>
    api.send('PUT', `/conversations/messages/${messageId}/status`, body)

  it('moves through delivered to read and keeps the history', async () => {
    const messageId = reply()
    const answer = await put(messageId, { status: 'delivered' })
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ success: true, traceId: expect.any(String) as string })
    await put(messageId, { status: 'read' })
    const message = await ghl.waitForStatus(messageId, 'read')
    expect(message.statusHistory.map(({ status }) => status)).toEqual(['pending', 'delivered', 'read'])
    expect(ghl.stats().oddities).toEqual([])
  })

  it('needs an error with failed', async () => {
    const messageId = reply()
    const refused = await put(messageId, { status: 'failed' })
    expect(refused.status).toBe(422)
    expect(refused.body['message']).toEqual(['error must be an object'])
    const error = { code: '131026', type: 'undeliverable', message: 'Not on WhatsApp' }
    expect((await put(messageId, { status: 'failed', error })).status).toBe(200)
    expect(ghl.message(messageId)).toMatchObject({ status: 'failed', error })
  })

  it.each(['sent', 'Delivered', ''])('refuses the status %j', async (status) => {
    const answer = await put(reply(), { status })
    expect(answer.status).toBe(422)
    expect(String(answer.body['message'])).toContain('status must be a valid enum value')
  })

  it('answers 403 until GHL has handed the message over for a while', async () => {
    ghl.settings.statusEarlyMs = 700
    ghl.settings.deliveryUrl = `${ghl.url}/_sandbox/forget`
    const messageId = reply()
    const early = await put(messageId, { status: 'delivered' })
    expect(early.status).toBe(403)
    expect(early.body['message']).toBe('No conversation provider found for this message')
    await soon(async () => (await put(messageId, { status: 'delivered' })).status).toBe(200)
    ghl.settings.deliveryUrl = null
  })

  it('answers 403 for a message of another location, and for one that was only logged', async () => {
    const elsewhere = ghl.addLocation().id
    const foreign = apiClient(ghl.url, ghl.tokens.issueLocation(elsewhere))
    const logged = at((await inbound({ direction: 'outbound' })).body, 'messageId')
    expect((await put(reply(), { status: 'read' }, foreign)).status).toBe(403)
    expect((await put(logged, { status: 'read' })).status).toBe(403)
    expect(ghl.stats().oddities.map(({ kind }) => kind)).toEqual([
      'status-for-foreign-message',
      'status-for-foreign-message',
    ])
  })

  it('counts a status that goes back', async () => {
    const messageId = reply()
    await put(messageId, { status: 'read' })
    await put(messageId, { status: 'delivered' })
    expect(ghl.stats().oddities).toMatchObject([{ kind: 'status-went-back', detail: 'read to delivered' }])
  })
})

describe('upload', () => {
  const MEBIBYTE = 1024 * 1024

  async function upload(
    name: string,
    bytes: Uint8Array<ArrayBuffer>,
    options: UploadOptions = {},
  ): Promise<Answer> {
    const form = new FormData()
    for (const [field, value] of Object.entries({ locationId, contactId, ...options.fields }))
      form.append(field, value)
    form.append(
      options.part ?? 'fileAttachment',
      new Blob([bytes], { type: options.type ?? 'image/png' }),
      name,
    )
    const response = await fetch(`${ghl.url}/conversations/messages/upload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, version: '2021-04-15' },
      body: form,
    })
    return answerOf(response)
  }

  interface UploadOptions {
    part?: string
    type?: string
    fields?: Record<string, string>
  }

  function uploadedUrl(answer: Answer): string {
    return String(Object.values(valueAt(answer.body, 'uploadedFiles') ?? {})[0])
  }

  it('answers a URL per file, which serves the very same bytes', async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(50_000))
    const answer = await upload('photo café.png', bytes)
    expect(answer.status).toBe(201)
    expect(Object.keys(valueAt(answer.body, 'uploadedFiles') ?? {})).toEqual(['photo café.png'])
    const url = uploadedUrl(answer)
    const served = await fetch(url)
    expect(served.headers.get('content-type')).toBe('image/png')
    expect(new Uint8Array(await served.arrayBuffer())).toEqual(bytes)
    expect((await inbound({ attachments: [url] })).status).toBe(201)
  })

  it('takes 5 MB and refuses one byte more', async () => {
    expect((await upload('a.pdf', new Uint8Array(5 * MEBIBYTE))).status).toBe(201)
    const refused = await upload('b.pdf', new Uint8Array(5 * MEBIBYTE + 1))
    expect(refused.status).toBe(413)
    expect(refused.body).toMatchObject({ status: 413, message: expect.any(String) as string })
  })

  it.each(['sticker.webp', 'voice.opus', 'clip.webm', 'clip.mov', 'README'])(
    'refuses %s by its extension',
    async (name) => {
      const answer = await upload(name, new Uint8Array(8))
      expect(answer.status).toBe(415)
      expect(answer.body['status']).toBe(415)
    },
  )

  it('refuses and counts another part name, and another field', async () => {
    expect((await upload('a.png', new Uint8Array(8), { part: 'file' })).status).toBe(422)
    expect((await upload('a.png', new Uint8Array(8), { fields: { foo: '1' } })).status).toBe(422)
    expect(ghl.stats().unknownProperties).toBe(2)
  })

  it('answers 500 for a conversation it does not know', async () => {
    const answer = await upload('a.png', new Uint8Array(8), { fields: { conversationId: 'nope' } })
    expect(answer.status).toBe(500)
    expect(answer.body['message']).toBe('Conversation with id nope not found')
  })

  it('takes multipart only', async () => {
    expect((await client.send('POST', '/conversations/messages/upload', {})).status).toBe(400)
    expect(ghl.stats().oddities).toMatchObject([{ kind: 'wrong-content-type' }])
  })
})

describe('reading', () => {
  it('finds a conversation by contact', async () => {
    await inbound()
    const answer = await client.get(`/conversations/search?locationId=${locationId}&contactId=${contactId}`)
    expect(answer.body).toMatchObject({
      total: 1,
      conversations: [
        {
          contactId,
          lastMessageBody: 'hello',
          lastMessageDirection: 'inbound',
          lastMessageConversationProviderId: ghl.providerId,
          unreadCount: 1,
          phone: '+5511999990001',
        },
      ],
    })
  })

  it('does not find a new conversation while the search lags', async () => {
    ghl.settings.searchLagMs = 60_000
    await inbound()
    const answer = await client.get(`/conversations/search?locationId=${locationId}`)
    expect(answer.body['total']).toBe(0)
  })

  it('pages through a thread, newest first, in the nested shape', async () => {
    const conversationId = at((await inbound({ altId: 'WA0', message: '0' })).body, 'conversationId')
    for (const text of ['1', '2', '3', '4']) await inbound({ altId: `WA${text}`, message: text })
    const first = await client.get(`/conversations/${conversationId}/messages?limit=3`)
    const lastId = at(first.body, 'messages.lastMessageId')
    const second = await client.get(
      `/conversations/${conversationId}/messages?limit=3&lastMessageId=${lastId}`,
    )
    expect(altIds(first)).toEqual(['WA4', 'WA3', 'WA2'])
    expect(altIds(second)).toEqual(['WA1', 'WA0'])
    expect(valueAt(first.body, 'messages.nextPage')).toBe(true)
    expect(valueAt(second.body, 'messages.nextPage')).toBe(false)
  })

  it.each([
    [true, 'message.altId'],
    [false, 'altId'],
  ])('reads one message, wrapped: %s', async (wrapped, path) => {
    ghl.settings.wrapSingleMessage = wrapped
    const messageId = at((await inbound()).body, 'messageId')
    expect(at((await client.get(`/conversations/messages/${messageId}`)).body, path)).toBe('WA1')
  })

  it('makes a conversation once and names it when asked again', async () => {
    const first = await client.send('POST', '/conversations/', { locationId, contactId })
    const again = await client.send('POST', '/conversations/', { locationId, contactId })
    expect(first.status).toBe(201)
    expect(again.status).toBe(400)
    expect(again.body).toMatchObject({
      message: 'Conversation already exists',
      conversationId: at(first.body, 'conversation.id'),
    })
  })

  it('marks a conversation read', async () => {
    const conversationId = at((await inbound()).body, 'conversationId')
    await client.send('PUT', `/conversations/${conversationId}`, { locationId, unreadCount: 0 })
    expect((await client.get(`/conversations/${conversationId}`)).body['unreadCount']).toBe(0)
  })

  it('shows a location', async () => {
    const answer = await client.get(`/locations/${locationId}`)
    expect(answer.body['location']).toMatchObject({
      id: locationId,
      companyId: ghl.companyId,
      settings: { allowDuplicateContact: false },
    })
  })

  function altIds(answer: Answer): unknown[] {
    const messages = valueAt(answer.body, 'messages.messages')
    return Array.isArray(messages) ? messages.map((message) => valueAt(message, 'altId')) : []
  }
})

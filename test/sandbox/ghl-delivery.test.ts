import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import { defaultSettings } from '../../sandbox/ghl/settings.ts'
import { apiClient, approvedCode, isSignedBy, type Receiver, soon, startReceiver } from './ghl-client.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/oauth/callback'

let ghl: GhlSandbox
let bridge: Receiver
let locationId: string
let contactId: string

beforeAll(async () => {
  ghl = await startGhlSandbox({ redirectUris: [REDIRECT_URI] })
})
beforeEach(async () => {
  bridge = await startReceiver()
  Object.assign(ghl.settings, defaultSettings(), {
    deliveryUrl: `${bridge.url}/delivery`,
    retry: { maxRetries: 12, baseMs: 5, capMs: 20, timeoutMs: 2000 },
  })
  locationId = ghl.addLocation().id
  contactId = ghl.contacts.add(locationId, { phone: '+5511999990001' }).id
  ghl.forget()
})
afterEach(() => bridge[Symbol.asyncDispose]())
afterAll(() => ghl.stop())

const reply = (message = 'hi', attachments: string[] = []) =>
  ghl.agentReply({ locationId, contactId, message, attachments }).messageId
const delivered = (messageId: string) =>
  ghl.waitForPost(
    (post) => post.messageId === messageId && post.target === 'delivery' && post.state === 'accepted',
  )
const inbound = (direction: 'inbound' | 'outbound') =>
  apiClient(ghl.url, ghl.tokens.issueLocation(locationId)).send('POST', '/conversations/messages/inbound', {
    type: 'Custom',
    conversationProviderId: ghl.providerId,
    contactId,
    message: 'from the phone',
    direction,
  })

describe('a provider delivery', () => {
  it('carries the message to the Delivery URL, signed over the raw body', async () => {
    const url = ghl.hostFile('price list.pdf', Buffer.from('PDF'))
    const messageId = reply('hello', [url])
    await delivered(messageId)
    const [post] = bridge.received
    expect(post?.path).toBe('/delivery')
    expect(post?.body).toMatchObject({
      messageId,
      contactId,
      locationId,
      type: 'Custom',
      phone: '+5511999990001',
      message: 'hello',
      attachments: [url],
      conversationProviderId: ghl.providerId,
    })
    expect(post?.body).toHaveProperty('userId')
    expect(post?.body).toHaveProperty('webhookId')
    expect(post?.body).not.toHaveProperty('appId')
    expect(post?.headers).not.toHaveProperty('x-wh-signature')
    expect(post && isSignedBy(ghl.publicKey, post)).toBe(true)
    expect(await (await fetch(url)).text()).toBe('PDF')
  })

  it('is repeated with the same bytes until a 2xx', async () => {
    bridge.answers.push(500, 302, 'hang up', 404)
    const messageId = reply()
    const post = await delivered(messageId)
    expect(post.attempts).toHaveLength(5)
    expect(post.attempts.at(-1)?.outcome).toBe(200)
    expect(new Set(bridge.received.map(({ rawBody }) => rawBody)).size).toBe(1)
  })

  it('is given up after the last retry, and that is counted', async () => {
    ghl.settings.retry = { ...ghl.settings.retry, maxRetries: 2 }
    bridge.answers.push(500, 500, 500)
    const messageId = reply()
    await ghl.waitForPost((post) => post.messageId === messageId && post.state === 'given-up')
    expect(bridge.received).toHaveLength(3)
    expect(ghl.stats().postsGivenUp).toBe(1)
  })

  it('arrives twice when told to', async () => {
    ghl.settings.deliveryCopies = 2
    reply()
    await soon(() => bridge.received.length).toBe(2)
    expect(bridge.received[0]?.rawBody).toBe(bridge.received[1]?.rawBody)
  })

  it('changes shape by switch', async () => {
    Object.assign(ghl.settings, {
      deliveryType: 'SMS',
      omitPhone: true,
      omitUserId: true,
      omitEmptyAttachments: true,
      legacySignatureHeader: true,
    })
    await delivered(reply())
    const [post] = bridge.received
    expect(post?.body['type']).toBe('SMS')
    expect(post?.headers['x-wh-signature']).toBe('N/A')
    for (const absent of ['phone', 'userId', 'attachments']) expect(post?.body).not.toHaveProperty(absent)
  })

  it.each(['missing', 'wrong'] as const)('can have a %s signature', async (signature) => {
    ghl.settings.signature = signature
    await delivered(reply())
    const [post] = bridge.received
    expect(post && isSignedBy(ghl.publicKey, post)).toBe(false)
    expect('x-ghl-signature' in (post?.headers ?? {})).toBe(signature === 'wrong')
  })

  it('has no user when an automation wrote it', async () => {
    const { messageId } = ghl.agentReply({ locationId, contactId, message: 'auto', source: 'workflow' })
    await delivered(messageId)
    expect(bridge.received[0]?.body).not.toHaveProperty('userId')
  })

  it('names the message that is answered', async () => {
    const { messageId } = ghl.agentReply({ locationId, contactId, message: 'yes', replyToAltId: 'WA7' })
    await delivered(messageId)
    expect(bridge.received[0]?.body['replyToAltId']).toBe('WA7')
  })

  it('can be held back and let go in the wrong order', async () => {
    ghl.deliveries.hold()
    const ids = [reply('one'), reply('two')]
    ghl.deliveries.release({ reversed: true })
    await Promise.all(ids.map(delivered))
    expect(bridge.received.map(({ body }) => body['messageId'])).toEqual(ids.toReversed())
  })

  it('is made for a send by API, never for a logged message or a comment', async () => {
    const api = apiClient(ghl.url, ghl.tokens.issueLocation(locationId))
    await inbound('inbound')
    await inbound('outbound')
    await api.send('POST', '/conversations/messages', { type: 'InternalComment', contactId, message: 'note' })
    const body = { type: 'Custom', conversationProviderId: ghl.providerId, contactId, message: 'by API' }
    const sent = await api.send('POST', '/conversations/messages', body)
    await delivered(String(sent.body['messageId']))
    expect(bridge.received.map((post) => post.body['message'])).toEqual(['by API'])
  })

  it('of a retry in the UI is a new message', async () => {
    const messageId = reply('again')
    await delivered(messageId)
    const api = apiClient(ghl.url, ghl.tokens.issueLocation(locationId))
    ghl.settings.statusEarlyMs = 0
    await api.send('PUT', `/conversations/messages/${messageId}/status`, {
      status: 'failed',
      error: { code: '1', type: 'x', message: 'no' },
    })
    const retried = ghl.agentRetry(messageId).messageId
    expect(retried).not.toBe(messageId)
    await delivered(retried)
    expect(bridge.received.map((post) => post.body['message'])).toEqual(['again', 'again'])
  })
})

describe('app events', () => {
  beforeEach(() => {
    ghl.settings.webhookUrl = `${bridge.url}/events`
  })

  const event = (type: string) =>
    bridge.received.find((post) => post.path === '/events' && post.body['type'] === type)

  it('tell of an install before the code is exchanged, signed like a delivery', async () => {
    await approvedCode(ghl, REDIRECT_URI, { location_id: locationId })
    await soon(() => event('INSTALL')).toBeDefined()
    const post = event('INSTALL')
    expect(post?.body).toMatchObject({
      locationId,
      appId: ghl.appId,
      versionId: ghl.versionId,
      installType: 'Location',
    })
    expect(post && isSignedBy(ghl.publicKey, post)).toBe(true)
  })

  it('tell of an uninstall', async () => {
    ghl.uninstallFrom(locationId)
    await soon(() => event('UNINSTALL')?.body['locationId']).toBe(locationId)
  })

  it('echo what was logged, with the source api', async () => {
    await inbound('inbound')
    await inbound('outbound')
    await soon(() => event('InboundMessage')?.body['source']).toBe('api')
    await soon(() => event('OutboundMessage')?.body).toMatchObject({
      source: 'api',
      direction: 'outbound',
      messageType: 'Custom',
      messageTypeString: 'TYPE_CUSTOM_PROVIDER_SMS',
    })
  })

  it.each([
    ['delivery', ['/delivery', '/events']],
    ['webhook', ['/events', '/delivery']],
  ] as const)('come in either order beside a delivery (%s first)', async (firstPost, order) => {
    ghl.settings.firstPost = firstPost
    const messageId = reply()
    await soon(() => bridge.received.length).toBe(2)
    expect(bridge.received.map(({ path }) => path)).toEqual(order)
    expect(bridge.received.map(({ body }) => body['messageId'])).toEqual([messageId, messageId])
  })

  it('tell of merged contacts', async () => {
    const survivor = ghl.contacts.add(locationId, { name: 'Ana' })
    ghl.contacts.merge(contactId, survivor.id)
    await soon(() => event('ContactDelete')?.body['id']).toBe(contactId)
    await soon(() => event('ContactUpdate')?.body).toMatchObject({ id: survivor.id, phone: '+5511999990001' })
  })

  it('go nowhere when no URL is set', () => {
    ghl.settings.webhookUrl = null
    ghl.uninstallFrom(locationId)
    expect(ghl.posts()).toEqual([])
  })
})

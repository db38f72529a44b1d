/**
 * The official SDK drives the sandbox: a client that we did not write has to agree with it. The SDK knows one base
 * URL only; its HTTP client is pointed at the sandbox, and nothing else of it is touched.
 */
import {
  GHLAuthenticationError,
  GHLForbiddenError,
  GHLRateLimitError,
  GHLValidationError,
  HighLevel,
  UserType,
} from '@gohighlevel/api-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import type { Location } from '../../sandbox/ghl/world.ts'
import { at, type ReceivedPost, type Receiver, soon, startReceiver } from './ghl-client.ts'

const REDIRECT_URI = 'http://127.0.0.1:9/oauth/callback'
const SCOPES = [
  'contacts.readonly contacts.write conversations.readonly conversations.write',
  'conversations/message.readonly conversations/message.write locations.readonly users.readonly',
  'medias.readonly medias.write products.readonly products.write products/prices.readonly',
  'products/prices.write voice-ai-dashboard.readonly oauth.readonly oauth.write',
].join(' ')
/** The SDK sends JSON unless told otherwise, forms included. */
const FORM = { 'Content-Type': 'multipart/form-data' }

let ghl: GhlSandbox
let receiver: Receiver
let location: Location

beforeAll(async () => {
  receiver = await startReceiver()
  ghl = await startGhlSandbox({
    redirectUris: [REDIRECT_URI],
    statusEarlyMs: 0,
    rateLimit: null,
    webhookUrl: `${receiver.url}/webhook`,
    deliveryUrl: `${receiver.url}/delivery`,
  })
  location = ghl.addLocation({ name: 'Dental Care' })
})
beforeEach(() => {
  receiver.received.length = 0
  ghl.settings.rateLimit = null
  ghl.forget()
})
afterAll(async () => {
  await ghl.stop()
  await receiver[Symbol.asyncDispose]()
})

function newSdk(apiVersion = '2021-07-28'): HighLevel {
  const sdk = new HighLevel({
    clientId: ghl.clientId,
    clientSecret: ghl.clientSecret,
    apiVersion,
    webhookPublicKey: ghl.publicKey,
    // It logs each refusal that these tests cause on purpose.
    logLevel: 'none',
  })
  sdk.getHttpClient().defaults.baseURL = ghl.url
  return sdk
}

/** Follows the SDK's own link as a person who approves, and trades the code for a pair. */
async function install(sdk: HighLevel, choice: Record<string, string>, userType: UserType) {
  const link = new URL(sdk.oauth.getAuthorizationUrl(ghl.clientId, REDIRECT_URI, SCOPES))
  const approved = new URLSearchParams([...link.searchParams, ...Object.entries(choice), ['approve', '1']])
  const answer = await fetch(`${ghl.marketplaceUrl}${link.pathname}?${approved.toString()}`, {
    redirect: 'manual',
  })
  const code = new URL(answer.headers.get('location') ?? 'missing:').searchParams.get('code') ?? ''
  const token = await sdk.oauth.getAccessToken({
    client_id: ghl.clientId,
    client_secret: ghl.clientSecret,
    grant_type: 'authorization_code',
    code,
    user_type: userType,
    redirect_uri: REDIRECT_URI,
  })
  await sdk.getSessionStorage().setSession(token.locationId ?? ghl.companyId, { ...token })
  return token
}

async function sdkInLocation(): Promise<HighLevel> {
  const sdk = newSdk()
  await install(sdk, { location_id: location.id }, UserType.Location)
  return sdk
}

/** Tells the SDK whose token a call is for that does not name its location. */
const asLocation = () => ({ headers: { locationId: location.id } })

/** A call that only reads. */
const find = (sdk: HighLevel) =>
  sdk.contacts.getDuplicateContact({ locationId: location.id, number: '+15550123400' })

describe('OAuth by the SDK', () => {
  it('trades a code once and is refused the second time', async () => {
    const sdk = newSdk()
    const token = await install(sdk, { location_id: location.id }, UserType.Location)
    expect(token).toMatchObject({
      locationId: location.id,
      companyId: ghl.companyId,
      userType: 'Location',
      userId: ghl.userId,
    })
    expect(token.expires_in).toBe(86_399)
    const again = { client_id: ghl.clientId, client_secret: ghl.clientSecret, code: 'spent' }
    await expect(
      sdk.oauth.getAccessToken({ ...again, grant_type: 'authorization_code' }),
    ).rejects.toBeInstanceOf(GHLAuthenticationError)
  })

  it('refreshes by itself after a 401 and repeats the call, with one refresh for many callers', async () => {
    const sdk = await sdkInLocation()
    expect(ghl.tokens.expireAccess(location.id)).toBeGreaterThan(0)
    ghl.forget()
    const answers = await Promise.all(Array.from({ length: 10 }, () => find(sdk)))
    expect(answers).toEqual(Array.from({ length: 10 }, () => ({ contact: null })))
    expect(ghl.calls({ route: 'POST /oauth/token' })).toHaveLength(1)
    expect(ghl.stats().oddities).toEqual([])
  })

  it('mints a location token for an agency and reads with it', async () => {
    const sdk = newSdk()
    const token = await install(sdk, { company: '1' }, UserType.Company)
    expect(token).toMatchObject({ userType: 'Company', isBulkInstallation: true })
    expect(token).not.toHaveProperty('locationId')
    const minted = await sdk.oauth.getLocationAccessToken({
      companyId: ghl.companyId,
      locationId: location.id,
    })
    await sdk.getSessionStorage().setSession(location.id, { ...minted })
    const { location: shown } = await sdk.locations.getLocation(
      { locationId: location.id },
      { ...asLocation(), preferredTokenType: 'location' },
    )
    expect(shown?.name).toBe('Dental Care')
  })

  it('pages through the locations of an agency', async () => {
    const added = Array.from({ length: 45 }, (_, index) => ghl.addLocation({ name: `Branch ${index}` }).id)
    const sdk = newSdk()
    await install(sdk, { company: '1' }, UserType.Company)
    const seen = new Set<string>()
    for (let skip = 0; ; skip += 20) {
      const page = await sdk.oauth.getInstalledLocation({
        companyId: ghl.companyId,
        appId: ghl.appId,
        isInstalled: true,
        skip: String(skip),
        limit: '20',
      })
      for (const each of page.locations ?? []) seen.add(each._id)
      if (skip + 20 >= (page.count ?? 0)) break
    }
    expect([...seen]).toEqual(expect.arrayContaining([...added, location.id]))
    expect(ghl.calls({ route: 'GET /oauth/installedLocations' }).length).toBeGreaterThanOrEqual(3)
  })

  it('verifies INSTALL, mints a token from it, and drops it on UNINSTALL', async () => {
    const sdk = newSdk()
    await install(sdk, { company: '1' }, UserType.Company)
    const branch = ghl.addLocation({ name: 'New branch' })
    receiver.received.length = 0
    ghl.installIn(branch.id)
    const installed = await eventOf('INSTALL', branch.id)
    expect(await fedTo(sdk, installed)).toMatchObject({ isSignatureValid: true })
    expect(await sdk.getSessionStorage().getAccessToken(branch.id)).toBeTruthy()
    ghl.uninstallFrom(branch.id)
    await fedTo(sdk, await eventOf('UNINSTALL', branch.id))
    expect(await sdk.getSessionStorage().getAccessToken(branch.id)).toBeNull()
  })

  async function eventOf(type: string, locationId: string): Promise<ReceivedPost> {
    const find = () =>
      receiver.received.find(({ body }) => body['type'] === type && body['locationId'] === locationId)
    await soon(find).toBeDefined()
    const post = find()
    if (!post) throw new Error(`no ${type} for ${locationId}`)
    return post
  }

  async function fedTo(sdk: HighLevel, { body, headers, rawBody }: ReceivedPost) {
    const request = { method: 'POST', url: '/', headers, body, rawBody }
    await new Promise<void>((resolve, reject) => {
      const next = (error?: unknown) => (error instanceof Error ? reject(error) : resolve())
      // Its middleware wants Express's request; these are the parts of it that it reads.
      void sdk.webhooks.subscribe()(request as never, undefined as never, next)
    })
    return request
  }
})

describe('contacts by the SDK', () => {
  it('upserts, finds, tags, changes and deletes a person', async () => {
    const sdk = await sdkInLocation()
    const identity = { locationId: location.id, phone: '+15550123401' }
    const first = await sdk.contacts.upsertContact({ ...identity, name: 'Ana Lima' })
    const second = await sdk.contacts.upsertContact(identity)
    expect([first.new, second.new]).toEqual([true, false])
    const contactId = at(first, 'contact.id')
    expect(at(second, 'contact.id')).toBe(contactId)

    const duplicate: unknown = await sdk.contacts.getDuplicateContact({
      locationId: location.id,
      number: '+15550123401',
    })
    expect(duplicate).toMatchObject({ contact: { id: contactId } })
    await sdk.contacts.addTags({ contactId }, { tags: ['vip'] }, asLocation())
    await sdk.contacts.updateContact({ contactId }, { city: 'Recife' }, asLocation())
    expect(await sdk.contacts.getContact({ contactId }, asLocation())).toMatchObject({
      contact: { city: 'Recife', tags: ['vip'], firstName: 'Ana', lastName: 'Lima' },
    })

    const found: unknown = await sdk.contacts.searchContactsAdvanced({
      locationId: location.id,
      pageLimit: 10,
      filters: [{ field: 'phone', operator: 'eq', value: '+15550123401' }],
    })
    expect(found).toMatchObject({ total: 1, contacts: [{ id: contactId }] })
    await sdk.contacts.deleteContact({ contactId }, asLocation())
    await expect(sdk.contacts.getContact({ contactId }, asLocation())).rejects.toBeInstanceOf(
      GHLValidationError,
    )
  })

  it('learns of a duplicate from the refusal', async () => {
    const sdk = await sdkInLocation()
    const body = { locationId: location.id, phone: '+15550123402' }
    const created: unknown = await sdk.contacts.createContact(body)
    const refusal: unknown = await sdk.contacts.createContact(body).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(GHLValidationError)
    expect(refusal).toMatchObject({
      statusCode: 400,
      response: { meta: { contactId: at(created, 'contact.id') } },
    })
  })
})

describe('conversations by the SDK', () => {
  async function newThread(sdk: HighLevel, phone: string) {
    const created: unknown = await sdk.contacts.createContact({ locationId: location.id, phone })
    const contactId = at(created, 'contact.id')
    const thread: unknown = await sdk.conversations.createConversation({
      locationId: location.id,
      contactId,
    })
    return { contactId, conversationId: at(thread, 'conversation.id') }
  }

  it('logs what a customer said, and reads it back', async () => {
    const sdk = await sdkInLocation()
    const thread = await newThread(sdk, '+15550123411')
    const logged = await sdk.conversations.addAnInboundMessage(
      {
        ...thread,
        type: 'Custom',
        conversationProviderId: ghl.providerId,
        message: 'hello',
        direction: 'inbound',
        altId: 'wa-1',
      },
      asLocation(),
    )
    expect(logged).toMatchObject({ success: true, conversationId: thread.conversationId })
    const read: unknown = await sdk.conversations.getMessages(
      { conversationId: thread.conversationId },
      asLocation(),
    )
    // Nested, against the SDK's own type: the service was seen to answer so.
    expect(read).toMatchObject({ messages: { messages: [{ id: logged.messageId, body: 'hello' }] } })
    const search = await sdk.conversations.searchConversation({
      locationId: location.id,
      contactId: thread.contactId,
    })
    expect(search.conversations[0]).toMatchObject({ id: thread.conversationId, unreadCount: 1 })
    const exported = await sdk.conversations.exportMessagesByLocation({
      locationId: location.id,
      contactId: thread.contactId,
    })
    expect(exported).toMatchObject({ total: 1, messages: [{ id: logged.messageId }] })
  })

  it('is refused the type SMS for a custom provider', async () => {
    const sdk = await sdkInLocation()
    const thread = await newThread(sdk, '+15550123412')
    const refusal: unknown = await sdk.conversations
      .addAnInboundMessage(
        { ...thread, type: 'SMS', conversationProviderId: ghl.providerId, message: 'hello' },
        asLocation(),
      )
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({
      statusCode: 400,
      response: { canonicalCode: 'CONVERSATIONS_MSG_CONVERSATION_PROVIDER_MISMATCH' },
    })
  })

  it('sends by the provider and reports how it fared', async () => {
    const sdk = await sdkInLocation()
    const { contactId } = await newThread(sdk, '+15550123413')
    const sent = await sdk.conversations.sendANewMessage(
      {
        type: 'Custom',
        subType: undefined,
        status: 'pending',
        contactId,
        message: 'your appointment',
        conversationProviderId: ghl.providerId,
      },
      asLocation(),
    )
    await soon(() => receiver.received.find(({ path }) => path === '/delivery')?.body['messageId']).toBe(
      sent.messageId,
    )
    await sdk.conversations.updateMessageStatus(
      { messageId: sent.messageId },
      { status: 'delivered' },
      asLocation(),
    )
    expect(ghl.message(sent.messageId)?.status).toBe('delivered')
    await expect(
      sdk.conversations.updateMessageStatus(
        { messageId: sent.messageId },
        { status: 'failed' },
        asLocation(),
      ),
    ).rejects.toMatchObject({ statusCode: 422 })
  })

  it('uploads a file and gets its URL', async () => {
    const sdk = await sdkInLocation()
    const { conversationId } = await newThread(sdk, '+15550123414')
    const form = new FormData()
    form.append('locationId', location.id)
    form.append('conversationId', conversationId)
    form.append('fileAttachment', new Blob(['picture'], { type: 'image/png' }), 'photo.png')
    const answer: unknown = await sdk.conversations.uploadFileAttachments(form, {
      headers: { ...FORM, locationId: location.id },
    })
    const url = Object.values(
      z.object({ uploadedFiles: z.record(z.string(), z.url()) }).parse(answer).uploadedFiles,
    )[0]
    expect(await (await fetch(url ?? '')).text()).toBe('picture')
  })
})

describe('the library, the catalogue, the team and the calls by the SDK', () => {
  it('uploads to the library, lists and deletes', async () => {
    const sdk = await sdkInLocation()
    const form = new FormData()
    form.append('file', new Blob(['%PDF-1.7'], { type: 'application/pdf' }), 'prices.pdf')
    const { fileId, url } = await sdk.medias.uploadMediaContent(form, {
      headers: { ...FORM, locationId: location.id },
    })
    expect(await (await fetch(url)).text()).toBe('%PDF-1.7')
    const owner = { altType: 'location', altId: location.id }
    const { files } = await sdk.medias.fetchMediaContent(
      { ...owner, type: 'file', sortBy: 'createdAt', sortOrder: 'desc' },
      asLocation(),
    )
    expect(files).toMatchObject([{ _id: fileId, name: 'prices.pdf' }])
    await sdk.medias.deleteMediaContent({ id: fileId, ...owner }, asLocation())
    expect(ghl.medias(location.id)).toEqual([])
  })

  it('creates a product with its price', async () => {
    const sdk = await sdkInLocation()
    const product = await sdk.products.createProduct(
      { name: 'Cleaning', locationId: location.id, productType: 'SERVICE' },
      { preferredTokenType: 'location' },
    )
    const price = await sdk.products.createPriceForProduct(
      { productId: product._id },
      { name: 'Once', type: 'one_time', currency: 'BRL', amount: 150, locationId: location.id },
      { preferredTokenType: 'location' },
    )
    expect(price).toMatchObject({ product: product._id, amount: 150 })
    const listed = await sdk.products.listPricesForProduct(
      { productId: product._id, locationId: location.id },
      { preferredTokenType: 'location' },
    )
    expect(listed).toMatchObject({ total: 1, prices: [{ _id: price._id }] })
  })

  it('reads the team and the Voice AI calls', async () => {
    const sdk = await sdkInLocation()
    const member = ghl.addUser({ firstName: 'Rui', locationIds: [location.id] })
    const call = ghl.addVoiceCall(location.id, { actionTypes: ['SMS'] })
    const { users } = await sdk.users.searchUsers(
      { companyId: ghl.companyId, locationId: location.id },
      { preferredTokenType: 'location' },
    )
    expect(users?.map(({ id }) => id)).toContain(member.id)
    const logs = await sdk.voiceAi.getCallLogs({ locationId: location.id, actionType: 'SMS' })
    expect(logs).toMatchObject({ total: 1, callLogs: [{ id: call.id, duration: 60 }] })
    const one = await sdk.voiceAi.getCallLog({ callId: call.id, locationId: location.id })
    expect(one.id).toBe(call.id)
  })
})

describe('the SDK understands the refusals', () => {
  it('reads the limit from a 429', async () => {
    const sdk = await sdkInLocation()
    ghl.forget()
    ghl.settings.rateLimit = { max: 1, intervalMs: 60_000, perDay: 200_000, window: 'fixed' }
    const read = () => find(sdk)
    await read()
    const refusal: unknown = await read().catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(GHLRateLimitError)
    expect(refusal).toMatchObject({
      rateLimit: { scope: 'burst', max: 1, remaining: 0, intervalMs: 60_000, dailyLimit: 200_000 },
    })
  })

  it('calls a foreign location forbidden', async () => {
    const sdk = await sdkInLocation()
    await expect(
      sdk.contacts.getDuplicateContact({ locationId: 'another', number: '+15550123400' }, asLocation()),
    ).rejects.toBeInstanceOf(GHLForbiddenError)
  })

  it.each(['2021-04-15', '2021-07-28', '2023-02-21', 'v3'])('is served under version %s', async (version) => {
    const sdk = newSdk(version)
    await install(sdk, { location_id: location.id }, UserType.Location)
    await expect(find(sdk)).resolves.toBeDefined()
  })

  it('is refused under a version that does not exist', async () => {
    const sdk = newSdk('2020-01-01')
    await install(sdk, { location_id: location.id }, UserType.Location)
    await expect(find(sdk)).rejects.toMatchObject({
      statusCode: 400,
      message: "Invalid API version segment '2020-01-01' at position 0",
    })
  })
})

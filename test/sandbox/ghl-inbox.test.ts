import { createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGhlSandbox } from '../../sandbox/ghl/ghl-sandbox.ts'
import type { GhlSandbox } from '../../sandbox/ghl/in-process.ts'
import { answerOf, apiClient, at, type Receiver, soon, startReceiver, valueAt } from './ghl-client.ts'

let ghl: GhlSandbox
let bridge: Receiver
let locationId: string
let contactId: string
let pageUrl: string

beforeAll(async () => {
  bridge = await startReceiver()
  ghl = await startGhlSandbox({ statusEarlyMs: 0, deliveryUrl: bridge.url })
  locationId = ghl.addLocation({ name: 'Dental Care' }).id
  contactId = ghl.contacts.add(locationId, { phone: '+5511999990001', name: 'Ana <b>Lima</b>' }).id
  pageUrl = `${ghl.url}/?location=${locationId}&contact=${contactId}`
})
afterAll(async () => {
  await ghl.stop()
  await bridge[Symbol.asyncDispose]()
})

const page = async (url = pageUrl) => (await fetch(url)).text()

async function control(method: string, path: string, body?: unknown) {
  return answerOf(
    await fetch(`${ghl.url}/_sandbox/${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }),
  )
}

describe('the inbox', () => {
  it('lists locations and conversations, with everything escaped', async () => {
    const text = await page(`${ghl.url}/`)
    expect(text).toContain('Dental Care')
    expect(text).toContain('Ana &lt;b&gt;Lima&lt;/b&gt;')
    expect(text).not.toContain('<b>Lima')
  })

  it('sends what is composed, text and file, through the provider', async () => {
    const form = new FormData()
    form.append('message', 'See <this>')
    form.append('file', new Blob([Buffer.from('png')], { type: 'image/png' }), 'photo.png')
    const answer = await answerOf(
      await fetch(`${ghl.url}/_inbox/reply?location=${locationId}&contact=${contactId}`, {
        method: 'POST',
        body: form,
      }),
    )
    expect(answer.status).toBe(201)
    await soon(() => bridge.received.length).toBe(1)
    expect(bridge.received[0]?.body['message']).toBe('See <this>')
    const text = await page()
    expect(text).toContain('See &lt;this&gt;')
    expect(text).toMatch(/<img src="[^"]+photo\.png"/)
    expect(text).toContain('Pending')
  })

  it('draws the status in words, and a failure with its reason', async () => {
    const { messageId } = ghl.agentReply({ locationId, contactId, message: 'one' })
    const client = apiClient(ghl.url, ghl.tokens.issueLocation(locationId))
    const path = `/conversations/messages/${messageId}/status`
    await client.send('PUT', path, { status: 'read' })
    expect(await page()).toContain('Read')
    await client.send('PUT', path, { status: 'failed', error: { message: 'Not on WhatsApp' } })
    expect(await page()).toContain('Not on WhatsApp')
    expect(await page()).toContain(`data-retry="${messageId}"`)
  })

  it('tells an open page when something changed', async () => {
    const stop = new AbortController()
    const response = await fetch(`${ghl.url}/_inbox/events?location=${locationId}`, { signal: stop.signal })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    let seen = (await reader?.read())?.value ?? ''
    ghl.agentReply({ locationId, contactId, message: 'live' })
    while (!seen.includes('event: change')) seen += (await reader?.read())?.value ?? ''
    expect(seen).toContain('"kind":"message"')
    stop.abort()
  })
})

describe('the control API', () => {
  it('says how to connect', async () => {
    const { body } = await control('GET', 'info')
    expect(body).toMatchObject({
      url: ghl.url,
      publicKey: ghl.publicKey,
      clientId: ghl.clientId,
      providerId: ghl.providerId,
    })
  })

  it('plays a whole conversation from another process', async () => {
    const location = at((await control('POST', 'locations', { name: 'Remote' })).body, 'location.id')
    const contact = at(
      (await control('POST', 'contacts', { locationId: location, phone: '+5511999990009' })).body,
      'contact.id',
    )
    const sent = await control('POST', 'agent-reply', {
      locationId: location,
      contactId: contact,
      message: 'remote',
    })
    const waited = await control('POST', 'wait/message', { locationId: location, body: 'remote' })
    expect(at(waited.body, 'message.id')).toBe(at(sent.body, 'messageId'))
    const status = await control('POST', 'wait/status', {
      messageId: at(sent.body, 'messageId'),
      status: 'pending',
    })
    expect(at(status.body, 'message.status')).toBe('pending')
    const listed = await control('GET', `messages?locationId=${location}`)
    expect(listed.body['messages']).toHaveLength(1)
  })

  it('says so when an awaited thing does not happen', async () => {
    const answer = await control('POST', 'wait/message', { body: 'never', timeoutMs: 30 })
    expect(answer.status).toBe(408)
  })

  it('changes settings, leaves the others, and refuses unknown ones', async () => {
    const { deliveryUrl } = ghl.settings
    const answer = await control('PATCH', 'settings', { statusEarlyMs: 7, omitPhone: true })
    expect(answer.body).toMatchObject({ statusEarlyMs: 7, omitPhone: true, deliveryUrl })
    expect((await control('PATCH', 'settings', { nonsense: 1 })).status).toBe(422)
    expect(ghl.stats().unknownProperties).toBe(0)
    Object.assign(ghl.settings, { statusEarlyMs: 0, omitPhone: false })
  })

  it('plants faults, expires tokens and forgets', async () => {
    const token = ghl.tokens.issueLocation(locationId)
    await control('POST', 'faults', { route: 'GET /locations/*', effect: { kind: 'status', status: 502 } })
    const client = apiClient(ghl.url, token)
    expect((await client.get(`/locations/${locationId}`)).status).toBe(502)
    expect(valueAt((await control('POST', 'tokens/expire', { locationId })).body, 'expired')).not.toBe(0)
    expect((await client.get(`/locations/${locationId}`)).status).toBe(401)
    await control('POST', 'forget')
    expect((await control('GET', 'stats')).body['calls']).toBe(0)
  })

  it('installs in bulk, publishes a version, adds people and calls', async () => {
    const { body } = await control('POST', 'locations', { name: 'Branch' })
    const id = at(body, 'location.id')
    await control('POST', 'company/install', { locationIds: [id], toFutureLocations: true })
    const later = at((await control('POST', 'locations', { name: 'Later' })).body, 'location.id')
    const installed = await apiClient(ghl.url, ghl.tokens.issueCompany()).get(
      `/oauth/installedLocations?companyId=${ghl.companyId}&appId=${ghl.appId}&isInstalled=true`,
    )
    for (const each of [id, later]) expect(JSON.stringify(installed.body)).toContain(each)

    const { versionId } = (await control('POST', 'versions')).body
    expect((await control('GET', 'info')).body['versionId']).toBe(versionId)
    expect((await control('POST', 'versions/update', {})).body['versionId']).toBe(versionId)

    const user = at((await control('POST', 'users', { locationIds: [id] })).body, 'user.id')
    const calls = [{ fromNumber: '+15550123499', actionTypes: ['SMS'] }, {}]
    const added = await control('POST', 'voice-calls', { locationId: id, calls })
    expect(added.body['calls']).toHaveLength(2)
    const client = apiClient(ghl.url, ghl.tokens.issueLocation(id))
    expect((await client.get(`/users/${user}`)).status).toBe(200)
    const logs = await client.get(`/voice-ai/dashboard/call-logs?locationId=${id}`)
    expect(logs.body['total']).toBe(2)
    await control('POST', 'company/uninstall')
    expect((await client.get(`/users/${user}`)).status).toBe(401)
  })

  it('hosts a file', async () => {
    const bytes = randomBytes(2_000_000)
    const uploaded = await answerOf(
      await fetch(`${ghl.url}/_sandbox/files?name=clip.mp4`, {
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream' },
        body: bytes,
      }),
    )
    const served = await fetch(at(uploaded.body, 'url'))
    expect(served.headers.get('content-type')).toBe('video/mp4')
    expect(Buffer.from(await served.arrayBuffer()).equals(bytes)).toBe(true)
  })
})

describe('the user context of a custom page', () => {
  it('opens with the shared secret by the recipe of OpenSSL', async () => {
    const { body } = await control('POST', 'sso', { locationId, role: 'user' })
    expect(opened(at(body, 'payload'), ghl.sharedSecret)).toMatchObject({
      activeLocation: locationId,
      companyId: ghl.companyId,
      role: 'user',
      type: 'location',
    })
    expect(() => opened(at(body, 'payload'), 'another secret')).toThrow()
  })

  it('shows an agency user inside a location, of a white-label agency', async () => {
    ghl.settings.whitelabel = { domain: 'crm.example.com', logoUrl: 'https://crm.example.com/logo.png' }
    const payload = ghl.ssoPayload({ locationId, type: 'agency', isAgencyOwner: true })
    expect(opened(payload, ghl.sharedSecret)).toMatchObject({
      type: 'agency',
      activeLocation: locationId,
      isAgencyOwner: true,
      versionId: ghl.versionId,
      whitelabelDetails: { domain: 'crm.example.com' },
    })
    ghl.settings.whitelabel = null
  })

  it('names no location in the agency view', () => {
    const context = opened(ghl.ssoPayload(), ghl.sharedSecret)
    expect(context).toMatchObject({ type: 'agency', userId: ghl.userId })
    expect(context).not.toHaveProperty('activeLocation')
  })

  function opened(payload: string, secret: string): unknown {
    const raw = Buffer.from(payload, 'base64')
    expect(raw.subarray(0, 8).toString()).toBe('Salted__')
    const seed = Buffer.concat([Buffer.from(secret), raw.subarray(8, 16)])
    const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()
    const first = md5(seed)
    const second = md5(Buffer.concat([first, seed]))
    const third = md5(Buffer.concat([second, seed]))
    const decipher = createDecipheriv('aes-256-cbc', Buffer.concat([first, second]), third)
    const json: unknown = JSON.parse(
      decipher.update(raw.subarray(16), undefined, 'utf8') + decipher.final('utf8'),
    )
    return json
  }
})

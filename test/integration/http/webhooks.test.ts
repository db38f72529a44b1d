/** Both webhooks of GHL at the whole bridge: odd bodies, ignored ones, repeats. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'

interface Events {
  readonly events: readonly {
    readonly webhookId: string
    readonly type: string
    readonly state: string
    readonly reason: string | null
  }[]
}

describe('the webhooks of GHL', () => {
  let app: GhlApp
  let locationId: string
  let ids: { messageId: string; contactId: string; webhookId: string }
  beforeAll(async () => {
    app = await startGhlApp({ env: { BODY_LIMIT_BYTES: '65536' } })
    locationId = app.sandbox.addLocation({ name: 'Dental Care' }).id
    await app.install({ location: locationId })
  })
  afterAll(() => app.stop())
  beforeEach(() => {
    const fresh = () => randomUUID().replaceAll('-', '').slice(0, 20)
    ids = { messageId: fresh(), contactId: fresh(), webhookId: randomUUID() }
  })

  const post = async (
    path: string,
    body: string | object,
    { signature, type = 'application/json' }: { signature?: string; type?: string } = {},
  ) => {
    const bytes = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await fetch(`${app.nodes[0]?.url}${path}`, {
      method: 'POST',
      headers: {
        'content-type': type,
        'x-ghl-signature': signature ?? app.sandbox.deliveries.sign(bytes),
      },
      body: new TextEncoder().encode(bytes),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  const delivery = (change: object = {}) => ({
    ...ids,
    locationId,
    type: 'SMS',
    phone: '+15551230001',
    message: 'Are you open?',
    ...change,
  })
  const deliver = (body: string | object, how: { type?: string } = {}) =>
    post('/ghl/provider/webhook', body, how)
  const queued = async () => {
    const { body } = await app.call<{ messages: readonly { ghlMessageId: string }[] }>(
      'GET',
      `/api/messages?locationId=${locationId}&limit=200`,
    )
    return body.messages.filter(({ ghlMessageId }) => ghlMessageId === ids.messageId)
  }
  const events = async (query = '') => (await app.call<Events>('GET', `/api/ghl/events${query}`)).body.events

  it.each<[string, () => string | object, { type?: string }?]>([
    ['a time before all calendars', () => delivery({ timestamp: '-271821-04-20T00:00:00Z' })],
    ['attachments that are none', () => delivery({ attachments: [null, {}, 5] })],
    ['a number for attachments', () => delivery({ attachments: 5 })],
    ['a byte order mark', () => `\uFEFF${JSON.stringify(delivery())}`],
    ['a content type that is none', () => delivery(), { type: 'json' }],
    ['a content type of a form', () => delivery(), { type: 'multipart/form-data' }],
  ])('take %s, and the words arrive', async (_, body, how) => {
    expect(await deliver(body(), how)).toEqual({ status: 200, body: { accepted: 'enqueued' } })
    expect(await queued()).toHaveLength(1)
  })

  it('are there with a slash at the end too', async () => {
    expect((await post('/ghl/provider/webhook/', delivery())).body).toEqual({ accepted: 'enqueued' })
    const event = { type: 'ContactTagUpdate', webhookId: randomUUID(), locationId }
    expect((await post('/ghl/webhook/', event)).status).toBe(200)
  })

  it.each<[string, string, () => object]>([
    ['an e-mail', 'unsupported_type', () => delivery({ type: 'Email', messageId: undefined })],
    [
      'another provider',
      'foreign_provider',
      () => delivery({ conversationProviderId: 'other', contactId: 7 }),
    ],
    ['a location without the app', 'unknown_location', () => delivery({ locationId: 'nowhere' })],
    [
      'a broken one of no location of ours',
      'unknown_location',
      () => delivery({ locationId: 'nowhere', messageId: null }),
    ],
    ['an empty one', 'empty', () => delivery({ message: '' })],
  ])('ignore %s, with a row and a count', async (_, reason, body) => {
    const counted = async () => {
      const { body: text } = await app.call<string>('GET', '/metrics')
      return Number(new RegExp(`bridge_deliveries_ignored_total{reason="${reason}"} (\\d+)`).exec(text)?.[1])
    }
    const before = await counted()
    expect(await deliver(body())).toEqual({ status: 200, body: { ignored: reason } })
    expect((await events('?state=ignored'))[0]).toMatchObject({
      webhookId: `delivery:${ids.webhookId}`,
      type: 'ProviderDelivery',
      state: 'ignored',
      reason,
    })
    expect(await counted()).toBe(before + 1)
    expect(await queued()).toEqual([])
  })

  it('refuse a broken one for a location of ours', async () => {
    const { status, body } = await deliver(delivery({ messageId: undefined }))
    expect([status, body]).toMatchObject([400, { error: { code: 'WEBHOOK_MALFORMED' } }])
  })

  it('send one delivery once, whatever message id it comes with the second time', async () => {
    expect((await deliver(delivery())).body).toEqual({ accepted: 'enqueued' })
    const again = delivery({ messageId: 'another0000000000001' })
    expect((await deliver(again)).body).toEqual({ accepted: 'duplicate' })
    const { body } = await app.call<{ messages: readonly unknown[] }>(
      'GET',
      `/api/messages?locationId=${locationId}&limit=200`,
    )
    expect(JSON.stringify(body)).not.toContain('another0000000000001')
    expect(await events('?type=ProviderDelivery&state=processed')).toContainEqual(
      expect.objectContaining({ webhookId: `delivery:${ids.webhookId}` }),
    )
    expect(JSON.stringify(await events())).not.toContain(ids.webhookId)
  })

  it('take a delivery that was ignored when what it was ignored for is over', async () => {
    expect((await deliver(delivery({ message: '' }))).body).toEqual({ ignored: 'empty' })
    expect((await deliver(delivery())).body).toEqual({ accepted: 'enqueued' })
  })

  it.each(['__proto__', 'constructor', 'toString'])('have no work for an event of type %s', async (type) => {
    const event = { type, webhookId: randomUUID(), locationId }
    expect(await post('/ghl/webhook', event)).toEqual({ status: 200, body: { ignored: 'not_needed' } })
  })

  it.each(['/ghl/webhook', '/ghl/provider/webhook'])('refuse what is wrong with %s, typed', async (path) => {
    const cases: readonly [string, { signature?: string }, number, string][] = [
      ['{', {}, 400, 'WEBHOOK_MALFORMED'],
      ['[]', {}, 400, 'WEBHOOK_MALFORMED'],
      ['{}', { signature: app.sandbox.deliveries.sign('other') }, 401, 'WEBHOOK_SIGNATURE_INVALID'],
      [' '.repeat(100_000), {}, 413, 'BODY_TOO_LARGE'],
    ]
    for (const [body, how, status, code] of cases)
      expect([status, await post(path, body, how)]).toMatchObject([
        status,
        { status, body: { error: { code } } },
      ])
  })
})

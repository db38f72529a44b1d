import { describe, expect, it } from 'vitest'
import { RequestError } from '../../../src/core/errors.ts'
import { parseDelivery as parse, parseAppEvent, parseGranted } from '../../../src/ghl/payloads.ts'

const PROVIDER = '64c1a2b3c4d5e6f708192a3b'
const parseDelivery = (json: unknown) => parse(json, PROVIDER)

/** A body that is no object is thrown at once; of any other it may be asked first whether it concerns us. */
function malformedBy(body: unknown): RequestError | undefined {
  try {
    const parsed = parseDelivery(body)
    return 'malformed' in parsed ? parsed.malformed : undefined
  } catch (thrown) {
    if (thrown instanceof RequestError) return thrown
    throw thrown
  }
}

const delivery = {
  contactId: 'GKBhT6BfwY9mjzXAU3sq',
  locationId: 'GKAWb4yu7A4LSc0skQ6g',
  messageId: 'GKJxs4P5L8dWc5CFUITM',
  type: 'SMS',
  phone: '+15864603685',
  message: 'The text message to be sent to the contact',
  attachments: ['https://storage.example/a.jpg'],
  userId: 'GK56r6wdJDrkUPd0xsmx',
}

describe('a provider delivery', () => {
  it('becomes an agent’s message', () => {
    const { webhookId, ...parsed } = parseDelivery({ ...delivery, webhookId: 'c1b2' })
    expect(webhookId).toBe('c1b2')
    expect(parsed).toEqual({
      locationId: delivery.locationId,
      parts: [{ kind: 'attachment', url: 'https://storage.example/a.jpg', caption: delivery.message }],
      message: {
        locationId: delivery.locationId,
        ghlMessageId: delivery.messageId,
        ghlContactId: delivery.contactId,
        webhookId: 'c1b2',
        phone: '+15864603685',
        text: delivery.message,
        attachments: ['https://storage.example/a.jpg'],
      },
    })
  })

  it('is the same with type Custom, unknown fields and the live extras', () => {
    const live = {
      ...delivery,
      type: 'Custom',
      conversationId: 'conv1',
      conversationProviderId: PROVIDER,
      webhookId: 'c1b2',
      timestamp: '2026-08-01T00:00:00.000Z',
      replyToAltId: '3EB0AB',
      brandNew: { nested: true },
    }
    expect(parseDelivery(live)).toMatchObject({
      message: { ghlConversationId: 'conv1', webhookId: 'c1b2' },
    })
  })

  it.each([
    ['timestamp', { timestamp: '2026-08-01T00:00:00.000Z' }],
    ['timestamp in milliseconds', { timestamp: Date.UTC(2026, 7, 1) }],
    ['timestamp in milliseconds, as text', { timestamp: String(Date.UTC(2026, 7, 1)) }],
    ['dateAdded', { timestamp: null, dateAdded: '2026-08-01T02:00:00+02:00' }],
  ])('says when it was written by its %s', (_field, change) => {
    expect(parseDelivery({ ...delivery, ...change })).toMatchObject({
      message: { writtenAt: new Date('2026-08-01T00:00:00.000Z') },
    })
  })

  it.each([undefined, null, '', 'yesterday', {}, -1, '-271821-04-20T00:00:00Z', '+275760-09-13T00:00:00Z'])(
    'does not say when it was written by %j',
    (timestamp) => {
      expect(parseDelivery({ ...delivery, timestamp })).not.toHaveProperty('message.writtenAt')
    },
  )

  it.each([
    ['absent', { attachments: undefined, phone: undefined, message: undefined }],
    ['null', { attachments: null, phone: null, message: null }],
    ['empty', { attachments: [], phone: '', message: '' }],
  ])('may have phone, message and attachments %s', (_, change) => {
    const parsed = parseDelivery({ ...delivery, ...change })
    expect(parsed).toMatchObject({ parts: [], message: { text: '', attachments: [] } })
    expect(parsed).not.toHaveProperty('message.phone')
  })

  it('keeps an odd optional field from spoiling the message', () => {
    const odd = { ...delivery, conversationId: 'not an id!', webhookId: 42, phone: { e164: 'x' } }
    expect(parseDelivery(odd)).toMatchObject({ message: { text: delivery.message } })
  })

  it.each([[[null]], [[{}]], [5], [[7, { url: 1 }, { href: 'x' }]], [{}]])(
    'leaves odd attachments out and keeps the words: %j',
    (attachments) => {
      expect(parseDelivery({ ...delivery, attachments })).toMatchObject({
        parts: [{ kind: 'text', text: delivery.message }],
      })
      const mixed = { ...delivery, attachments: [attachments, 'https://storage.example/a.jpg'] }
      expect(parseDelivery(mixed)).toMatchObject({
        message: { attachments: ['https://storage.example/a.jpg'] },
      })
    },
  )

  it('without an id of its own has the same one on every repeat', () => {
    const { webhookId } = parseDelivery(delivery)
    expect(webhookId).toMatch(/^[\da-f]{64}$/)
    expect(parseDelivery({ ...delivery }).webhookId).toBe(webhookId)
    expect(parseDelivery({ ...delivery, message: 'other' }).webhookId).not.toBe(webhookId)
  })

  it('of an e-mail, or for another provider, is ignored by name', () => {
    for (const broken of [{}, { messageId: undefined }, { contactId: {} }, { locationId: null }]) {
      expect(parseDelivery({ ...delivery, ...broken, type: 'Email', html: '<p>' })).toMatchObject({
        ignored: 'unsupported_type',
      })
      expect(parseDelivery({ ...delivery, ...broken, conversationProviderId: 'other' })).toMatchObject({
        ignored: 'foreign_provider',
      })
    }
  })

  it.each([
    ['no object', 'text'],
    ['nothing', null],
    ['without its message id', { ...delivery, messageId: undefined }],
    ['with an id that would leave the URL', { ...delivery, messageId: '../../contacts' }],
  ])('is refused as malformed when it is %s', (_, body) => {
    expect(malformedBy(body)).toMatchObject({ code: 'WEBHOOK_MALFORMED' })
  })

  it('does not repeat the message in the error', () => {
    const secret = 'do not log me'
    const body = { ...delivery, messageId: 7, message: secret }
    expect(malformedBy(body)?.message).toMatch(/messageId/)
    expect(malformedBy(body)?.message).not.toContain(secret)
  })
})

describe('an app event', () => {
  it('of an installation carries location, company and white-label domain', () => {
    const event = parseAppEvent({
      type: 'INSTALL',
      appId: 'app',
      versionId: 'v',
      installType: 'Location',
      locationId: 'HjiMUOsCCHCjtxzEf8PR',
      companyId: 'GNb7aIv4rQFVb9iwNl5K',
      isWhitelabelCompany: true,
      whitelabelDetails: { domain: 'crm.agency.example', logoUrl: '' },
      timestamp: '2026-06-25T06:57:06.225Z',
      webhookId: '37bac211-1f52-4ddf-8dfd-2a8d11a20dd5',
    })
    expect(event).toMatchObject({
      type: 'INSTALL',
      webhookId: '37bac211-1f52-4ddf-8dfd-2a8d11a20dd5',
      locationId: 'HjiMUOsCCHCjtxzEf8PR',
      companyId: 'GNb7aIv4rQFVb9iwNl5K',
      whitelabelDomain: 'crm.agency.example',
      sentAt: new Date('2026-06-25T06:57:06.225Z'),
    })
  })

  it('of a contact names the contact by its id', () => {
    expect(parseAppEvent({ type: 'ContactDelete', id: 'abc', locationId: 'loc' })).toMatchObject({
      ghlContactId: 'abc',
      locationId: 'loc',
    })
  })

  it('without a webhook id gets one that a repeat shares, as far as its time shows what a repeat is', () => {
    const body = { type: 'UNINSTALL', locationId: 'loc', timestamp: '2026-01-01T00:00:00.000Z' }
    // Installed, removed, installed, removed: documented bodies say the same both times.
    const timeless = { type: 'UNINSTALL', locationId: 'loc' }
    expect(parseAppEvent(timeless).webhookId).not.toBe(parseAppEvent(timeless).webhookId)
    expect(parseAppEvent(body).webhookId).toBe(parseAppEvent(body).webhookId)
    expect(parseAppEvent(body).webhookId).not.toBe(parseAppEvent({ type: 'UNINSTALL' }).webhookId)
  })

  it.each([Date.UTC(2026, 0, 1), String(Date.UTC(2026, 0, 1)), '2026-01-01T00:00:00.000Z'])(
    'with the time %o is as old as that, also when it is read again from the store',
    (timestamp) => {
      const event = parseAppEvent({ type: 'UNINSTALL', locationId: 'loc', timestamp })
      const again = parseAppEvent(JSON.parse(JSON.stringify(event.payload)))
      for (const { sentAt } of [event, again]) expect(sentAt).toEqual(new Date('2026-01-01T00:00:00.000Z'))
    },
  )

  it.each(['yesterday', '', null, -1, {}, 1e300])('with the odd time %o has none', (timestamp) => {
    expect(parseAppEvent({ type: 'UNINSTALL', timestamp }).sentAt).toBeUndefined()
  })

  it('of a kind we do not know is still an event', () => {
    expect(parseAppEvent({ type: 'SaaSPlanCreate', anything: [] }).type).toBe('SaaSPlanCreate')
  })
})

describe('a token answer', () => {
  const nowMs = Date.parse('2026-11-21T00:00:00Z')

  it('is read in both spellings', () => {
    const snake = {
      access_token: 'a',
      refresh_token: 'r',
      expires_in: 60,
      userType: 'Location',
      locationId: 'l',
    }
    const camel = {
      accessToken: 'a',
      refreshToken: 'r',
      expiresIn: 60,
      user_type: 'Location',
      location_id: 'l',
    }
    expect(parseGranted(camel, nowMs)).toEqual(parseGranted(snake, nowMs))
    expect(parseGranted(snake, nowMs)).toMatchObject({
      tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: new Date(nowMs + 60_000) },
      userType: 'Location',
      locationId: 'l',
    })
  })

  it.each([
    [0, 1_000],
    [-5, 1_000],
    ['3600', 3_600_000],
    ['soon', 86_399_000],
    [undefined, 86_399_000],
    [1e15, 365 * 86_400_000],
  ])('that lasts %s seconds ends after %i ms', (expires_in, ms) => {
    const { tokens } = parseGranted({ access_token: 'a', expires_in }, nowMs)
    expect(tokens.expiresAt.getTime() - nowMs).toBe(ms)
  })

  it.each([
    ['a location’s token', { authClass: 'Location', authClassId: 'abc' }, 'Location', 'abc'],
    ['a token of an answer without a type', { authClass: 'Location', authClassId: 'abc' }, undefined, 'abc'],
    ['an agency’s token', { authClass: 'Company', authClassId: 'abc' }, 'Company', undefined],
    ['an agency’s answer', { authClass: 'Location', authClassId: 'abc' }, 'Company', undefined],
    ['odd claims', { authClass: 'Location', authClassId: '../x' }, 'Location', undefined],
  ])('without a location has the one of its claims: %s', (_, claims, userType, locationId) => {
    const access_token = `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`
    expect(parseGranted({ access_token, userType }, nowMs).locationId).toBe(locationId)
    expect(parseGranted({ access_token: 'no.jwt', userType }, nowMs).locationId).toBeUndefined()
  })

  it('without a token is refused', () => {
    expect(() => parseGranted({ expires_in: 5 }, nowMs)).toThrow(
      expect.objectContaining({ code: 'GHL_RESPONSE_INVALID' }),
    )
  })
})

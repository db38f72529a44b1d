import { createHash, randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { afterEach, describe, expect, it } from 'vitest'
import type { GhlInboundMessage } from '../../../src/bridge/ports.ts'
import { MediaError, StoreError } from '../../../src/core/errors.ts'
import {
  type GhlContactId,
  type LocationId,
  parseGhlContactId,
  parseGhlMessageId,
  parseWaMessageId,
} from '../../../src/core/ids.ts'
import type { MediaFile } from '../../../src/core/message.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type Bench, startBench } from './bench.ts'

let bench: Bench
let oddities: string[] = []
afterEach(async () => {
  expect(bench.sandbox.stats().oddities.map(({ kind }) => kind)).toEqual(oddities)
  oddities = []
  await bench.stop()
})

const AN_HOUR_AGO = new Date(Date.now() - 3_600_000)
const INBOUND = 'POST /conversations/messages/inbound'
const calls = (route = '*') => bench.sandbox.calls({ route }).map((call) => call.route)

async function ready(...options: Parameters<typeof startBench>): Promise<[LocationId, GhlContactId]> {
  bench = await startBench(...options)
  const locationId = await bench.install()
  const contact = await bench.ghl.contacts.findOrCreate(locationId, '+15551230001', 'Ada')
  bench.sandbox.forget()
  return [locationId, contact]
}

const inbound = (
  [locationId, ghlContactId]: [LocationId, GhlContactId],
  more: Partial<GhlInboundMessage> = {},
): GhlInboundMessage => ({
  locationId,
  ghlContactId,
  direction: 'inbound',
  altId: parseWaMessageId('3EB0AA'),
  text: 'hello',
  attachments: [],
  ...more,
})

function file(fileName: string, mimeType: string, bytes: Uint8Array, sizeBytes?: number): MediaFile {
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
  }
  return { fileName, mimeType, bytes: chunks(), ...(sizeBytes !== undefined && { sizeBytes }) }
}

const served = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer())
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('a message added to a conversation', () => {
  it('costs one call and stands where it belongs, in the direction it had', async () => {
    const target = await ready()
    const filing = await bench.ghl.conversations.addInbound(inbound(target))
    const sentAt = new Date('2026-01-02T03:04:05.000Z')
    await bench.ghl.conversations.addInbound(
      inbound(target, {
        direction: 'outbound',
        altId: parseWaMessageId('3EB0BB'),
        text: 'from the phone',
        sentAt,
      }),
    )
    expect(calls()).toEqual([INBOUND, INBOUND])
    const [first, second] = bench.sandbox.messages(target[0])
    expect(first).toMatchObject({
      id: filing.ghlMessageId,
      conversationId: filing.ghlConversationId,
      altId: '3EB0AA',
      direction: 'inbound',
      body: 'hello',
    })
    expect(second).toMatchObject({ direction: 'outbound', body: 'from the phone', dateAdded: sentAt })
  })

  it.each(['custom', 'sms'] as const)(
    'finds out that the provider is %s when it is configured otherwise, and remembers it',
    async (providerKind) => {
      const configured = providerKind === 'custom' ? 'sms' : 'custom'
      const target = await ready({ providerKind }, { providerType: configured })
      for (let n = 0; n < 3; n++)
        await bench.ghl.conversations.addInbound(inbound(target, { altId: parseWaMessageId(`W${n}`) }))
      expect(calls(INBOUND).length).toBe(4)
      await bench.anotherNode().conversations.addInbound(inbound(target, { altId: parseWaMessageId('W9') }))
      expect(calls(INBOUND).length).toBe(5)
      expect((await bench.installations.findByLocation(target[0]))?.providerType).toBe(
        providerKind === 'custom' ? 'Custom' : 'SMS',
      )
    },
  )

  it('for a provider of another app is refused for good, without a refresh', async () => {
    const target = await ready({}, { providerId: '64c1a2b3c4d5e6f708192a3b' })
    const added = bench.ghl.conversations.addInbound(inbound(target))
    await expect(added).rejects.toMatchObject({
      code: 'GHL_FORBIDDEN',
      details: { canonicalCode: 'CONVERSATIONS_MSG_PROVIDER_NO_ACCESS' },
    })
    await expect(added).rejects.toHaveProperty('action', expect.stringContaining('GHL_PROVIDER_ID'))
    expect(calls()).toEqual([INBOUND])
  })

  it('for a contact that was merged away says so', async () => {
    const [locationId] = await ready()
    const gone = parseGhlContactId('AAAAAAAAAAAAAAAAAAAA')
    await expect(bench.ghl.conversations.addInbound(inbound([locationId, gone]))).rejects.toMatchObject({
      code: 'GHL_CONTACT_NOT_FOUND',
    })
  })

  it.each([
    ['custom', 'custom', 3],
    ['sms', 'sms', 3],
    ['custom', 'sms', 4],
    ['sms', 'custom', 4],
  ] as const)(
    'is added by conversation where the %s provider wants that, configured as %s, and the way is remembered',
    async (providerKind, providerType, firstCosts) => {
      const target = await ready({ providerKind }, { providerType })
      bench.sandbox.agentReply({
        locationId: target[0],
        contactId: target[1],
        message: 'there is a conversation',
      })
      bench.sandbox.settings.inboundBy = 'conversation'
      await bench.ghl.conversations.addInbound(inbound(target))
      expect(calls(INBOUND).length).toBe(firstCosts)
      await bench.ghl.conversations.addInbound(inbound(target, { altId: parseWaMessageId('3EB0BB') }))
      expect(calls(INBOUND).length).toBe(firstCosts + 1)
      await bench.anotherNode().conversations.addInbound(inbound(target, { altId: parseWaMessageId('W3') }))
      expect(calls(INBOUND).length).toBe(firstCosts + 2)
      expect(
        bench.sandbox.messages(target[0]).filter(({ direction }) => direction === 'inbound').length,
      ).toBe(3)
    },
  )

  it('for a provider that takes it in no way is refused for good, and says what to do', async () => {
    const target = await ready()
    const body = { message: 'Incorrect conversationProviderId/type' }
    bench.sandbox.faults.add({ route: INBOUND, times: null, effect: { kind: 'status', status: 400, body } })
    const added = bench.ghl.conversations.addInbound(inbound(target))
    await expect(added).rejects.toMatchObject({ code: 'GHL_REJECTED', disposition: 'dead' })
    await expect(added).rejects.toHaveProperty('action', expect.stringContaining('GHL_PROVIDER_ID'))
    // Without the code of a mismatch its words are enough. There is no conversation to try.
    expect(calls(INBOUND).length).toBe(2)
  })

  it('that is in GHL is done, even when its provider type cannot be remembered', async () => {
    const target = await ready({ providerKind: 'sms' })
    bench.installations.rememberProviderWay = () =>
      Promise.reject(new StoreError('STORE_UNAVAILABLE', 'down'))
    await bench.ghl.conversations.addInbound(inbound(target))
    expect(bench.sandbox.messages(target[0]).length).toBe(1)
  })

  it('whose answer was lost is of unknown fate, is not repeated here, and is found by its altId', async () => {
    const target = await ready()
    bench.sandbox.faults.add({ route: INBOUND, when: 'after', effect: { kind: 'drop' } })
    const message = inbound(target)
    await expect(bench.ghl.conversations.addInbound(message)).rejects.toMatchObject({
      code: 'GHL_UNAVAILABLE',
      certainty: 'unknown',
    })
    expect(calls(INBOUND).length).toBe(1)
    const [stored] = bench.sandbox.messages(target[0])
    expect(await bench.ghl.conversations.findByAltId(...target, message.altId, AN_HOUR_AGO)).toEqual({
      ghlMessageId: stored?.id,
      ghlConversationId: stored?.conversationId,
    })
    const other = parseWaMessageId('OTHER')
    expect(await bench.ghl.conversations.findByAltId(...target, other, AN_HOUR_AGO)).toBeUndefined()
  })

  it('filed under its own old date is found behind all that was said since, and nothing before it is read', async () => {
    const target = await ready({
      rateLimit: { max: 2_000, intervalMs: 1_000, perDay: 1_000_000, window: 'fixed' },
    })
    const say = (altId: string, sentAt: Date) =>
      bench.ghl.conversations.addInbound({ ...inbound(target), altId: parseWaMessageId(altId), sentAt })
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)
    for (let count = 0; count < 120; count += 1) await say(`before-${count}`, minutesAgo(600))
    const filed = await say('the-one', minutesAgo(60))
    for (let count = 0; count < 120; count += 1) await say(`after-${count}`, minutesAgo(1))
    const find = (altId: string) =>
      bench.ghl.conversations.findByAltId(...target, parseWaMessageId(altId), minutesAgo(60))
    expect(await find('the-one')).toEqual(filed)
    const before = calls().length
    expect(await find('nobody')).toBeUndefined()
    expect(calls().length - before).toBe(2)
  })

  it('that gets no answer in time is of unknown fate', async () => {
    const target = await ready({}, { timeoutMs: 300 })
    bench.sandbox.faults.add({ route: INBOUND, when: 'after', effect: { kind: 'delay', ms: 1_500 } })
    await expect(bench.ghl.conversations.addInbound(inbound(target))).rejects.toMatchObject({
      code: 'GHL_TIMEOUT',
      certainty: 'unknown',
    })
  })

  it('is certainly not sent when GHL cannot be reached at all', async () => {
    const target = await ready()
    const node = bench.anotherNode()
    await bench.sandbox.stop()
    await expect(node.conversations.addInbound(inbound(target))).rejects.toMatchObject({
      code: 'GHL_UNAVAILABLE',
      certainty: 'not_sent',
    })
  })

  it('met by 429 waits as long as GHL asks', async () => {
    const target = await ready()
    bench.sandbox.faults.add({
      route: INBOUND,
      effect: { kind: 'status', status: 429, headers: { 'retry-after': '3' } },
    })
    await expect(bench.ghl.conversations.addInbound(inbound(target))).rejects.toMatchObject({
      code: 'GHL_RATE_LIMITED',
      disposition: 'park',
      retryAfterMs: 3_000,
    })
  })

  it('is not found where there is no conversation', async () => {
    const target = await ready()
    const id = parseWaMessageId('W')
    expect(await bench.ghl.conversations.findByAltId(...target, id, AN_HOUR_AGO)).toBeUndefined()
  })
})

describe('a note', () => {
  const SEND = 'POST /conversations/messages'

  it('stands in the conversation for the team, and nothing is sent to the contact', async () => {
    const [locationId, ghlContactId] = await ready({ deliveryUrl: 'http://127.0.0.1:9/' })
    await bench.ghl.conversations.addNote({ locationId, ghlContactId, text: 'It was not sent.' })
    expect(calls()).toEqual([SEND])
    expect(bench.sandbox.messages(locationId)).toMatchObject([
      {
        contactId: ghlContactId,
        channel: 'InternalComment',
        body: 'It was not sent.',
        conversationProviderId: undefined,
      },
    ])
    expect(bench.sandbox.posts()).toEqual([])
  })

  it('whose answer was lost is found by its words, and no other is', async () => {
    const [locationId, ghlContactId] = await ready()
    const note = { locationId, ghlContactId, text: 'It was not sent.' }
    expect(await bench.ghl.conversations.hasNote(note, AN_HOUR_AGO)).toBe(false)
    bench.sandbox.faults.add({ route: SEND, when: 'after', effect: { kind: 'drop' } })
    await expect(bench.ghl.conversations.addNote(note)).rejects.toMatchObject({ certainty: 'unknown' })
    expect(await bench.ghl.conversations.hasNote(note, AN_HOUR_AGO)).toBe(true)
    expect(await bench.ghl.conversations.hasNote({ ...note, text: 'It was sent.' }, AN_HOUR_AGO)).toBe(false)
  })

  it('for a contact that is gone is refused as such', async () => {
    const [locationId] = await ready()
    const note = { locationId, ghlContactId: parseGhlContactId('gone'), text: 'x' }
    await expect(bench.ghl.conversations.addNote(note)).rejects.toMatchObject({
      code: 'GHL_CONTACT_NOT_FOUND',
    })
  })
})

describe('a message status', () => {
  async function replied(statusEarlyMs: number) {
    const target = await ready({ statusEarlyMs, deliveryUrl: 'http://127.0.0.1:9/' })
    const { messageId } = bench.sandbox.agentReply({
      locationId: target[0],
      contactId: target[1],
      message: 'hi',
    })
    return { locationId: target[0], ghlMessageId: parseGhlMessageId(messageId) }
  }

  it('that comes too early is told apart and works later', async () => {
    const message = await replied(300)
    oddities = []
    await expect(
      bench.ghl.conversations.setStatus({ ...message, status: 'delivered' }),
    ).rejects.toMatchObject({
      code: 'GHL_STATUS_TOO_EARLY',
      disposition: 'retry',
    })
    expect(calls('POST /oauth/token')).toEqual([])
    await waitFor('the status', async () => {
      try {
        await bench.ghl.conversations.setStatus({ ...message, status: 'delivered' })
        return true
      } catch {
        return false
      }
    })
    expect(bench.sandbox.message(message.ghlMessageId)?.status).toBe('delivered')
  })

  it('of failure carries its reason', async () => {
    const message = await replied(0)
    const error = { code: 'WA_NOT_ON_WHATSAPP', type: 'whatsapp', message: 'This number is not on WhatsApp' }
    await bench.ghl.conversations.setStatus({ ...message, status: 'failed', error })
    expect(bench.sandbox.message(message.ghlMessageId)).toMatchObject({ status: 'failed', error })
  })

  it('is repeated by itself after a passing error of GHL’s', async () => {
    const message = await replied(0)
    bench.sandbox.faults.add({ route: 'PUT *', effect: { kind: 'status', status: 503 } })
    await bench.ghl.conversations.setStatus({ ...message, status: 'read' })
    expect(bench.sandbox.message(message.ghlMessageId)?.status).toBe('read')
  })
})

describe('an uploaded file', () => {
  const UPLOAD = 'POST /conversations/messages/upload'

  it('arrives byte for byte under a name of its own', async () => {
    const target = await ready()
    const bytes = randomBytes(1_300_000)
    const document = () => file('Rechnung März (1).pdf', 'application/pdf', bytes)
    const first = await bench.ghl.conversations.upload(...target, document())
    const second = await bench.ghl.conversations.upload(...target, document())
    expect(sha256(await served(first))).toBe(sha256(bytes))
    expect(new URL(first).pathname).toMatch(/\/Rechnung-Marz-1-[\da-f]{8}\.pdf$/)
    expect(second).not.toBe(first)
  })

  it('costs one call where the conversation is known', async () => {
    const target = await ready()
    await bench.ghl.conversations.addInbound(inbound(target))
    bench.sandbox.forget()
    await bench.ghl.conversations.upload(...target, file('a.jpg', 'image/jpeg', randomBytes(10)))
    expect(calls()).toEqual([UPLOAD])
  })

  it.each([
    ['voice.opus', 'audio/ogg; codecs=opus', 'ogg'],
    ['', 'image/jpeg', 'jpg'],
    ['report', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'docx'],
    ['notes.txt', 'application/octet-stream', 'txt'],
    ['PHOTO.JPEG', 'image/jpg', 'jpg'],
  ])('%s of type %s gets the extension .%s', async (fileName, mimeType, extension) => {
    const target = await ready()
    const url = await bench.ghl.conversations.upload(...target, file(fileName, mimeType, randomBytes(10)))
    expect(url.endsWith(`.${extension}`)).toBe(true)
  })

  it('that is a sticker becomes a picture that GHL takes', async () => {
    const target = await ready()
    const square = {
      width: 32,
      height: 32,
      channels: 4,
      background: { r: 200, g: 0, b: 0, alpha: 0.5 },
    } as const
    const webp = await sharp({ create: square }).webp().toBuffer()
    const url = await bench.ghl.conversations.upload(...target, file('sticker.webp', 'image/webp', webp))
    expect(await sharp(await served(url)).metadata()).toMatchObject({
      format: 'png',
      width: 32,
      hasAlpha: true,
    })
  })

  it('that is a moving sticker keeps moving', async () => {
    const target = await ready()
    const frame = (r: number) =>
      sharp({ create: { width: 16, height: 16, channels: 3, background: { r, g: 0, b: 0 } } })
        .png()
        .toBuffer()
    const webp = await sharp([await frame(0), await frame(250)], { join: { animated: true } })
      .webp()
      .toBuffer()
    const url = await bench.ghl.conversations.upload(...target, file('', 'image/webp', webp))
    expect(await sharp(await served(url), { animated: true }).metadata()).toMatchObject({
      format: 'gif',
      pages: 2,
    })
  })

  it('larger than the sender said is refused by its size', async () => {
    const target = await ready()
    const large = file('big.zip', 'application/zip', randomBytes(5_300_000), 1_000)
    await expect(bench.ghl.conversations.upload(...target, large)).rejects.toMatchObject({
      code: 'MEDIA_TOO_LARGE',
    })
  })

  it('larger than GHL’s library is refused before it is read', async () => {
    const target = await ready()
    const huge = file('huge.zip', 'application/zip', randomBytes(10), 30_000_000)
    await expect(bench.ghl.conversations.upload(...target, huge)).rejects.toMatchObject({
      code: 'MEDIA_TOO_LARGE',
    })
    expect(calls()).toEqual([])
  })

  it('whose source breaks fails with the source’s own reason', async () => {
    const target = await ready()
    async function* broken() {
      yield randomBytes(10)
      await Promise.resolve()
      throw new MediaError('MEDIA_GONE', 'gone')
    }
    const upload = bench.ghl.conversations.upload(...target, {
      fileName: 'a.jpg',
      mimeType: 'image/jpeg',
      bytes: broken(),
    })
    await expect(upload).rejects.toMatchObject({ code: 'MEDIA_GONE' })
  })

  it('met by an expired token renews it and asks to start again, for its bytes are spent', async () => {
    const target = await ready()
    await bench.ghl.conversations.addInbound(inbound(target))
    bench.sandbox.tokens.expireAccess()
    const bytes = randomBytes(200_000)
    const attempt = () => bench.ghl.conversations.upload(...target, file('a.png', 'image/png', bytes))
    await expect(attempt()).rejects.toMatchObject({ code: 'GHL_TOKEN_RENEWED', disposition: 'retry' })
    expect(sha256(await served(await attempt()))).toBe(sha256(bytes))
  })

  it('for a conversation that died in a merge finds the new one the next time', async () => {
    const target = await ready()
    await bench.ghl.conversations.addInbound(inbound(target))
    const survivor = bench.sandbox.contacts.add(target[0], { phone: '+15551230099' })
    bench.sandbox.contacts.merge(target[1], survivor.id)
    const attempt = (contact: GhlContactId) =>
      bench.ghl.conversations.upload(target[0], contact, file('a.png', 'image/png', randomBytes(10)))
    await expect(attempt(target[1])).rejects.toMatchObject({ name: 'GhlError' })
    expect(await attempt(parseGhlContactId(survivor.id))).toContain('.png')
  })
})

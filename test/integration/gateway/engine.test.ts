import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openingForeignMedia } from '../../../src/bridge/engine.ts'
import { parseSessionId } from '../../../src/core/ids.ts'
import { codeOf, type GatewayBench, OPERATOR, startGatewayBench } from './bench.ts'

describe('POST /whatsapp/webhook', () => {
  let bench: GatewayBench
  let locationId: string
  let sessionId: string
  let key: string
  let count = 0
  beforeAll(async () => {
    bench = await startGatewayBench()
    locationId = await bench.install()
    key = (await bench.key(['messages:inbound'], locationId)).key
  })
  afterAll(() => bench.stop())
  beforeEach(async () => {
    count++
    sessionId = `ses-${count}`
    const place = {
      sessionId: parseSessionId(sessionId),
      locationId: (await bench.store.installations.list())[0]?.locationId,
    }
    if (place.locationId === undefined) throw new Error('a location')
    await bench.store.sessions.create({ ...place, locationId: place.locationId })
  })

  const post = (change: object = {}, bearer = key) =>
    bench.call('POST', '/whatsapp/webhook', bearer, {
      from: '+15551230001',
      message: 'Are you open?',
      messageType: 'text',
      sessionId,
      whatsappMsgId: `ENGINE${count}`,
      ...change,
    })
  const messages = async () =>
    (await bench.store.messages.list({ sessionId: parseSessionId(sessionId), limit: 50 })).messages

  it('takes a message into the same path as our own, once', async () => {
    expect(await (await post()).json()).toEqual({ accepted: 'enqueued' })
    expect(await (await post()).json()).toEqual({ accepted: 'duplicate' })
    expect(await messages()).toMatchObject([
      {
        direction: 'inbound',
        kind: 'text',
        state: 'queued',
        chat: '15551230001@s.whatsapp.net',
        waMessageId: `ENGINE${count}`,
      },
    ])
  })

  it('takes the operator’s key too, and the reference guide’s name of a session', async () => {
    const name = `location_${locationId}_${sessionId}`
    expect(await (await post({ sessionId: name }, OPERATOR)).json()).toEqual({ accepted: 'enqueued' })
    expect(await messages()).toHaveLength(1)
  })

  it('takes a file by its address, and fetches it with an attachment’s guards', async () => {
    const url = bench.sandbox.hostFile('photo.jpg', Buffer.from('bytes'), 'image/jpeg')
    const answer = await post({ messageType: 'image', mediaUrl: url, message: 'look' })
    expect(await answer.json()).toEqual({ accepted: 'enqueued' })
    const [row] = await messages()
    expect(row?.kind).toBe('image')
    const work = row && (await bench.store.messages.findInboundWork(row.id))
    const content = work?.envelope.content
    expect(content).toMatchObject({ kind: 'media', caption: 'look', media: { url, isForeign: true } })
    if (content?.kind !== 'media') throw new Error('media')
    const open = openingForeignMedia(
      { openMedia: () => Promise.reject(new Error('not WhatsApp’s')) },
      bench.ghl.attachments,
    )
    const file = await open(parseSessionId(sessionId), content.media)
    const chunks: Uint8Array[] = []
    for await (const chunk of file.bytes) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe('bytes')
    const inside = { ...content.media, url: 'https://169.254.169.254/latest/meta-data' }
    await expect(open(parseSessionId(sessionId), inside)).rejects.toMatchObject({
      code: 'MEDIA_ADDRESS_REFUSED',
    })
  })

  it.each([
    ['no sender', { from: undefined }, 400, 'REQUEST_INVALID'],
    ['a sender that is none', { from: 'somebody' }, 400, 'REQUEST_INVALID'],
    ['a group', { from: '120363000000000000@g.us' }, 400, 'REQUEST_INVALID'],
    ['no text', { message: ' ' }, 400, 'REQUEST_INVALID'],
    ['no id', { whatsappMsgId: '' }, 400, 'REQUEST_INVALID'],
    ['an id with a slash', { whatsappMsgId: 'a/b' }, 400, 'REQUEST_INVALID'],
    ['an unknown type', { messageType: 'dream' }, 400, 'REQUEST_INVALID'],
    ['a picture without an address', { messageType: 'image' }, 400, 'REQUEST_INVALID'],
    ['an address that is none', { mediaUrl: 'file:///etc/passwd' }, 400, 'REQUEST_INVALID'],
    ['a private address', { mediaUrl: 'https://10.0.0.1/x' }, 400, 'MEDIA_ADDRESS_REFUSED'],
    ['plain http', { mediaUrl: 'http://example.com/x' }, 400, 'MEDIA_ADDRESS_REFUSED'],
    ['an unknown session', { sessionId: 'nobody' }, 404, 'SESSION_UNKNOWN'],
    ['a session of another location’s name', { sessionId: 'location_other_ses-1' }, 404, 'SESSION_UNKNOWN'],
  ])('refuses %s and changes nothing', async (_, change, status, code) => {
    const answer = await post(change)
    expect([answer.status, await codeOf(answer)]).toEqual([status, code])
    expect(await messages()).toEqual([])
  })

  it('refuses a key of another location, one without the scope, and none', async () => {
    const { key: foreign } = await bench.key(['messages:inbound'], await bench.install('Other'))
    const { key: unfit } = await bench.key(['proxy:read'], locationId)
    expect((await post({}, foreign)).status).toBe(403)
    expect((await post({}, unfit)).status).toBe(403)
    expect((await post({}, 'nobody')).status).toBe(401)
    expect(await messages()).toEqual([])
  })
})

/** The main job, end to end: the real server as a process, the unmodified Baileys, both sandboxes, real HTTP. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { samplePhoto } from '../../sandbox/sample-photo.ts'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('first light', () => {
  let stage: Stage
  let locationId: string
  let sessionId: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 500 } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
  })
  afterAll(async () => {
    await stage.strike()
  })

  const fromAna = async (text: string) => {
    const id = await stage.whatsapp.send(ANA, { to: OWNER, text })
    return await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId, what: text })
  }
  const contactOfAna = () => stage.ghl.contacts.byPhone(locationId, `+${ANA}`)?.id ?? ''
  const agentWrites = (message: string, attachments: string[] = []) =>
    stage.ghl.agentReply({ locationId, contactId: contactOfAna(), message, attachments }).messageId
  const onAnasPhone = (text: string) =>
    stage.whatsapp.messages(ANA).filter((message) => message.text === text)
  const reachesAna = (text: string) =>
    stage.whatsapp.waitForMessage(ANA, (message) => !message.fromMe && message.text === text, 15_000)

  it('pairs a number by QR: qr, then ready with the number', async () => {
    sessionId = await stage.createSession(locationId)
    const waiting = await stage.sessionUntil(locationId, sessionId, ({ qr }) => qr !== null)
    expect(waiting).toMatchObject({ status: 'qr', phoneNumber: null, problem: null })
    await stage.whatsapp.scan(OWNER, waiting.qr ?? '')
    const ready = await stage.sessionUntil(locationId, sessionId, ({ status }) => status === 'ready')
    expect(ready).toMatchObject({ phoneNumber: `+${OWNER}`, qr: null, problem: null })
  })

  it('pairs another number by code', async () => {
    const phone = '15550008888'
    stage.whatsapp.addAccount({ phone, name: 'Second Branch' })
    const other = stage.ghl.addLocation({ name: 'Second Branch' }).id
    await stage.install(other)
    const id = await stage.createSession(other, { phoneNumber: `+${phone}` })
    const waiting = await stage.sessionUntil(other, id, ({ pairingCode }) => pairingCode !== null)
    expect(waiting.pairingCode).toMatch(/^[A-Z0-9]{8}$/)
    await stage.whatsapp.enterPairingCode(phone, waiting.pairingCode ?? '')
    const ready = await stage.sessionUntil(other, id, ({ status }) => status === 'ready')
    expect(ready.phoneNumber).toBe(`+${phone}`)
  })

  it('brings a customer’s text into GHL as inbound, with a contact made by number and push name', async () => {
    const message = await fromAna('Are you open on Saturday?')
    expect(message).toMatchObject({ direction: 'inbound', body: 'Are you open on Saturday?' })
    const contact = stage.ghl.contacts.get(message.contactId)
    expect(contact?.text).toMatchObject({ phone: `+${ANA}` })
    expect(JSON.stringify(contact?.text)).toContain('Ana')
  })

  it('costs one GHL call per text of a known contact, two per photo', async () => {
    stage.ghl.forget()
    await fromAna('one call')
    expect(stage.ghl.calls().map(({ route }) => route)).toEqual(['POST /conversations/messages/inbound'])
  })

  it('sends an agent’s text and shows delivered and then read, from the customer’s own receipts', async () => {
    const messageId = agentWrites('Yes, 9 to 13 h.')
    const arrived = await reachesAna('Yes, 9 to 13 h.')
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
    expect(stage.ghl.message(messageId)?.statusHistory.map(({ status }) => status)).not.toContain('read')
    await stage.whatsapp.phone(ANA).markRead(OWNER, [arrived.id])
    const read = await stage.ghl.waitForStatus(messageId, 'read', 20_000)
    expect(read.statusHistory.map(({ status }) => status)).toEqual(['pending', 'delivered', 'read'])
  })

  it('does not say delivered before the customer’s phone has it', async () => {
    stage.whatsapp.phone(ANA).goOffline()
    const messageId = agentWrites('While you were away')
    await waitFor('the server’s ack', () =>
      stage.whatsapp.messages(OWNER).some(({ text }) => text === 'While you were away'),
    )
    expect(stage.ghl.message(messageId)?.status).toBe('pending')
    stage.whatsapp.phone(ANA).goOnline()
    await reachesAna('While you were away')
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
  })

  it('carries photos both ways with their captions, byte for byte', async () => {
    const inbound = await samplePhoto('in', '#0b7a4b')
    const id = await stage.whatsapp.send(ANA, {
      to: OWNER,
      media: { kind: 'image', bytes: inbound, mimetype: 'image/jpeg', caption: 'It hurts here' },
    })
    const filed = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    expect(filed.body).toBe('It hurts here')
    const stored = await (await fetch(filed.attachments[0] ?? '')).arrayBuffer()
    expect(sha256(new Uint8Array(stored))).toBe(sha256(inbound))

    const outbound = await samplePhoto('out', '#245a9c')
    agentWrites('We are here', [stage.ghl.hostFile('map.jpg', outbound, 'image/jpeg')])
    const arrived = await reachesAna('We are here')
    expect(arrived.kind).toBe('image')
    expect(sha256(arrived.media?.bytes ?? new Uint8Array())).toBe(sha256(outbound))
  })

  it('takes a webhook delivered twice once', async () => {
    stage.ghl.settings.deliveryCopies = 2
    agentWrites('Only once, please')
    await reachesAna('Only once, please')
    stage.ghl.settings.deliveryCopies = 1
    agentWrites('After the repeated one')
    await reachesAna('After the repeated one')
    expect(onAnasPhone('Only once, please')).toHaveLength(1)
  })

  it('keeps the order of a chat when the first of two messages is retried', async () => {
    stage.ghl.faults.add({
      route: 'POST /conversations/messages/inbound',
      times: 2,
      effect: { kind: 'status', status: 500 },
    })
    const first = await stage.whatsapp.send(ANA, { to: OWNER, text: 'first of two' })
    const second = await stage.whatsapp.send(ANA, { to: OWNER, text: 'second of two' })
    await stage.ghl.waitForMessage(({ altId }) => altId === second, { locationId, timeoutMs: 20_000 })
    const order = stage.ghl.messages(locationId).map(({ altId }) => altId)
    expect(order.filter((altId) => altId === first || altId === second)).toEqual([first, second])
  })

  it('files a message once although GHL’s answer to the first attempt was lost', async () => {
    stage.ghl.faults.add({
      route: 'POST /conversations/messages/inbound',
      times: 1,
      when: 'after',
      effect: { kind: 'drop' },
    })
    const message = await fromAna('answer lost')
    await fromAna('the one behind it')
    expect(stage.ghl.messages(locationId).filter(({ altId }) => altId === message.altId)).toHaveLength(1)
  })

  it('shows what the owner types on his own phone as outbound, without sending it again', async () => {
    const id = await stage.whatsapp.send(OWNER, { to: ANA, text: 'Typed on the phone' })
    const logged = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    expect(logged).toMatchObject({
      direction: 'outbound',
      body: 'Typed on the phone',
      contactId: contactOfAna(),
    })
    await fromAna('and after that')
    expect(onAnasPhone('Typed on the phone')).toHaveLength(1)
    expect(JSON.stringify(stage.ghl.contacts.get(contactOfAna())?.text)).not.toContain('Dental')
  })

  it('tells the agent in words when a number is not on WhatsApp', async () => {
    const stranger = stage.ghl.contacts.add(locationId, { phone: '+15557770000' })
    const { messageId } = stage.ghl.agentReply({ locationId, contactId: stranger.id, message: 'Hello?' })
    const failed = await stage.ghl.waitForStatus(messageId, 'failed', 20_000)
    expect(failed.error).toMatchObject({ code: 'WA_NOT_ON_WHATSAPP' })
    expect(failed.error?.message).toContain('not on WhatsApp')
  })

  it('writes first to a contact that has never written, found by number', async () => {
    stage.whatsapp.addAccount({ phone: '15551230002', name: 'Ben' })
    const ben = stage.ghl.contacts.add(locationId, { phone: '+15551230002' })
    stage.ghl.agentReply({ locationId, contactId: ben.id, message: 'Your appointment is at 9' })
    await stage.whatsapp.waitForMessage(
      '15551230002',
      ({ text }) => text === 'Your appointment is at 9',
      15_000,
    )
    const id = await stage.whatsapp.send('15551230002', { to: OWNER, text: 'Thanks' })
    const answer = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    expect(answer.contactId).toBe(ben.id)
  })

  it('is ready again after a restart without a QR, with what came meanwhile, in order, both ways', async () => {
    expect(await stage.bridge.stop()).toBe(0)
    const ids: string[] = []
    for (const text of ['meanwhile 1', 'meanwhile 2', 'meanwhile 3']) {
      ids.push(await stage.whatsapp.send(ANA, { to: OWNER, text }))
    }
    agentWrites('Written while the bridge was down')
    await stage.bridge.start()
    const back = await stage.sessionUntil(
      locationId,
      sessionId,
      ({ status, qr }) => status === 'ready' || qr !== null,
    )
    expect(back).toMatchObject({ status: 'ready', qr: null })
    await stage.ghl.waitForMessage(({ altId }) => altId === ids[2], { locationId, timeoutMs: 20_000 })
    const order = stage.ghl
      .messages(locationId)
      .flatMap(({ altId }) => (altId !== undefined && ids.includes(altId) ? [altId] : []))
    expect(order).toEqual(ids)
    await reachesAna('Written while the bridge was down')
  })

  it('parks what an agent writes while the number is unlinked, and sends it after pairing again', async () => {
    stage.whatsapp.unlink(OWNER)
    const out = await stage.sessionUntil(locationId, sessionId, ({ status }) => status === 'logged_out')
    expect(out.problem?.code).toBeTruthy()
    const messageId = agentWrites('Waits for the number')
    await stage.bridge.operator('POST', `/ghl/location/${locationId}/session/${sessionId}/restart`)
    const { qr } = await stage.sessionUntil(locationId, sessionId, (session) => session.qr !== null)
    expect(stage.ghl.message(messageId)?.status).toBe('pending')
    await stage.whatsapp.scan(OWNER, qr ?? '')
    await stage.sessionUntil(locationId, sessionId, ({ status }) => status === 'ready')
    await reachesAna('Waits for the number')
  })

  it('refreshes an expired token once under 50 parallel messages', async () => {
    await fromAna('before the expiry')
    stage.ghl.forget()
    stage.ghl.tokens.expireAccess(locationId)
    const senders = Array.from({ length: 50 }, (_, index) => `1555200${String(index).padStart(4, '0')}`)
    for (const phone of senders) stage.whatsapp.addAccount({ phone, name: `Customer ${phone.slice(-2)}` })
    const ids = await Promise.all(
      senders.map((phone) => stage.whatsapp.send(phone, { to: OWNER, text: `hello from ${phone}` })),
    )
    for (const id of ids)
      await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId, timeoutMs: 40_000 })
    expect(stage.ghl.calls().filter(({ route }) => route === 'POST /oauth/token')).toHaveLength(1)
    expect(stage.ghl.stats().rateLimited).toBe(0)
  }, 60_000)

  it('logs a number out for good: the phone no longer lists the device, and the session is gone', async () => {
    const deleted = await stage.bridge.operator('DELETE', `/ghl/location/${locationId}/session/${sessionId}`)
    expect(deleted.status).toBe(204)
    await waitFor('the logout at WhatsApp', () =>
      stage.whatsapp.stats().logouts.some(({ phone }) => phone === OWNER),
    )
    await expect(stage.session(locationId, sessionId)).rejects.toThrow('there is no session')
  })

  it('met no stanza it did not know, sent GHL nothing it refuses, and printed no secret, text or number', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
    const { output, secrets } = stage.bridge
    expect(output).toContain('"level":"info"')
    for (const secret of [
      ...secrets,
      stage.ghl.clientSecret,
      ANA,
      OWNER,
      'Are you open',
      'Typed on the phone',
      'privKey',
    ]) {
      expect(output).not.toContain(secret)
    }
  })
})

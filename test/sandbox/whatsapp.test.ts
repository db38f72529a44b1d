import { createHash, randomBytes } from 'node:crypto'
import { type AnyMessageContent, downloadMediaMessage, proto } from '@whiskeysockets/baileys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { installSandboxRedirects } from '../../sandbox/redirects.ts'
import { type Passage, startWhatsAppSandbox, type WhatsAppSandbox } from '../../sandbox/whatsapp/index.ts'
import { Companion } from './whatsapp-companion.ts'

const BUSINESS = '15551230001'
const CUSTOMER = '15551230002'
const { DELIVERY_ACK, READ, PLAYED } = proto.WebMessageInfo.Status

let sandbox: WhatsAppSandbox
let companions: Companion[]
let lose: (passage: Passage) => boolean
let expectedUnknown: Record<string, number>

function newCompanion(): Companion {
  const companion = new Companion(sandbox.webSocketUrl)
  companions.push(companion)
  return companion
}

async function paired(phone = BUSINESS): Promise<Companion> {
  const companion = newCompanion()
  await sandbox.scan(phone, await companion.showQr())
  await companion.until('the restart', () => companion.closes.at(-1))
  await companion.login()
  await companion.until('the history', () => companion.auth.creds.accountSyncCounter || undefined)
  // On its first connection Baileys may hold events back for 30 s; from the second on it does not.
  await companion.close()
  await companion.login()
  return companion
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** A picture that Baileys can make a thumbnail of: one pixel, PNG. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

async function settled(): Promise<void> {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; ) {
    if (sandbox.stats().companions.every(({ connected, waiting }) => !connected || waiting === 0)) return
    await new Promise((resolve) => setImmediate(resolve))
  }
  throw new Error('a connected companion left stanzas unanswered')
}

beforeEach(async () => {
  lose = () => false
  expectedUnknown = {}
  sandbox = await startWhatsAppSandbox({
    faults: {
      pass: (passage, forward) => {
        if (!lose(passage)) forward(passage.stanza)
      },
    },
  })
  installSandboxRedirects(sandbox)
  companions = []
  sandbox.addAccount({ phone: BUSINESS, name: 'Acme Garden Centre' })
  sandbox.addAccount({ phone: CUSTOMER, name: 'Casey Customer' })
})

afterEach(async () => {
  await settled()
  expect(sandbox.stats().unknownStanzas).toEqual(expectedUnknown)
  for (const companion of companions) await companion.close()
  await sandbox.stop()
})

describe('linking', () => {
  it('links by QR, restarts with 515 and logs in again without a QR', async () => {
    const companion = newCompanion()
    const qr = await companion.showQr()
    const { deviceId } = await sandbox.scan(BUSINESS, qr)
    await companion.until('the restart', () => companion.closes.at(-1))
    expect(companion.closes).toEqual([515])
    await companion.login()
    expect(companion.auth.creds.me).toMatchObject({
      id: `${BUSINESS}:${deviceId}@s.whatsapp.net`,
      name: 'Acme Garden Centre',
    })
    await companion.until('the history', () => companion.auth.creds.accountSyncCounter || undefined)
    await companion.close()
    const shown = companion.qrs.length
    await companion.login()
    expect(companion.qrs).toHaveLength(shown)
    expect(sandbox.stats()).toMatchObject({ pairings: 1, logins: 2 })
  })

  it('links by pairing code, and refuses a wrong one', async () => {
    const companion = newCompanion()
    await companion.showQr()
    await companion.socket.requestPairingCode(BUSINESS, 'ABCD1234')
    await expect(sandbox.enterPairingCode(BUSINESS, 'WRNG9876')).rejects.toMatchObject({
      code: 'PAIRING_CODE_WRONG',
    })
    await companion.socket.requestPairingCode(BUSINESS, 'EFGH5678')
    await sandbox.enterPairingCode(BUSINESS, 'EFGH-5678')
    await companion.until('the restart', () => companion.closes.at(-1))
    await companion.login()
    expect(companion.auth.creds.registered).toBe(true)
  })

  it('accepts only the renewed secret after a registration refresh', async () => {
    const companion = newCompanion()
    const qr = await companion.showQr()
    sandbox.refreshRegistration(qr)
    await expect(sandbox.scan(BUSINESS, qr)).rejects.toMatchObject({ code: 'QR_SECRET_RETIRED' })
    const secret = randomBytes(32).toString('base64')
    companion.auth.creds.advSecretKey = secret
    await sandbox.scan(BUSINESS, qr.split(',').with(3, secret).join(','))
    await companion.until('the restart', () => companion.closes.at(-1))
    await companion.login()
  })

  it('refuses a QR whose keys are not those of the socket that shows it', async () => {
    const companion = newCompanion()
    const qr = await companion.showQr()
    const forged = qr.split(',').with(2, randomBytes(32).toString('base64')).join(',')
    await expect(sandbox.scan(BUSINESS, forged)).rejects.toMatchObject({ code: 'QR_KEYS_MISMATCH' })
    await expect(sandbox.scan(BUSINESS, 'not a QR')).rejects.toMatchObject({ code: 'QR_MALFORMED' })
    await companion.close()
    await expect
      .poll(() => sandbox.scan(BUSINESS, qr).catch((error: unknown) => error))
      .toMatchObject({ code: 'QR_EXPIRED' })
  })
})

describe('messages', () => {
  let companion: Companion
  beforeEach(async () => {
    companion = await paired()
  })

  it.each(['lid', 'pn'] as const)('carries text both ways in a chat addressed by %s', async (addressing) => {
    const id = await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'Do you sell tulips?', addressing })
    const received = await companion.untilMessage(({ key }) => key.id === id)
    const { lidUser } = sandbox.phone(CUSTOMER).account
    const forms = [`${lidUser}@lid`, `${CUSTOMER}@s.whatsapp.net`]
    const [chat, alternative] = addressing === 'lid' ? forms : forms.toReversed()
    expect(received).toMatchObject({
      key: { remoteJid: chat, remoteJidAlt: alternative, fromMe: false },
      message: { conversation: 'Do you sell tulips?' },
      pushName: 'Casey Customer',
    })
    const reply = await companion.socket.sendMessage(chat ?? '', { text: 'We do.' })
    expect(await sandbox.waitForMessage(CUSTOMER, (message) => message.id === reply?.key.id)).toMatchObject({
      from: BUSINESS,
      fromDevice: 1,
      fromMe: false,
      kind: 'text',
      text: 'We do.',
      addressing,
    })
    // The business' own phone shows what its companion wrote.
    await sandbox.waitForMessage(
      BUSINESS,
      (message) => message.id === reply?.key.id && message.fromMe && message.chat === CUSTOMER,
    )
  })

  it('lets the companion begin a chat with a number it has never met', async () => {
    const jid = `${CUSTOMER}@s.whatsapp.net`
    expect(await companion.socket.onWhatsApp(jid, '15550000000')).toEqual([{ jid, exists: true }])
    const sent = await companion.socket.sendMessage(jid, { text: 'Your order is ready' })
    await sandbox.waitForMessage(CUSTOMER, ({ id }) => id === sent?.key.id)
    await companion.untilStatus(sent?.key.id ?? '', DELIVERY_ACK)
  })

  it.each(['image', 'video', 'audio', 'document', 'sticker'] as const)(
    'carries a %s both ways byte for byte',
    async (kind) => {
      const bytes = kind === 'image' || kind === 'sticker' ? PIXEL : randomBytes(70_001)
      const mimetype = 'application/x-test'
      const id = await sandbox.send(CUSTOMER, { to: BUSINESS, media: { kind, bytes, mimetype } })
      const received = await companion.untilMessage(({ key }) => key.id === id)
      const downloaded = await downloadMediaMessage(received, 'buffer', {})
      expect(sha256(downloaded)).toBe(sha256(bytes))

      const replies: Record<typeof kind, AnyMessageContent> = {
        image: { image: bytes },
        video: { video: bytes },
        audio: { audio: bytes, mimetype },
        document: { document: bytes, mimetype, fileName: 'plan.bin' },
        sticker: { sticker: bytes },
      }
      const sent = await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, replies[kind])
      const arrived = await sandbox.waitForMessage(CUSTOMER, (message) => message.id === sent?.key.id)
      expect(arrived).toMatchObject({ kind, mediaError: undefined })
      expect(arrived.media?.sha256).toBe(sha256(bytes))
    },
  )

  it('carries the caption of an image and answers 404 for media that is told to fail', async () => {
    const media = { kind: 'image', bytes: PIXEL, mimetype: 'image/png', caption: 'My garden' } as const
    const id = await sandbox.send(CUSTOMER, { to: BUSINESS, media })
    const received = await companion.untilMessage(({ key }) => key.id === id)
    expect(received.message?.imageMessage?.caption).toBe('My garden')
    const directPath = sandbox.messages(CUSTOMER)[0]?.media?.directPath ?? ''
    sandbox.failMedia(directPath, 410)
    await expect(downloadMediaMessage(received, 'buffer', {})).rejects.toMatchObject({
      output: { statusCode: 410 },
    })
    sandbox.failMedia(directPath, undefined)
    expect(await downloadMediaMessage(received, 'buffer', {})).toEqual(PIXEL)
  })

  it('gives the companion its ticks: delivered, read and played', async () => {
    sandbox.phone(CUSTOMER).sendsDeliveryReceipts = false
    const sent = await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, { text: 'Hello' })
    const id = sent?.key.id ?? ''
    await sandbox.waitForMessage(CUSTOMER, (message) => message.id === id)
    expect(companion.statuses.filter((update) => update.status === DELIVERY_ACK)).toEqual([])
    await sandbox.phone(CUSTOMER).markRead(BUSINESS)
    await companion.untilStatus(id, READ)
    await sandbox.phone(CUSTOMER).markRead(BUSINESS, [id], 'played')
    await companion.untilStatus(id, PLAYED)
  })

  it('records at the customer when the companion gave its delivered and read ticks', async () => {
    const id = await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'Anyone there?' })
    const received = await companion.untilMessage(({ key }) => key.id === id)
    const fromCompanion = { messageId: id, from: BUSINESS, fromDevice: 1 }
    const customer = sandbox.phone(CUSTOMER)
    const delivered = await customer.waitForReceipt(
      ({ fromDevice, type }) => fromDevice === 1 && type === 'delivered',
    )
    expect(delivered).toMatchObject(fromCompanion)
    await companion.socket.readMessages([received.key])
    expect(await customer.waitForReceipt(({ type }) => type === 'read')).toMatchObject(fromCompanion)
    expect(customer.messages[0]?.status).toBe('read')
  })

  it('copies what the owner types on the phone to the companion, and delivers it to the customer', async () => {
    const id = await sandbox.send(BUSINESS, { to: CUSTOMER, text: 'Typed on the phone' })
    const copy = await companion.untilMessage(({ key }) => key.id === id)
    expect(copy).toMatchObject({
      key: {
        fromMe: true,
        remoteJid: `${sandbox.phone(CUSTOMER).account.lidUser}@lid`,
        remoteJidAlt: `${CUSTOMER}@s.whatsapp.net`,
      },
      message: { conversation: 'Typed on the phone' },
    })
    expect(await sandbox.waitForMessage(CUSTOMER, (message) => message.id === id)).toMatchObject({
      from: BUSINESS,
      fromDevice: 0,
    })
  })

  it('keeps what comes while the companion is away and delivers it in order', async () => {
    await companion.close()
    await sandbox.waitForCompanion(BUSINESS, false)
    const texts = Array.from({ length: 12 }, (_, index) => `while away ${index}`)
    for (const text of texts) await sandbox.send(CUSTOMER, { to: BUSINESS, text })
    await sandbox.send(BUSINESS, { to: CUSTOMER, text: 'typed while away' })
    companion.messages.length = 0
    await companion.login()
    await companion.untilMessage(({ message }) => message?.conversation === 'typed while away')
    const arrived = companion.messages.map(({ message, type }) => [message.message?.conversation, type])
    expect(arrived).toEqual([...texts, 'typed while away'].map((text) => [text, 'append']))
  })

  it('delivers again what the companion had not answered when its line was cut', async () => {
    await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'before' })
    await companion.untilMessage(({ message }) => message?.conversation === 'before')
    sandbox.disconnect(BUSINESS)
    expect(await companion.until('the close', () => companion.closes.at(2))).toBe(428)
    await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'after' })
    await companion.login()
    await companion.untilMessage(({ message }) => message?.conversation === 'after')
  })

  it('holds messages for a phone that is offline, whose receipts come when it is back', async () => {
    const customer = sandbox.phone(CUSTOMER)
    customer.goOffline()
    await expect(customer.send({ to: BUSINESS, text: 'no signal' })).rejects.toMatchObject({
      code: 'PHONE_OFFLINE',
    })
    const ids: string[] = []
    for (const text of ['one', 'two', 'three']) {
      const sent = await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, { text })
      ids.push(sent?.key.id ?? '')
    }
    expect(customer.messages).toEqual([])
    customer.goOnline()
    await companion.untilStatus(ids.at(-1) ?? '', DELIVERY_ACK)
    expect(customer.messages.map(({ text }) => text)).toEqual(['one', 'two', 'three'])
  })

  it('sends a message again when the companion cannot decrypt it', async () => {
    const id = await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'second try', corrupt: true })
    await companion.untilMessage(
      ({ key, message }) => key.id === id && message?.conversation === 'second try',
    )
    expect(sandbox.stats().retriesRequested).toBeGreaterThan(0)
  })

  it('asks the companion again when a phone has lost its sessions', async () => {
    await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'hello' })
    const received = await companion.untilMessage(({ message }) => message?.conversation === 'hello')
    const jid = received.key.remoteJid ?? ''
    const first = await companion.socket.sendMessage(jid, { text: 'first' })
    await companion.untilStatus(first?.key.id ?? '', DELIVERY_ACK)
    sandbox.phone(CUSTOMER).signal.forgetSessions()
    await companion.socket.sendMessage(jid, { text: 'second' })
    await sandbox.waitForMessage(CUSTOMER, ({ text }) => text === 'second')
    expect(sandbox.stats().retriesRequested).toBeGreaterThan(0)
  })

  it('carries messages between two companions of two accounts', async () => {
    const other = await paired(CUSTOMER)
    const sent = await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, { text: 'to your desk' })
    const received = await other.untilMessage(({ key }) => key.id === sent?.key.id)
    expect(received.message?.conversation ?? received.message?.extendedTextMessage?.text).toBe('to your desk')
    await other.socket.readMessages([received.key])
    await companion.untilStatus(sent?.key.id ?? '', READ)
  })
})

describe('faults', () => {
  it('lets a locked account answer known customers, but begin no chat', async () => {
    const companion = await paired()
    await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'hello' })
    sandbox.addAccount({ phone: '15551230003', name: 'Sam Stranger' })
    const until = new Date(Date.now() + 3_600_000)
    sandbox.lockReachOut(BUSINESS, until)
    const cold = await companion.socket.sendMessage('15551230003@s.whatsapp.net', { text: 'offer' })
    await companion.untilStatus(cold?.key.id ?? '', proto.WebMessageInfo.Status.ERROR)
    await companion.socket.sendMessage(`${CUSTOMER}@s.whatsapp.net`, { text: 'hello yourself' })
    await sandbox.waitForMessage(CUSTOMER, ({ text }) => text === 'hello yourself')
    expect(await companion.socket.fetchAccountReachoutTimelock()).toMatchObject({
      isActive: true,
      timeEnforcementEnds: new Date(Math.floor(until.getTime() / 1000) * 1000),
    })
    sandbox.lockReachOut(BUSINESS, undefined)
    await companion.socket.sendMessage('15551230003@s.whatsapp.net', { text: 'now allowed' })
    await sandbox.waitForMessage('15551230003', ({ text }) => text === 'now allowed')
  })

  it('uploads media again when the companion finds it gone', async () => {
    const companion = await paired()
    const media = { kind: 'image', bytes: PIXEL, mimetype: 'image/png' } as const
    const id = await sandbox.send(CUSTOMER, { to: BUSINESS, media })
    const received = await companion.untilMessage(({ key }) => key.id === id)
    sandbox.failMedia(received.message?.imageMessage?.directPath ?? '', 404)
    await expect(downloadMediaMessage(received, 'buffer', {})).rejects.toMatchObject({
      output: { statusCode: 404 },
    })
    await sandbox.waitForMessage(BUSINESS, (message) => message.id === id)
    const renewed = await companion.socket.updateMediaMessage(received)
    expect(await downloadMediaMessage(renewed, 'buffer', {})).toEqual(PIXEL)
  })

  it('answers a query it does not know with an empty result, and counts it by name', async () => {
    const companion = await paired()
    const attrs = { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:invented' }
    const content = [{ tag: 'thing', attrs: {} }]
    expect(await companion.socket.query({ tag: 'iq', attrs, content })).toMatchObject({
      attrs: { type: 'result' },
    })
    expectedUnknown = { 'iq w:invented get thing': 1 }
  })

  it('refuses messages with the ack error it was told, and does not deliver them', async () => {
    const companion = await paired()
    sandbox.refuseMessages(BUSINESS, 479)
    const jid = `${CUSTOMER}@s.whatsapp.net`
    const refused = await companion.socket.sendMessage(jid, { text: 'refused' })
    await companion.untilStatus(refused?.key.id ?? '', proto.WebMessageInfo.Status.ERROR)
    sandbox.refuseMessages(BUSINESS, undefined)
    await companion.socket.sendMessage(jid, { text: 'accepted' })
    await sandbox.waitForMessage(CUSTOMER, ({ text }) => text === 'accepted')
    expect(sandbox.messages(CUSTOMER)).toHaveLength(1)
  })

  it('passes every stanza through one seam, where a lost message comes again at the next login', async () => {
    const companion = await paired()
    lose = ({ direction, deviceId, stanza }) =>
      direction === 'out' && deviceId === 1 && stanza.tag === 'message'
    const lost = await sandbox.send(CUSTOMER, { to: BUSINESS, text: 'lost on the way' })
    await sandbox.waitForMessage(BUSINESS, ({ id }) => id === lost)
    expect(sandbox.stats().companions).toMatchObject([{ waiting: 1 }])
    lose = () => false
    await companion.close()
    await companion.login()
    await companion.untilMessage(({ key }) => key.id === lost)
  })
})

describe('the end of a connection', () => {
  let companion: Companion
  beforeEach(async () => {
    companion = await paired()
  })

  it('ends with 401 when the phone unlinks the companion, and at its next login too', async () => {
    const closed = companion.untilClosed()
    sandbox.unlink(BUSINESS)
    expect(await closed).toBe(401)
    const again = companion.untilClosed()
    companion.connect()
    expect(await again).toBe(401)
    expect(sandbox.stats().companions).toEqual([])
  })

  it('ends the older connection with 440 when the same companion logs in again', async () => {
    const twin = newCompanion()
    Object.assign(twin.auth.creds, companion.auth.creds)
    twin.auth.keys = companion.auth.keys
    const closed = companion.untilClosed()
    await twin.login()
    expect(await closed).toBe(440)
    expect(sandbox.stats().companions).toMatchObject([{ connected: true }])
  })

  it('records the logout of a companion and removes its device', async () => {
    const closed = companion.untilClosed()
    await companion.socket.logout()
    expect(await closed).toBe(401)
    await expect.poll(() => sandbox.stats().logouts).toMatchObject([{ phone: BUSINESS, deviceId: 1 }])
    expect(sandbox.stats().companions).toEqual([])
  })

  it.each([
    [{ code: 503 }, 503],
    [{ failure: 403 }, 403],
    [{}, 428],
  ])('ends the connection as told: %o', async (how, expected) => {
    const closed = companion.untilClosed()
    sandbox.disconnect(BUSINESS, how)
    expect(await closed).toBe(expected)
  })

  it('refuses logins with the reason it was given until told otherwise', async () => {
    await companion.close()
    sandbox.refuseLogins(BUSINESS, 405)
    const refused = companion.untilClosed()
    companion.connect()
    expect(await refused).toBe(405)
    sandbox.refuseLogins(BUSINESS, undefined)
    await companion.login()
  })
})

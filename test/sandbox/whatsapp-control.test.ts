import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWhatsAppSandbox, type WhatsAppSandbox } from '../../sandbox/whatsapp/index.ts'
import { Companion } from './whatsapp-companion.ts'

const BUSINESS = '15551230001'
const CUSTOMER = '15551230002'

let sandbox: WhatsAppSandbox
let folder: string
let caFile: string

/** Calls the control API as another process would; a body makes it a POST. */
async function call(path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${sandbox.controlUrl}${path}`, {
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const text = await response.text()
  const json: unknown = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, json }
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whatsapp-sandbox-'))
  caFile = join(folder, 'ca.pem')
  sandbox = await startWhatsAppSandbox({ caFile })
  await call('/accounts', { phone: BUSINESS, name: 'Acme Garden Centre' })
  await call('/accounts', { phone: CUSTOMER, name: 'Casey Customer', lid: '900000000000001@lid' })
})

afterEach(async () => {
  expect(sandbox.stats().unknownStanzas).toEqual({})
  await sandbox.stop()
  await rm(folder, { recursive: true })
})

describe('the control API', () => {
  it('drives a whole chat from outside: link, send, wait, read, receipts, unlink', async () => {
    const companion = new Companion(sandbox.webSocketUrl)
    const qr = await companion.showQr()
    expect(await call(`/accounts/${BUSINESS}/scan`, { qr })).toEqual({ status: 200, json: { deviceId: 1 } })
    await companion.until('the restart', () => companion.closes.at(-1))
    await companion.login()

    const image = { base64: randomBytes(300).toString('base64'), mimetype: 'image/jpeg', caption: 'Look' }
    const { json: sent } = await call(`/accounts/${CUSTOMER}/send`, { to: BUSINESS, image, id: 'IMAGE1' })
    expect(sent).toEqual({ id: 'IMAGE1' })
    await companion.untilMessage(({ key }) => key.id === 'IMAGE1')
    await sandbox.phone(CUSTOMER).waitForReceipt(({ fromDevice }) => fromDevice === 1)

    await companion.socket.sendMessage('900000000000001@lid', { text: 'Nice picture' })
    const { json: seen } = await call(`/accounts/${CUSTOMER}/messages?waitFor=Nice`)
    expect(seen).toMatchObject({
      messages: [
        { id: 'IMAGE1', fromMe: true, kind: 'image', text: 'Look', status: 'delivered' },
        { from: BUSINESS, fromMe: false, kind: 'text', text: 'Nice picture', status: 'received' },
      ],
    })
    const media = await fetch(`${sandbox.controlUrl}/accounts/${CUSTOMER}/messages/IMAGE1/media`)
    expect(Buffer.from(await media.arrayBuffer()).toString('base64')).toBe(image.base64)

    expect(await call(`/accounts/${CUSTOMER}/read`, { from: BUSINESS })).toMatchObject({ status: 200 })
    const { json: receipts } = await call(`/accounts/${CUSTOMER}/receipts`)
    expect(JSON.stringify(receipts)).toContain('"messageId":"IMAGE1","from":"15551230001","fromDevice":1')
    const closed = companion.untilClosed()
    expect(await call(`/accounts/${BUSINESS}/unlink`, {})).toMatchObject({ status: 204 })
    expect(await closed).toBe(401)
    expect(await call('/stats')).toMatchObject({ json: { companions: [], accounts: 2, mediaUploads: 0 } })
  })

  it('makes a group, changes it, and sends into it all that people send', async () => {
    const { status, json } = await call('/groups', {
      subject: 'Tulip fans',
      creator: BUSINESS,
      members: [CUSTOMER],
    })
    expect(status).toBe(201)
    const { jid } = json as { jid: string } // checked by what follows
    const send = (phone: string, content: object) => call(`/accounts/${phone}/send`, { to: jid, ...content })
    await send(CUSTOMER, { text: 'helo', id: 'TEXT1' })
    await send(CUSTOMER, { edit: { id: 'TEXT1', text: 'hello' } })
    await send(CUSTOMER, { poll: { name: 'When?', options: ['now', 'later'] }, id: 'POLL1' })
    const { json: seen } = await call(`/accounts/${BUSINESS}/messages?waitFor=POLL1`)
    expect(seen).toMatchObject({ messages: [{ id: 'TEXT1', chat: jid }, { kind: 'edit' }, { kind: 'poll' }] })
    await send(BUSINESS, { vote: { id: 'POLL1', options: ['now'] } })
    await send(BUSINESS, { reaction: { id: 'TEXT1', emoji: '👍' } })
    await send(BUSINESS, { text: 'hello yourself', quote: 'TEXT1', id: 'TEXT2' })
    const { json: answered } = await call(`/accounts/${CUSTOMER}/messages?waitFor=TEXT2`)
    expect(answered).toMatchObject({
      messages: [
        { id: 'TEXT1', text: 'hello', edited: true, reactions: { [BUSINESS]: '👍' } },
        {},
        { id: 'POLL1', votes: { [BUSINESS]: ['now'] } },
        {},
        {},
        { id: 'TEXT2', quotedId: 'TEXT1' },
      ],
    })
    await call(`/groups/${jid}/subject`, { subject: 'Rose fans', by: CUSTOMER })
    expect(await call(`/groups/${jid}/remove`, { phone: CUSTOMER })).toMatchObject({
      json: { subject: 'Rose fans', members: [BUSINESS] },
    })
    expect(await send(CUSTOMER, { text: 'let me in' })).toMatchObject({ status: 400 })
    expect(await call(`/groups/${jid}/add`, { phone: CUSTOMER })).toMatchObject({
      json: { members: [BUSINESS, CUSTOMER] },
    })
    expect(await call('/groups/nowhere@g.us')).toMatchObject({
      status: 404,
      json: { error: { code: 'GROUP_UNKNOWN' } },
    })
  })

  it('prepares a past, a picture and a hidden number, sends albums and calls', async () => {
    const at = '2026-01-02T03:04:05.000Z'
    const chats = [{ chat: CUSTOMER, messages: [{ at, text: 'long ago', id: 'PAST1' }] }]
    expect(await call(`/accounts/${BUSINESS}/past`, { chats })).toMatchObject({ status: 204 })
    expect(await call(`/accounts/${BUSINESS}/messages`)).toMatchObject({
      json: { messages: [{ id: 'PAST1', text: 'long ago', receivedAt: at, fromMe: false }] },
    })
    const image = { base64: randomBytes(30).toString('base64'), mimetype: 'image/jpeg' }
    const items = [{ image }, { video: { ...image, mimetype: 'video/mp4' } }]
    const { json: album } = await call(`/accounts/${CUSTOMER}/send-album`, { to: BUSINESS, items })
    const ids = (album as { items: string[] }).items // checked by what follows
    expect(ids).toHaveLength(2)
    const { json: seen } = await call(`/accounts/${BUSINESS}/messages?waitFor=${ids[1] ?? 'none'}`)
    expect(seen).toMatchObject({
      messages: [{ id: 'PAST1' }, { kind: 'album' }, { kind: 'image', id: ids[0] }, { kind: 'video' }],
    })
    expect(await call(`/accounts/${CUSTOMER}/picture`, { picture: image })).toMatchObject({ status: 204 })
    const ringing = await call(`/accounts/${CUSTOMER}/call`, { to: BUSINESS, video: true })
    expect(ringing).toMatchObject({ status: 200 })
    expect(ringing.json).toHaveProperty('id')
    await call('/accounts', { phone: '15551230005', name: 'Shy Customer', hidesNumber: true })
    const byNumber = { to: '15551230005', text: 'hi', addressing: 'pn' }
    expect(await call(`/accounts/${BUSINESS}/send`, byNumber)).toMatchObject({ status: 400 })
    expect(await call('/accounts/15551230005/reveal-number', { to: BUSINESS })).toMatchObject({ status: 204 })
    expect(await call(`/accounts/${BUSINESS}/send`, byNumber)).toMatchObject({ status: 200 })
  })

  it('answers mistakes with a code and what to do', async () => {
    expect(await call('/accounts/15559999999/send', { to: BUSINESS, text: 'x' })).toMatchObject({
      status: 404,
      json: { error: { code: 'ACCOUNT_UNKNOWN' } },
    })
    expect(await call('/accounts', { phone: BUSINESS, name: 'again' })).toMatchObject({ status: 409 })
    expect(await call(`/accounts/${CUSTOMER}/send`, { to: BUSINESS, txt: 'typo' })).toMatchObject({
      status: 400,
      json: { error: { code: 'REQUEST_INVALID' } },
    })
    await call(`/accounts/${CUSTOMER}/offline`, {})
    expect(await call(`/accounts/${CUSTOMER}/send`, { to: BUSINESS, text: 'x' })).toMatchObject({
      status: 409,
      json: { error: { code: 'PHONE_OFFLINE' } },
    })
    await call(`/accounts/${CUSTOMER}/online`, {})
    expect(await call(`/accounts/${CUSTOMER}/messages?waitFor=never&timeoutMs=20`)).toMatchObject({
      status: 408,
    })
    expect(await call(`/companions/${BUSINESS}/disconnect`, {})).toMatchObject({
      status: 409,
      json: { error: { code: 'COMPANION_NOT_CONNECTED' } },
    })
  })
})

describe('the preload', () => {
  it('sends media downloads to the sandbox over verified TLS and refuses every live host', async () => {
    const bytes = randomBytes(1000)
    const media = { kind: 'document', bytes, mimetype: 'application/x-test' } as const
    await sandbox.send(CUSTOMER, { to: BUSINESS, media })
    const directPath = sandbox.messages(CUSTOMER)[0]?.media?.directPath ?? ''
    const script = `
      import https from 'node:https'
      import { WA_CERT_DETAILS } from '@whiskeysockets/baileys'
      const attempt = async (run) => run().catch((error) => error.cause?.code ?? error.code)
      const status = (url, init) => attempt(async () => (await fetch(url, init)).status)
      const get = (url) => attempt(() => new Promise((resolve, reject) => {
        https.get(url, (response) => resolve(response.resume().statusCode)).on('error', reject)
      }))
      console.log(JSON.stringify({
        root: WA_CERT_DETAILS.PUBLIC_KEY.toString('hex'),
        whole: await status('https://mmg.whatsapp.net${directPath}'),
        part: await status('https://mmg.whatsapp.net${directPath}', { headers: { range: 'bytes=16-31' } }),
        uploads: await get('https://${sandbox.mediaHost}/nothing'),
        liveFetch: await status('https://web.whatsapp.com/'),
        liveHttps: await get('https://example.com/'),
      }))`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', './sandbox/preload.ts', '--input-type=module', '--eval', script],
      {
        env: {
          ...process.env,
          NODE_EXTRA_CA_CERTS: caFile,
          SANDBOX_WHATSAPP_ROOT_KEY: sandbox.rootPublicKey,
          SANDBOX_MEDIA_HOST: sandbox.mediaHost,
        },
      },
    )
    expect(JSON.parse(stdout)).toEqual({
      root: sandbox.rootPublicKey,
      whole: 200,
      part: 206,
      uploads: 404,
      liveFetch: 'LIVE_HOST_REFUSED',
      liveHttps: 'LIVE_HOST_REFUSED',
    })
  })
})

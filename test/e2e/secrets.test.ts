/**
 * A life of the server at LOG_LEVEL trace, with an error of each kind, and then a search for every secret it used: in all
 * that it printed, in every refusal that it sent, and in the bytes of its data folder.
 */
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BridgeProcess, freePort } from '../../sandbox/bridge-process.ts'
import { samplePhoto } from '../../sandbox/sample-photo.ts'
import { Stage } from '../../sandbox/stage.ts'
import { parseSessionId } from '../../src/core/ids.ts'
import { openStore } from '../../src/store/open-store.ts'
import { freshDatabase } from '../support/postgres.ts'
import { silentLog } from '../support/silent-log.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550007431'
const BRANCH = '15550007432'
const ANA = '15551237433'
const NOBODY = '15551237434'
/** Bytes. A body that is refused for its size is written whole before its refusal comes: none is cut off. */
const BODY_LIMIT = 256 * 1024
const PUSH_NAME = 'Zyxwanna Quillfeather'
const BODIES = {
  inbound: 'INBOUND-WORDS-7c1f',
  outbound: 'OUTBOUND-WORDS-7c1f',
  caption: 'CAPTION-WORDS-7c1f',
  retried: 'RETRIED-WORDS-7c1f',
  lost: 'LOST-ANSWER-WORDS-7c1f',
  refused: 'REFUSED-WORDS-7c1f',
  nowhere: 'NOWHERE-WORDS-7c1f',
  parked: 'PARKED-WORDS-7c1f',
  malformed: 'MALFORMED-WORDS-7c1f',
} as const
const FILE_SECRET = 'ATTACHMENT-QUERY-7c1f'

/** What was used, by name, so that a finding names itself without being printed. */
class Secrets {
  readonly #values = new Map<string, string>()

  add(name: string, value: string | null | undefined): void {
    if (!value) throw new Error(`the run used no ${name}`)
    this.#values.set(name, value)
  }

  get names(): string[] {
    return [...this.#values.keys()]
  }

  get values(): string[] {
    return [...this.#values.values()]
  }

  /** The names of those that can be read in the bytes, plain, in base64 or in hexadecimal. */
  foundIn(bytes: Buffer): string[] {
    return [...this.#values].flatMap(([name, value]) => {
      const raw = Buffer.from(value)
      const forms = [value, raw.toString('base64').replace(/.{2}=*$/, ''), raw.toString('hex')]
      // Keys are kept in base64 here: their own bytes are a form, too.
      if (/^[\w+/-]{40,}={0,2}$/.test(value)) forms.push(Buffer.from(value, 'base64').toString('latin1'))
      const isThere = forms.some((form) => form.length > 5 && bytes.includes(form, 0, 'latin1'))
      return isThere ? [name] : []
    })
  }
}

/** Every private half of a key pair, and other secrets of a linked device, as base64. */
function privateKeysIn(json: string): string[] {
  const found: string[] = []
  JSON.parse(json, (name, value: unknown) => {
    const data = typeof value === 'object' && value !== null && 'data' in value ? value.data : value
    const isPrivate = name === 'private' || name === 'privKey' || name === 'advSecretKey'
    if (isPrivate && typeof data === 'string') found.push(data)
    return value
  })
  return found
}

async function filesOf(folder: string): Promise<{ readonly name: string; readonly bytes: Buffer }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return await Promise.all(paths.map(async (name) => ({ name, bytes: await readFile(name) })))
}

describe('a run with every secret in use', () => {
  let stage: Stage
  let locationId: string
  let branchId: string
  let dataDir: string
  const sessionIds: string[] = []
  const sealed = new Secrets()
  /** Never printed; in the store they are plain, because people are looked up by them. */
  const personal = new Secrets()
  const refusals: string[] = []
  const answers: string[] = []
  const encryptionKey = randomBytes(32).toString('base64')

  /** A request of whatever kind; its answer is kept when it is a refusal. */
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const answer = await fetch(stage.bridge.url + path, { method, redirect: 'manual', ...init })
    if (answer.status >= 400) {
      refusals.push(`${method} ${path.split('?')[0] ?? ''} ${answer.status}`)
      answers.push(await answer.clone().text(), JSON.stringify([...answer.headers]))
    }
    return answer
  }
  const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
  const json = (body: string, key?: string): RequestInit => ({
    body,
    headers: { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) },
  })
  const fromAna = async (text: string) => {
    const id = await stage.whatsapp.send(ANA, { to: OWNER, text })
    return await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId, timeoutMs: 25_000 })
  }

  /** What only the store knows: the tokens of now, and the devices' keys. The server must be down. */
  async function readStore(when: string, sessionIds: readonly string[]): Promise<void> {
    const store = await openStore({
      dataDir: join(dataDir, 'store'),
      encryptionKeys: [encryptionKey],
      log: silentLog,
    })
    try {
      for (const { installationId } of await store.installations.list()) {
        const tokens = await store.installations.readTokens(installationId)
        sealed.add(`access token ${installationId} ${when}`, tokens?.accessToken)
        sealed.add(`refresh token ${installationId} ${when}`, tokens?.refreshToken)
      }
      for (const [index, id] of sessionIds.entries()) {
        const session = parseSessionId(id)
        const preKeys = await store.signal.read(
          session,
          'pre-key',
          Array.from({ length: 40 }, (_, n) => `${n}`),
        )
        const texts = [await store.signal.loadCredentials(session), ...preKeys.values()]
        const keys = texts.flatMap((text) => (text === undefined ? [] : privateKeysIn(text)))
        expect(keys.length).toBeGreaterThan(10)
        for (const [n, key] of keys.entries()) sealed.add(`Signal key ${index}/${n} ${when}`, key)
      }
    } finally {
      await store.close()
    }
  }

  beforeAll(async () => {
    const apiKey = randomBytes(24).toString('base64url')
    stage = await Stage.set({
      ghl: { statusEarlyMs: 0 },
      env: {
        LOG_LEVEL: 'trace',
        API_KEY: apiKey,
        ENCRYPTION_KEY: encryptionKey,
        GHL_TIMEOUT_MS: '3000',
        BODY_LIMIT_BYTES: String(BODY_LIMIT),
      },
      prepare: (dir) => {
        dataDir = dir
        return Promise.resolve()
      },
    })
    sealed.add('operator key', apiKey)
    sealed.add('encryption key', encryptionKey)
    sealed.add('client secret', stage.ghl.clientSecret)
    sealed.add('shared secret', stage.ghl.sharedSecret)
    for (const [name, body] of Object.entries(BODIES)) sealed.add(`body: ${name}`, body)
    sealed.add('query of an attachment', FILE_SECRET)
    personal.add('push name', PUSH_NAME)
    for (const [name, phone] of Object.entries({ OWNER, BRANCH, ANA, NOBODY })) personal.add(name, phone)
    for (const phone of [OWNER, BRANCH]) stage.whatsapp.addAccount({ phone, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: PUSH_NAME })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    branchId = stage.ghl.addLocation({ name: 'Branch' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.install(branchId)
  })
  afterAll(async () => {
    await stage.strike()
  })

  it('works: pairing by QR and by code, messages and files both ways, a refresh, a page, a key', async () => {
    const byQr = await stage.createSession(locationId)
    const { qr } = await stage.sessionUntil(locationId, byQr, (session) => session.qr !== null)
    sealed.add('QR text', qr)
    await stage.whatsapp.scan(OWNER, qr ?? '')
    const byCode = await stage.createSession(branchId, { phoneNumber: `+${BRANCH}` })
    const { pairingCode } = await stage.sessionUntil(
      branchId,
      byCode,
      (session) => session.pairingCode !== null,
    )
    sealed.add('pairing code', pairingCode)
    await stage.whatsapp.enterPairingCode(BRANCH, pairingCode ?? '')
    await stage.sessionUntil(locationId, byQr, ({ status }) => status === 'ready')
    await stage.sessionUntil(branchId, byCode, ({ status }) => status === 'ready')

    const { contactId } = await fromAna(BODIES.inbound)
    const media = {
      kind: 'image',
      bytes: await samplePhoto('in', '#0b7a4b'),
      mimetype: 'image/jpeg',
    } as const
    const photo = await stage.whatsapp.send(ANA, { to: OWNER, media: { ...media, caption: BODIES.caption } })
    await stage.ghl.waitForMessage(({ altId }) => altId === photo, { locationId })
    const map = stage.ghl.hostFile('map.jpg', await samplePhoto('out', '#245a9c'), 'image/jpeg')
    stage.ghl.agentReply({ locationId, contactId, message: BODIES.outbound, attachments: [map] })
    await stage.whatsapp.waitForMessage(ANA, ({ text }) => text === BODIES.outbound, 15_000)

    sessionIds.push(byQr, byCode)
    await stage.bridge.stop()
    await readStore('before the refresh', sessionIds)
    await stage.bridge.start()
    await stage.sessionUntil(locationId, byQr, ({ status }) => status === 'ready')
    stage.ghl.forget()
    stage.ghl.tokens.expireAccess(locationId)
    stage.ghl.faults.add({
      route: 'POST /conversations/messages/inbound',
      times: 2,
      effect: { kind: 'status', status: 500 },
    })
    await fromAna(BODIES.retried)
    expect(stage.ghl.calls({ route: 'POST /oauth/token' }).length).toBe(1)

    const payload = stage.ghl.ssoPayload({ locationId })
    sealed.add('SSO payload', payload)
    const admitted = await ask('POST', '/api/sso', json(JSON.stringify({ payload })))
    const { token } = (await admitted.json()) as { token: string } // our own contract
    sealed.add('page token', token)
    expect((await ask('GET', '/api/ghl/locations', bearer(token))).status).toBe(200)

    const made = await stage.bridge.operator('POST', '/api/keys', {
      name: 'Shop',
      scopes: ['tokens', 'proxy:read'],
    })
    const { key } = (await made.json()) as { key: string } // our own contract
    sealed.add('service key', key)
    const proxied = await ask(
      'GET',
      `/api/ghl/location/${locationId}/proxy/contacts/${contactId}`,
      bearer(key),
    )
    expect(proxied.status).toBe(200)
    const link = await stage.bridge.operator(
      'POST',
      `/ghl/location/${locationId}/session/${byQr}/pairing-link`,
      {},
    )
    sealed.add(
      'pairing link',
      new URL(((await link.json()) as { url: string }).url).pathname.split('/').at(-1),
    )
  }, 120_000)

  it('meets an error of each kind on its way', async () => {
    const add = (effect: Parameters<typeof stage.ghl.faults.add>[0]['effect'], when?: 'after') =>
      stage.ghl.faults.add({
        route: 'POST /conversations/messages/inbound',
        times: 1,
        effect,
        ...(when && { when }),
      })
    add({ kind: 'drop' }, 'after')
    const { contactId } = await fromAna(BODIES.lost)
    add({ kind: 'status', status: 422, body: { message: 'no such thing', statusCode: 422 } })
    await stage.whatsapp.send(ANA, { to: OWNER, text: BODIES.refused })
    await waitFor('a dead letter', async () => {
      const listed = await stage.bridge.operator('GET', '/api/messages?state=failed')
      return ((await listed.json()) as { messages: unknown[] }).messages.length > 0 // our own contract
    })

    const nobody = stage.ghl.contacts.add(locationId, { phone: `+${NOBODY}` })
    const replies = [
      { contactId: nobody.id, message: BODIES.nowhere },
      { contactId, message: '', attachments: [`https://127.0.0.1:9/x.pdf?key=${FILE_SECRET}`] },
      { contactId, message: '', attachments: [`${stage.ghl.url}/gone.pdf?key=${FILE_SECRET}`] },
    ]
    for (const reply of replies) {
      const { messageId } = stage.ghl.agentReply({ locationId, ...reply })
      await stage.ghl.waitForStatus(messageId, 'failed', 60_000)
    }

    // GHL takes no token of the branch any more.
    stage.ghl.tokens.revokeRefresh(branchId)
    stage.ghl.tokens.expireAccess(branchId)
    await stage.whatsapp.send(ANA, { to: BRANCH, text: BODIES.parked })
    await waitFor(
      'the branch to need its owner',
      () => stage.bridge.output.includes('GHL_NEEDS_RECONNECT'),
      30_000,
    )

    const key = sealed.values[sealed.names.indexOf('service key')] ?? ''
    const token = sealed.values[sealed.names.indexOf('page token')] ?? ''
    const payload = sealed.values[sealed.names.indexOf('SSO payload')] ?? ''
    const words = JSON.stringify({ type: 'SMS', message: BODIES.malformed, phone: `+${ANA}`, contactId })
    const stranger = `${key.slice(0, -4)}ABCD`
    for (const [method, path, init] of [
      ['POST', '/ghl/provider/webhook', json(words)],
      ['POST', '/ghl/provider/webhook', { ...json(words.slice(0, -5)) }],
      ['POST', '/ghl/webhook', json(words)],
      ['POST', '/whatsapp/webhook', json(words, stage.bridge.apiKey)],
      ['POST', '/whatsapp/webhook', json(words.slice(0, -5), stage.bridge.apiKey)],
      ['POST', '/api/sso', json(JSON.stringify({ payload: payload.slice(4) }))],
      ['POST', '/api/sso', json(JSON.stringify({ payload, extra: BODIES.malformed }).slice(0, -1))],
      ['GET', '/api/keys', bearer(key)],
      ['GET', '/api/keys', bearer(stranger)],
      ['GET', `/api/ghl/location/${branchId}/proxy/contacts/x`, bearer(key)],
      ['GET', `/api/ghl/location/${locationId}/proxy/oauth/token`, bearer(key)],
      ['GET', '/api/token-access/nowhere', bearer(key)],
      ['DELETE', `/api/keys/${key.slice(0, 20)}`, bearer(token)],
      ['GET', `/ghl/location/${branchId}/session`, bearer(token)],
      [
        'POST',
        `/ghl/location/${locationId}/session`,
        json(JSON.stringify({ phoneNumber: BODIES.malformed }), token),
      ],
      [
        'POST',
        `/ghl/location/${locationId}/session`,
        json(JSON.stringify({ expectedPhone: payload }), token),
      ],
      ['GET', `/oauth/callback?code=${key}&state=${token}`, {}],
      ['POST', '/api/products/create', json('x'.repeat(BODY_LIMIT + 1), stage.bridge.apiKey)],
      ['GET', '/api/messages?cursor=x', bearer(stage.bridge.apiKey)],
      ['GET', `/nothing/${key}`, {}],
    ] as const) {
      const { status } = await ask(method, path, init)
      expect(status, `${method} ${path.split('?')[0]?.slice(0, 40) ?? ''}`).toBeGreaterThanOrEqual(400)
    }
    expect(new Set(refusals.map((line) => line.split(' ').at(-1)))).toEqual(
      new Set(['400', '401', '403', '404', '409', '413']),
    )
  }, 180_000)

  it('says nothing of them in what it prints', async () => {
    await stage.bridge.stop()
    await readStore('at the end', sessionIds)
    const printed = Buffer.from(stage.bridge.output)
    // The search can find: each of them is, when it stands there.
    const planted = Buffer.from(`${stage.bridge.output} ${sealed.values.join(' ')}`)
    expect(sealed.foundIn(planted)).toEqual(sealed.names)
    expect(stage.bridge.output).toContain('"level":"debug"')
    expect(sealed.foundIn(printed)).toEqual([])
    expect(personal.foundIn(printed)).toEqual([])
    expect(stage.bridge.output).not.toMatch(/privKey|_chains|SessionEntry|@s\.whatsapp\.net|Bearer |<Buffer/)
  })

  it('says nothing of them in its refusals', () => {
    const sent = Buffer.from(answers.join('\n'))
    expect(answers.length).toBe(2 * refusals.length)
    expect(sealed.foundIn(sent)).toEqual([])
    expect(personal.foundIn(sent)).toEqual([])
  })

  it('keeps none of them readable in its data folder', async () => {
    const files = await filesOf(dataDir)
    const bytes = Buffer.concat(files.map((file) => file.bytes))
    // What is kept plain is found: the search can find.
    expect(bytes.includes(ANA)).toBe(true)
    for (const file of files) expect(sealed.foundIn(file.bytes), file.name).toEqual([])
  }, 60_000)

  it('met nothing that the sandboxes do not know', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    // The attachment that was not there.
    expect(stage.ghl.stats().oddities).toMatchObject([{ route: 'GET /gone.pdf' }])
  })
})

describe('a database that is lost, refused or not there', () => {
  const PASSWORD = 'pg-password-7c1f-e2'
  const SERVICE_ROLE_KEY = 'sb_secret_7c1f_e2_service_role'

  /** One process with this environment; what it printed by its end. */
  async function printedBy(
    env: Record<string, string>,
    whileUp: (bridge: BridgeProcess) => Promise<void> = () => Promise.resolve(),
  ): Promise<string> {
    const port = await freePort()
    const bridge = new BridgeProcess({
      port,
      url: `http://127.0.0.1:${port}`,
      dataDir: '/nonexistent/unused-with-a-database',
      env: {
        LOG_LEVEL: 'trace',
        PUBLIC_URL: `http://127.0.0.1:${port}`,
        API_KEY: 'the-operator-key-of-this-test-7c1f',
        ENCRYPTION_KEY: randomBytes(32).toString('base64'),
        SANDBOX_WHATSAPP_ROOT_KEY: randomBytes(32).toString('hex'),
        SANDBOX_MEDIA_HOST: '127.0.0.1:9',
        ...env,
      },
    })
    try {
      await bridge.start()
      await whileUp(bridge)
    } catch (thrown) {
      // It says why it did not start; that is what is looked at.
      if (!String(thrown).includes('did not start')) throw thrown
    } finally {
      await bridge.kill()
    }
    return bridge.output
  }

  it('is told without its password or key', async () => {
    const target = await freshDatabase()
    const admin = new pg.Client({ connectionString: target.url })
    await admin.connect()
    const role = `leak_${randomBytes(4).toString('hex')}`
    await admin.query(`create role ${role} login superuser password '${PASSWORD}'`)
    await admin.end()
    const url = new URL(target.url)
    url.username = role
    url.password = PASSWORD

    const lost = await printedBy({ DATABASE_URL: url.href }, async (bridge) => {
      await target.drop()
      await waitFor(
        'the loss to show',
        async () => (await fetch(`${bridge.url}/ready`)).status === 503,
        30_000,
      )
      const refused = await bridge.operator('GET', '/api/messages')
      expect(refused.status).toBeGreaterThanOrEqual(500)
      expect(await refused.text()).not.toContain(PASSWORD)
    })
    expect(lost).toContain('request failed')
    const gone = await printedBy({ DATABASE_URL: url.href })
    const nobodyThere = await printedBy({ DATABASE_URL: `postgres://bridge:${PASSWORD}@127.0.0.1:9/bridge` })
    const badUrl = await printedBy({ DATABASE_URL: `postgres://bridge:${PASSWORD}@:x/y` })
    const supabase = await printedBy({
      SUPABASE_URL: 'http://127.0.0.1:9',
      SUPABASE_SERVICE_ROLE_KEY: SERVICE_ROLE_KEY,
    })
    for (const [name, output] of Object.entries({ lost, gone, nobodyThere, badUrl, supabase })) {
      expect(output.length, name).toBeGreaterThan(20)
      expect(output.includes(PASSWORD) || output.includes(SERVICE_ROLE_KEY), name).toBe(false)
    }
  }, 180_000)
})

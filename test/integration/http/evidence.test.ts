/** What the check of the set-up says of each piece: right, wrong, and before anything was seen of it. */
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'

interface Checked {
  readonly ok: boolean
  readonly steps: readonly {
    readonly name: string
    readonly state: string
    readonly code: string | null
    readonly at: string | null
  }[]
}

const WRONG_KEY = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' })
const PIECES = ['credentials', 'provider', 'events', 'delivery', 'sso', 'webhook_key']

describe('what the check says of the set-up', () => {
  let app: GhlApp
  afterEach(() => app.stop())

  const steps = async () =>
    (await app.call<Checked>('GET', '/api/integrations/ghl/test-integration')).body.steps
  const stateOf = async (name: string) => {
    const step = (await steps()).find((each) => each.name === name)
    return [step?.state, step?.code]
  }
  const says = (name: string, ...expected: [string, string | null]) =>
    expect.poll(() => stateOf(name), { timeout: 10_000 }).toEqual(expected)
  const start = async (env: Readonly<Record<string, string>> = {}) => {
    app = await startGhlApp({ env })
    const location = app.sandbox.addLocation({ name: 'Here' }).id
    const { status } = await app.install({ location })
    return { location, status }
  }
  const agentWrites = (locationId: string) => {
    const contactId = app.sandbox.contacts.add(locationId, { phone: '+15557770000' }).id
    app.sandbox.agentReply({ locationId, contactId, message: 'Hello' })
  }
  /** As another engine received it: the whole way to GHL, without a phone. */
  const customerWrites = async (locationId: string) => {
    const path = `/ghl/location/${locationId}/session`
    const made = await app.call<{ session_id: string }>('POST', path, { body: {} })
    const post = { sessionId: made.body.session_id, from: '+15557770000', message: 'Hi', whatsappMsgId: 'E1' }
    // Until the location's lease is there.
    const status = async () => (await app.call('POST', '/whatsapp/webhook', { body: post })).status
    await expect.poll(status, { timeout: 10_000 }).toBe(200)
  }
  const opensPage = (locationId: string) =>
    app.call('POST', '/api/sso', {
      as: 'nobody',
      body: { payload: app.sandbox.ssoPayload({ locationId }) },
    })

  it('nothing, as long as nothing was seen: neither that it works nor that it does not', async () => {
    app = await startGhlApp()
    const found = (await steps()).filter(({ name }) => PIECES.includes(name))
    expect(found.map(({ state, at }) => [state, at])).toEqual(PIECES.map(() => ['wait', null]))
    // No location has the app yet: that is no fault.
    expect(await stateOf('token')).toEqual(['wait', 'GHL_NOT_INSTALLED'])
  })

  it('that each works, with the time at which GHL showed it', async () => {
    const { location } = await start()
    agentWrites(location)
    await customerWrites(location)
    await opensPage(location)
    for (const piece of PIECES) await says(piece, 'ok', null)
    const found = (await steps()).filter(({ name }) => PIECES.includes(name))
    for (const { at } of found) expect(Date.now() - Date.parse(at ?? '')).toBeLessThan(60_000)
  })

  it('that a wrong client secret was refused', async () => {
    const { status } = await start({ GHL_CLIENT_SECRET: 'not-the-secret' })
    expect(status).not.toBe(200)
    await says('credentials', 'bad', 'REFUSED')
  })

  it('that GHL’s posts do not fit a wrong key, at either URL; and a stranger’s post proves nothing', async () => {
    const { location } = await start({ GHL_WEBHOOK_PUBLIC_KEY: WRONG_KEY.toString('base64') })
    agentWrites(location)
    for (const piece of ['events', 'delivery', 'webhook_key'])
      await says(piece, 'bad', 'WEBHOOK_SIGNATURE_INVALID')
    await app.stop()
    app = await startGhlApp()
    expect((await app.call('POST', '/ghl/webhook', { as: 'nobody', body: {} })).status).toBe(401)
    expect(await stateOf('events')).toEqual(['wait', null])
  })

  it('that a wrong provider gets no message through, and that deliveries are meant for another', async () => {
    const { location } = await start({ GHL_PROVIDER_ID: '66f0a1b2c3d4e5f6a7b8c9d0' })
    agentWrites(location)
    await says('delivery', 'bad', 'FOREIGN_PROVIDER')
    await customerWrites(location)
    await says('provider', 'bad', 'REFUSED')
    expect(await stateOf('webhook_key')).toEqual(['ok', null])
  })

  it('that a wrong shared secret does not open the word of GHL’s pages', async () => {
    const { location } = await start({ GHL_SHARED_SECRET: 'not-the-shared-secret' })
    expect((await opensPage(location)).status).toBe(401)
    await says('sso', 'bad', 'REFUSED')
  })
})

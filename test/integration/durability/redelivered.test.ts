/** The real server under deliveries that come again and again, and after half an hour away. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../../sandbox/stage.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { waitFor } from '../../support/wait-for.ts'

const OWNER = '15550009999'
const CUSTOMERS = ['15551230001', '15551230002', '15551230003'] as const
const HALF_AN_HOUR_MS = 30 * 60_000
const COPIES = 40

describe('what is delivered again', () => {
  let database: TestDatabase
  let stage: Stage
  let locationId: string
  const contacts = new Map<string, string>()

  beforeAll(async () => {
    database = await freshDatabase('empty')
    stage = await Stage.set({
      env: { LOG_LEVEL: 'info', DATABASE_URL: database.url },
      ghl: {
        statusEarlyMs: 0,
        settings: { retry: { maxRetries: 1_000, baseMs: 100, capMs: 400, timeoutMs: 5_000 } },
      },
    })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    for (const phone of CUSTOMERS) stage.whatsapp.addAccount({ phone, name: `Customer ${phone.slice(-1)}` })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.pair(locationId, OWNER)
    for (const phone of CUSTOMERS) {
      const id = await stage.whatsapp.send(phone, { to: OWNER, text: 'hello' })
      const filed = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
      contacts.set(phone, filed.contactId)
    }
  }, 60_000)
  afterAll(async () => {
    await stage.strike()
    await database.drop()
  })

  /** The app was installed and the number paired a day ago: what is older than that is held. */
  const setBackByADay = async () => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    await client.query("update bridge.ghl_accounts set installed_at = installed_at - interval '1 day'")
    await client.query("update bridge.sessions set paired_at = paired_at - interval '1 day'")
    await client.end()
  }

  const agentWrites = (phone: string, message: string) =>
    stage.ghl.agentReply({ locationId, contactId: contacts.get(phone) ?? '', message }).messageId
  const postOf = (messageId: string) =>
    waitFor('the post', () => stage.ghl.posts().find((post) => post.messageId === messageId))
  const deliver = async (body: string) =>
    await fetch(stage.ghl.settings.deliveryUrl ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'X-GHL-Signature': stage.ghl.deliveries.sign(body) },
      body,
    })
  const textsOn = (phone: string) =>
    stage.whatsapp.messages(phone).flatMap(({ fromMe, text }) => (fromMe ? [] : (text ?? [])))

  it('as a signed webhook, hundreds of times at once, reaches the customer once', async () => {
    const texts = Array.from({ length: 8 }, (_, index) => `again and again ${index}`)
    const bodies: string[] = []
    for (const text of texts) bodies.push((await postOf(agentWrites(CUSTOMERS[0], text))).body)
    const answers = await Promise.all(
      Array.from({ length: COPIES * texts.length }, (_, count) =>
        deliver(bodies[count % texts.length] ?? ''),
      ),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    await waitFor('all of them', () => texts.every((text) => textsOn(CUSTOMERS[0]).includes(text)))
    const last = agentWrites(CUSTOMERS[0], 'behind them all')
    await stage.ghl.waitForStatus(last, 'delivered')
    const arrived = textsOn(CUSTOMERS[0]).filter((text) => texts.includes(text))
    expect(arrived.toSorted()).toEqual(texts)
  })

  it('by GHL and WhatsApp, who waited while we were away for 30 minutes, is there once and in order', async () => {
    await setBackByADay()
    expect(await stage.bridge.stop()).toBe(0)
    const inbound = new Map<string, string[]>()
    for (const phone of CUSTOMERS) {
      const ids: string[] = []
      for (let index = 0; index < 10; index += 1)
        ids.push(await stage.whatsapp.send(phone, { to: OWNER, text: `while you were away ${index}` }))
      inbound.set(phone, ids)
    }
    const outbound = CUSTOMERS.map((phone) => {
      const text = `agent while away ${phone}`
      return { phone, text, messageId: agentWrites(phone, text) }
    })
    for (const { messageId } of outbound) {
      const post = await postOf(messageId)
      await waitFor('a vain attempt', () => post.attempts.length > 1)
    }
    // One that GHL has been repeating for half an hour by its own clock.
    stage.ghl.deliveries.hold()
    const oldText = 'written half an hour ago'
    const { body } = await postOf(agentWrites(CUSTOMERS[1], oldText))
    const writtenAt = new Date(Date.now() - HALF_AN_HOUR_MS).toISOString()
    const aged = {
      ...(JSON.parse(body) as Record<string, unknown>),
      timestamp: writtenAt,
      dateAdded: writtenAt,
    }

    await stage.bridge.start()
    const copies = await Promise.all(Array.from({ length: 5 }, () => deliver(JSON.stringify(aged))))
    expect(copies.every(({ ok }) => ok)).toBe(true)
    stage.ghl.deliveries.release()

    const order = (phone: string) => {
      const ids = inbound.get(phone) ?? []
      return stage.ghl.messages(locationId).flatMap(({ altId = '' }) => (ids.includes(altId) ? [altId] : []))
    }
    await waitFor('all inbound', () => CUSTOMERS.every((phone) => order(phone).length >= 10))
    for (const { messageId } of outbound) await stage.ghl.waitForStatus(messageId, 'delivered', 15_000)
    await waitFor('the old one', () => textsOn(CUSTOMERS[1]).includes(oldText))
    for (const phone of CUSTOMERS) expect(order(phone)).toEqual(inbound.get(phone))
    for (const { phone, text } of outbound)
      expect(textsOn(phone).filter((arrived) => arrived === text)).toEqual([text])
    expect(textsOn(CUSTOMERS[1]).filter((arrived) => arrived === oldText)).toEqual([oldText])
    expect(stage.ghl.stats().oddities).toEqual([])
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
  })
})

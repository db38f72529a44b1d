/** Our own side: several numbers in one location, own devices, receipts, and the customer's read state. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const SALES = '15550009981'
const SUPPORT = '15550009982'
const ANA = '15551233001'
/** GHL refuses a status for so long after the delivery. */
const EARLY_MS = 3_000

describe('the numbers of a location', () => {
  let stage: Stage
  let locationId: string
  let sales: string
  let support: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: EARLY_MS } })
    stage.whatsapp.addAccount({ phone: SALES, name: 'Sales' })
    stage.whatsapp.addAccount({ phone: SUPPORT, name: 'Support' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    stage.ghl.setWebhookUrl(`${stage.bridge.url}/ghl/webhook`)
    await stage.install(locationId)
    sales = await stage.pair(locationId, SALES)
  })
  afterAll(async () => {
    await stage.strike()
  })

  const filed = async (id: string, what: string) =>
    await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId, what, timeoutMs: 20_000 })
  const from = async (phone: string, to: string, text: string) =>
    await filed(await stage.whatsapp.send(phone, { to, text }), text)
  const agentWrites = (contactId: string, message: string) =>
    stage.ghl.agentReply({ locationId, contactId, message }).messageId
  const reaches = (phone: string, text: string) =>
    stage.whatsapp.waitForMessage(phone, (message) => !message.fromMe && message.text === text, 20_000)
  const put = async (settings: object) => {
    const answer = await stage.bridge.operator('PUT', `/ghl/location/${locationId}/settings`, settings)
    expect(answer.status).toBe(200)
  }
  const rename = async (session: string, name: string) => {
    const url = `/ghl/location/${locationId}/session/${session}`
    expect((await stage.bridge.operator('PATCH', url, { name })).status).toBe(200)
  }
  const readByBridge = (id: string) =>
    stage.whatsapp.receipts(ANA).some((receipt) => receipt.messageId === id && receipt.type === 'read')

  it('shows delivered and read within seconds on the first connection after pairing, GHL’s early refusal included', async () => {
    const { contactId } = await from(ANA, SALES, 'First contact')
    const messageId = agentWrites(contactId, 'Welcome')
    const arrived = await reaches(ANA, 'Welcome')
    await stage.ghl.waitForStatus(messageId, 'delivered', EARLY_MS + 10_000)
    const readAt = Date.now()
    await stage.whatsapp.phone(ANA).markRead(SALES, [arrived.id])
    const read = await stage.ghl.waitForStatus(messageId, 'read', 10_000)
    expect(Date.now() - readAt).toBeLessThan(5_000)
    expect(read.statusHistory.map(({ status }) => status)).toEqual(['pending', 'delivered', 'read'])
  })

  it('counts a voice note that was played as read', async () => {
    const contactId = stage.ghl.contacts.byPhone(locationId, `+${ANA}`)?.id ?? ''
    const messageId = agentWrites(contactId, 'Listen to this')
    const arrived = await reaches(ANA, 'Listen to this')
    await stage.whatsapp.phone(ANA).markRead(SALES, [arrived.id], 'played')
    await stage.ghl.waitForStatus(messageId, 'read', EARLY_MS + 10_000)
  })

  it('says in code, type and a sentence why a message failed', async () => {
    const stranger = stage.ghl.contacts.add(locationId, { phone: '+15557770001' })
    const failed = await stage.ghl.waitForStatus(agentWrites(stranger.id, 'Hello?'), 'failed', 20_000)
    expect(failed.error).toMatchObject({ code: 'WA_NOT_ON_WHATSAPP', type: 'whatsapp' })
    expect(failed.error?.message).toMatch(/^This phone number is not on WhatsApp\. Check/)
  })

  it('gives no blue tick while the setting is off, whatever the agent does', async () => {
    const message = await from(ANA, SALES, 'Do you see me?')
    stage.ghl.openConversation(message.contactId)
    agentWrites(message.contactId, 'Yes')
    await reaches(ANA, 'Yes')
    await from(ANA, SALES, 'and after that')
    expect(stage.whatsapp.receipts(ANA).filter(({ type }) => type === 'read')).toEqual([])
  })

  it('marks the customer’s messages read when the agent answers, and not before', async () => {
    await put({ markRead: true })
    const first = await stage.whatsapp.send(ANA, { to: SALES, text: 'one' })
    const second = await stage.whatsapp.send(ANA, { to: SALES, text: 'two' })
    const { contactId } = await filed(second, 'two')
    expect(readByBridge(first) || readByBridge(second)).toBe(false)
    agentWrites(contactId, 'To both of you')
    await waitFor('both blue ticks', () => readByBridge(first) && readByBridge(second))
    const third = await stage.whatsapp.send(ANA, { to: SALES, text: 'three' })
    await filed(third, 'three')
    expect(readByBridge(third)).toBe(false)
    expect(stage.whatsapp.messages(ANA).find(({ id }) => id === first)?.status).toBe('read')
  })

  it('marks them read when the conversation is opened in GHL, also after a restart', async () => {
    const id = await stage.whatsapp.send(ANA, { to: SALES, text: 'Look at me' })
    const { contactId } = await filed(id, 'Look at me')
    stage.whatsapp.disconnect(SALES)
    stage.whatsapp.refuseLogins(SALES, 503)
    await stage.sessionUntil(locationId, sales, ({ status }) => status !== 'ready')
    const told = () =>
      stage.ghl
        .posts()
        .filter(({ eventType, state }) => eventType === 'ConversationUnreadUpdate' && state === 'accepted')
        .length
    const before = told()
    stage.ghl.openConversation(contactId)
    await waitFor('the event', () => told() > before)
    await stage.bridge.kill()
    expect(readByBridge(id)).toBe(false)
    stage.whatsapp.refuseLogins(SALES, undefined)
    await stage.bridge.start()
    await waitFor('the blue tick', () => readByBridge(id), 30_000)
  })

  it('labels a message only where there are several numbers, and never on WhatsApp', async () => {
    expect((await from(ANA, SALES, 'no label yet')).body).toBe('no label yet')
    support = await stage.pair(locationId, SUPPORT)
    await rename(sales, 'Front desk')
    expect((await from(ANA, SALES, 'to sales')).body).toBe('to sales\n\nvia Front desk (…9981)')
    expect((await from(ANA, SUPPORT, 'to support')).body).toBe('to support\n\nvia Support (…9982)')
    const typed = await from(SALES, ANA, 'typed at the front desk')
    expect(typed).toMatchObject({
      direction: 'outbound',
      body: 'typed at the front desk\n\nvia Front desk (…9981)',
    })
    await put({ label: false })
    expect((await from(ANA, SUPPORT, 'no label any more')).body).toBe('no label any more')
    expect(stage.whatsapp.messages(ANA).filter(({ text }) => text?.includes('via ') === true)).toEqual([])
  })

  it('answers by the number the person wrote to last, unless one is pinned', async () => {
    const { contactId } = await from(ANA, SUPPORT, 'which number answers?')
    agentWrites(contactId, 'support answers')
    expect((await reaches(ANA, 'support answers')).from).toBe(SUPPORT)
    await put({ pinnedSessionId: sales })
    agentWrites(contactId, 'sales answers')
    expect((await reaches(ANA, 'sales answers')).from).toBe(SALES)
    await put({ pinnedSessionId: null })
    await from(ANA, SUPPORT, 'and now?')
    agentWrites(contactId, 'support again')
    expect((await reaches(ANA, 'support again')).from).toBe(SUPPORT)
    expect(support).not.toBe(sales)
  })

  describe('what is typed on the phone', () => {
    const BEN = '15551233002'

    it('to somebody who never wrote becomes a contact by number, named when he answers, never by us', async () => {
      stage.whatsapp.addAccount({ phone: BEN, name: 'Ben' })
      const typed = await from(SALES, BEN, 'Hello Ben, from my phone')
      expect(typed).toMatchObject({ direction: 'outbound', body: 'Hello Ben, from my phone' })
      const text = () => stage.ghl.contacts.get(typed.contactId)?.text
      expect(text()).toMatchObject({ phone: `+${BEN}` })
      expect(JSON.stringify(text())).not.toContain('Sales')
      const answer = await from(BEN, SALES, 'Hello')
      expect(answer.contactId).toBe(typed.contactId)
      await waitFor('his name', () => text()?.firstName === 'Ben')
    })

    it('to somebody who hides the number becomes a contact all the same, and the same one when he answers', async () => {
      const phone = '15551233003'
      stage.whatsapp.addAccount({ phone, name: 'Cleo', hidesNumber: true })
      const typed = await from(SALES, phone, 'Hello Cleo')
      expect(stage.ghl.contacts.get(typed.contactId)?.text).toMatchObject({ firstName: 'WhatsApp' })
      expect((await from(phone, SALES, 'Hi')).contactId).toBe(typed.contactId)
      await waitFor('her name', () => stage.ghl.contacts.get(typed.contactId)?.text.firstName === 'Cleo')
    })

    it('while we were down appears once, in its order, and is not sent again', async () => {
      await stage.bridge.kill()
      const ids = [
        await stage.whatsapp.send(BEN, { to: SALES, text: 'a question meanwhile' }),
        await stage.whatsapp.send(SALES, { to: BEN, text: 'answered on the phone' }),
        await stage.whatsapp.send(BEN, { to: SALES, text: 'thanks' }),
      ]
      await stage.bridge.start()
      for (const id of ids) await filed(id, 'what came meanwhile')
      const ofBen = () =>
        stage.ghl
          .messages(locationId)
          .filter(({ altId }) => altId !== undefined && ids.includes(altId))
          .map(({ altId, direction }) => [altId, direction])
      expect(ofBen()).toEqual([
        [ids[0], 'inbound'],
        [ids[1], 'outbound'],
        [ids[2], 'inbound'],
      ])
      await from(BEN, SALES, 'and on')
      expect(
        stage.whatsapp.messages(BEN).filter(({ text }) => text === 'answered on the phone'),
      ).toHaveLength(1)
      expect(stage.ghl.contacts.list(locationId).filter(({ text }) => text.phone === `+${BEN}`)).toHaveLength(
        1,
      )
    })
  })

  it('met no stanza it did not know and sent GHL nothing it refuses', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})

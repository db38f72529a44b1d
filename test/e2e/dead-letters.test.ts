/** What could not be sent, or should not be sent unasked: visible, told in the conversation, in a person's hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const LATE = '15557770000'
const HOUR_MS = 60 * 60_000

interface MessageView {
  readonly id: string
  readonly state: string
  readonly direction: string
  readonly attempts: number
  readonly waMessageId: string | null
  readonly ghlMessageId: string | null
  readonly error: { readonly code: string; readonly message: string; readonly action: string | null } | null
}

describe('dead letters and held messages', () => {
  let stage: Stage
  let locationId: string
  let ana: string
  let early: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 0 } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    ana = stage.ghl.contacts.add(locationId, { phone: `+${ANA}` }).id
    await stage.bridge.start()
    await stage.install(locationId)
    // Its delivery is held up at GHL until the number is paired.
    stage.ghl.deliveries.hold()
    early = write('Written before the pairing')
    await stage.pair(locationId, OWNER)
    stage.ghl.deliveries.release()
  })
  afterAll(async () => {
    await stage.strike()
  })

  const write = (message: string, contactId = ana) =>
    stage.ghl.agentReply({ locationId, contactId, message }).messageId
  const list = async (query: string): Promise<readonly MessageView[]> => {
    const answer = await stage.bridge.operator('GET', `/api/messages?locationId=${locationId}&${query}`)
    return ((await answer.json()) as { messages: MessageView[] }).messages // our own contract
  }
  /** The message that GHL knows under this id, once it is in this state. */
  const listed = (ghlMessageId: string, state: string): Promise<MessageView> =>
    waitFor(`a ${state} message`, async () =>
      (await list(`state=${state}`)).find((message) => message.ghlMessageId === ghlMessageId),
    )
  const command = async (id: string, deed: 'retry' | 'discard') =>
    await stage.bridge.operator('POST', `/api/messages/${id}/${deed}`)
  const notesOf = (contactId: string) =>
    stage.ghl
      .messages(locationId)
      .filter((message) => message.contactId === contactId && message.channel === 'InternalComment')
      .map(({ body }) => body)
  const received = (phone: string, text: string) =>
    stage.whatsapp.messages(phone).filter((message) => !message.fromMe && message.text === text)
  const reaches = (phone: string, text: string) =>
    stage.whatsapp.waitForMessage(phone, (message) => !message.fromMe && message.text === text, 15_000)
  /** Delivers a message in the way of GHL's late retry: signed, and with the time at which it was written. */
  async function deliverLate(text: string, ageMs: number): Promise<string> {
    stage.ghl.deliveries.hold()
    const messageId = write(text)
    const post = await waitFor('the delivery', () =>
      stage.ghl.posts().find((each) => each.messageId === messageId && each.target === 'delivery'),
    )
    const payload = JSON.parse(post.body) as object // GHL's own body
    const body = JSON.stringify({ ...payload, timestamp: new Date(Date.now() - ageMs).toISOString() })
    const answer = await fetch(`${stage.bridge.url}/ghl/provider/webhook`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-ghl-signature': stage.ghl.deliveries.sign(body) },
      body,
    })
    expect(answer.status).toBe(200)
    // The one that GHL held up comes as well, and finds the message known.
    stage.ghl.deliveries.release()
    return messageId
  }

  describe('a message to a number that is not on WhatsApp', () => {
    let contactId: string
    let messageId: string
    let dead: MessageView

    it('is failed at GHL, listed as a dead letter, and explained in the conversation', async () => {
      contactId = stage.ghl.contacts.add(locationId, { phone: `+${LATE}` }).id
      messageId = write('Are you coming?', contactId)
      const { error } = await stage.ghl.waitForStatus(messageId, 'failed', 20_000)
      expect(error?.code).toBe('WA_NOT_ON_WHATSAPP')
      dead = await listed(messageId, 'failed')
      expect(dead).toMatchObject({
        direction: 'outbound',
        attempts: 1,
        error: { code: 'WA_NOT_ON_WHATSAPP' },
      })
      await waitFor('the note', () => notesOf(contactId).length > 0)
      expect(notesOf(contactId)).toEqual([
        expect.stringMatching(
          /“Are you coming\?” was not sent\. This phone number is not on WhatsApp/,
        ) as string,
      ])
    })

    it('holds back nothing that is written to others, and nothing behind it', async () => {
      write('You are next')
      await reaches(ANA, 'You are next')
    })

    it('is delivered once when it is retried after the account has appeared, and the conversation says so', async () => {
      stage.whatsapp.addAccount({ phone: LATE, name: 'Late' })
      const answer = await command(dead.id, 'retry')
      expect(answer.status).toBe(200)
      expect(await answer.json()).toMatchObject({ id: dead.id, state: 'queued', error: null })
      const arrived = await reaches(LATE, 'Are you coming?')
      expect(arrived.id).toBe(dead.waMessageId)
      await waitFor('the second note', () => notesOf(contactId).length > 1)
      expect(notesOf(contactId)[1]).toContain('“Are you coming?” was sent on WhatsApp after all')
      expect(await listed(messageId, 'delivered')).toMatchObject({ id: dead.id, error: null })
      // Failed is final at GHL: the note tells what the status cannot.
      expect(stage.ghl.message(messageId)?.status).toBe('failed')
      expect((await command(dead.id, 'retry')).status).toBe(409)
      write('And after that', contactId)
      await reaches(LATE, 'And after that')
      expect(received(LATE, 'Are you coming?')).toHaveLength(1)
      expect(notesOf(contactId)).toHaveLength(2)
    })
  })

  describe('a message that reaches the bridge too late', () => {
    it('is held and not sent, until a person retries it: then it goes once', async () => {
      const messageId = await deliverLate('Two hours late', 2 * HOUR_MS)
      const held = await listed(messageId, 'held')
      expect(held.error).toMatchObject({ code: 'HELD_TOO_OLD', action: expect.any(String) as string })
      // Overtaken by what is written now: nothing waits for it.
      write('Written now')
      await reaches(ANA, 'Written now')
      expect(received(ANA, 'Two hours late')).toEqual([])
      expect(stage.ghl.message(messageId)?.status).toBe('pending')

      expect((await command(held.id, 'retry')).status).toBe(200)
      expect((await reaches(ANA, 'Two hours late')).id).toBe(held.waMessageId)
      await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
      expect(received(ANA, 'Two hours late')).toHaveLength(1)
    })

    it('is dropped by a discard, and GHL shows that it was not sent', async () => {
      const messageId = await deliverLate('Nobody wants this any more', 2 * HOUR_MS)
      const held = await listed(messageId, 'held')
      const answer = await command(held.id, 'discard')
      expect(await answer.json()).toMatchObject({ id: held.id, state: 'ignored' })
      const { error } = await stage.ghl.waitForStatus(messageId, 'failed', 20_000)
      expect(error?.code).toBe('DISCARDED')
      expect((await command(held.id, 'retry')).status).toBe(409)
      write('Something else')
      await reaches(ANA, 'Something else')
      expect(received(ANA, 'Nobody wants this any more')).toEqual([])
    })

    it('is held also when it is only older than the pairing of the number', async () => {
      const held = await listed(early, 'held')
      expect(held.error?.code).toBe('HELD_BEFORE_PAIRING')
      expect(received(ANA, 'Written before the pairing')).toEqual([])
      await command(held.id, 'retry')
      await reaches(ANA, 'Written before the pairing')
    })
  })

  it('tells of a customer’s message that GHL refused, and files it once when it is retried', async () => {
    stage.ghl.faults.add({
      route: 'POST /conversations/messages/inbound',
      effect: { kind: 'status', status: 400, body: { message: 'Not today' } },
    })
    const id = await stage.whatsapp.send(ANA, { to: OWNER, text: 'I will be late' })
    const dead = await waitFor('the dead letter', async () =>
      (await list('state=failed')).find(({ waMessageId }) => waMessageId === id),
    )
    expect(dead).toMatchObject({ direction: 'inbound', ghlMessageId: null, error: { code: 'GHL_REJECTED' } })
    await waitFor('the note', () => notesOf(ana).length > 0)
    expect(notesOf(ana)[0]).toMatch(/“I will be late” from this contact could not be brought here.*Not today/)
    expect((await command(dead.id, 'retry')).status).toBe(200)
    await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    await waitFor('the second note', () => notesOf(ana).length > 1)
    expect(notesOf(ana)[1]).toContain('is in this conversation now')
    expect(stage.ghl.messages(locationId).filter(({ altId }) => altId === id)).toHaveLength(1)
  })

  it('is all in the certificate of the day, which adds up', async () => {
    const id = await stage.whatsapp.send(ANA, { to: OWNER, text: 'Thank you' })
    await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    const read = async () => {
      const answer = await stage.bridge.operator('GET', `/api/ledger/${locationId}`)
      return (await answer.json()) as Record<'inbound' | 'outbound', Record<string, number>> // our own contract
    }
    await waitFor('everything to be delivered', async () => (await read()).outbound['waiting'] === 0)
    const { inbound, outbound } = await read()
    expect(inbound).toEqual({ received: 2, inGhl: 2, waiting: 0, failed: 0, discarded: 0 })
    expect(outbound).toMatchObject({ accepted: 8, sent: 7, failed: 0, discarded: 1, held: 0, waiting: 0 })
  })

  it('gave GHL nothing that it refuses, and no status that goes back', () => {
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})

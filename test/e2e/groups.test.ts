/** Groups end to end: the real server, killed again and again while members talk, and agents who answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const BRUNO = '15551230002'

describe('a group', () => {
  let stage: Stage
  let locationId: string
  let group: string
  let contactId: string

  beforeAll(async () => {
    stage = await Stage.set({
      env: { LOG_LEVEL: 'info' },
      ghl: {
        statusEarlyMs: 0,
        settings: { retry: { maxRetries: 1_000, baseMs: 50, capMs: 200, timeoutMs: 10_000 } },
      },
    })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    stage.whatsapp.addAccount({ phone: BRUNO, name: 'Bruno' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await set({ groups: true })
    await stage.pair(locationId, OWNER)
    group = stage.whatsapp.createGroup({ subject: 'Tulip fans', creator: ANA, members: [OWNER, BRUNO] }).jid
  }, 60_000)
  afterAll(async () => {
    await stage.strike()
  })

  const set = (settings: object) =>
    stage.bridge.operator('PUT', `/ghl/location/${locationId}/settings`, settings)
  const say = (from: string, text: string) => stage.whatsapp.send(from, { to: group, text })
  const inGhl = (id: string) => stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
  const agentWrites = (message: string) => stage.ghl.agentReply({ locationId, contactId, message }).messageId
  const reaches = (phone: string, text: string) =>
    stage.whatsapp.waitForMessage(phone, (message) => message.text === text && message.chat === group, 20_000)
  const contactName = (): string => {
    const { firstName = '', lastName = '' } = stage.ghl.contacts.get(contactId)?.text ?? {}
    return `${firstName} ${lastName}`.trim().toLowerCase()
  }
  const bodies = () => stage.ghl.messages(locationId).map(({ body }) => body)
  const line = (text: string) => waitFor(text, () => bodies().includes(text))

  it('becomes one contact without a phone, called as the group; each line says who speaks', async () => {
    const fromAna = await inGhl(await say(ANA, 'Who has bulbs?'))
    const fromBruno = await inGhl(await say(BRUNO, 'I do.'))
    const typed = await inGhl(await say(OWNER, 'So do we.'))
    contactId = fromAna.contactId
    expect([fromAna, fromBruno, typed].map(({ body, direction }) => [direction, body])).toEqual([
      ['inbound', `Ana (+${ANA}): Who has bulbs?`],
      ['inbound', `Bruno (+${BRUNO}): I do.`],
      ['outbound', 'So do we.'],
    ])
    expect(new Set([fromAna, fromBruno, typed].map((message) => message.contactId)).size).toBe(1)
    expect(stage.ghl.contacts.get(contactId)?.text).not.toHaveProperty('phone')
    expect(contactName()).toBe('tulip fans')
  })

  it('gets an agent’s answer, with ticks from its members', async () => {
    const messageId = agentWrites('We bring them on Friday.')
    const arrived = await reaches(BRUNO, 'We bring them on Friday.')
    await reaches(ANA, 'We bring them on Friday.')
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
    await stage.whatsapp.phone(BRUNO).markRead(group, [arrived.id])
    await stage.ghl.waitForStatus(messageId, 'read', 20_000)
  })

  it('lends its contact a new name, until a person chooses another', async () => {
    stage.whatsapp.renameGroup(group, 'Rose fans')
    await line('[Ana changed the name of the group to “Rose fans”.]')
    expect(contactName()).toBe('rose fans')
    const contact = stage.ghl.contacts.get(contactId)
    Object.assign(contact?.text ?? {}, { firstName: 'Our', lastName: 'gardeners' })
    stage.whatsapp.renameGroup(group, 'Lily fans')
    await line('[Ana changed the name of the group to “Lily fans”.]')
    expect(contactName()).toBe('our gardeners')
  })

  it('loses and doubles nothing, through kill -9 in the middle of the talk', async () => {
    const texts: string[] = []
    const answers: string[] = []
    for (let round = 0; round < 4; round += 1) {
      const talk = (async () => {
        for (let n = 0; n < 6; n += 1) {
          const [from, name] = n % 2 === 0 ? [ANA, 'Ana'] : [BRUNO, 'Bruno']
          const text = `${round}-${n}`
          texts.push(`${name} (+${from}): ${text}`)
          await say(from, text)
        }
      })()
      const answer = `answer ${round}`
      answers.push(answer)
      agentWrites(answer)
      await talk
      await stage.bridge.kill()
      await stage.bridge.start()
    }
    await waitFor('all of it in GHL', () => texts.every((text) => bodies().includes(text)), 40_000)
    for (const answer of answers) for (const phone of [ANA, BRUNO]) await reaches(phone, answer)
    const counted = (all: readonly (string | undefined)[], text: string) =>
      all.filter((each) => each === text).length
    for (const text of texts) expect([text, counted(bodies(), text)]).toEqual([text, 1])
    for (const phone of [ANA, BRUNO]) {
      const read = stage.whatsapp.messages(phone).map(({ text }) => text)
      for (const answer of answers) expect([answer, counted(read, answer)]).toEqual([answer, 1])
    }
    // Each member's words stand in the order in which he said them.
    for (const name of ['Ana', 'Bruno']) {
      const said = texts.filter((text) => text.startsWith(name))
      expect(bodies().filter((body) => said.includes(body))).toEqual(said)
    }
  }, 120_000)

  it('says why an answer does not reach it any more', async () => {
    stage.whatsapp.removeFromGroup(group, OWNER)
    await line('[This number was removed from the group. What is written here does not reach it any more.]')
    const messageId = agentWrites('Are you there?')
    const failed = await stage.ghl.waitForStatus(messageId, 'failed', 20_000)
    expect(failed.error?.message).toContain('not a member of the WhatsApp group any more')
  })

  it('is left alone once groups are switched off, and its answers are refused with the reason', async () => {
    const other = stage.whatsapp.createGroup({ subject: 'Lilies', creator: ANA, members: [OWNER] }).jid
    await set({ groups: false })
    await waitFor('the setting to hold', async () => {
      const id = await stage.whatsapp.send(ANA, { to: other, text: 'anybody?' })
      const marker = await stage.whatsapp.send(ANA, { to: OWNER, text: `after ${id}` })
      await inGhl(marker)
      return !stage.ghl.messages(locationId).some(({ altId }) => altId === id)
    })
    const failed = await stage.ghl.waitForStatus(agentWrites('One more'), 'failed', 20_000)
    expect(failed.error?.message).toContain('groups are switched off')
  })

  it('met nothing unknown', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SandboxGroup } from '../../sandbox/whatsapp/index.ts'
import type { Companion } from './whatsapp-companion.ts'
import { BUSINESS, CUSTOMER, FRIEND, SandboxWorld } from './whatsapp-world.ts'

const LATE = '15551230004'

let world: SandboxWorld
let companion: Companion
let expectedUnknown: Record<string, number>

beforeEach(async () => {
  expectedUnknown = {}
  world = await SandboxWorld.begin()
  companion = await world.paired()
})

afterEach(async () => {
  await world.end(expectedUnknown)
})

/** The JID of a member as the group addresses it. */
function member(group: SandboxGroup, phone: string): string {
  return group.addressing === 'lid' ? world.lid(phone) : `${phone}@s.whatsapp.net`
}

describe.each(['lid', 'pn'] as const)('a group addressed by %s', (addressing) => {
  let group: SandboxGroup
  beforeEach(() => {
    const members = [BUSINESS, CUSTOMER]
    group = world.sandbox.createGroup({ subject: 'Tulip fans', creator: FRIEND, members, addressing })
  })

  it('is told to the companion, and answers its queries', async () => {
    const [heard] = await companion.untilHeard('groups.upsert')
    expect(heard).toMatchObject({ id: group.jid })
    expect(heard).toMatchObject({ subject: 'Tulip fans', addressingMode: addressing })
    const participants = [FRIEND, BUSINESS, CUSTOMER].map((phone) => member(group, phone))
    const metadata = await companion.socket.groupMetadata(group.jid)
    expect(metadata).toMatchObject({ id: group.jid, subject: 'Tulip fans', owner: participants[0], size: 3 })
    expect(metadata.participants.map(({ id }) => id)).toEqual(participants)
    expect(Object.keys(await companion.socket.groupFetchAllParticipating())).toEqual([group.jid])
  })

  it('carries what a member says to all, under a sender key that is given out once', async () => {
    for (const text of ['first', 'second', 'third']) {
      const id = await world.sandbox.send(CUSTOMER, { to: group.jid, text })
      const received = await companion.untilMessage(({ key }) => key.id === id)
      expect(received).toMatchObject({
        key: { remoteJid: group.jid, participant: member(group, CUSTOMER), fromMe: false },
        message: { conversation: text },
        pushName: 'Casey Customer',
      })
      const other = addressing === 'lid' ? `${CUSTOMER}@s.whatsapp.net` : world.lid(CUSTOMER)
      expect(received.key.participantAlt).toBe(other)
      await world.sandbox.waitForMessage(
        FRIEND,
        (message) => message.id === id && message.text === text && message.chat === group.jid,
      )
    }
    const customer = world.sandbox.phone(CUSTOMER)
    await customer.waitForReceipt(({ from, fromDevice }) => from === BUSINESS && fromDevice === 1)
    await customer.waitForReceipt(({ from }) => from === FRIEND)
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })

  it('carries what the companion says to every member, and gives it their receipts', async () => {
    for (const text of ['hello all', 'and again']) {
      const sent = await companion.socket.sendMessage(group.jid, { text })
      for (const phone of [CUSTOMER, FRIEND, BUSINESS]) {
        const arrived = await world.sandbox.waitForMessage(phone, ({ id }) => id === sent?.key.id)
        expect(arrived).toMatchObject({ text, chat: group.jid, from: BUSINESS, fromDevice: 1, addressing })
      }
      const readers = await companion.untilGroupReceipts(sent?.key.id ?? '', [
        member(group, CUSTOMER),
        member(group, FRIEND),
      ])
      expect(readers.every(({ receipt }) => receipt.receiptTimestamp)).toBe(true)
      await world.sandbox.phone(CUSTOMER).markRead(group.jid)
      await companion.until('the read receipt', () =>
        companion.groupReceipts.find(
          ({ key, receipt }) => key.id === sent?.key.id && receipt.readTimestamp && receipt.userJid,
        ),
      )
    }
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })

  it('copies to the companion what the owner types on the phone', async () => {
    const id = await world.sandbox.send(BUSINESS, { to: group.jid, text: 'from my pocket' })
    const copy = await companion.untilMessage(({ key }) => key.id === id)
    expect(copy).toMatchObject({
      key: { fromMe: true, remoteJid: group.jid },
      message: { conversation: 'from my pocket' },
    })
  })

  it('is read by the companion, which the author sees', async () => {
    const id = await world.sandbox.send(CUSTOMER, { to: group.jid, text: 'read me' })
    const received = await companion.untilMessage(({ key }) => key.id === id)
    await companion.socket.readMessages([received.key])
    const receipt = await world.sandbox.phone(CUSTOMER).waitForReceipt(({ type }) => type === 'read')
    expect(receipt).toMatchObject({ messageId: id, from: BUSINESS, fromDevice: 1 })
  })

  it('gives a message again to the one device that cannot decrypt it', async () => {
    const id = await world.sandbox.send(CUSTOMER, { to: group.jid, text: 'second try', corrupt: true })
    await companion.untilMessage(
      ({ key, message }) => key.id === id && message?.conversation === 'second try',
    )
    await world.sandbox.waitForMessage(FRIEND, (message) => message.id === id)
    expect(world.sandbox.stats().retriesRequested).toBeGreaterThan(0)
    const next = await world.sandbox.send(CUSTOMER, { to: group.jid, text: 'next' })
    await companion.untilMessage(({ key, message }) => key.id === next && message?.conversation === 'next')
  })

  it('asks the companion again when a member has lost its sessions', async () => {
    await companion.socket.sendMessage(group.jid, { text: 'first' })
    await world.sandbox.waitForMessage(CUSTOMER, ({ text }) => text === 'first')
    world.sandbox.phone(CUSTOMER).signal.forgetSessions()
    await companion.socket.sendMessage(group.jid, { text: 'second' })
    await world.sandbox.waitForMessage(CUSTOMER, ({ text }) => text === 'second')
    expect(world.sandbox.stats().retriesRequested).toBeGreaterThan(0)
  })

  it('delivers in order what was said while the companion was away', async () => {
    await companion.close()
    await world.sandbox.waitForCompanion(BUSINESS, false)
    const texts = ['one', 'two', 'three']
    for (const text of texts) await world.sandbox.send(CUSTOMER, { to: group.jid, text })
    await companion.login()
    await companion.untilMessage(({ message }) => message?.conversation === 'three')
    const heard = companion.messages.flatMap(({ message: { message } }) => message?.conversation ?? [])
    expect(heard).toEqual(texts)
  })

  it('takes members in and out, and a new name, and tells the companion', async () => {
    world.sandbox.addAccount({ phone: LATE, name: 'Lee Late' })
    await world.sandbox.send(CUSTOMER, { to: group.jid, text: 'before Lee' })
    world.sandbox.addToGroup(group.jid, LATE, CUSTOMER)
    world.sandbox.renameGroup(group.jid, 'Rose fans', CUSTOMER)
    await companion.untilHeard('groups.update', (updates) =>
      updates.some(({ id, subject }) => id === group.jid && subject === 'Rose fans'),
    )
    await world.sandbox.send(CUSTOMER, { to: group.jid, text: 'hello Lee' })
    await world.sandbox.waitForMessage(LATE, ({ text }) => text === 'hello Lee')
    await companion.socket.sendMessage(group.jid, { text: 'hello too' })
    await world.sandbox.waitForMessage(LATE, ({ text }) => text === 'hello too')
    expect(world.sandbox.messages(LATE)).toHaveLength(2)

    world.sandbox.removeFromGroup(group.jid, LATE)
    const left = await companion.untilHeard('group-participants.update', ({ action }) => action === 'remove')
    expect(left.participants.map(({ id }) => id)).toEqual([member(group, LATE)])
    const id = await world.sandbox.send(CUSTOMER, { to: group.jid, text: 'without Lee' })
    await companion.untilMessage(
      ({ key, message }) => key.id === id && message?.conversation === 'without Lee',
    )
    expect(world.sandbox.messages(LATE)).toHaveLength(2)
    await expect(world.sandbox.send(LATE, { to: group.jid, text: 'let me in' })).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    })
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })
})

it('tells a companion nothing about a group that its account is not in', async () => {
  const group = world.sandbox.createGroup({ subject: 'Private', creator: FRIEND, members: [CUSTOMER] })
  await expect(companion.socket.groupMetadata(group.jid)).rejects.toThrow('forbidden')
  await expect(companion.socket.groupMetadata('120363000000000000@g.us')).rejects.toThrow('item-not-found')
  expect(await companion.socket.groupFetchAllParticipating()).toEqual({})
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SandboxGroup } from '../../../sandbox/whatsapp/index.ts'
import { type ChatJid, parseChatJid, type SessionId } from '../../../src/core/ids.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/settings.ts'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, OWNER, World } from './world.ts'

const BRUNO = '15551230002'
const CARLA = '15551230003'

let world: World
let session: SessionId
let group: SandboxGroup
let chat: ChatJid

beforeEach(async () => {
  world = await World.begin()
  world.sandbox.addAccount({ phone: BRUNO, name: 'Bruno' })
  world.sandbox.addAccount({ phone: CARLA, name: 'Carla' })
  world.locationSettings = { ...DEFAULT_SETTINGS, groups: true }
  session = await world.paired()
})
afterEach(async () => {
  await world.end()
})

function begin(addressing: 'lid' | 'pn' = 'lid'): void {
  group = world.sandbox.createGroup({
    subject: 'Tulip fans',
    creator: ANA,
    members: [OWNER, BRUNO],
    addressing,
  })
  chat = parseChatJid(group.jid)
}

const say = (from: string, text: string) => world.sandbox.send(from, { to: group.jid, text })
const arrives = (phone: string, text: string) =>
  world.sandbox.waitForMessage(phone, (message) => message.text === text && message.chat === group.jid)
const noticed = (text: string) =>
  waitFor(text, () =>
    world.inbox.accepted.find(({ content }) => content.kind === 'notice' && content.text === text),
  )

/** Counts the questions about groups. */
function countQuestions(): { count: number } {
  const questions = { count: 0 }
  world.wire.pass = ({ direction, account, deviceId, stanza }, forward) => {
    const isQuestion = stanza.tag === 'iq' && stanza.attrs['xmlns'] === 'w:g2'
    if (isQuestion && direction === 'in' && account === OWNER && deviceId > 0) questions.count += 1
    forward()
  }
  return questions
}

describe.each(['lid', 'pn'] as const)('a group addressed by %s', (addressing) => {
  beforeEach(() => {
    begin(addressing)
  })

  it('comes with its speakers, names and numbers; what the business typed itself is from us', async () => {
    await say(ANA, 'hello all')
    await say(BRUNO, 'hi')
    await say(OWNER, 'typed on the phone')
    await world.accepted('hello all', 'hi', 'typed on the phone')
    const heard = world.inbox.accepted.filter(({ content }) => content.kind === 'text')
    expect(heard.map(({ fromMe, pushName, authorPhone }) => ({ fromMe, pushName, authorPhone }))).toEqual([
      { fromMe: false, pushName: 'Ana', authorPhone: `+${ANA}` },
      { fromMe: false, pushName: 'Bruno', authorPhone: `+${BRUNO}` },
      { fromMe: true, pushName: 'Dental Care', authorPhone: `+${OWNER}` },
    ])
    expect(heard.every((envelope) => envelope.chat === chat && envelope.chatAlt === undefined)).toBe(true)
    expect(world.sandbox.stats().retriesRequested).toBe(0)
    await waitFor('the journal to be settled', () => world.signal.sizes(session).unsettled === 0)
  })

  it('is written to, and its members’ receipts are heard, without a question per message', async () => {
    const questions = countQuestions()
    const first = await world.sendTo(session, chat, 'hello all')
    await world.sendTo(session, chat, 'and again')
    for (const phone of [ANA, BRUNO, OWNER]) await arrives(phone, 'and again')
    expect(questions.count).toBe(1)
    await waitFor('a delivery', () =>
      world.receipts.some(({ ids, state }) => state === 'delivered' && ids.includes(first)),
    )
    await world.sandbox.phone(BRUNO).markRead(group.jid)
    await waitFor('a reader', () =>
      world.receipts.some(({ ids, state }) => state === 'read' && ids.includes(first)),
    )
    // Somebody comes: asked once more, and he gets it too.
    world.sandbox.addToGroup(group.jid, CARLA)
    await noticed('[Ana added +15551230003 to the group.]')
    await world.sendTo(session, chat, 'welcome')
    await world.sendTo(session, chat, 'Carla')
    await arrives(CARLA, 'Carla')
    expect(questions.count).toBe(2)
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })

  it('answers a member who could not read a message', async () => {
    await world.sendTo(session, chat, 'first')
    await arrives(BRUNO, 'first')
    const bruno = world.sandbox.phone(BRUNO)
    bruno.goOffline()
    await world.sendTo(session, chat, 'second')
    await world.sessions.stop()
    await world.reborn()
    await world.untilReady(session)
    bruno.signal.forgetSessions()
    bruno.goOnline()
    await arrives(BRUNO, 'second')
    expect(world.sandbox.stats().retriesRequested).toBeGreaterThan(0)
    expect(world.sandbox.messages(ANA).filter(({ text }) => text === 'second')).toHaveLength(1)
    expect(world.findComposed.length).toBeGreaterThan(0)
  })

  it('has a message that we could not read sent again, once', async () => {
    await say(ANA, 'first')
    await world.accepted('first')
    await world.sandbox.send(ANA, { to: group.jid, text: 'second', corrupt: true })
    await world.accepted('second')
    await say(ANA, 'third')
    await world.accepted('third')
    expect(world.inbox.texts).toEqual(['first', 'second', 'third'])
    const second = world.inbox.accepted.find(
      ({ content }) => content.kind === 'text' && content.text === 'second',
    )
    expect(second?.author).toBe(world.inbox.accepted[0]?.author)
    await waitFor('the journal to be settled', () => world.signal.sizes(session).unsettled === 0)
  })

  it('keeps its keys over a start: nothing has to be sent again, either way', async () => {
    await say(ANA, 'before')
    await world.sendTo(session, chat, 'ours before')
    await world.accepted('before')
    await world.sessions.stop()
    await say(ANA, 'meanwhile')
    await world.reborn()
    await world.untilReady(session)
    await say(ANA, 'after')
    await world.sendTo(session, chat, 'ours after')
    await world.accepted('before', 'meanwhile', 'after')
    for (const phone of [ANA, BRUNO]) await arrives(phone, 'ours after')
    expect(world.inbox.texts).toEqual(['before', 'meanwhile', 'after'])
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })

  it('tells in a line what happens in it', async () => {
    await say(ANA, 'hello')
    await world.accepted('hello')
    world.sandbox.renameGroup(group.jid, 'Rose fans')
    expect(await noticed('[Ana changed the name of the group to “Rose fans”.]')).toMatchObject({
      chat,
      author: chat,
      groupSubject: 'Rose fans',
    })
    world.sandbox.removeFromGroup(group.jid, BRUNO, BRUNO)
    await noticed('[Bruno left the group.]')
    world.sandbox.removeFromGroup(group.jid, OWNER)
    await noticed(
      '[This number was removed from the group. What is written here does not reach it any more.]',
    )
    await expect(world.sendTo(session, chat, 'anybody?')).rejects.toMatchObject({
      code: 'WA_NOT_IN_GROUP',
      disposition: 'dead',
    })
    expect(world.sandbox.messages(ANA).filter(({ text }) => text === 'anybody?')).toEqual([])
  })
})

describe('groups', () => {
  it('have their names asked for', async () => {
    begin()
    expect(await world.sessions.findGroup(session, chat)).toMatchObject({ subject: 'Tulip fans' })
    expect(await world.sessions.findGroup(session, await world.chatWithAna(session))).toBeUndefined()
  })

  it('are ignored, and counted, where the location wants none', async () => {
    world.locationSettings = DEFAULT_SETTINGS
    begin()
    await say(ANA, 'hello all')
    world.sandbox.renameGroup(group.jid, 'Rose fans')
    await world.fromAna('hello you')
    await world.accepted('hello you')
    await waitFor(
      'both to be counted',
      () => world.ignored.filter((reason) => reason === 'group').length >= 2,
    )
    expect(world.inbox.accepted).toHaveLength(1)
    await waitFor('the journal to be settled', () => world.signal.sizes(session).unsettled === 0)
  })

  it('lose nothing when the store is away between the key and the message', async () => {
    begin()
    const door = world.door()
    world.inbox.gate = () => door.pass()
    await say(ANA, 'one')
    await say(BRUNO, 'two')
    await door.knocked
    const stopped = world.sessions.stop()
    world.inbox.gate = () => undefined
    door.open()
    await stopped
    await world.reborn()
    await world.accepted('one', 'two')
    expect(world.inbox.texts.toSorted()).toEqual(['one', 'two'])
  })

  it('hear an event again that could not be recorded', async () => {
    begin()
    await say(ANA, 'hello')
    await world.accepted('hello')
    const door = world.door()
    let isHeld = false
    world.inbox.gate = async ({ content }) => {
      if (content.kind !== 'notice' || isHeld) return
      isHeld = true
      await door.pass()
      throw new Error('killed')
    }
    world.sandbox.renameGroup(group.jid, 'Rose fans')
    await door.knocked
    const stopped = world.sessions.stop()
    door.open()
    await stopped
    await world.reborn()
    await noticed('[Ana changed the name of the group to “Rose fans”.]')
  })
})

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SessionId } from '../../../src/core/ids.ts'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, OWNER, World } from './world.ts'

const MINUTE_MS = 60_000

let world: World

beforeEach(async () => {
  world = await World.begin()
})
afterEach(async () => {
  await world.end()
})

/** WhatsApp counts whole seconds: a message of the second of pairing may have come before it. */
async function nextSecond(): Promise<void> {
  const second = Math.floor(Date.now() / 1_000)
  await waitFor('the next second', () => Math.floor(Date.now() / 1_000) > second)
}

async function pairedBefore(): Promise<SessionId> {
  const session = await world.paired()
  await nextSecond()
  return session
}

/** A message that the network fails to deliver to the bridge; the phones have it. */
async function lost(text: string, from = ANA, to = OWNER): Promise<void> {
  const id = await world.sandbox.send(from, { to, text, phonesOnly: true })
  await world.sandbox.waitForMessage(OWNER, (message) => message.id === id)
}

/** The connection breaks, and is back after so long. */
async function away(session: SessionId, ms: number, meanwhile: () => Promise<void>): Promise<void> {
  const before = world.sandbox.stats().logins
  world.sandbox.refuseLogins(OWNER, 503)
  world.sandbox.disconnect(OWNER)
  await world.sandbox.waitForCompanion(OWNER, false)
  await world.until(session, ({ status }) => status !== 'ready')
  await meanwhile()
  world.clock.nowMs = () => Date.now() + ms
  world.sandbox.refuseLogins(OWNER, undefined)
  await waitFor('the login', () => world.sandbox.stats().logins > before)
  await world.untilReady(session)
}

/** Counts what the bridge asks its phone for. */
function countQuestions(): { count: number } {
  const questions = { count: 0 }
  world.wire.pass = ({ direction, account, deviceId, stanza }, forward) => {
    const isPeer = stanza.tag === 'message' && stanza.attrs['category'] === 'peer'
    if (isPeer && direction === 'in' && account === OWNER && deviceId > 0) questions.count += 1
    forward()
  }
  return questions
}

/** The server is slow with what waited for the bridge, its own phone's words excepted. */
function holdQueue() {
  const held: (() => void)[] = []
  const slow = {
    /** What the phone told from memory, as far as Baileys has read it. */
    answers: 0,
    release: () => {
      world.wire.pass = (_passage, forward) => forward()
      for (const forward of held) forward()
    },
  }
  world.wire.pass = ({ direction, account, deviceId, stanza }, forward) => {
    const isOut = direction === 'out' && account === OWNER && deviceId > 0
    const isPeer = stanza.tag === 'message' && stanza.attrs['category'] === 'peer'
    if (direction === 'in' && stanza.tag === 'receipt' && stanza.attrs['type'] === 'hist_sync')
      slow.answers += 1
    const isEnd = stanza.tag === 'ib' && JSON.stringify(stanza.content).includes('"tag":"offline"')
    if (isOut && (isEnd || (stanza.tag === 'message' && !isPeer))) held.push(forward)
    else forward()
  }
  return slow
}

describe('after an absence, the first message of a chat', () => {
  it('brings by history what was never delivered, in either direction, once', async () => {
    const session = await pairedBefore()
    await world.fromAna('one')
    await world.accepted('one')
    const questions = countQuestions()
    await away(session, 2 * MINUTE_MS, async () => {
      await lost('two')
      await lost('typed on the phone', OWNER, ANA)
      await world.fromAna('three')
    })
    await world.accepted('one', 'two', 'typed on the phone', 'three')
    await world.fromAna('four')
    await world.accepted('four')
    await world.settled()
    expect(world.inbox.texts.toSorted()).toEqual(['four', 'one', 'three', 'two', 'typed on the phone'])
    expect(world.inbox.texts.indexOf('two')).toBeLessThan(world.inbox.texts.indexOf('typed on the phone'))
    const typed = world.inbox.accepted.filter(({ fromMe }) => fromMe)
    expect(typed).toMatchObject([{ content: { text: 'typed on the phone' } }])
    expect(new Set(world.inbox.accepted.map(({ chat, chatAlt }) => `${chat} ${chatAlt ?? ''}`)).size).toBe(1)
    expect(questions.count).toBe(1)
  })

  it('does so after a start of the server too', async () => {
    const session = await pairedBefore()
    await world.sessions.stop()
    await lost('unheard')
    await world.reborn()
    await world.untilReady(session)
    await world.fromAna('hello?')
    await world.accepted('hello?', 'unheard')
    expect(world.inbox.texts.toSorted()).toEqual(['hello?', 'unheard'])
  })

  it('does so when it is one of ours', async () => {
    const session = await pairedBefore()
    await away(session, 2 * MINUTE_MS, () => lost('unheard'))
    await world.sendTo(session, await world.chatWithAna(session), 'are you there?')
    await world.accepted('unheard')
    expect(world.inbox.texts.filter((text) => text === 'unheard')).toHaveLength(1)
  })

  it('brings nothing before its turn: what waits at the server comes first, however slowly', async () => {
    const session = await pairedBefore()
    const texts = Array.from({ length: 60 }, (_, index) => `message ${index}`)
    const slow = holdQueue()
    await away(session, 2 * MINUTE_MS, async () => {
      for (const text of texts) await world.fromAna(text)
    })
    await world.sendTo(session, await world.chatWithAna(session), 'sorry, we were away')
    await waitFor('the phone’s memory', () => slow.answers > 0)
    expect(world.inbox.texts).toEqual([])
    slow.release()
    await world.accepted(...texts)
    expect(world.inbox.texts).toEqual(texts)
  })

  it('leads to no question when the absence was short', async () => {
    const session = await pairedBefore()
    const questions = countQuestions()
    await away(session, 0, () => lost('unheard'))
    await world.fromAna('hello?')
    await world.accepted('hello?')
    await world.sandbox.pushHistory(OWNER)
    await world.accepted('unheard')
    expect(questions.count).toBe(0)
  })

  it('changes nothing when the phone does not answer', async () => {
    const session = await pairedBefore()
    const questions = countQuestions()
    world.sandbox.phone(OWNER).goOffline()
    await away(session, 2 * MINUTE_MS, () => Promise.resolve())
    await world.fromAna('hello?')
    await waitFor('the question', () => questions.count === 1)
    await world.fromAna('anybody?')
    await world.accepted('hello?', 'anybody?')
    expect(world.inbox.texts).toEqual(['hello?', 'anybody?'])
    expect(await world.snapshot(session)).toMatchObject({ status: 'ready', problem: null })
    expect(questions.count).toBe(1)
  })
})

describe('history that comes by itself', () => {
  it('brings what was never delivered, oldest first, and doubles nothing', async () => {
    await pairedBefore()
    await world.fromAna('known')
    await world.accepted('known')
    await lost('first')
    await lost('second')
    await lost('third', OWNER, ANA)
    const offered = world.inbox.offered
    await world.sandbox.pushHistory(OWNER)
    await world.accepted('first', 'second', 'third')
    expect(world.inbox.texts).toEqual(['known', 'first', 'second', 'third'])
    expect(world.inbox.offered - offered).toBe(4)
    await world.sandbox.pushHistory(OWNER)
    await world.fromAna('afterwards')
    await world.accepted('afterwards')
    expect(world.inbox.texts).toEqual(['known', 'first', 'second', 'third', 'afterwards'])
  })

  it('brings nothing from before the pairing', async () => {
    await world.sandbox.send(ANA, { to: OWNER, text: 'long ago' })
    await world.sandbox.waitForMessage(OWNER, ({ text }) => text === 'long ago')
    await nextSecond()
    await pairedBefore()
    await lost('today')
    await world.sandbox.pushHistory(OWNER)
    await world.accepted('today')
    expect(world.inbox.texts).toEqual(['today'])
    expect(world.inbox.offered).toBe(1)
  })

  it('brings nothing older than some hours', async () => {
    const session = await pairedBefore()
    await lost('this morning')
    const morningMs = Date.now()
    await nextSecond()
    world.clock.nowMs = () => morningMs + 6 * 60 * MINUTE_MS
    await lost('just now')
    await world.sandbox.pushHistory(OWNER)
    await world.accepted('just now')
    expect(world.inbox.texts).toEqual(['just now'])
    expect((await world.snapshot(session)).status).toBe('ready')
  })

  it('leaves out notes to oneself', async () => {
    await pairedBefore()
    await lost('a note', OWNER, OWNER)
    await lost('a word')
    await world.sandbox.pushHistory(OWNER)
    await world.accepted('a word')
    expect(world.inbox.texts).toEqual(['a word'])
  })
})

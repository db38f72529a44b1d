/** WhatsApp's reach-out lock: the number is connected, and may begin no chats until the hour WhatsApp names. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ChatJid, pnOfPhone, type SessionId } from '../../../src/core/ids.ts'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, LOCATION, OWNER, World } from './world.ts'

const STRANGER = '15551230003'
const HOUR_MS = 3_600_000

let world: World
let session: SessionId
let stranger: ChatJid
/** Messages that the bridge's device has put on the wire. */
let tried: number

beforeEach(async () => {
  world = await World.begin()
  world.sandbox.addAccount({ phone: STRANGER, name: 'Sam Stranger' })
  session = await world.paired()
  await world.fromAna('hello')
  await world.accepted('hello')
  const found = await world.sessions.findOnWhatsApp(session, pnOfPhone(`+${STRANGER}`))
  stranger = found?.chat ?? pnOfPhone(`+${STRANGER}`)
  world.clock.longestMs = 60_000
  tried = 0
  world.wire.pass = ({ direction, account, deviceId, stanza }, forward) => {
    if (direction === 'in' && account === OWNER && deviceId > 0 && stanza.tag === 'message') tried += 1
    forward()
  }
})
afterEach(async () => {
  await world.end()
})

async function lock(): Promise<string> {
  const until = new Date(Math.ceil((Date.now() + HOUR_MS) / 1_000) * 1_000)
  world.sandbox.lockReachOut(OWNER, until)
  return until.toISOString()
}

const noticed = () => world.until(session, ({ notice }) => notice !== null, 'the notice')

describe('the reach-out lock', () => {
  it('shows its hour on a number that is ready, stops first contacts only, and tries each of them once', async () => {
    const until = await lock()
    expect(await noticed()).toMatchObject({
      status: 'ready',
      problem: null,
      notice: { code: 'REACH_OUT_LOCKED', until },
    })
    for (let times = 0; times < 3; times += 1) {
      const refused: unknown = await world
        .sendTo(session, stranger, 'an offer')
        .catch((thrown: unknown) => thrown)
      expect(refused).toMatchObject({ code: 'WA_REACHOUT_LOCKED', certainty: 'not_sent' })
      const { retryAfterMs } = refused as { retryAfterMs: number }
      expect(Math.abs(Date.parse(until) - Date.now() - retryAfterMs)).toBeLessThan(5_000)
    }
    expect(tried).toBe(1)
    await expect(world.sessions.findOnWhatsApp(session, pnOfPhone('+15551230004'))).rejects.toMatchObject({
      code: 'WA_REACHOUT_LOCKED',
    })
    await world.sendTo(session, await chatOfAna(), 'a reply')
    await world.sandbox.waitForMessage(ANA, ({ text }) => text === 'a reply')
  })

  it('lets a stranger be answered as soon as he has written', async () => {
    await lock()
    await noticed()
    await expect(world.sendTo(session, stranger, 'an offer')).rejects.toMatchObject({
      code: 'WA_REACHOUT_LOCKED',
    })
    const wakes = world.ready.length
    await world.sandbox.send(STRANGER, { to: OWNER, text: 'who are you?' })
    await world.accepted('who are you?')
    await waitFor('what waited to be woken', () => world.ready.length > wakes)
    await world.sendTo(session, stranger, 'an answer')
    await world.sandbox.waitForMessage(STRANGER, ({ text }) => text === 'an answer')
  })

  it('is over when WhatsApp lifts it, also while nobody listened, and wakes what waited', async () => {
    await lock()
    await noticed()
    await expect(world.sendTo(session, stranger, 'an offer')).rejects.toMatchObject({
      code: 'WA_REACHOUT_LOCKED',
    })
    const wakes = world.ready.length
    world.sandbox.lockReachOut(OWNER, undefined)
    await world.until(session, ({ notice }) => notice === null)
    await waitFor('what waited to be woken', () => world.ready.length > wakes)
    await world.sendTo(session, stranger, 'an offer, later')
    await lock()
    await noticed()
    await world.sessions.stop()
    expect(world.rows.rows.get(session)?.notice).toBeDefined()
    world.sandbox.lockReachOut(OWNER, undefined)
    await world.reborn()
    await waitFor('the end of the notice', () => world.rows.rows.get(session)?.notice === undefined)
  })

  it('ends by itself at its hour', async () => {
    world.clock.longestMs = 30
    world.clock.sleeps.length = 0
    const wakes = world.ready.length
    await lock()
    await waitFor('what waited to be woken', () => world.ready.length > wakes)
    expect(world.rows.rows.get(session)?.notice).toBeUndefined()
    expect(Math.max(...world.clock.sleeps)).toBeGreaterThan(HOUR_MS - 10_000)
  })

  it('is not assumed where only one message was refused', async () => {
    const wakes = world.ready.length
    world.sandbox.refuseMessages(OWNER, 463)
    await expect(world.sendTo(session, stranger, 'an offer')).rejects.toMatchObject({
      code: 'WA_REACHOUT_LOCKED',
      retryAfterMs: HOUR_MS,
    })
    expect(await world.sessions.find(LOCATION, session)).toMatchObject({ status: 'ready', notice: null })
    expect(world.ready).toHaveLength(wakes)
  })
})

async function chatOfAna(): Promise<ChatJid> {
  const chat = world.inbox.accepted.find(({ content }) => content.kind === 'text')?.chat
  if (chat === undefined) throw new Error('Ana has not written')
  return chat
}

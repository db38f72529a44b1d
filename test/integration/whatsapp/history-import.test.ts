import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../../../src/core/settings.ts'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, OWNER, World } from './world.ts'

const BRUNO = '15551230002'

let world: World

beforeEach(async () => {
  world = await World.begin()
  world.sandbox.addAccount({ phone: BRUNO, name: 'Bruno' })
  world.locationSettings = { ...DEFAULT_SETTINGS, historyDays: 30 }
})
afterEach(async () => {
  await world.end()
})

/** Said before the bridge was there; WhatsApp counts whole seconds, so that what follows comes in a later one. */
async function longAgo(
  ...said: readonly (readonly [from: string, to: string, text: string])[]
): Promise<void> {
  for (const [from, to, text] of said) {
    const id = await world.sandbox.send(from, { to, text })
    await world.sandbox.waitForMessage(OWNER, (message) => message.id === id)
  }
  const second = Math.floor(Date.now() / 1_000)
  await waitFor('the next second', () => Math.floor(Date.now() / 1_000) > second)
}

const imported = (...texts: string[]) =>
  waitFor(`${texts.join(', ')} to be recorded`, () =>
    texts.every((text) => world.history.texts.includes(text)),
  )

describe('the past of a number that is paired', () => {
  it('is recorded for the import, in the order of each chat, either direction, once', async () => {
    await longAgo([ANA, OWNER, 'one'], [OWNER, ANA, 'two'], [BRUNO, OWNER, 'hi'], [ANA, OWNER, 'three'])
    const session = await world.paired()
    await imported('one', 'two', 'three', 'hi')
    const ana = world.sandbox.phone(ANA).account.lidUser
    const withAna = world.history.accepted.filter(({ chat }) => chat === `${ana}@lid`)
    expect(withAna.map(({ content, fromMe }) => [content, fromMe])).toEqual([
      [{ kind: 'text', text: 'one' }, false],
      [{ kind: 'text', text: 'two' }, true],
      [{ kind: 'text', text: 'three' }, false],
    ])
    const times = withAna.map(({ sentAt }) => sentAt.getTime())
    expect(times).toEqual(times.toSorted((one, other) => one - other))
    expect(new Set(times).size).toBe(3)
    expect(world.history.accepted.every(({ isHistory }) => isHistory === true)).toBe(true)
    // Pushed once more, it is known; and what was said since takes the way of live messages.
    await world.fromAna('today')
    await world.accepted('today')
    await world.sandbox.pushHistory(OWNER)
    await waitFor('the journal to be settled', () => world.signal.sizes(session).unsettled === 0)
    expect(world.history.texts).toHaveLength(4)
    expect(world.inbox.texts).toEqual(['today'])
  })

  it('is left where it is when the location wants none', async () => {
    world.locationSettings = DEFAULT_SETTINGS
    await longAgo([ANA, OWNER, 'one'])
    const session = await world.paired()
    await world.fromAna('today')
    await world.accepted('today')
    await waitFor('the journal to be settled', () => world.signal.sizes(session).unsettled === 0)
    expect(world.history.accepted).toEqual([])
    expect(world.inbox.texts).toEqual(['today'])
  })

  it('holds nothing live back, however long it takes', async () => {
    await longAgo([ANA, OWNER, 'one'])
    const door = world.door()
    world.history.gate = () => door.pass()
    await world.paired()
    await door.knocked
    await world.fromAna('today')
    await world.accepted('today')
    expect(world.history.texts).toEqual([])
    door.open()
    await imported('one')
  })

  it('survives a stop between the receipt and the record: the piece stands in the journal', async () => {
    await longAgo([ANA, OWNER, 'one'], [ANA, OWNER, 'two'])
    const door = world.door()
    world.history.gate = async () => {
      await door.pass()
      throw new Error('killed')
    }
    const session = await world.paired()
    await door.knocked
    const stopped = world.sessions.stop()
    door.open()
    await stopped
    expect(world.history.texts).toEqual([])
    expect(world.signal.sizes(session).unsettled).toBe(1)
    world.history.gate = () => undefined
    await world.reborn()
    await imported('one', 'two')
    await waitFor('the journal to be settled', () => world.signal.sizes(session).unsettled === 0)
    expect(world.history.texts).toEqual(['one', 'two'])
  })
})

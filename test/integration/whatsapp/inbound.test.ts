import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import type { Door } from '../../support/memory-stores.ts'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, OWNER, World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await World.begin()
})
afterEach(async () => {
  await world.end()
})

const storeIsAway = () => new StoreError('STORE_UNAVAILABLE', 'The database cannot be reached')

describe('a tick means saved', () => {
  it('holds the delivery receipt back until the journal is durable', async () => {
    await world.paired()
    const door = world.door()
    world.signal.gate = ({ journal }) => (journal === undefined ? undefined : gateOf(journal, door))
    const id = await world.fromAna('hello')
    await door.knocked
    expect(world.ticks(id)).toBe(0)
    expect(world.inbox.offered).toBe(0)
    door.open()
    await world.accepted('hello')
    await waitFor('the tick', () => world.ticks(id) === 1)
  })

  it('journals the message in the very write that moves the ratchet and spends the pre-key', async () => {
    const session = await world.paired()
    const id = await world.fromAna('first contact')
    await world.accepted('first contact')
    const writes = world.signal.writes.filter(({ journal }) => journal?.some((row) => row.waMessageId === id))
    expect(writes).toHaveLength(1)
    const kinds = writes[0]?.keys?.map(({ kind, value }) => `${kind}${value === null ? ' deleted' : ''}`)
    expect(kinds?.sort()).toEqual(['identity-key', 'pre-key deleted', 'session'])
    await waitFor('the journal to be settled', () => world.signal.sizes(session).unsettled === 0)
  })

  it('waits for a store that is away, tells WhatsApp nothing, and goes on when it is back', async () => {
    await world.paired()
    let isAway = true
    world.signal.gate = () => {
      if (isAway) throw storeIsAway()
    }
    world.signal.readGate = () => {
      if (isAway) throw storeIsAway()
    }
    const first = await world.fromAna('one')
    const second = await world.fromAna('two')
    await waitFor('several attempts', () => world.clock.sleeps.length > 4)
    expect([world.ticks(first), world.ticks(second)]).toEqual([0, 0])
    isAway = false
    await world.accepted('one', 'two')
    expect(world.inbox.texts).toEqual(['one', 'two'])
    expect(world.sandbox.stats()).toMatchObject({ retriesRequested: 0, logins: 1 })
  })
})

describe('between journal and record', () => {
  it('replays after a kill, in order, before anything new, each message once', async () => {
    const session = await world.paired()
    world.inbox.gate = () => new Promise(() => undefined)
    const ids = [await world.fromAna('one'), await world.fromAna('two'), await world.fromAna('three')]
    await waitFor('the ticks', () => ids.every((id) => world.ticks(id) === 1))
    expect(world.inbox.accepted).toEqual([])
    expect(world.signal.sizes(session).unsettled).toBe(3)

    world.inbox.gate = () => undefined
    world.sandbox.disconnect(OWNER)
    // The dead one writes no more after this: it waits for ever for what it has in hand.
    await world.until(session, ({ status }) => status !== 'ready')
    const three = world.inbox.offered
    await world.reborn()
    await world.accepted('one', 'two', 'three')
    await world.untilReady(session)
    await world.fromAna('four')
    await world.accepted('four')
    expect(world.inbox.texts).toEqual(['one', 'two', 'three', 'four'])
    expect(world.inbox.offered - three).toBe(4)
    expect(world.signal.sizes(session).unsettled).toBe(0)
  })

  it('keeps a message first in line while the store is away, and loses none', async () => {
    await world.paired()
    let failures = 0
    world.inbox.gate = () => {
      failures += 1
      if (failures <= 3) throw storeIsAway()
    }
    await world.fromAna('one')
    await world.fromAna('two')
    await world.accepted('one', 'two')
    expect(world.inbox.texts).toEqual(['one', 'two'])
    expect(world.clock.sleeps.filter((ms) => ms === 1_000)).toHaveLength(3)
  })

  it('lets a message that cannot be recorded at all wait in the journal, not hold back the others', async () => {
    const session = await world.paired()
    let isBroken = true
    world.inbox.gate = ({ content }) => {
      if (isBroken && content.kind === 'text' && content.text === 'odd') throw new TypeError('a bug of ours')
    }
    await world.fromAna('odd')
    await world.fromAna('even')
    await world.accepted('even')
    expect(world.signal.sizes(session).unsettled).toBe(1)
    isBroken = false
    world.sandbox.disconnect(OWNER)
    await world.accepted('odd')
  })

  it('records what is in line before a log-out deletes the journal', async () => {
    const session = await world.paired()
    const door = world.door()
    world.inbox.gate = () => door.pass()
    await world.fromAna('just')
    await door.knocked
    const id = await world.fromAna('before')
    await waitFor('the tick', () => world.ticks(id) === 1)
    const leaving = world.sessions.logOut(session)
    await waitFor('the unlinking', () => world.sandbox.stats().logouts.length === 1)
    door.open()
    await leaving
    expect(world.inbox.texts).toEqual(['just', 'before'])
  })
})

describe('a stanza that comes again', () => {
  it('is served from the journal: one more tick, no second message, no retry', async () => {
    await world.paired()
    let isLost = true
    world.wire.pass = ({ direction, deviceId, stanza }, forward) => {
      const isTick = direction === 'in' && deviceId > 0 && stanza.tag === 'receipt'
      if (!(isTick && isLost)) forward()
    }
    const id = await world.fromAna('twice')
    await world.accepted('twice')
    expect(world.ticks(id)).toBe(0)
    isLost = false
    world.sandbox.disconnect(OWNER)
    await waitFor('the tick', () => world.ticks(id) === 1)
    await world.fromAna('after it')
    await world.accepted('after it')
    expect(world.inbox.texts).toEqual(['twice', 'after it'])
    expect(world.inbox.offered).toBe(2)
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })

  it('is served from the journal also when the same connection brings it twice', async () => {
    await world.paired()
    world.wire.pass = ({ direction, deviceId, stanza }, forward) => {
      forward()
      if (direction === 'out' && deviceId > 0 && stanza.tag === 'message') forward()
    }
    await world.fromAna('first')
    await world.fromAna('second')
    await world.accepted('first', 'second')
    await world.settled()
    expect(world.inbox.texts).toEqual(['first', 'second'])
    expect(world.inbox.offered).toBe(2)
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })

  it('is asked for again when it cannot be read, and comes once', async () => {
    await world.paired()
    await world.fromAna('before')
    await world.accepted('before')
    await world.sandbox.send(ANA, { to: OWNER, text: 'spoiled on the way', corrupt: true })
    await world.accepted('spoiled on the way')
    expect(world.inbox.texts).toEqual(['before', 'spoiled on the way'])
    expect(world.sandbox.stats().retriesRequested).toBeGreaterThan(0)
  })
})

describe('who and what', () => {
  it('names chat, other form, author, push name and time, LID-addressed and PN-addressed', async () => {
    const session = await world.paired()
    const before = Math.floor(Date.now() / 1_000) * 1_000
    await world.sandbox.send(ANA, { to: OWNER, text: 'by lid', addressing: 'lid' })
    await world.sandbox.send(ANA, { to: OWNER, text: 'by pn', addressing: 'pn' })
    await world.accepted('by lid', 'by pn')
    const [byLid, byPn] = world.inbox.accepted
    const pn = `${ANA}@s.whatsapp.net`
    expect(byLid).toMatchObject({ sessionId: session, chatAlt: pn, fromMe: false, pushName: 'Ana' })
    expect(byLid?.chat).toMatch(/@lid$/)
    expect(byLid?.author).toBe(byLid?.chat)
    expect(byPn).toMatchObject({ chat: pn, chatAlt: byLid?.chat, author: pn })
    expect(byPn?.sentAt.getTime()).toBeGreaterThanOrEqual(before)
  })

  it('brings what the owner types on his phone as his own, with the customer’s chat', async () => {
    await world.paired()
    await world.sandbox.send(OWNER, { to: ANA, text: 'on the phone' })
    await world.accepted('on the phone')
    expect(world.inbox.accepted[0]).toMatchObject({
      fromMe: true,
      chatAlt: `${ANA}@s.whatsapp.net`,
    })
    expect(world.inbox.accepted[0]?.author).not.toBe(world.inbox.accepted[0]?.chat)
  })

  it('carries a photo so that it can be opened later, byte for byte', async () => {
    const session = await world.paired()
    const bytes = Buffer.from('a picture, as far as anybody here is concerned')
    await world.sandbox.send(ANA, {
      to: OWNER,
      media: { kind: 'image', bytes, mimetype: 'image/jpeg', caption: 'look' },
    })
    const content = await waitFor('the photo', () => world.inbox.accepted[0]?.content)
    if (content.kind !== 'media') throw new Error('not a file')
    const reference = JSON.parse(JSON.stringify(content.media)) as typeof content.media // as the outbox keeps it
    const file = await world.sessions.openMedia(session, reference)
    expect(await bytesOf(file.bytes)).toEqual(bytes)
    expect(content).toMatchObject({ caption: 'look', media: { mediaKind: 'image', mimeType: 'image/jpeg' } })
    // WhatsApp has dropped it: the phone uploads it again.
    world.sandbox.failMedia(content.media.directPath ?? '', 410)
    const again = await world.sessions.openMedia(session, reference)
    expect(await bytesOf(again.bytes)).toEqual(bytes)
  })

  it('ignores protocol noise by name, with its tick, and leaves no journal row behind', async () => {
    const session = await world.paired()
    const id = await world.sandbox.send(ANA, {
      to: OWNER,
      message: { senderKeyDistributionMessage: { groupId: 'g@g.us' } },
    })
    await waitFor('the tick', () => world.ticks(id) === 1)
    await waitFor('the reason', () => world.ignored.includes('protocol'))
    await waitFor('the journal', () => world.signal.sizes(session).unsettled === 0)
    expect(world.inbox.accepted).toEqual([])
  })
})

describe('order', () => {
  it('is kept between what waited at the server and what is written while that is still being handled', async () => {
    const session = await world.paired()
    await world.sessions.stop()
    await world.fromAna('waited 1')
    await world.fromAna('waited 2')
    const door = world.door()
    world.signal.gate = ({ journal }) => (journal === undefined ? undefined : gateOf(journal, door))
    await world.reborn()
    await door.knocked
    await world.fromAna('live')
    await world.untilReady(session)
    await world.chatWithAna(session) // a whole round trip behind it on the same socket
    door.open()
    await world.accepted('waited 1', 'waited 2', 'live')
    expect(world.inbox.texts).toEqual(['waited 1', 'waited 2', 'live'])
  })

  it('is kept per chat in a burst of 15 messages from three customers', async () => {
    await world.paired()
    const customers = [ANA, '15551230002', '15551230003']
    for (const phone of customers.slice(1)) world.sandbox.addAccount({ phone, name: `Customer ${phone}` })
    const expected = customers.map((phone) => Array.from({ length: 5 }, (_, index) => `${phone} ${index}`))
    for (let index = 0; index < 5; index += 1) {
      for (const [who, texts] of expected.entries()) {
        await world.sandbox.send(customers[who] ?? '', { to: OWNER, text: texts[index] ?? '' })
      }
    }
    await world.accepted(...expected.flat())
    for (const texts of expected) {
      const prefix = texts[0]?.split(' ')[0] ?? ''
      expect(world.inbox.texts.filter((text) => text.startsWith(prefix))).toEqual(texts)
    }
  })

  it('is kept for what was written while the number was away', async () => {
    const session = await world.paired()
    await world.sessions.stop()
    await world.sandbox.waitForCompanion(OWNER, false)
    const texts = Array.from({ length: 12 }, (_, index) => `offline ${index}`)
    for (const text of texts) await world.fromAna(text)
    await world.reborn()
    await world.untilReady(session)
    await world.accepted(...texts)
    expect(world.inbox.texts).toEqual(texts)
  })
})

async function gateOf(journal: readonly unknown[], door: Door): Promise<void> {
  if (journal.length > 0) await door.pass()
}

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

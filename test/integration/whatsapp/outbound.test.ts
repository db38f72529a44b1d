import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import { pnOfPhone } from '../../../src/core/ids.ts'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, OWNER, World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await World.begin()
})
afterEach(async () => {
  await world.end()
})

const arrives = (text: string) =>
  world.sandbox.waitForMessage(ANA, (message) => !message.fromMe && message.text === text)

describe('sending', () => {
  it('finds a person by number, under the LID, and nobody where nobody is', async () => {
    const session = await world.paired()
    const found = await world.sessions.findOnWhatsApp(session, pnOfPhone(`+${ANA}`))
    expect(found).toMatchObject({ alt: `${ANA}@s.whatsapp.net` })
    expect(found?.chat).toMatch(/@lid$/)
    expect(await world.sessions.findOnWhatsApp(session, pnOfPhone('+15557770000'))).toBeUndefined()
  })

  it('writes the ratchet before anything is on the wire', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    const door = world.door()
    let onTheWire = 0
    world.wire.pass = ({ direction, deviceId, stanza }, forward) => {
      if (direction === 'in' && deviceId > 0 && stanza.tag === 'message') onTheWire += 1
      forward()
    }
    world.signal.gate = ({ keys }) =>
      keys?.some(({ kind }) => kind === 'session') === true ? door.pass() : undefined
    const sending = world.sendTo(session, chat, 'after the ratchet')
    await door.knocked
    await world.sessions.findOnWhatsApp(session, pnOfPhone(`+${ANA}`)) // a whole round trip on the same socket
    expect(onTheWire).toBe(0)
    door.open()
    await sending
    await arrives('after the ratchet')
  })

  it('never uses a key twice when a message comes in while one goes out to the same person', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    await world.fromAna('hello')
    await world.accepted('hello')
    await world.sendTo(session, chat, 'hello back')
    await arrives('hello back')
    for (let round = 0; round < 8; round += 1) {
      const door = world.door()
      let isHeld = false
      // The inbound step has been computed and waits to be committed...
      world.signal.gate = ({ journal }) => {
        if (isHeld || journal === undefined || journal.length === 0) return undefined
        isHeld = true
        return door.pass()
      }
      const incoming = world.fromAna(`in ${round}`)
      await door.knocked
      // ...when a send to the same person wants its own.
      const outgoing = world.sendTo(session, chat, `out ${round}`)
      setTimeout(() => door.open(), 5)
      await Promise.all([incoming, outgoing, arrives(`out ${round}`)])
      await world.accepted(`in ${round}`)
    }
    const retries = world.ana.receipts.filter(({ type }) => type === 'retry')
    expect(retries).toEqual([])
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })

  it('resolves with the server’s ack and rejects with its refusal', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    world.sandbox.refuseMessages(OWNER, 479)
    await expect(world.sendTo(session, chat, 'refused')).rejects.toMatchObject({
      code: 'WA_DEVICES_STALE',
      certainty: 'not_sent',
    })
    world.sandbox.refuseMessages(OWNER, undefined)
    await world.sendTo(session, chat, 'taken')
    await arrives('taken')
  })

  it('does not know what became of a message when the connection is lost before the ack', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    world.wire.pass = ({ direction, deviceId, stanza }, forward) => {
      if (direction === 'out' && deviceId > 0 && stanza.tag === 'ack') world.sandbox.disconnect(OWNER)
      else forward()
    }
    await expect(world.sendTo(session, chat, 'perhaps')).rejects.toMatchObject({
      code: 'WA_SEND_TIMEOUT',
      certainty: 'unknown',
    })
    world.wire.pass = (_passage, forward) => forward()
    await world.untilReady(session)
    const [id = ''] = world.composed.keys()
    const composed = world.composed.get(id)
    await world.sessions.send(session, chat, id as never, composed ?? new Uint8Array()) // the id it was tried with
    await arrives('perhaps')
    await world.settled()
    expect(world.ana.messages.filter(({ text }) => text === 'perhaps')).toHaveLength(1)
  })

  it('is refused at once, for certain, while the number is not connected', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    await world.sessions.stop()
    await expect(world.sendTo(session, chat, 'no')).rejects.toMatchObject({
      code: 'WA_OFFLINE',
      certainty: 'not_sent',
    })
    expect(world.sessions.isReady(session)).toBe(false)
  })

  it('sends a file that arrives byte for byte', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    const bytes = Buffer.from('%PDF-1.7 the price list')
    async function* read() {
      yield await Promise.resolve(new Uint8Array(bytes))
    }
    const file = { fileName: 'prices.pdf', mimeType: 'application/pdf', bytes: read() }
    const composed = await world.sessions.compose(session, chat, {
      kind: 'file',
      file,
      caption: 'our prices',
    })
    await world.sessions.send(session, chat, world.sessions.newMessageId(), composed)
    const arrived = await arrives('our prices')
    expect(arrived.media?.fileName).toBe('prices.pdf')
    expect(arrived.media?.bytes).toEqual(bytes)
  })
})

describe('receipts', () => {
  it('reach the bridge within 2 s, delivered and read, on the first connection after pairing', async () => {
    const session = await world.paired()
    const id = await world.sendTo(session, await world.chatWithAna(session), 'ticks')
    const sentAtMs = Date.now()
    const delivered = await noted(id, 'delivered')
    const readAtMs = Date.now()
    await world.ana.markRead(OWNER)
    const read = await noted(id, 'read')
    expect(delivered.atMs - sentAtMs).toBeLessThan(2_000)
    expect(read.atMs - readAtMs).toBeLessThan(2_000)
    expect(world.sandbox.stats().logins).toBe(1)
  })

  it('are acknowledged to the server only when they are recorded', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    const door = world.door()
    world.receiptGate = () => door.pass()
    const acks: string[] = []
    world.wire.pass = ({ direction, deviceId, stanza }, forward) => {
      const isAck = direction === 'in' && deviceId > 0 && stanza.tag === 'ack'
      // Our own phone says with a typed receipt that it has its copy.
      const isTick = stanza.attrs['class'] === 'receipt' && stanza.attrs['type'] === undefined
      if (isAck && isTick) acks.push(stanza.attrs['id'] ?? '')
      forward()
    }
    const id = await world.sendTo(session, chat, 'ticks')
    await door.knocked
    await world.sessions.findOnWhatsApp(session, pnOfPhone(`+${ANA}`)) // a whole round trip on the same socket
    expect(acks).not.toContain(id)
    door.open()
    await waitFor('the ack', () => acks.includes(id))
    expect(world.receipts).toHaveLength(1)
  })

  it('wait for a store that is away', async () => {
    const session = await world.paired()
    let failures = 0
    world.receiptGate = () => {
      failures += 1
      if (failures <= 2) throw new StoreError('STORE_UNAVAILABLE', 'The database cannot be reached')
    }
    const id = await world.sendTo(session, await world.chatWithAna(session), 'ticks')
    await noted(id, 'delivered')
    expect(failures).toBe(3)
  })

  it('come again after the next login when they could not be recorded', async () => {
    const session = await world.paired()
    let isBroken = true
    let offered = 0
    world.receiptGate = () => {
      offered += 1
      if (isBroken) throw new TypeError('a bug of ours')
    }
    const id = await world.sendTo(session, await world.chatWithAna(session), 'ticks')
    await waitFor('the receipt', () => offered === 1)
    isBroken = false
    world.sandbox.disconnect(OWNER)
    await noted(id, 'delivered')
  })
})

describe('a phone that cannot read a message', () => {
  it('gets it again from what was stored', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    await world.sendTo(session, chat, 'first')
    await arrives('first')
    world.ana.signal.forgetSessions()
    await world.sendTo(session, chat, 'second')
    await arrives('second')
    expect(world.sandbox.stats().retriesRequested).toBeGreaterThan(0)
  })

  it('gets it again from what was stored also when the bridge has been restarted since', async () => {
    const session = await world.paired()
    const chat = await world.chatWithAna(session)
    // She has answered, so that what follows is not readable by itself any more.
    await world.fromAna('hello')
    await world.accepted('hello')
    await world.sendTo(session, chat, 'first')
    await arrives('first')
    world.ana.signal.forgetSessions()
    world.ana.goOffline()
    const id = await world.sendTo(session, chat, 'second')
    await world.sessions.stop()
    await world.reborn()
    await world.untilReady(session)
    world.findComposed.length = 0
    world.ana.goOnline()
    await arrives('second')
    expect(world.findComposed).toContain(id)
  })
})

const noted = (id: string, state: 'delivered' | 'read') =>
  waitFor(`${state}`, () =>
    world.receipts.find((receipt) => receipt.state === state && receipt.ids.includes(id)),
  )

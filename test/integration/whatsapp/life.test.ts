import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoreError } from '../../../src/core/errors.ts'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, LOCATION, OWNER, World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await World.begin()
})
afterEach(async () => {
  await world.end()
})

const logins = () => world.sandbox.stats().logins
const isConnected = () => world.sandbox.stats().companions.some(({ connected }) => connected)
/** Long enough for a reconnect that must not happen: the clock of these tests sleeps 30 ms at most. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 250))

describe('the end of a connection', () => {
  it.each([
    ['503', { code: 503 }, 60_000],
    ['500', { code: 500 }, 1_000],
    ['a failure 500', { failure: 500 }, 1_000],
    ['515', { code: 515 }, 0],
    ['a cut', {}, 1_000],
  ])('%s leads to a new one, after the right wait, and nothing is lost', async (_name, how, waitMs) => {
    const session = await world.paired()
    world.clock.sleeps.length = 0
    world.sandbox.disconnect(OWNER, how)
    await world.sandbox.waitForCompanion(OWNER, false)
    const texts = Array.from({ length: 5 }, (_, index) => `meanwhile ${index}`)
    for (const text of texts) await world.fromAna(text)
    await world.accepted(...texts)
    expect(world.inbox.texts).toEqual(texts)
    expect(await world.untilReady(session)).toMatchObject({ problem: null })
    expect(logins()).toBe(2)
    const [slept = 0] = world.clock.sleeps
    expect(slept).toBeGreaterThanOrEqual(waitMs * 0.75)
    expect(slept).toBeLessThanOrEqual(waitMs * 1.25)
  })

  it('says why while it waits', async () => {
    const session = await world.paired()
    const seen: unknown[] = []
    world.sessions.watch(session, ({ status, problem, nextAttemptAt }) => {
      seen.push([
        status,
        problem?.code,
        nextAttemptAt === null ? null : Date.parse(nextAttemptAt) - Date.now(),
      ])
    })
    world.sandbox.disconnect(OWNER)
    await world.until(session, ({ status }) => status !== 'ready')
    await world.untilReady(session)
    expect(seen).toEqual([
      ['disconnected', 'RECONNECTING', expect.toSatisfy((ms: number) => ms > 500 && ms <= 1_250)],
      ['connecting', 'RECONNECTING', null],
      ['ready', undefined, null],
    ])
  })

  it('by an unlink on the phone forgets credentials and keys, and a restart shows a new QR', async () => {
    const session = await world.paired()
    world.sandbox.unlink(OWNER)
    const out = await world.until(session, ({ status }) => status === 'logged_out')
    expect(out.problem).toMatchObject({ code: 'LOGGED_OUT' })
    expect(world.signal.sizes(session)).toEqual({ credentials: false, keys: 0, unsettled: 0 })
    await world.restart(session)
    await world.sandbox.scan(OWNER, await world.qrOf(session))
    await world.untilReady(session)
  })

  it('by another login with the same device is final: no attempt of ours', async () => {
    const session = await world.paired()
    // A second copy of the bridge on the same stores.
    const first = world.sessions
    await world.reborn()
    await world.untilReady(session)
    await waitFor('the replacement', () => world.rows.statuses.includes('replaced'))
    await aWhile()
    expect(logins()).toBe(2)
    expect([first.isReady(session), world.sessions.isReady(session)]).toEqual([false, true])
    await first.stop()
    expect(world.sessions.isReady(session)).toBe(true)
  })

  it.each([
    [402, 'restricted', 'TEMPORARILY_BANNED'],
    [406, 'banned', 'BANNED'],
  ])('by a login refused with %i is final, and keeps the credentials', async (reason, status, code) => {
    const session = await world.paired()
    world.sandbox.refuseLogins(OWNER, reason)
    world.sandbox.disconnect(OWNER)
    const refused = () => world.until(session, (snapshot) => snapshot.status === status)
    expect(await refused()).toMatchObject({ problem: { code, until: null }, nextAttemptAt: null })
    // A person who asks too early learns the same again, and the link is still there.
    await world.restart(session)
    await refused()
    expect(world.signal.sizes(session).credentials).toBe(true)
    world.sandbox.refuseLogins(OWNER, undefined)
    await aWhile()
    expect(isConnected()).toBe(false)
    await world.restart(session)
    await world.untilReady(session)
    expect(world.sandbox.stats().pairings).toBe(1)
  })

  it('by a login refused with 403 is the end of the link: a restart shows a QR, and the number is the same', async () => {
    const session = await world.paired()
    world.sandbox.refuseLogins(OWNER, 403)
    world.sandbox.disconnect(OWNER)
    const locked = await world.until(session, ({ status }) => status === 'banned')
    expect(locked).toMatchObject({ problem: { code: 'ACCOUNT_LOCKED' }, phoneNumber: `+${OWNER}` })
    await world.restart(session)
    const qr = await world.qrOf(session)
    world.sandbox.refuseLogins(OWNER, undefined)
    await world.sandbox.scan(OWNER, qr)
    expect(await world.untilReady(session)).toMatchObject({ phoneNumber: `+${OWNER}`, name: 'Dental Care' })
  })

  it('by a restriction with an hour says it, waits for it also in its next life, and connects then', async () => {
    const session = await world.paired()
    world.clock.longestMs = 60_000
    world.sandbox.refuseLogins(OWNER, 402, 3_600)
    const beforeMs = Date.now()
    world.sandbox.disconnect(OWNER)
    await world.until(session, ({ nextAttemptAt }) => nextAttemptAt !== null)
    await world.restart(session)
    const restricted = await world.until(session, ({ status }) => status === 'restricted')
    const untilMs = Date.parse(restricted.problem?.until ?? '')
    expect(untilMs).toBeGreaterThanOrEqual(beforeMs + 3_600_000)
    expect(untilMs).toBeLessThanOrEqual(Date.now() + 3_600_000)
    expect(restricted.nextAttemptAt).toBe(restricted.problem?.until)
    world.sandbox.refuseLogins(OWNER, undefined)
    await world.sessions.stop()
    expect(await world.snapshot(session)).toEqual(restricted)
    const logins = world.sandbox.stats().logins
    await world.reborn()
    await aWhile()
    expect(await world.snapshot(session)).toEqual(restricted)
    expect(world.sandbox.stats().logins).toBe(logins)
    await world.sessions.stop()
    world.clock.longestMs = 30
    world.clock.sleeps.length = 0
    await world.reborn()
    await world.untilReady(session)
    expect(Math.max(...world.clock.sleeps)).toBeGreaterThan(3_500_000)
  })

  it('by a refused version says so, and tries again slowly, or when a person asks', async () => {
    const session = await world.paired()
    world.sandbox.refuseLogins(OWNER, 405)
    world.clock.longestMs = 60_000
    world.sandbox.disconnect(OWNER)
    await world.until(session, ({ nextAttemptAt }) => nextAttemptAt !== null)
    // Only the wait that is under way is long: what follows the restart may begin before it returns.
    world.clock.longestMs = 30
    await world.restart(session)
    const outdated = await world.until(session, ({ status }) => status === 'outdated')
    expect(outdated.problem?.code).toBe('OUTDATED')
    expect(Date.parse(outdated.nextAttemptAt ?? '')).toBeGreaterThan(Date.now() + 40_000)
    world.sandbox.refuseLogins(OWNER, undefined)
    await world.untilReady(session)
    expect(world.clock.sleeps.some((ms) => ms >= 45_000)).toBe(true)
  })

  it('asked for again and again by the server is not obeyed in a tight loop', async () => {
    const session = await world.paired()
    world.clock.sleeps.length = 0
    for (let round = 0; round < 5; round += 1) {
      await world.untilReady(session)
      const before = logins()
      world.sandbox.disconnect(OWNER, { code: 515 })
      await waitFor('the next login', () => logins() > before)
    }
    await world.untilReady(session)
    expect(world.clock.sleeps.length).toBeGreaterThan(0)
  })
})

describe('a connection that is up but dead', () => {
  beforeEach(() => {
    Object.assign(world.settings, { silence: { quietMs: 300, probeMs: 600 }, connectMs: 3_000 })
  })

  it('is ended and made anew when the server answers nothing any more', async () => {
    const session = await world.paired()
    let isDeaf = true
    world.wire.pass = ({ deviceId, account }, forward) => {
      if (!(isDeaf && account === OWNER && deviceId > 0)) forward()
    }
    await waitFor('the end', async () => (await world.snapshot(session)).status !== 'ready')
    isDeaf = false
    await world.fromAna('can you hear me')
    await world.accepted('can you hear me')
    expect(logins()).toBeGreaterThan(1)
  })

  it('is left alone while it is only quiet', async () => {
    await world.paired()
    let probes = 0
    world.wire.pass = ({ direction, stanza }, forward) => {
      if (direction === 'in' && stanza.attrs['xmlns'] === 'w:p') probes += 1
      forward()
    }
    await waitFor('two probes', () => probes >= 2)
    expect(logins()).toBe(1)
  })

  it('is given up when nothing comes after the upgrade', async () => {
    const sockets: Server = createServer((_request, response) => {
      // Baileys waits for ever on an HTTP answer to the upgrade.
      response.writeHead(503, { connection: 'close' }).end()
    })
    await new Promise<void>((resolve) => sockets.listen(0, '127.0.0.1', resolve))
    const { port } = sockets.address() as AddressInfo // listening on TCP
    const url = `ws://127.0.0.1:${port}/ws/chat`
    await world.sessions.stop()
    const other = world.elsewhere(url)
    await other.start()
    const { id } = await other.create(LOCATION, {})
    const failed = await waitFor('the end', async () => {
      const snapshot = await other.find(LOCATION, id)
      return snapshot?.status === 'disconnected' && snapshot
    })
    expect(failed.problem?.code).toBe('RECONNECTING')
    await other.stop()
    sockets.close()
    sockets.closeAllConnections()
  })
})

describe('starting, stopping, restarting', () => {
  it('leaves nothing running after a stop, and nothing that says ready', async () => {
    const session = await world.paired()
    await world.sessions.stop()
    await world.sandbox.waitForCompanion(OWNER, false)
    expect(await world.snapshot(session)).toMatchObject({
      status: 'disconnected',
      problem: { code: 'STOPPED' },
    })
    const writes = world.signal.writes.length
    await aWhile()
    expect(logins()).toBe(1)
    expect(world.signal.writes).toHaveLength(writes)
  })

  it('connects again in a new life without a QR', async () => {
    const session = await world.paired()
    await world.sessions.stop()
    await world.reborn()
    await world.untilReady(session)
    expect(world.rows.statuses.slice(-4)).toEqual(['disconnected', 'initializing', 'connecting', 'ready'])
  })

  it('does not connect numbers that wait for a person', async () => {
    const session = await world.paired()
    world.sandbox.unlink(OWNER)
    await world.until(session, ({ status }) => status === 'logged_out')
    await world.sessions.stop()
    await world.reborn()
    await aWhile()
    expect(await world.snapshot(session)).toMatchObject({
      status: 'logged_out',
      problem: { code: 'LOGGED_OUT' },
    })
  })

  it('makes one connection when it is restarted while it connects', async () => {
    const session = await world.paired()
    const door = world.door()
    world.signal.readGate = () => door.pass()
    const restarts = [world.restart(session), world.sessions.restart(session)]
    await door.knocked
    world.signal.readGate = () => undefined
    door.open()
    await Promise.all(restarts)
    await world.untilReady(session)
    await aWhile()
    expect(await world.snapshot(session)).toMatchObject({ status: 'ready', problem: null })
    expect(world.rows.statuses).not.toContain('replaced')
    expect(logins()).toBeLessThanOrEqual(3)
  })

  it('stops at once during a backoff and does not connect any more', async () => {
    const session = await world.paired()
    world.clock.longestMs = 60_000
    world.sandbox.disconnect(OWNER)
    await world.until(session, ({ status }) => status === 'disconnected')
    const before = Date.now()
    await world.sessions.stop()
    expect(Date.now() - before).toBeLessThan(500)
    await aWhile()
    expect(logins()).toBe(1)
  })

  it('connects at once when it is restarted during a backoff', async () => {
    const session = await world.paired()
    world.clock.longestMs = 60_000
    world.sandbox.disconnect(OWNER)
    await world.until(session, ({ status }) => status === 'disconnected')
    await world.restart(session)
    await world.untilReady(session)
    expect(logins()).toBe(2)
  })

  it('stops while numbers are still being started', async () => {
    await world.paired()
    await world.sessions.stop()
    world.clock.longestMs = 60_000
    await world.reborn()
    await world.sessions.stop()
    await world.sandbox.waitForCompanion(OWNER, false)
    await aWhile()
    expect(isConnected()).toBe(false)
  })

  it('goes on by itself when the store was away as the connection ended', async () => {
    const session = await world.paired()
    let isAway = true
    const gate = () => {
      if (isAway) throw new StoreError('STORE_UNAVAILABLE', 'The database cannot be reached')
    }
    world.rows.gate = gate
    world.signal.gate = gate
    world.signal.readGate = gate
    world.sandbox.disconnect(OWNER)
    await waitFor('some attempts', () => world.clock.sleeps.length > 5)
    isAway = false
    await world.untilReady(session)
    await world.fromAna('still there?')
    await world.accepted('still there?')
  })

  it('starts a number although the store is away at first', async () => {
    const session = await world.paired()
    await world.sessions.stop()
    let failures = 0
    world.signal.readGate = () => {
      failures += 1
      if (failures <= 3) throw new StoreError('STORE_UNAVAILABLE', 'The database cannot be reached')
    }
    await world.reborn()
    await world.untilReady(session)
  })

  it('says what is wrong when its credentials cannot be opened', async () => {
    const session = await world.paired()
    await world.sessions.stop()
    world.signal.readGate = () => {
      throw new StoreError('STORE_UNSEALABLE', 'A sealed value cannot be opened', {
        action: 'Set the ENCRYPTION_KEY it was sealed with',
      })
    }
    await world.reborn()
    const broken = await world.until(session, ({ problem }) => problem !== null && problem.code !== 'STOPPED')
    expect(broken).toMatchObject({ status: 'disconnected', problem: { code: 'STORE_UNSEALABLE' } })
  })

  it('unlinks a number that is logged out, whatever else is asked for at the same time', async () => {
    const session = await world.paired()
    await world.fromAna('before')
    await world.accepted('before')
    const results = await Promise.allSettled([world.restart(session), world.sessions.logOut(session)])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
    expect(await world.sessions.list()).toEqual([])
    expect(world.signal.sizes(session)).toEqual({ credentials: false, keys: 0, unsettled: 0 })
    await aWhile()
    expect(isConnected()).toBe(false)
  })
})

describe('two numbers in one process', () => {
  it('keep to their own transactions when the same customer writes to both at once', async () => {
    const first = await world.paired()
    world.sandbox.addAccount({ phone: '15550008888', name: 'Second Branch' })
    const { id: second } = await world.sessions.create(LOCATION, {})
    await world.sandbox.scan('15550008888', await world.qrOf(second))
    await world.untilReady(second)
    await world.settled()
    // The first number's step stands in libsignal's queue for Ana, and the second's comes in behind it.
    const door = world.door()
    world.signal.readGate = (sessionId, kind) =>
      sessionId === first && kind === 'session' ? door.pass() : undefined
    await world.fromAna('to one')
    await door.knocked
    await world.sandbox.send(ANA, { to: '15550008888', text: 'to two' })
    await waitFor('both to arrive', () =>
      world.sandbox.stats().companions.every(({ waiting }) => waiting > 0),
    )
    await aWhile()
    door.open()
    await world.accepted('to one', 'to two')
    const journaled = world.signal.writes.filter(
      // Pieces of history are journaled too.
      ({ journal = [] }) => journal.some(({ sender }) => !sender.endsWith('#history')),
    )
    expect(journaled).toHaveLength(2)
    for (const { keys = [] } of journaled) {
      const changes = keys.map(({ kind, value }) => (value === null ? `${kind} deleted` : kind))
      expect(changes.sort()).toEqual(['identity-key', 'pre-key deleted', 'session'])
    }
    expect(world.sandbox.stats().retriesRequested).toBe(0)
  })
})

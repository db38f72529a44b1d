import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, LOCATION, OWNER, World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await World.begin({ qrMs: 350 })
})
afterEach(async () => {
  await world.end()
})

describe('pairing by QR', () => {
  it('shows the QR, and is ready with number, name and LID when it was scanned', async () => {
    const { id, status } = await world.sessions.create(LOCATION, {})
    expect(status).toBe('initializing')
    const qr = await world.qrOf(id)
    expect(await world.snapshot(id)).toMatchObject({ status: 'qr', problem: null, phoneNumber: null })
    await world.sandbox.scan(OWNER, qr)
    expect(await world.untilReady(id)).toMatchObject({
      phoneNumber: `+${OWNER}`,
      name: 'Dental Care',
      qr: null,
      problem: null,
    })
    await waitFor('the row', () => world.rows.rows.get(id)?.status === 'ready')
    expect(world.rows.rows.get(id)?.lid).toMatch(/^[0-9]+@lid$/)
    await waitFor('the wake', () => world.ready.length === 1)
  })

  it('pairs with the new secret when the service retires the one in the QR that is shown', async () => {
    const { id } = await world.sessions.create(LOCATION, {})
    const first = await world.qrOf(id)
    world.sandbox.refreshRegistration(first)
    const renewed = await world.until(id, ({ qr }) => qr !== null && qr !== first)
    expect(fields(renewed.qr).with(-2, '')).toEqual(fields(first).with(-2, ''))
    await expect(world.sandbox.scan(OWNER, first)).rejects.toMatchObject({ code: 'QR_SECRET_RETIRED' })
    // The next reference of the same socket comes with the new secret as well.
    const later = await world.until(id, ({ qr }) => fields(qr)[0] !== fields(first)[0])
    expect(fields(later.qr).at(-2)).toBe(fields(renewed.qr).at(-2))
    await world.sandbox.scan(OWNER, later.qr ?? '')
    await world.untilReady(id)
  })

  it('says QR_EXPIRED when nobody scans, and shows a new QR after a restart', async () => {
    const { id } = await world.sessions.create(LOCATION, {})
    const first = await world.qrOf(id)
    const expired = await world.until(id, ({ status }) => status === 'logged_out')
    expect(expired).toMatchObject({ qr: null, problem: { code: 'QR_EXPIRED' } })
    await world.restart(id)
    expect(await world.qrOf(id)).not.toBe(first)
  })

  it('does not lose a pairing to a store that is slow to take the credentials', async () => {
    const { id } = await world.sessions.create(LOCATION, {})
    const qr = await world.qrOf(id)
    const door = world.door()
    world.signal.gate = ({ credentials }) => (credentials === undefined ? undefined : door.pass())
    await world.sandbox.scan(OWNER, qr)
    await door.knocked
    // The server has asked for the new login meanwhile; it must not begin with the credentials of before.
    await world.sandbox.waitForCompanion(OWNER, false)
    world.signal.gate = () => undefined
    door.open()
    expect(await world.untilReady(id)).toMatchObject({ phoneNumber: `+${OWNER}` })
    expect(world.sandbox.stats().pairings).toBe(1)
  })
})

describe('pairing by code', () => {
  it('shows a code and is ready when it was typed', async () => {
    const { id } = await world.sessions.create(LOCATION, { phoneNumber: `+${OWNER}` })
    const waiting = await world.until(id, ({ pairingCode }) => pairingCode !== null)
    expect(waiting).toMatchObject({ status: 'pairing', qr: null, problem: null })
    expect(waiting.pairingCode).toMatch(/^[A-Z0-9]{8}$/)
    await world.sandbox.enterPairingCode(OWNER, waiting.pairingCode ?? '')
    expect(await world.untilReady(id)).toMatchObject({ phoneNumber: `+${OWNER}`, pairingCode: null })
  })

  it('throws the credentials of an abandoned code away instead of logging in with them', async () => {
    const { id } = await world.sessions.create(LOCATION, { phoneNumber: `+${OWNER}` })
    await world.until(id, ({ pairingCode }) => pairingCode !== null)
    await world.restart(id)
    await world.sandbox.scan(OWNER, await world.qrOf(id))
    expect(await world.untilReady(id)).toMatchObject({ phoneNumber: `+${OWNER}` })
  })

  it('says QR_EXPIRED when nobody types it', async () => {
    const { id } = await world.sessions.create(LOCATION, { phoneNumber: `+${OWNER}` })
    const expired = await world.until(id, ({ status }) => status === 'logged_out')
    expect(expired).toMatchObject({ pairingCode: null, problem: { code: 'QR_EXPIRED' } })
    expect(world.signal.sizes(id)).toEqual({ credentials: false, keys: 0, unsettled: 0 })
  })
})

describe('the wrong number', () => {
  it('is unlinked at the server, leaves no credentials, and none of its messages is taken', async () => {
    const { id } = await world.sessions.create(LOCATION, { expectedPhone: '+15557654321' })
    const qr = await world.qrOf(id)
    // A message of the wrong owner that waits for the device before we know better.
    const door = world.door()
    world.rows.gate = () => door.pass()
    await world.sandbox.scan(OWNER, qr)
    await world.fromAna('private')
    world.rows.gate = () => undefined
    door.open()
    const refused = await world.until(id, ({ status }) => status === 'logged_out')
    expect(refused).toMatchObject({ problem: { code: 'WRONG_NUMBER' }, phoneNumber: null })
    await waitFor('the unlinking', () => world.sandbox.stats().logouts.some(({ phone }) => phone === OWNER))
    expect(world.signal.sizes(id)).toEqual({ credentials: false, keys: 0, unsettled: 0 })
    expect(world.inbox.accepted).toEqual([])
  })

  it('is any other phone than the one that the number had before, and what was paired leaves no trace', async () => {
    world.sandbox.addAccount({ phone: '15550008888', name: 'Private' })
    const id = await world.paired()
    const { pairedAt } = world.rows.rows.get(id) ?? {}
    world.sandbox.unlink(OWNER)
    await world.until(id, ({ status }) => status === 'logged_out')
    await world.restart(id)
    await world.sandbox.scan('15550008888', await world.qrOf(id))
    const refused = await world.until(id, ({ problem }) => problem?.code === 'WRONG_NUMBER')
    expect(refused).toMatchObject({ status: 'logged_out', phoneNumber: `+${OWNER}`, name: 'Dental Care' })
    expect(refused.problem?.scannedPhone).toBe('+15550008888')
    expect(world.sandbox.stats().logouts.map(({ phone }) => phone)).toEqual(['15550008888'])
    expect(world.rows.rows.get(id)?.pairedAt).toEqual(pairedAt)
    expect(world.ready).toHaveLength(1)
    await world.restart(id)
    await world.sandbox.scan(OWNER, await world.qrOf(id))
    await world.untilReady(id)
  })

  it('gets no pairing code, and nothing changes', async () => {
    const id = await world.paired()
    const paired = await world.snapshot(id)
    const wrong = { code: 'WRONG_NUMBER' }
    await expect(world.sessions.restart(id, `+${ANA}`)).rejects.toMatchObject(wrong)
    const both = { expectedPhone: `+${OWNER}`, phoneNumber: `+${ANA}` }
    await expect(world.sessions.create(LOCATION, both)).rejects.toMatchObject(wrong)
    expect(await world.sessions.list()).toEqual([paired])
    const { id: waiting } = await world.sessions.create(LOCATION, { expectedPhone: '+5511987654321' })
    await expect(world.sessions.restart(waiting, `+${ANA}`)).rejects.toMatchObject(wrong)
    await world.sessions.restart(waiting, '+551187654321')
    await world.until(waiting, ({ pairingCode }) => pairingCode !== null)
  })

  it('is not the expected one', async () => {
    const { id } = await world.sessions.create(LOCATION, { expectedPhone: `+${ANA}` })
    await world.sandbox.scan(ANA, await world.qrOf(id))
    expect(await world.untilReady(id)).toMatchObject({ phoneNumber: `+${ANA}`, problem: null })
  })
})

describe('a phone that is connected here already', () => {
  it('is unlinked again where it was paired for the second time, and stays where it was', async () => {
    const first = await world.paired()
    const row = world.rows.rows.get(first)
    if (row !== undefined) world.rows.rows.set(first, { ...row, name: 'Reception' })
    const { id: second } = await world.sessions.create(LOCATION, {})
    await world.sandbox.scan(OWNER, await world.qrOf(second))
    const refused = await world.until(second, ({ status }) => status === 'logged_out')
    expect(refused).toMatchObject({ phoneNumber: null, problem: { code: 'ALREADY_HERE' } })
    expect(refused.problem?.message).toContain('as Reception')
    expect(refused.problem).toMatchObject({ scannedPhone: `+${OWNER}`, connectedAs: 'Reception' })
    expect(world.sandbox.stats().logouts).toHaveLength(1)
    await world.fromAna('only once')
    await world.accepted('only once')
    expect(world.inbox.texts).toEqual(['only once'])
    expect(await world.snapshot(first)).toMatchObject({ status: 'ready', problem: null })
    // In its next life it is still the first one's.
    await world.sessions.stop()
    await world.reborn()
    await world.untilReady(first)
  })

  it('is the one that was scanned first when two scan at the same time', async () => {
    const [one, other] = [
      await world.sessions.create(LOCATION, {}),
      await world.sessions.create(LOCATION, {}),
    ]
    const qrs = [await world.qrOf(one.id), await world.qrOf(other.id)]
    await Promise.all(qrs.map((qr) => world.sandbox.scan(OWNER, qr)))
    const settled = () => Promise.all([one.id, other.id].map((id) => world.snapshot(id)))
    await waitFor('the second one to be refused', async () =>
      (await settled()).some(({ problem }) => problem?.code === 'ALREADY_HERE'),
    )
    await waitFor('the other to be ready', async () =>
      (await settled()).some(({ status }) => status === 'ready'),
    )
    expect(world.sandbox.stats().companions).toHaveLength(1)
  })

  it('is free for another number once its first one has lost it', async () => {
    const first = await world.paired()
    world.sandbox.unlink(OWNER)
    await world.until(first, ({ status }) => status === 'logged_out')
    await world.paired()
  })
})

describe('a number', () => {
  it('tells every step of a pairing in order', async () => {
    const { id } = await world.sessions.create(LOCATION, {})
    await world.sandbox.scan(OWNER, await world.qrOf(id))
    await world.untilReady(id)
    expect(world.rows.statuses.filter((status, index, all) => status !== all[index - 1])).toEqual([
      'initializing',
      'qr',
      'connecting',
      'ready',
    ])
  })

  it('is removed without a trace when it was never paired', async () => {
    const { id } = await world.sessions.create(LOCATION, {})
    await world.qrOf(id)
    await world.sessions.logOut(id)
    expect(await world.sessions.list()).toEqual([])
    expect(world.signal.sizes(id)).toEqual({ credentials: false, keys: 0, unsettled: 0 })
    expect(world.sandbox.stats().logouts).toEqual([])
  })

  it('is unlinked at WhatsApp and removed when it is logged out', async () => {
    const id = await world.paired()
    await world.sessions.logOut(id)
    expect(world.sandbox.stats().logouts.map(({ phone }) => phone)).toEqual([OWNER])
    expect(world.rows.rows.has(id)).toBe(false)
    expect(await world.sessions.list()).toEqual([])
  })
})

function fields(qr: string | null): string[] {
  return (qr ?? '').split(',')
}

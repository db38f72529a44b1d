/** The app is removed from a location and comes back, end to end: its numbers stop, keep their link, and lose nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const OTHER_OWNER = '15550008888'
const ANA = '15551230001'

describe('the app removed from a location', () => {
  let stage: Stage
  let locationId: string
  let other: string
  let sessionId: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 0 } })
    stage.ghl.setWebhookUrl(`${stage.bridge.url}/ghl/webhook`)
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: OTHER_OWNER, name: 'Second Branch' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    other = stage.ghl.addLocation({ name: 'Second Branch' }).id
    await stage.bridge.start()
    for (const each of [locationId, other]) await stage.install(each)
    sessionId = await stage.pair(locationId, OWNER)
    await stage.pair(other, OTHER_OWNER)
    await filed(await write('before', OWNER), locationId)
    await filed(await write('before', OTHER_OWNER), other)
  }, 60_000)
  afterAll(async () => {
    await stage.strike()
  })

  const write = (text: string, to = OWNER) => stage.whatsapp.send(ANA, { to, text })
  const filed = (id: string, at = locationId) =>
    stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId: at, timeoutMs: 30_000 })
  const isConnected = (phone = OWNER) =>
    stage.whatsapp.stats().companions.some((each) => each.phone === phone && each.connected)
  const listed = async () => {
    const answer = await stage.bridge.operator('GET', `/api/ghl/locations?locationId=${locationId}`)
    const { locations } = (await answer.json()) as {
      locations: { status: string; tokenHealth: string; installationId: string }[]
    } // our own contract
    return locations[0]
  }
  const becomes = (status: string) =>
    waitFor(`the location ${status}`, async () => (await listed())?.status === status)
  const isStopped = () => waitFor('the number to stop', () => !isConnected())
  const isBack = async () => {
    const session = await stage.sessionUntil(
      locationId,
      sessionId,
      ({ status, qr }) => status === 'ready' || qr !== null,
    )
    expect(session).toMatchObject({ status: 'ready', qr: null, problem: null, phoneNumber: `+${OWNER}` })
  }
  const callsHere = () => stage.ghl.calls({ locationId })
  const orderOf = (ids: readonly string[]) =>
    stage.ghl.messages(locationId).flatMap(({ altId }) => (ids.includes(altId ?? '') ? [altId] : []))

  it('stops its numbers, asks GHL for nothing, and leaves other locations alone', async () => {
    stage.ghl.forget()
    stage.ghl.uninstallFrom(locationId)
    await becomes('uninstalled')
    await isStopped()
    await write('nobody hears this yet')
    await filed(await write('still served', OTHER_OWNER), other)
    expect(isConnected(OTHER_OWNER)).toBe(true)
    expect(callsHere()).toEqual([])
    expect(stage.ghl.calls({ route: 'POST /oauth/token' })).toEqual([])
  })

  it('stays stopped through a restart of the server', async () => {
    const logins = () => stage.whatsapp.stats().companions.filter(({ phone }) => phone === OWNER)
    expect(await stage.bridge.stop()).toBe(0)
    await stage.bridge.start()
    // The other number is back: a number that should not be would have been by then too, they start in one line.
    await waitFor('the other number', () => isConnected(OTHER_OWNER))
    await filed(await write('served after the restart', OTHER_OWNER), other)
    expect(isConnected()).toBe(false)
    expect(logins()).toHaveLength(1)
    expect(callsHere()).toEqual([])
  })

  it('and installed again: connected without a QR, with what came meanwhile in order', async () => {
    const { pairings } = stage.whatsapp.stats()
    const ids: string[] = []
    for (const text of ['one', 'two', 'three', 'four']) ids.push(await write(text))
    await stage.install(locationId)
    await isBack()
    for (const id of ids) await filed(id)
    expect(orderOf(ids)).toEqual(ids)
    const texts = stage.ghl.messages(locationId).map(({ body }) => body)
    expect(texts.filter((text) => text === 'nobody hears this yet')).toHaveLength(1)
    expect(texts.indexOf('nobody hears this yet')).toBeLessThan(texts.indexOf('one'))
    expect(stage.whatsapp.stats().pairings).toBe(pairings)
    expect(stage.ghl.calls({ locationId, status: 401 })).toEqual([])
    const contactId = stage.ghl.contacts.byPhone(locationId, `+${ANA}`)?.id ?? ''
    const { messageId } = stage.ghl.agentReply({ locationId, contactId, message: 'Here again' })
    await stage.whatsapp.waitForMessage(ANA, ({ fromMe, text }) => !fromMe && text === 'Here again', 15_000)
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
  })

  it('while messages are on their way: none is lost, and dead tokens are tried once, not for ever', async () => {
    stage.ghl.forget()
    // GHL takes the tokens away at once; its event comes later.
    stage.ghl.deliveries.hold()
    stage.ghl.uninstallFrom(locationId)
    const ids = [await write('met dead tokens'), await write('behind it')]
    await becomes('not_connected')
    expect(stage.ghl.calls({ route: 'POST /oauth/token' })).toHaveLength(1)
    const calls = callsHere().length
    stage.ghl.deliveries.release()
    await becomes('uninstalled')
    await isStopped()
    ids.push(await write('after the event'))
    expect(callsHere()).toHaveLength(calls)
    await stage.install(locationId)
    await isBack()
    for (const id of ids) await filed(id)
    expect(orderOf(ids)).toEqual(ids)
    // One for the dead tokens, one for the code.
    expect(stage.ghl.calls({ route: 'POST /oauth/token' })).toHaveLength(2)
  })

  it('deactivated by the operator: stopped the same way, and back with all that was written meanwhile', async () => {
    const { installationId } = (await listed()) ?? {}
    const turn = async (word: 'deactivate' | 'activate') => {
      const answer = await stage.bridge.operator('POST', `/api/ghl/tokens/${installationId}/${word}`)
      expect(answer.status).toBe(200)
    }
    const { pairings } = stage.whatsapp.stats()
    const contactId = stage.ghl.contacts.byPhone(locationId, `+${ANA}`)?.id ?? ''
    stage.ghl.forget()
    await turn('deactivate')
    await becomes('not_connected')
    await isStopped()
    const ids = [await write('to the one switched off')]
    const reply = { locationId, contactId, message: 'Written while it was off' }
    const { messageId } = stage.ghl.agentReply(reply)
    // GHL's word is no reason to start again, nor is a restart of the server.
    const list = await stage.bridge.operator('POST', '/admin/ghl/sync-all-subaccounts')
    expect(list.status).toBe(202)
    await stage.bridge.stop()
    await stage.bridge.start()
    await filed(await write('the other is served', OTHER_OWNER), other)
    expect(isConnected()).toBe(false)
    expect(callsHere()).toEqual([])
    await turn('activate')
    await isBack()
    for (const id of ids) await filed(id)
    await stage.whatsapp.waitForMessage(ANA, ({ fromMe, text }) => !fromMe && text === reply.message, 15_000)
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
    expect(stage.whatsapp.stats().pairings).toBe(pairings)
    expect(stage.ghl.calls({ route: 'POST /oauth/token' })).toEqual([])
  })

  it('met no stanza it did not know and sent GHL nothing it refuses for its shape', () => {
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})

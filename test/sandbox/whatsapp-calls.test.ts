import { proto } from '@whiskeysockets/baileys'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Companion } from './whatsapp-companion.ts'
import { BUSINESS, CUSTOMER, FRIEND, SandboxWorld } from './whatsapp-world.ts'

const { StubType } = proto.WebMessageInfo

let world: SandboxWorld
let companion: Companion

beforeEach(async () => {
  world = await SandboxWorld.begin()
  companion = await world.paired()
})

afterEach(async () => {
  await world.end()
})

function statuses(id: string): string[] {
  return companion
    .heard('call')
    .flat()
    .filter((call) => call.id === id)
    .map(({ status }) => status)
}

it.each([
  ['ringing', ['offer']],
  ['missed', ['offer', 'timeout']],
  ['answered', ['offer', 'accept', 'terminate']],
  ['rejected', ['offer', 'reject', 'terminate']],
  ['cancelled', ['offer', 'terminate']],
] as const)('a call that ends %s is heard as %o', async (outcome, expected) => {
  const id = world.sandbox.call(CUSTOMER, BUSINESS, { outcome, video: true })
  await companion.until('the end of the call', () => statuses(id).length >= expected.length || undefined)
  expect(statuses(id)).toEqual(expected)
  const [offer] = companion.heard('call').flat()
  expect(offer).toMatchObject({
    chatId: world.lid(CUSTOMER),
    callerPn: `${CUSTOMER}@s.whatsapp.net`,
    isVideo: true,
    isGroup: false,
  })
})

it('a missed call comes as a message too, also after an absence', async () => {
  const voice = world.sandbox.call(CUSTOMER, BUSINESS)
  const missed = await companion.untilMessage(({ key }) => key.id === voice)
  expect(missed).toMatchObject({ messageStubType: StubType.CALL_MISSED_VOICE })
  await companion.close()
  await world.sandbox.waitForCompanion(BUSINESS, false)
  const video = world.sandbox.call(CUSTOMER, BUSINESS, { video: true, addressing: 'pn' })
  await companion.login()
  const later = await companion.untilMessage(({ key }) => key.id === video)
  expect(later).toMatchObject({
    key: { remoteJid: `${CUSTOMER}@s.whatsapp.net` },
    messageStubType: StubType.CALL_MISSED_VIDEO,
  })
})

it('a call to a group says so', async () => {
  const { jid } = world.sandbox.createGroup({ subject: 'Fans', creator: FRIEND, members: [BUSINESS] })
  const id = world.sandbox.call(FRIEND, jid, { outcome: 'missed' })
  await companion.until('the end of the call', () => statuses(id).length >= 2 || undefined)
  const [offer] = companion.heard('call').flat()
  expect(offer).toMatchObject({ isGroup: true, groupJid: jid, from: world.lid(FRIEND) })
})

it('a companion may reject a call', async () => {
  const id = world.sandbox.call(CUSTOMER, BUSINESS, { outcome: 'ringing' })
  await companion.until('the offer', () => statuses(id)[0])
  await companion.socket.rejectCall(id, world.lid(CUSTOMER))
})

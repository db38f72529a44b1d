import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Companion } from './whatsapp-companion.ts'
import { BUSINESS, CUSTOMER, SandboxWorld } from './whatsapp-world.ts'

const SHY = '15551230005'

let world: SandboxWorld
let companion: Companion

beforeEach(async () => {
  world = await SandboxWorld.begin()
  companion = await world.paired()
})

afterEach(async () => {
  await world.end()
})

it('tells the companion where a profile picture is, until it is taken away', async () => {
  const bytes = randomBytes(900)
  const jid = world.lid(CUSTOMER)
  await expect(companion.socket.profilePictureUrl(jid)).rejects.toThrow('item-not-found')
  world.sandbox.setPicture(CUSTOMER, { bytes, mimetype: 'image/jpeg' })
  const url = (await companion.socket.profilePictureUrl(jid)) ?? ''
  expect(new URL(url).hostname).toBe('pps.whatsapp.net')
  const answer = await fetch(url)
  expect(answer.headers.get('content-type')).toBe('image/jpeg')
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(bytes)
  expect(await companion.socket.profilePictureUrl(`${CUSTOMER}@s.whatsapp.net`, 'image')).toBe(url)
  world.sandbox.setPicture(CUSTOMER, undefined)
  await expect(companion.socket.profilePictureUrl(jid)).rejects.toThrow('item-not-found')
})

it('does not give away by its picture whose number a hidden account has', async () => {
  world.sandbox.addAccount({ phone: SHY, name: 'Shy Customer', hidesNumber: true })
  world.sandbox.setPicture(SHY, { bytes: randomBytes(9), mimetype: 'image/jpeg' })
  expect(await companion.socket.profilePictureUrl(world.lid(SHY))).toContain('pps.whatsapp.net')
  const byNumber = companion.socket.profilePictureUrl(`${SHY}@s.whatsapp.net`)
  await expect(byNumber).rejects.toThrow('item-not-found')
})

it('hears that the companion types, subscribes and plays a voice note', async () => {
  const jid = world.lid(CUSTOMER)
  await companion.socket.presenceSubscribe(jid)
  await companion.socket.sendPresenceUpdate('composing', jid)
  await companion.socket.sendPresenceUpdate('paused', jid)
  await expect.poll(() => world.sandbox.stats().chatStates).toBe(2)
  const media = { kind: 'audio', bytes: randomBytes(99), mimetype: 'audio/ogg', voiceNote: true } as const
  const id = await world.sandbox.send(CUSTOMER, { to: BUSINESS, media })
  const { key } = await companion.untilMessage((message) => message.key.id === id)
  await companion.socket.sendReceipts([key], 'played')
  const customer = world.sandbox.phone(CUSTOMER)
  const played = await customer.waitForReceipt(({ type }) => type === 'played')
  expect(played).toMatchObject({ messageId: id, from: BUSINESS, fromDevice: 1 })
  expect(customer.log.find(id)?.status).toBe('played')
})

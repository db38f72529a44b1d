/** What comes without a message in its stanza: durable before it is acknowledged, and followed by the message itself. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { waitFor } from '../../support/wait-for.ts'
import { ANA, OWNER, World } from './world.ts'

let world: World

beforeEach(async () => {
  world = await World.begin()
})
afterEach(async () => {
  await world.end()
})

const contents = () => world.inbox.accepted.map(({ waMessageId, content }) => [waMessageId, content])

it('a message that only the phone has is announced at once, and follows under its own id', async () => {
  const session = await world.paired()
  const id = await world.sandbox.send(ANA, { to: OWNER, text: 'from your ad', placeholder: true })
  await waitFor('the announcement', () => world.inbox.accepted.length > 0)
  await world.accepted('from your ad')
  expect(contents()).toEqual([
    [`${id}.placeholder`, { kind: 'placeholder', of: id }],
    [id, { kind: 'text', text: 'from your ad' }],
  ])
  await waitFor('the phone’s answer to be settled', () => world.signal.sizes(session).unsettled === 0)
})

it('the phone’s answer is in the journal before it is acknowledged: a kill does not lose it', async () => {
  const session = await world.paired()
  const door = world.door()
  world.inbox.gate = ({ content }) => (content.kind === 'text' ? door.pass() : undefined)
  await world.sandbox.send(ANA, { to: OWNER, text: 'from your ad', placeholder: true })
  await door.knocked
  expect(world.signal.sizes(session).unsettled).toBeGreaterThan(0)
  world.inbox.gate = () => undefined
  world.sandbox.disconnect(OWNER)
  await world.until(session, ({ status }) => status !== 'ready')
  await world.reborn()
  await world.accepted('from your ad')
})

it('a call is acknowledged only when it is recorded', async () => {
  await world.paired()
  const door = world.door()
  world.inbox.gate = ({ content }) => (content.kind === 'call' ? door.pass() : undefined)
  const id = world.sandbox.call(ANA, OWNER, { video: true })
  await door.knocked
  const waiting = () =>
    world.sandbox.stats().companions.reduce((sum, companion) => sum + companion.waiting, 0)
  expect(waiting()).toBeGreaterThan(0)
  door.open()
  await waitFor('the ack', () => waiting() === 0)
  expect(contents()).toEqual([[`call-${id}`, { kind: 'call', outcome: 'missed', isVideo: true }]])
})

it('a placeholder is left out when its message is here already', async () => {
  await world.paired()
  const id = await world.fromAna('here')
  await world.accepted('here')
  await world.sandbox.send(ANA, { to: OWNER, text: 'here', id, placeholder: true })
  await waitFor('the placeholder to be ignored', () => world.ignored.includes('superseded'))
  expect(world.inbox.accepted).toHaveLength(1)
})

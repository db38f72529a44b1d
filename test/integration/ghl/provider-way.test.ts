/** How a provider takes messages is found out once for its location, on a real store: not once per process. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { GhlInboundMessage } from '../../../src/bridge/ports.ts'
import { type LocationId, parseGhlContactId, parseWaMessageId } from '../../../src/core/ids.ts'
import type { Ghl } from '../../../src/ghl/ghl.ts'
import { type GatewayBench, startGatewayBench } from '../gateway/bench.ts'

const INBOUND = 'POST /conversations/messages/inbound'

let bench: GatewayBench
let locationId: LocationId
let people = 100
beforeEach(async () => {
  // Configured as custom.
  bench = await startGatewayBench({ providerKind: 'sms', settings: { inboundBy: 'conversation' } })
  locationId = await bench.install()
})
afterEach(() => bench.stop())

const newPerson = () => {
  people += 1
  const contactId = bench.sandbox.contacts.add(locationId, { name: 'Ana', phone: `+34600000${people}` }).id
  bench.sandbox.agentReply({ locationId, contactId, message: 'there is a conversation' })
  return parseGhlContactId(contactId)
}
/** What one message to a new person costs, in calls that add it. */
const cost = async (ghl: Ghl): Promise<number> => {
  const message: GhlInboundMessage = {
    locationId,
    ghlContactId: newPerson(),
    direction: 'inbound',
    altId: parseWaMessageId(`W${performance.now()}`),
    text: 'hello',
    attachments: [],
  }
  const before = bench.sandbox.calls({ route: INBOUND }).length
  await ghl.conversations.addInbound(message)
  return bench.sandbox.calls({ route: INBOUND }).length - before
}
/** The next start of the program, on the same store. */
const restarted = async (act: (ghl: Ghl) => Promise<void>) => {
  const ghl = bench.anotherGhl()
  try {
    await act(ghl)
  } finally {
    await ghl.close()
  }
}

it('is known to the next start, and to another node', async () => {
  expect(await cost(bench.ghl)).toBe(4)
  expect(await cost(bench.ghl)).toBe(1)
  await restarted(async (ghl) => {
    expect(await cost(ghl)).toBe(1)
  })
})

it('is forgotten when another way works, for good and for all', async () => {
  await cost(bench.ghl)
  bench.sandbox.settings.inboundBy = 'either'
  bench.sandbox.faults.add({
    route: INBOUND,
    effect: { kind: 'status', status: 400, body: { message: 'Incorrect conversationProviderId/type' } },
  })
  // By the conversation in both types, then by the contact.
  expect(await cost(bench.ghl)).toBe(3)
  expect(await bench.store.installations.findByLocation(locationId)).toMatchObject({
    providerType: 'SMS',
    providerAddress: undefined,
  })
  await restarted(async (ghl) => {
    expect(await cost(ghl)).toBe(1)
  })
})

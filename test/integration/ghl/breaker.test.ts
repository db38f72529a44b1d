import { afterEach, describe, expect, it } from 'vitest'
import { parseGhlContactId, parseWaMessageId } from '../../../src/core/ids.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type Bench, startBench } from './bench.ts'

let bench: Bench
afterEach(() => bench.stop())

describe('a location whose GHL keeps failing', () => {
  it.each([
    ['answers 500', { kind: 'status', status: 500 }],
    ['drops the connection', { kind: 'drop' }],
    ['does not answer in time', { kind: 'delay', ms: 2_000 }],
  ] as const)('is left alone when it %s, others are not, and it goes on by itself', async (_, effect) => {
    bench = await startBench({}, { timeoutMs: 150 })
    const ill = await bench.install('Ill')
    const well = await bench.install('Well')
    const route = 'POST /conversations/messages/inbound'
    const heal = bench.sandbox.faults.add({ route, locationId: ill, times: null, effect })
    const add = (locationId: typeof ill) =>
      bench.ghl.conversations.addInbound({
        locationId,
        ghlContactId: parseGhlContactId(bench.sandbox.contacts.add(locationId, { name: 'Ana' }).id),
        direction: 'inbound',
        altId: parseWaMessageId('W'),
        text: 'hello',
        attachments: [],
      })
    for (let n = 0; n < 5; n++) await expect(add(ill)).rejects.toMatchObject({ disposition: 'retry' })

    const callsBefore = bench.sandbox.calls({ route }).length
    await expect(add(ill)).rejects.toMatchObject({ code: 'GHL_PAUSED', disposition: 'park' })
    expect(bench.sandbox.calls({ route }).length).toBe(callsBefore)
    await add(well)
    const stateOf = (locationId: string) =>
      bench.ghl.conditions().find(({ resourceId }) => resourceId === locationId)?.breaker?.state
    expect([stateOf(ill), stateOf(well)]).toEqual(['open', 'closed'])

    heal()
    await waitFor('a probe', () => add(ill).catch(() => undefined))
    expect(stateOf(ill)).toBe('closed')
    expect(bench.recovered).toEqual([ill])
  })
})

import { expect, it } from 'vitest'
import { parseLocationId } from '../../../src/core/ids.ts'
import type { GhlClient } from '../../../src/ghl/client.ts'
import { createCallLogSource } from '../../../src/ghl/voice-ai.ts'

it('a call log without an id or a time is left out, and its page goes on', async () => {
  const callLogs = [
    { id: 'good', createdAt: '2026-10-01T00:00:00.000Z' },
    { id: 'timeless' },
    { id: 'odd', createdAt: 'yesterday' },
    { createdAt: 1 },
    null,
  ]
  const send = () => Promise.resolve({ status: 200, body: { total: 5, callLogs }, refusal: undefined })
  const source = createCallLogSource({ send } as unknown as GhlClient) // all that a page asks of it
  const page = await source.page(parseLocationId('loc1'), { from: new Date(0), to: new Date() }, 1)
  expect(page.calls.map(({ callId }) => callId)).toEqual(['good'])
  expect([page.total, page.isLast]).toEqual([5, true])
})

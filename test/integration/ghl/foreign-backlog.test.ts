/** Two nodes and one limit: the second one is asked for something while the first one works off a backlog. */
import { expect, it, onTestFinished } from 'vitest'
import type { LocationId } from '../../../src/core/ids.ts'
import { waitFor } from '../../support/wait-for.ts'
import { type Bench, startBench } from './bench.ts'

const MAX = 50
const INTERVAL_MS = 5_000

it('a node that knows nothing of another’s backlog spends its first calls on learning of it, not all', async () => {
  const bench = await startBench({
    rateLimit: { max: MAX, intervalMs: INTERVAL_MS, perDay: 200_000, window: 'sliding' },
  })
  onTestFinished(() => bench.stop())
  const locationId = await bench.install()
  bench.sandbox.forget()
  const ask = (node: Bench['ghl'], location: LocationId) =>
    node.contacts.findOrCreate(location, '+15551230001', undefined)

  const backlog = Promise.allSettled(Array.from({ length: 2.5 * MAX }, () => ask(bench.ghl, locationId)))
  await waitFor('a full window', () => bench.sandbox.calls({ route: 'POST /contacts/upsert' }).length >= MAX)
  const other = bench.anotherNode()
  const answers = await Promise.allSettled(Array.from({ length: 30 }, () => ask(other, locationId)))
  await backlog
  // Ten go before the first answer; then one at a time until GHL says what is left.
  expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(15)
})

/** The short form of `npm run chaos`: the promise that nothing is lost, doubled or reordered, by killing the thing. */
import { describe, expect, it } from 'vitest'
import { freshDatabase } from '../support/postgres.ts'
import { type ChaosResult, runChaos } from './run-chaos.ts'

function expectClean({ inbound, outbound, oddities }: ChaosResult): void {
  const clean = { lost: [], doubled: [], reordered: [] }
  expect({ inbound, outbound, oddities }).toMatchObject({ inbound: clean, outbound: clean, oddities: [] })
  expect(inbound.total).toBeGreaterThan(50)
  expect(outbound.total).toBeGreaterThan(20)
}

describe('under kill -9 with faults on both sides', () => {
  it('the embedded store loses, doubles and reorders nothing', async () => {
    expectClean(await runChaos({ kills: 20, seed: 11 }))
  }, 300_000)

  it('two nodes on one Postgres, killed in turn, lose, double and reorder nothing', async () => {
    const database = await freshDatabase('empty')
    try {
      expectClean(await runChaos({ kills: 10, seed: 12, databaseUrl: database.url, nodes: 2 }))
    } finally {
      await database.drop()
    }
  }, 300_000)
})

/**
 * One refresh for all, whoever asks and whoever dies over it: two real servers on one Postgres, in front of the strict GHL
 * sandbox, which gives a refresh token's pair again for 30 s and then never more.
 */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BridgeProcess } from '../../sandbox/bridge-process.ts'
import { Stage } from '../../sandbox/stage.ts'
import { freshDatabase, type TestDatabase } from '../support/postgres.ts'
import { waitFor } from '../support/wait-for.ts'

const TOKEN = 'POST /oauth/token'

describe('two nodes with one installation', () => {
  let database: TestDatabase
  let observer: pg.Client
  let locker: pg.Client
  let stage: Stage
  let locationId: string
  let contactId: string

  beforeAll(async () => {
    database = await freshDatabase()
    observer = new pg.Client({ connectionString: database.url })
    locker = new pg.Client({ connectionString: database.url })
    await Promise.all([observer.connect(), locker.connect()])
    stage = await Stage.set({ nodes: 2, env: { DATABASE_URL: database.url, LOG_LEVEL: 'info' } })
    for (const node of stage.nodes) await node.start()
  }, 60_000)
  beforeEach(async () => {
    stage.ghl.settings.refreshGraceMs = 30_000
    locationId = stage.ghl.addLocation().id
    contactId = stage.ghl.contacts.add(locationId, { name: 'Ana', phone: '+15551230001' }).id
    await stage.install(locationId)
    for (const node of stage.nodes) expect(await ask(node)).toBe(200)
    stage.ghl.forget()
  })
  afterEach(() => {
    expect(stage.ghl.stats().oddities).toEqual([])
  })
  afterAll(async () => {
    await stage.strike()
    await Promise.all([observer.end(), locker.end()])
    await database.drop()
  })

  const addressOf = (node: BridgeProcess): string =>
    [...node.output.matchAll(/"url":"(http:[^"]+)"[^\n]*"msg":"listening"/g)].at(-1)?.[1] ?? ''
  /** A call to GHL under the location's token, through this node. */
  const ask = async (node: BridgeProcess): Promise<number> => {
    const url = `${addressOf(node)}/api/ghl/location/${locationId}/proxy/contacts/${contactId}`
    const answer = await fetch(url, { headers: { authorization: `Bearer ${node.apiKey}` } })
    await answer.text()
    return answer.status
  }
  const askMany = (nodes: readonly BridgeProcess[], times: number) =>
    Promise.all(nodes.flatMap((node) => Array.from({ length: times }, () => ask(node))))
  const refreshes = () => stage.ghl.calls({ route: TOKEN }).length
  const listed = async () => {
    const answer = await stage.bridge.operator('GET', `/api/ghl/locations?locationId=${locationId}`)
    const { locations } = (await answer.json()) as {
      locations: { status: string; reconnectUrl: string | null }[]
    } // our own contract
    return locations[0]
  }
  const [victim, heir] = [() => nodeAt(0), () => nodeAt(1)]
  const nodeAt = (index: number): BridgeProcess => {
    const node = stage.nodes[index]
    if (node === undefined) throw new Error(`there is no node ${index}`)
    return node
  }

  /**
   * kill -9 with GHL's new pair in the victim's hands and its write under way: the write is held at a locked row, and its
   * connection is ended with the process, as it would be on another machine.
   */
  async function killBetweenAnswerAndPersist(): Promise<void> {
    stage.ghl.tokens.expireAccess(locationId)
    stage.ghl.faults.add({ route: TOKEN, when: 'after', effect: { kind: 'delay', ms: 1_500 } })
    const asked = ask(victim()).catch(() => 'died')
    // Looked for again and again: the sandbox announces calls when they end.
    await waitFor('the refresh', () => refreshes() > 0)
    await locker.query('begin')
    await locker.query('select from bridge.ghl_accounts where location_id = $1 for update', [locationId])
    const writer = await waitFor('the write of the pair', async () => {
      const { rows } = await observer.query<{ pid: number }>(
        `select pid from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query like '%finish_refresh%'`,
      )
      return rows[0]
    })
    await victim().kill()
    await observer.query('select pg_terminate_backend($1)', [writer.pid])
    await locker.query('rollback')
    expect(await asked).toBe('died')
    expect(refreshes()).toBe(1)
  }

  it('refresh an expired token once for 50 calls at the same time', async () => {
    stage.ghl.tokens.expireAccess(locationId)
    expect(new Set(await askMany(stage.nodes, 25))).toEqual(new Set([200]))
    expect(refreshes()).toBe(1)
    // Both have the new pair, and the refresh token in the store is the new one.
    stage.ghl.settings.refreshGraceMs = 0
    stage.ghl.tokens.expireAccess(locationId)
    expect(new Set(await askMany(stage.nodes, 25))).toEqual(new Set([200]))
    expect(refreshes()).toBe(2)
  }, 30_000)

  it('lose nothing when one dies with the new pair not stored: the other gets it again inside GHL’s 30 s', async () => {
    await killBetweenAnswerAndPersist()
    expect(new Set(await askMany([heir()], 10))).toEqual(new Set([200]))
    expect(refreshes()).toBe(2)
    stage.ghl.settings.refreshGraceMs = 0
    stage.ghl.tokens.expireAccess(locationId)
    expect(await ask(heir())).toBe(200)
    await victim().start()
    expect(await ask(victim())).toBe(200)
    expect(refreshes()).toBe(3)
  }, 90_000)

  it.each(['the other', 'the same one, started again'])(
    'recover the pair by %s although nobody asks for anything',
    async (who) => {
      const isAlone = who !== 'the other'
      if (isAlone) await heir().kill()
      await killBetweenAnswerAndPersist()
      if (isAlone) await victim().start()
      const isFinished = async () => {
        const { rows } = await observer.query<{ refreshed: boolean }>(
          'select refresh_until is null as refreshed from bridge.ghl_accounts where location_id = $1',
          [locationId],
        )
        return rows[0]?.refreshed
      }
      await waitFor('the pair', isFinished, 30_000)
      expect(refreshes()).toBe(2)
      stage.ghl.settings.refreshGraceMs = 0
      await (isAlone ? heir() : victim()).start()
      stage.ghl.tokens.expireAccess(locationId)
      expect(new Set(await askMany(stage.nodes, 1))).toEqual(new Set([200]))
      expect(refreshes()).toBe(3)
      expect(await listed()).toMatchObject({ status: 'connected' })
    },
    90_000,
  )

  it('ask for a reconnect, and do not try for ever, when one dies so and GHL’s 30 s are over', async () => {
    stage.ghl.settings.refreshGraceMs = 0
    await killBetweenAnswerAndPersist()
    expect(new Set(await askMany([heir()], 10))).toEqual(new Set([409]))
    expect(refreshes()).toBe(2)
    await victim().start()
    expect(new Set(await askMany(stage.nodes, 10))).toEqual(new Set([409]))
    expect(refreshes()).toBe(2)
    expect(await listed()).toMatchObject({
      status: 'not_connected',
      reconnectUrl: expect.stringContaining('/oauth/install') as string,
    })
    await stage.install(locationId)
    expect(new Set(await askMany(stage.nodes, 1))).toEqual(new Set([200]))
  }, 90_000)
})

/** What runs now and then: when it is due, that it is resumed, and that one node does it. The real tokens' care on a real store. */
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { AgencySync } from '../../../src/bridge/agency-sync.ts'
import { keepRun, type SyncRow } from '../../../src/bridge/syncs.ts'
import { TokenCare } from '../../../src/bridge/token-care.ts'
import { agencyChores, Chores, tokenChores } from '../../../src/chores.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { GhlError } from '../../../src/core/errors.ts'
import { parseLocationId } from '../../../src/core/ids.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import { type Subject, subjectOf } from '../store/subject.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

describe('chores', () => {
  let target: TestDatabase
  let subject: Subject
  beforeAll(async () => {
    target = await freshDatabase()
    subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
  })
  beforeEach(() => subject.run('delete from bridge.sync_status; delete from bridge.ghl_accounts'))
  afterEach(() => {
    vi.useRealTimers()
  })
  afterAll(async () => {
    await subject.store.close()
    await target.drop()
  })

  const install = async (expiresInMs: number) => {
    const expiresAt = new Date(Date.now() + expiresInMs)
    const { installationId } = await subject.store.installations.save({
      locationId: parseLocationId(`loc-${randomUUID()}`),
      companyId: undefined,
      userType: 'Location',
      scopes: '',
      tokens: { accessToken: 'a', refreshToken: 'r', expiresAt },
    })
    return installationId
  }
  /** A node, and what it did with which installation; GHL answers it when `answer` is settled. */
  function node(refused: readonly string[] = [], answer: Promise<void> = Promise.resolve()) {
    const { installations, syncs } = subject.store
    const did: string[] = []
    const note =
      (deed: string) =>
      async ({ installationId }: { installationId: string }) => {
        did.push(`${deed} ${installationId}`)
        await answer
        if (refused.includes(installationId)) throw new GhlError('GHL_UNAVAILABLE', 'GHL is down')
        return {}
      }
    const care = new TokenCare({
      installations,
      syncs,
      tokens: { refresh: note('refresh'), finish: note('finish'), check: note('check') },
      agency: { connect: async () => 'no_agency' },
      wake: async () => undefined,
      clock: systemClock,
      log: silentLog,
    })
    const agencySync = new AgencySync({
      installations,
      syncs,
      agency: {
        connect: async () => 'no_agency',
        renew: async () => undefined,
        listInstalled: async (companyId) => {
          did.push(`list ${companyId}`)
          return { locations: [], ids: [], unread: 0, total: 0, nextSkip: undefined }
        },
      },
      check: note('check'),
      wake: async () => undefined,
      clock: systemClock,
      log: silentLog,
    })
    const chores = new Chores({
      prune: async () => undefined,
      resume: async () => void did.push('resume'),
      chores: [...tokenChores(care), ...agencyChores(agencySync)],
      syncs,
      log: silentLog,
    })
    return { chores, care, did, idle: () => agencySync.idle() }
  }
  const report = async (scope: string): Promise<SyncRow | undefined> =>
    (await subject.store.syncs.list({ scope }))[0]
  /** As if this chore had run so long ago. */
  async function ranBefore(kind: string, scope: string, ms: number): Promise<void> {
    const run = await subject.store.syncs.begin({ kind, scope }, MINUTE_MS)
    if (run === undefined) throw new Error('begun')
    await subject.store.syncs.finish(run, 'done')
    await subject.run(
      `update bridge.sync_status set started_at = clock_timestamp() - interval '${ms} milliseconds'
       where kind = '${kind}' and scope = '${scope}'`,
    )
  }
  const allRanNow = async () => {
    for (const [kind, scope] of [
      ['token_refresh', 'hourly'],
      ['token_check', 'daily'],
      ['token_refresh', 'weekly'],
      ['installations_daily', 'all'],
    ] as const)
      await ranBefore(kind, scope, 0)
  }

  it('that never ran wait until the start of everything else is over, and then all run', async () => {
    const healthy = await install(20 * HOUR_MS)
    const { chores, did } = node()
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'setInterval', 'clearTimeout'] })
    chores.start()
    vi.useRealTimers()
    const startedAtMs = performance.now()
    const now = vi.spyOn(performance, 'now')
    try {
      now.mockReturnValue(startedAtMs + 1_000)
      await chores.doDue()
      expect(did).toEqual(['resume'])
      now.mockReturnValue(startedAtMs + 2 * HOUR_MS)
      await chores.doDue()
    } finally {
      now.mockRestore()
      chores.stop()
    }
    // Hourly has nothing to do for it, daily looks, weekly renews.
    expect(did).toEqual(['resume', 'resume', `check ${healthy}`, `refresh ${healthy}`])
    for (const scope of ['hourly', 'daily', 'weekly']) expect((await report(scope))?.state).toBe('done')
    await chores.doDue()
    expect(did).toHaveLength(5)
  })

  it('hourly renew what ends within two hours, and what has ended, and leave the rest alone', async () => {
    await allRanNow()
    const [healthy, expiring, over] = [await install(20 * HOUR_MS), await install(HOUR_MS), await install(-1)]
    const { chores, did } = node()
    await chores.doDue()
    expect(did).toEqual(['resume'])
    await ranBefore('token_refresh', 'hourly', 50 * MINUTE_MS)
    await chores.doDue()
    expect(did).toEqual(['resume', 'resume'])
    await ranBefore('token_refresh', 'hourly', 61 * MINUTE_MS)
    await chores.doDue()
    expect(did.slice(3).toSorted()).toEqual([`refresh ${expiring}`, `refresh ${over}`].toSorted())
    expect(did.join()).not.toContain(healthy)
    expect(await report('hourly')).toMatchObject({ state: 'done', done: 2, failed: 0 })
  })

  it.each([
    ['daily', 'token_check', 24, 'check'],
    ['weekly', 'token_refresh', 7 * 24, 'refresh'],
  ] as const)('%s are due after their time and not before', async (scope, kind, hours, deed) => {
    await allRanNow()
    const healthy = await install(20 * HOUR_MS)
    const { chores, did } = node()
    await ranBefore(kind, scope, (hours - hours / 10) * HOUR_MS)
    await chores.doDue()
    expect(did).toEqual(['resume'])
    await ranBefore(kind, scope, (hours + 1) * HOUR_MS)
    await chores.doDue()
    expect(did).toEqual(['resume', 'resume', `${deed} ${healthy}`])
  })

  it('daily bring every agency in line with GHL, also where the last time failed', async () => {
    await allRanNow()
    const companyId = `agency-${randomUUID()}`
    await subject.store.installations.save({
      locationId: undefined,
      companyId,
      userType: 'Company',
      scopes: '',
      tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: new Date(Date.now() + 20 * HOUR_MS) },
    })
    const failed = await subject.store.syncs.begin({ kind: 'installations', scope: companyId }, MINUTE_MS)
    if (failed === undefined) throw new Error('begun')
    await subject.store.syncs.finish(failed, 'failed', 'GHL_UNAVAILABLE: GHL is down')
    const { chores, did, idle } = node()
    await chores.doDue()
    expect(did).toEqual(['resume'])
    await ranBefore('installations_daily', 'all', 25 * HOUR_MS)
    await chores.doDue()
    await idle()
    expect(did).toEqual(['resume', 'resume', `list ${companyId}`])
    expect(await report(companyId)).toMatchObject({ state: 'done' })
    expect(await report('all')).toMatchObject({ state: 'done', message: '1 agencies begun' })
  })

  it('that a dead node left half done are gone on with, with its counts', async () => {
    await allRanNow()
    const due = [await install(HOUR_MS), await install(HOUR_MS)]
    const page = await subject.store.installations.page({ limit: 1 })
    const [seen] = page.rows.map(({ installationId }) => installationId)
    await subject.run(`delete from bridge.sync_status where scope = 'hourly'`)
    const dead = await subject.store.syncs.begin({ kind: 'token_refresh', scope: 'hourly' }, -1)
    if (dead === undefined) throw new Error('begun')
    await subject.store.syncs.advance(dead, { done: 7, failed: 1, cursor: page.nextCursor ?? null }, -1)
    const { chores, did } = node()
    await chores.doDue()
    expect(did).toEqual(['resume', `refresh ${due.find((each) => each !== seen) ?? ''}`])
    expect(await report('hourly')).toMatchObject({ state: 'done', done: 8, failed: 1 })
  })

  it('are free for another node within half a minute of a death, and at once when they are let go', async () => {
    await allRanNow()
    await ranBefore('token_refresh', 'hourly', 2 * HOUR_MS)
    const due = [await install(HOUR_MS), await install(HOUR_MS)]
    const { syncs } = subject.store
    const kept = await keepRun(syncs, { kind: 'token_refresh', scope: 'hourly' })
    const { chores, did } = node()
    await chores.doDue()
    expect(did).toEqual(['resume'])
    await subject.run(`update bridge.sync_status set until = until - interval '30 s' where scope = 'hourly'`)
    expect((await report('hourly'))?.state).toBe('interrupted')
    await kept?.advance({})
    await kept?.release()
    await chores.doDue()
    expect(did.slice(2).toSorted()).toEqual(due.map((id) => `refresh ${id}`).toSorted())
  })

  it('that go on for longer than a hold stay with the node that does them', async () => {
    const { syncs } = subject.store
    const run = { kind: 'token_refresh', scope: 'slow' }
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    const kept = await keepRun(syncs, run)
    const holdOver = `update bridge.sync_status set until = clock_timestamp() - interval '1 s' where scope = 'slow'`
    await subject.run(holdOver)
    expect((await report('slow'))?.state).toBe('interrupted')
    vi.advanceTimersByTime(6_000)
    vi.useRealTimers()
    await vi.waitFor(async () => expect((await report('slow'))?.state).toBe('running'))
    expect(await keepRun(syncs, run)).toBeUndefined()
    await kept?.finish('done')
    expect((await report('slow'))?.state).toBe('done')
  })

  it('stop with the installations in hand, and the rest of the page is begun again elsewhere', async () => {
    await allRanNow()
    await ranBefore('token_refresh', 'hourly', 2 * HOUR_MS)
    const due = await Promise.all(Array.from({ length: 12 }, () => install(HOUR_MS)))
    const { promise: answer, resolve: letAnswer } = Promise.withResolvers<void>()
    const first = node([], answer)
    const running = first.chores.doDue()
    await vi.waitFor(() => expect(first.did.length).toBeGreaterThan(1))
    const stopped = first.care.stop()
    letAnswer()
    await stopped
    const begun = first.did.length
    await running
    expect(first.did).toHaveLength(begun)
    expect(begun - 1).toBeLessThan(due.length)
    expect((await report('hourly'))?.state).toBe('interrupted')
    const second = node()
    await second.chores.doDue()
    expect(second.did.slice(1).toSorted()).toEqual(due.map((id) => `refresh ${id}`).toSorted())
    expect(await report('hourly')).toMatchObject({ state: 'done', done: due.length, failed: 0 })
  })

  it('are done by one node when two find them due, and one refusal stops nothing', async () => {
    await allRanNow()
    const ids = await Promise.all(Array.from({ length: 6 }, () => install(HOUR_MS)))
    const refused = ids.slice(0, 1)
    await ranBefore('token_refresh', 'hourly', 2 * HOUR_MS)
    const [one, two] = [node(refused), node(refused)]
    await Promise.all([one.chores.doDue(), two.chores.doDue()])
    const deeds = [...one.did, ...two.did].filter((deed) => deed !== 'resume')
    expect(deeds.toSorted()).toEqual(ids.map((id) => `refresh ${id}`).toSorted())
    expect(await report('hourly')).toMatchObject({ state: 'done', done: 5, failed: 1 })
    const [row] = await Promise.all(refused.map((id) => subject.store.installations.find(id)))
    expect(row?.problem?.code).toBe('GHL_UNAVAILABLE')
  })
})

import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { NewInstallation, TokenHealth } from '../../../src/bridge/installations.ts'
import { type LocationId, parseLocationId, parseSessionId } from '../../../src/core/ids.ts'
import { freshPlace, nameLocation, type Subject } from './subject.ts'

const HOUR_MS = 3_600_000
const ago = (ms: number) => new Date(Date.now() - ms)

export function describeInstalls(subject: () => Subject): void {
  const store = () => subject().store.installations
  const freshLocation = () => parseLocationId(`loc-${randomUUID()}`)
  const grant = (
    locationId: LocationId | undefined,
    over: Partial<NewInstallation> = {},
  ): NewInstallation => ({
    locationId,
    companyId: undefined,
    userType: locationId === undefined ? 'Company' : 'Location',
    scopes: 'a b',
    tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: new Date(Date.now() + 24 * HOUR_MS) },
    ...over,
  })
  const statusOf = async (locationId: LocationId) => (await store().findByLocation(locationId))?.status

  describe('an INSTALL event', () => {
    it('before the code makes a pending installation that the code completes', async () => {
      const locationId = freshLocation()
      const companyId = randomUUID()
      const noted = await store().noteInstall({
        locationId,
        companyId,
        companyName: 'Agency',
        versionId: 'v1',
        whiteLabelDomain: 'crm.agency.example',
      })
      expect(noted).toMatchObject({ status: 'pending', companyName: 'Agency', versionId: 'v1' })
      expect(await store().readTokens(noted.installationId)).toBeUndefined()
      expect(await store().beginRefresh(noted.installationId, 1_000)).toBeUndefined()
      const saved = await store().save(
        grant(locationId, { isBulk: true, userId: 'u1', locationName: 'Dental' }),
      )
      expect(saved).toMatchObject({
        installationId: noted.installationId,
        installedAt: noted.installedAt,
        status: 'active',
        companyId,
        isBulk: true,
        userId: 'u1',
        locationName: 'Dental',
        whiteLabelDomain: 'crm.agency.example',
      })
      expect(await store().whiteLabelDomains(locationId)).toEqual(['crm.agency.example'])
      expect(await store().find(noted.installationId)).toEqual(saved)
    })

    it('after the code, or again, changes no state and no token', async () => {
      const locationId = freshLocation()
      const saved = await store().save(grant(locationId))
      for (let n = 0; n < 2; n++) await store().noteInstall({ locationId, happenedAt: ago(HOUR_MS) })
      expect(await store().findByLocation(locationId)).toMatchObject({
        status: 'active',
        installedAt: saved.installedAt,
      })
      expect(await store().readTokens(saved.installationId)).toBeDefined()
    })

    it('that is older than the UNINSTALL does not bring the app back; a younger one does', async () => {
      const locationId = freshLocation()
      // The removal of a location that nobody has heard of yet is kept too.
      await store().uninstall({ locationId, happenedAt: ago(HOUR_MS) })
      await store().noteInstall({ locationId, happenedAt: ago(2 * HOUR_MS) })
      expect(await statusOf(locationId)).toBe('uninstalled')
      await store().noteInstall({ locationId, happenedAt: ago(HOUR_MS / 2) })
      expect(await statusOf(locationId)).toBe('pending')
    })

    it('that is older than the UNINSTALL of the agency brings neither it nor a location back; a younger one does', async () => {
      const companyId = randomUUID()
      const [fresh, gone] = [freshLocation(), freshLocation()]
      const note = async (locationId: LocationId | undefined, hours: number) =>
        (await store().noteInstall({ locationId, companyId, happenedAt: ago(hours * HOUR_MS) })).status
      await store().uninstall({ locationId: gone, companyId, happenedAt: ago(9 * HOUR_MS) })
      // Nobody has heard of the agency yet. Its later removal counts for what was removed before, too.
      expect(await store().uninstall({ companyId, happenedAt: ago(5 * HOUR_MS) })).toEqual([])
      for (const locationId of [fresh, gone, undefined]) {
        expect(await note(locationId, 6)).toBe('uninstalled')
        expect(await note(locationId, 5.5)).toBe('uninstalled')
        expect(await note(locationId, 4)).toBe('pending')
      }
      // Removed once more, and late word of before that.
      await store().uninstall({ companyId, happenedAt: ago(3 * HOUR_MS) })
      expect(await note(undefined, 3.5)).toBe('uninstalled')
      expect(await note(freshLocation(), 3.5)).toBe('uninstalled')
      expect(await note(freshLocation(), 2)).toBe('pending')
      // Another agency's removal is nobody else's.
      const { status } = await store().noteInstall({
        ...{ locationId: freshLocation(), companyId: randomUUID() },
        happenedAt: ago(9 * HOUR_MS),
      })
      expect(status).toBe('pending')
    })
  })

  describe('an installation that the operator switches off', () => {
    it('stays off whatever comes without a person, keeps its tokens, and is nobody’s to serve', async () => {
      const locationId = freshLocation()
      const { installationId } = await store().save(grant(locationId))
      const held = await store().beginRefresh(installationId, 60_000)
      expect(await store().deactivate(installationId)).toMatchObject({ status: 'deactivated' })
      expect(await store().deactivate(installationId)).toMatchObject({ status: 'deactivated' })
      expect(await store().removedAmong([locationId])).toEqual([locationId])
      expect(await store().noteInstall({ locationId })).toMatchObject({ status: 'deactivated' })
      expect(await store().saveMinted(grant(locationId), new Date(Date.now() + 1_000))).toBeUndefined()
      const { rows } = await store().page({ locationId, limit: 1, health: 'deactivated' })
      expect(rows).toHaveLength(1)
      // A refresh that was under way: its pair is the only one that GHL honours.
      const pair = { ...grant(locationId).tokens, accessToken: 'b' }
      await store().finishRefresh(installationId, held?.holder ?? '', pair, undefined)
      expect(await statusOf(locationId)).toBe('deactivated')
      expect(await store().activate(installationId)).toEqual([locationId])
      expect(await store().activate(installationId)).toEqual([])
      expect(await statusOf(locationId)).toBe('active')
      expect(await store().readTokens(installationId)).toMatchObject({ accessToken: 'b', refreshToken: 'r' })
      await store().deactivate(installationId)
      expect(await store().save(grant(locationId))).toMatchObject({ installationId, status: 'active' })
      expect(await store().deactivate(randomUUID())).toBeUndefined()
    })

    it('being an agency, goes with its locations and comes back with those that went with it', async () => {
      const companyId = randomUUID()
      const [one, two] = [freshLocation(), freshLocation()]
      const agency = await store().save(grant(undefined, { companyId }))
      const first = await store().save(grant(one, { companyId }))
      await store().save(grant(two, { companyId }))
      await store().deactivate(first.installationId)
      await store().deactivate(agency.installationId)
      expect(await statusOf(two)).toBe('deactivated')
      expect(await store().activate(agency.installationId)).toEqual([two])
      expect([await statusOf(one), await statusOf(two)]).toEqual(['deactivated', 'active'])
      await store().deactivate(agency.installationId)
      expect(await store().save(grant(undefined, { companyId }))).toMatchObject({ status: 'active' })
      expect([await statusOf(one), await statusOf(two)]).toEqual(['deactivated', 'active'])
    })
  })

  describe('an UNINSTALL event', () => {
    it('takes the tokens away at once, also from a refresh under way, and keeps the rest', async () => {
      const { locationId, sessionId } = await freshPlace(subject())
      const { installationId } = await store().save(grant(locationId))
      const held = await store().beginRefresh(installationId, 60_000)
      expect(await store().uninstall({ locationId })).toEqual([locationId])
      expect(await store().uninstall({ locationId })).toEqual([])
      expect(await statusOf(locationId)).toBe('uninstalled')
      expect(await store().readTokens(installationId)).toBeUndefined()
      const late = store().finishRefresh(
        installationId,
        held?.holder ?? '',
        grant(locationId).tokens,
        undefined,
      )
      await expect(late).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' })
      expect((await subject().store.sessions.find(sessionId))?.locationId).toBe(locationId)
      const again = await store().save(grant(locationId))
      expect(again).toMatchObject({ installationId, status: 'active', uninstalledAt: undefined })
    })

    it('that is older than what GHL granted since changes nothing', async () => {
      const locationId = freshLocation()
      const saved = await store().save(grant(locationId))
      expect(await store().uninstall({ locationId, happenedAt: ago(HOUR_MS) })).toEqual([])
      expect(await store().readTokens(saved.installationId)).toBeDefined()
    })

    it('is found by a node that asks for its own locations', async () => {
      const gone = freshLocation()
      const foreign = freshLocation()
      const [installed, unknown] = [freshLocation(), freshLocation()]
      for (const each of [gone, installed, foreign]) await store().save(grant(each))
      for (const locationId of [gone, foreign]) await store().uninstall({ locationId })
      expect(await store().removedAmong([gone, installed, unknown])).toEqual([gone])
      await store().save(grant(gone))
      expect(await store().removedAmong([gone, installed, unknown])).toEqual([])
      expect(await store().removedAmong([])).toEqual([])
    })

    it('of an agency is one of all its locations', async () => {
      const companyId = randomUUID()
      const [one, two, other] = [freshLocation(), freshLocation(), freshLocation()]
      const company = await store().save(grant(undefined, { companyId }))
      for (const each of [one, two]) await store().save(grant(each, { companyId }))
      await store().save(grant(other, { companyId: randomUUID() }))
      expect((await store().uninstall({ companyId })).toSorted()).toEqual([one, two].toSorted())
      expect(await store().findCompany(companyId)).toMatchObject({
        installationId: company.installationId,
        status: 'uninstalled',
      })
      expect(await statusOf(other)).toBe('active')
    })

    it('does not concern one that the operator has switched off, and takes its tokens all the same', async () => {
      const locationId = freshLocation()
      const { installationId } = await store().save(grant(locationId))
      await store().deactivate(installationId)
      expect(await store().uninstall({ locationId })).toEqual([locationId])
      expect(await statusOf(locationId)).toBe('uninstalled')
      expect(await store().readTokens(installationId)).toBeUndefined()
    })

    it('beats a token that was asked for before and comes after', async () => {
      const locationId = freshLocation()
      const askedAt = ago(1_000)
      await store().save(grant(locationId))
      await store().uninstall({ locationId })
      expect(await store().saveMinted(grant(locationId), askedAt)).toBeUndefined()
      expect(await statusOf(locationId)).toBe('uninstalled')
      expect(await store().saveMinted(grant(locationId), new Date(Date.now() + 1_000))).toMatchObject({
        status: 'active',
      })
    })
  })

  it('an installation says what its last attempt met, until one goes well', async () => {
    const locationId = freshLocation()
    const { installationId } = await store().save(grant(locationId))
    const problem = { code: 'GHL_UNAVAILABLE', message: 'no answer' }
    await store().noteAttempt(installationId, { problem, isCheck: true })
    expect(await store().findByLocation(locationId)).toMatchObject({ problem, checkedAt: undefined })
    await store().noteAttempt(installationId, { isCheck: true })
    expect(await store().findByLocation(locationId)).toMatchObject({
      problem: undefined,
      checkedAt: expect.any(Date) as Date,
    })
    await store().noteVersion({ locationId }, 'v2')
    await store().describe(locationId, { locationName: 'New name', timeZone: 'America/Bogota' })
    await store().describe(locationId, {})
    expect(await store().findByLocation(locationId)).toMatchObject({
      versionId: 'v2',
      locationName: 'New name',
      timeZone: 'America/Bogota',
    })
  })

  describe('the list of installations', () => {
    it('comes in pages in the order of names, complete and without repeats, found by part of a name', async () => {
      const mark = randomUUID()
      const names = ['beta', 'Alpha', 'alpha', 'Émile', 'gamma'].map((name) => `${mark} ${name}`)
      for (const locationName of names) await store().save(grant(freshLocation(), { locationName }))
      const seen: (string | undefined)[] = []
      let cursor: string | undefined
      do {
        const page = await store().page({ limit: 2, search: mark.toUpperCase(), ...(cursor && { cursor }) })
        expect(page.total).toBe(names.length)
        seen.push(...page.rows.map((row) => row.locationName))
        cursor = page.nextCursor
      } while (cursor !== undefined)
      expect(seen.map((name) => name?.toLowerCase())).toEqual(
        names.map((name) => name.toLowerCase()).toSorted(),
      )
      await expect(store().page({ limit: 2, cursor: 'bm90IG91cnM' })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      })
    })

    it('tells the health of each, and counts them', async () => {
      const companyId = randomUUID()
      const make = async (expiresInMs: number) => {
        const locationId = freshLocation()
        const tokens = {
          accessToken: 'a',
          refreshToken: undefined,
          expiresAt: new Date(Date.now() + expiresInMs),
        }
        await store().save(grant(locationId, { companyId, tokens }))
        return locationId
      }
      const before = await store().countByHealth()
      const [healthy, expiring, expired, gone, pending] = [
        await make(3 * HOUR_MS),
        await make(HOUR_MS),
        await make(-1),
        await make(HOUR_MS),
        freshLocation(),
      ]
      await store().uninstall({ locationId: gone })
      await store().noteInstall({ locationId: pending, companyId })
      const { rows } = await store().page({ companyId, limit: 100 })
      const found: Record<string, TokenHealth> = {}
      for (const row of rows) found[row.locationId ?? ''] = row.health
      expect(found).toEqual({
        [healthy]: 'healthy',
        [expiring]: 'expiring',
        [expired]: 'expired',
        [gone]: 'uninstalled',
        [pending]: 'pending',
      })
      const after = await store().countByHealth()
      for (const health of Object.values(found)) expect(after[health]).toBe(before[health] + 1)
      const only = await store().page({ companyId, health: 'expired', limit: 100 })
      expect([only.total, only.rows.map((row) => row.locationId)]).toEqual([1, [expired]])
    })
  })

  it('locations are found and counted by how their numbers are', async () => {
    const store = () => subject().store.installations
    const companyId = `company-${randomUUID()}`
    const before = await store().countLocations()
    const place = async (...statuses: ('ready' | 'disconnected' | 'logged_out' | 'banned')[]) => {
      const locationId = freshLocation()
      await store().save(grant(locationId, { companyId }))
      for (const status of statuses) {
        const sessionId = parseSessionId(randomUUID())
        await subject().store.sessions.create({ sessionId, locationId })
        await subject().store.sessions.update(sessionId, { status })
      }
      return locationId
    }
    const wanted = {
      ready: await place('ready', 'ready'),
      reconnecting: await place('ready', 'disconnected'),
      scan: await place('disconnected', 'logged_out'),
      person: await place('banned', 'logged_out'),
      none: await place(),
    }
    const states = ['ready', 'reconnecting', 'scan', 'person', 'none'] as const
    for (const numbers of states) {
      const { rows, total } = await store().page({ companyId, numbers, limit: 10 })
      expect([total, rows.map((row) => row.locationId)]).toEqual([1, [wanted[numbers]]])
    }
    expect((await store().page({ companyId, numbers: 'trouble', limit: 10 })).total).toBe(3)
    const after = await store().countLocations()
    for (const numbers of states) expect(after.numbers[numbers]).toBe(before.numbers[numbers] + 1)
    // What needs a person stands first, over the border of a page, too.
    const first = await store().page({ companyId, order: 'trouble', limit: 1 })
    const rest = await store().page({ companyId, order: 'trouble', limit: 9, cursor: first.nextCursor ?? '' })
    const order = [...first.rows, ...rest.rows].map((row) => row.locationId)
    expect(new Set(order.slice(0, 2))).toEqual(new Set([wanted.person, wanted.scan]))
    expect([order.indexOf(wanted.reconnecting), order.length]).toEqual([2, 5])
  })

  it.each([
    ['a name without its accents', () => 'clinica sao'],
    ['a part of its id', (id: string) => id.slice(3, 12)],
    ['digits of its number', () => '(11) 98877-66'],
  ])('are found by %s', async (_what, searchOf) => {
    const store = () => subject().store.installations
    const locationId = freshLocation()
    const companyId = `company-${randomUUID()}`
    await store().save(grant(locationId, { companyId }))
    await store().describe(locationId, { locationName: 'Clínica São José' })
    const sessionId = parseSessionId(randomUUID())
    await subject().store.sessions.create({ sessionId, locationId })
    await subject().run(
      `update bridge.sessions set phone_number = '+5511988776655' where id = '${sessionId}'`,
    )
    const found = await store().page({ companyId, search: searchOf(locationId), limit: 10 })
    expect(found.rows.map((row) => [row.locationId, row.dead, row.held])).toEqual([[locationId, 0, 0]])
    expect((await store().page({ companyId, search: 'nothing like it', limit: 10 })).total).toBe(0)
  })

  it('the sessions of several locations come in one answer', async () => {
    const [one, two] = [await freshPlace(subject()), await freshPlace(subject())]
    const found = await subject().store.sessions.listOf([one.locationId, two.locationId])
    expect(found.map((row) => row.sessionId).toSorted()).toEqual([one.sessionId, two.sessionId].toSorted())
    expect(await subject().store.sessions.listOf([])).toEqual([])
  })

  describe('a sync', () => {
    const fresh = () => ({ kind: 'test', scope: randomUUID() })

    it('has one runner at a time, and reports what it does', async () => {
      const { syncs } = subject().store
      const of = fresh()
      const runs = await Promise.all([1, 2, 3].map(() => syncs.begin(of, 60_000)))
      const [run] = runs.filter((each) => each !== undefined)
      expect(runs.filter((each) => each !== undefined)).toHaveLength(1)
      if (run === undefined) throw new Error('one run')
      await syncs.advance(run, { cursor: 'c1', total: 10, done: 3, failed: 1 }, 60_000)
      expect(await syncs.list(of)).toMatchObject([
        { ...of, state: 'running', cursor: 'c1', total: 10, done: 3, failed: 1, finishedAt: undefined },
      ])
      await syncs.finish(run, 'done', 'all well')
      expect(await syncs.list(of)).toMatchObject([
        {
          state: 'done',
          cursor: undefined,
          done: 3,
          message: 'all well',
          finishedAt: expect.any(Date) as Date,
        },
      ])
      expect(await syncs.begin(of, 60_000)).toMatchObject({ done: 0, failed: 0, cursor: undefined })
    })

    it('is found by page and by state among thousands, and its kind says how all of them stand', async () => {
      const { syncs } = subject().store
      const kind = `kind-${randomUUID()}`
      await subject().run(`insert into bridge.sync_status (kind, scope, state, until, updated_at)
        select '${kind}', 'scope-' || n, case when n % 100 = 0 then 'failed' when n = 1 then 'running' else 'done' end,
          case when n = 1 then now() - interval '1 minute' end, now() - n * interval '1 second'
        from generate_series(1, 1203) n`)
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await syncs.page({ kind, limit: 200, ...(cursor !== undefined && { cursor }) })
        expect(page.total).toBe(1_203)
        seen.push(...page.syncs.map(({ scope }) => scope))
        cursor = page.nextCursor
      } while (cursor !== undefined)
      expect(seen).toEqual(Array.from({ length: 1_203 }, (_, n) => `scope-${n + 1}`))
      const failed = await syncs.page({ kind, state: 'failed', limit: 5 })
      expect(failed.total).toBe(12)
      expect(failed.syncs.map(({ state }) => state)).toEqual(Array(5).fill('failed'))
      expect((await syncs.page({ kind, state: 'interrupted', limit: 5 })).syncs).toMatchObject([
        { scope: 'scope-1', state: 'interrupted' },
      ])
      const counts = (await syncs.countByKind()).find((each) => each.kind === kind)
      expect(counts).toMatchObject({ running: 0, interrupted: 1, failed: 12, done: 1_190 })
    })

    it('bears the name of the location it is about', async () => {
      const place = await freshPlace(subject())
      await nameLocation(subject(), place.locationId, 'Dental')
      await subject().store.syncs.begin({ kind: 'test', scope: place.locationId }, 1_000)
      expect(await subject().store.syncs.list({ scope: place.locationId })).toMatchObject([
        { name: 'Dental' },
      ])
    })

    it('that was interrupted or failed is gone on with where it stopped, if the same is asked', async () => {
      const { syncs } = subject().store
      const of = fresh()
      const dead = await syncs.begin(of, -1, 'march')
      if (dead === undefined) throw new Error('begun')
      await syncs.advance(dead, { cursor: 'c7', done: 7 }, -1)
      expect(await syncs.list(of)).toMatchObject([{ state: 'interrupted' }])
      const heir = await syncs.begin(of, 60_000, 'march')
      expect(heir).toMatchObject({ cursor: 'c7', done: 7, startedAt: dead.startedAt })
      await expect(syncs.advance(dead, { done: 99 }, 1_000)).rejects.toMatchObject({
        code: 'STORE_LEASE_LOST',
      })
      if (heir === undefined) throw new Error('begun')
      await syncs.finish(heir, 'failed', 'GHL is down')
      const other = await syncs.begin(of, -1, 'april')
      expect(other).toMatchObject({ cursor: undefined, done: 0 })
    })
  })
}

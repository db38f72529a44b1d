import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseLocationId, parseSessionId } from '../../../src/core/ids.ts'
import { envelope, freshPerson, freshPlace, type Subject } from './subject.ts'

export function describeAccounts(subject: () => Subject): void {
  const tokens = (accessToken: string) => ({
    accessToken,
    refreshToken: `refresh-of-${accessToken}`,
    expiresAt: new Date('2026-12-01T00:00:00.123Z'),
  })
  const install = (locationId = parseLocationId(`loc-${randomUUID()}`), accessToken = 'first') =>
    subject().store.installations.save({
      locationId,
      companyId: 'company-1',
      userType: 'Location',
      scopes: 'a b',
      tokens: tokens(accessToken),
    })

  describe('installations', () => {
    it('keep their id and provider type when installed again', async () => {
      const { installations } = subject().store
      const first = await install()
      if (first.locationId === undefined) throw new Error('a location')
      const way = { providerType: 'SMS', providerAddress: 'conversation' } as const
      await installations.rememberProviderWay(first.locationId, way)
      const second = await install(first.locationId, 'second')
      expect(second).toMatchObject({
        installationId: first.installationId,
        ...way,
        status: 'active',
      })
      expect(await installations.readTokens(first.installationId)).toEqual(tokens('second'))
      expect(await installations.findByLocation(first.locationId)).toEqual(second)
    })

    it('of an agency stand beside those of its locations', async () => {
      const { installations } = subject().store
      const companyId = randomUUID()
      const save = () =>
        installations.save({
          locationId: undefined,
          companyId,
          userType: 'Company',
          scopes: '',
          tokens: { ...tokens('agency'), refreshToken: undefined },
        })
      const { installationId } = await save()
      expect((await save()).installationId).toBe(installationId)
      expect((await installations.readTokens(installationId))?.refreshToken).toBeUndefined()
      expect((await installations.list()).filter((row) => row.companyId === companyId)).toHaveLength(1)
    })

    it('let one caller refresh at a time', async () => {
      const { installations } = subject().store
      const { installationId } = await install()
      const held = await Promise.all([1, 2, 3].map(() => installations.beginRefresh(installationId, 60_000)))
      const [holder] = held.filter((each) => each !== undefined)
      expect(held.filter((each) => each !== undefined)).toHaveLength(1)
      if (holder === undefined) throw new Error('one holder')
      expect(holder.tokens).toEqual(tokens('first'))
      await installations.finishRefresh(installationId, holder.holder, tokens('second'), undefined)
      // The answer may have been lost: saying it again is no error.
      await installations.finishRefresh(installationId, holder.holder, tokens('second'), undefined)
      expect(await installations.readTokens(installationId)).toEqual(tokens('second'))
      expect(await installations.beginRefresh(installationId, 60_000)).toBeDefined()
    })

    it('refuse the tokens of a refresh that another has taken over', async () => {
      const { installations } = subject().store
      const { installationId } = await install()
      const late = await installations.beginRefresh(installationId, 60_000)
      await subject().run(
        `update bridge.ghl_accounts set refresh_until = now() - interval '1 s' where id = '${installationId}'`,
      )
      const next = await installations.beginRefresh(installationId, 60_000)
      if (late === undefined || next === undefined) throw new Error('both held it')
      const finishing = installations.finishRefresh(installationId, late.holder, tokens('late'), 'x')
      await expect(finishing).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' })
      await installations.finishRefresh(installationId, next.holder, tokens('next'), 'c d')
      expect(await installations.readTokens(installationId)).toEqual(tokens('next'))
    })

    it('ask for a reconnect when a refresh is given up for good', async () => {
      const { installations } = subject().store
      const { installationId, locationId } = await install()
      const held = await installations.beginRefresh(installationId, 60_000)
      if (held === undefined || locationId === undefined) throw new Error('held')
      await installations.abandonRefresh(installationId, held.holder, true)
      expect((await installations.findByLocation(locationId))?.status).toBe('needs_reconnect')
      expect(await installations.beginRefresh(installationId, 60_000)).toBeDefined()
    })

    /** With a token that is good for an hour. */
    const installNow = async (): Promise<string> => {
      const { installations } = subject().store
      const { locationId, installationId } = await install()
      const expiresAt = new Date(Date.now() + 3_600_000)
      await installations.save({
        locationId,
        companyId: 'company-1',
        userType: 'Location',
        scopes: '',
        tokens: { ...tokens('now'), expiresAt },
      })
      return installationId
    }

    it('end a token that GHL refuses when there is no way to another, and no other token', async () => {
      const { installations } = subject().store
      const installationId = await installNow()
      const expiresAt = (await installations.readTokens(installationId))?.expiresAt ?? new Date(0)
      const ends = async () => (await installations.readTokens(installationId))?.expiresAt
      await installations.endTokens(installationId, expiresAt)
      expect(await ends()).toEqual(expiresAt)
      const held = await installations.beginRefresh(installationId, 60_000)
      await installations.abandonRefresh(installationId, held?.holder ?? '', true)
      await installations.endTokens(installationId, new Date(expiresAt.getTime() + 1))
      expect(await ends()).toEqual(expiresAt)
      await installations.endTokens(installationId, expiresAt)
      expect(Number(await ends())).toBeLessThanOrEqual(Date.now() + 1_000)
      expect((await installations.find(installationId))?.tokenExpiresAt).toEqual(await ends())
    })

    it('name the refreshes whose node is gone, and no other', async () => {
      const { installations } = subject().store
      const ids = await Promise.all(Array.from({ length: 4 }, async () => (await install()).installationId))
      const [underWay = '', finished = '', givenUp = '', unfinished = ''] = ids
      const named = async () =>
        (await installations.unfinishedRefreshes(50))
          .map((row) => row.installationId)
          .filter((id) => ids.includes(id))
      await installations.beginRefresh(underWay, 60_000)
      const done = await installations.beginRefresh(finished, 60_000)
      await installations.finishRefresh(finished, done?.holder ?? '', tokens('new'), undefined)
      const left = await installations.beginRefresh(givenUp, 60_000)
      await installations.abandonRefresh(givenUp, left?.holder ?? '', false)
      expect(await named()).toEqual([])
      await installations.beginRefresh(unfinished, -1)
      expect(await named()).toEqual([unfinished])
      expect(await installations.beginRefresh(unfinished, 60_000)).toBeDefined()
      expect(await named()).toEqual([])
    })

    it('count the tokens of both kinds', async () => {
      const { installations } = subject().store
      const before = await installations.countTokens()
      const installationId = await installNow()
      expect(await installations.countTokens()).toEqual({
        access: before.access + 1,
        refresh: before.refresh + 1,
      })
      const held = await installations.beginRefresh(installationId, 60_000)
      await installations.abandonRefresh(installationId, held?.holder ?? '', true)
      expect(await installations.countTokens()).toEqual(before)
    })

    it('take an OAuth state once, and only in its time', async () => {
      const { installations } = subject().store
      const [state, late] = [randomUUID(), randomUUID()]
      await installations.createOauthState(state, 60_000)
      await installations.createOauthState(late, -1)
      expect(await installations.takeOauthState(state)).toBe(true)
      expect(await installations.takeOauthState(state)).toBe(false)
      expect(await installations.takeOauthState(late)).toBe(false)
    })

    it('have their app events recorded once', async () => {
      const { webhookEvents } = subject().store
      const event = { webhookId: randomUUID(), type: 'INSTALL', locationId: undefined, payload: { a: 1 } }
      expect(await webhookEvents.record(event)).toBe('recorded')
      expect(await webhookEvents.record(event)).toBe('duplicate')
    })
  })

  describe('sessions', () => {
    it('are made once and listed in the order they were made', async () => {
      const { sessions } = subject().store
      const { locationId, sessionId } = await freshPlace(subject())
      const second = parseSessionId(`ses-${randomUUID()}`)
      await sessions.create({ sessionId: second, locationId, expectedPhone: '+15550002222' })
      await sessions.create({ sessionId, locationId })
      const listed = await sessions.list(locationId)
      expect(listed.map((row) => row.sessionId)).toEqual([sessionId, second])
      expect(listed[1]).toMatchObject({
        status: 'initializing',
        expectedPhone: '+15550002222',
        isDefault: false,
      })
    })

    it('change only in what the patch names', async () => {
      const { sessions } = subject().store
      const { sessionId } = await freshPlace(subject())
      const problem = { code: 'OFFLINE', message: 'No answer', action: 'Wait' }
      const lastSeenAt = new Date('2026-11-20T10:00:00.001Z')
      const pairedAt = new Date('2026-11-19T10:00:00.002Z')
      expect((await sessions.find(sessionId))?.pairedAt).toBeUndefined()
      await sessions.update(sessionId, { phoneNumber: '+15550003333', problem, lastSeenAt, pairedAt })
      await sessions.update(sessionId, { status: 'ready' })
      expect(await sessions.find(sessionId)).toMatchObject({
        status: 'ready',
        phoneNumber: '+15550003333',
        problem,
        lastSeenAt,
        pairedAt,
      })
      await sessions.update(sessionId, { problem: null })
      expect((await sessions.find(sessionId))?.problem).toBeUndefined()
      const restricted = {
        ...problem,
        until: '2026-11-21T10:00:00.000Z',
        scannedPhone: '+15550004444',
        connectedAs: 'Reception',
      }
      const notice = { ...problem, until: '2026-11-22T10:00:00.000Z' }
      const nextAttemptAt = new Date('2026-11-20T11:00:00.003Z')
      await sessions.update(sessionId, { problem: restricted, notice, nextAttemptAt })
      await sessions.update(sessionId, { status: 'restricted' })
      expect(await sessions.find(sessionId)).toMatchObject({ problem: restricted, notice, nextAttemptAt })
      await sessions.update(sessionId, { notice: null, nextAttemptAt: null })
      expect(await sessions.find(sessionId)).toMatchObject({ notice: undefined, nextAttemptAt: undefined })
    })

    it('have exactly one default per location: the first, until another is chosen or it goes', async () => {
      const { sessions } = subject().store
      const { locationId, sessionId } = await freshPlace(subject())
      const [second, third] = [parseSessionId(`ses-${randomUUID()}`), parseSessionId(`ses-${randomUUID()}`)]
      await sessions.create({ sessionId: second, locationId })
      await sessions.create({ sessionId: third, locationId })
      const defaults = async () =>
        (await sessions.list(locationId)).filter((row) => row.isDefault).map((row) => row.sessionId)
      expect(await defaults()).toEqual([sessionId])
      for (let times = 0; times < 2; times++) {
        expect(await sessions.edit(locationId, third, { isDefault: true })).toBe(true)
        expect(await defaults()).toEqual([third])
      }
      await sessions.remove(third)
      expect(await defaults()).toEqual([sessionId])
    })

    it('have a default that was paired as soon as one was, and pass it on when that one goes', async () => {
      const { sessions } = subject().store
      const { locationId, sessionId } = await freshPlace(subject())
      const ids = [parseSessionId(`ses-${randomUUID()}`), parseSessionId(`ses-${randomUUID()}`)] as const
      for (const id of ids) await sessions.create({ sessionId: id, locationId })
      const defaults = async () =>
        (await sessions.list(locationId)).filter((row) => row.isDefault).map((row) => row.sessionId)
      await sessions.update(ids[1], { status: 'ready', phoneNumber: '+15550003333' })
      expect(await defaults()).toEqual([ids[1]])
      await sessions.update(ids[0], { status: 'ready', phoneNumber: '+15550004444' })
      await sessions.update(ids[0], { status: 'ready', phoneNumber: '+15550004444' })
      expect(await defaults()).toEqual([ids[1]])
      await sessions.remove(ids[1])
      expect(await defaults()).toEqual([ids[0]])
      await sessions.remove(ids[0])
      expect(await defaults()).toEqual([sessionId])
    })

    it('have one default also when they are all made at the same time', async () => {
      const { sessions } = subject().store
      const locationId = parseLocationId(`loc-${randomUUID()}`)
      await Promise.all(
        Array.from({ length: 5 }, () =>
          sessions.create({ sessionId: parseSessionId(`ses-${randomUUID()}`), locationId }),
        ),
      )
      expect((await sessions.list(locationId)).filter((row) => row.isDefault)).toHaveLength(1)
    })

    it('keep the name that a person gave them, and cannot be edited from another location', async () => {
      const { sessions } = subject().store
      const { locationId, sessionId } = await freshPlace(subject())
      const elsewhere = await freshPlace(subject())
      const name = async () => (await sessions.find(sessionId))?.name
      await sessions.update(sessionId, { name: 'From WhatsApp' })
      expect(await name()).toBe('From WhatsApp')
      await sessions.edit(locationId, sessionId, { name: 'Sales' })
      await sessions.update(sessionId, { name: 'From WhatsApp' })
      expect(await name()).toBe('Sales')
      expect(await sessions.edit(elsewhere.locationId, sessionId, { name: 'X', isDefault: true })).toBe(false)
      expect(await name()).toBe('Sales')
      await sessions.edit(locationId, sessionId, { name: null })
      expect(await name()).toBeUndefined()
    })

    it('go with everything that opens them, while their messages stay', async () => {
      const { sessions, signal, messages } = subject().store
      const place = await freshPlace(subject())
      await signal.write(place.sessionId, { credentials: 'c' })
      await sessions.createPairingLink('hash-1', place.sessionId, 60_000)
      await messages.acceptInbound(envelope(place, freshPerson().lid))
      await sessions.remove(place.sessionId)
      expect(await sessions.find(place.sessionId)).toBeUndefined()
      expect(await signal.loadCredentials(place.sessionId)).toBeUndefined()
      expect(await sessions.findPairingLink('hash-1')).toBeUndefined()
      expect((await messages.list({ sessionId: place.sessionId, limit: 5 })).messages).toHaveLength(1)
    })

    it('have pairing links that end by themselves', async () => {
      const { sessions } = subject().store
      const { sessionId } = await freshPlace(subject())
      const [fresh, late] = [randomUUID(), randomUUID()]
      await sessions.createPairingLink(fresh, sessionId, 60_000)
      await sessions.createPairingLink(late, sessionId, -1)
      expect((await sessions.findPairingLink(fresh))?.sessionId).toBe(sessionId)
      expect(await sessions.findPairingLink(late)).toBeUndefined()
    })
  })

  describe('Signal keys and journal', () => {
    it('are written together and read back as they were', async () => {
      const { signal } = subject().store
      const { sessionId } = await freshPlace(subject())
      await signal.write(sessionId, {
        credentials: '{"me":"x"}',
        keys: [
          { kind: 'session', id: 'a', value: 'old' },
          { kind: 'session', id: 'b', value: '{"b":1}' },
          { kind: 'session', id: 'a', value: 'new' },
          { kind: 'pre-key', id: 'a', value: 'other' },
        ],
        journal: [{ waMessageId: 'W1', sender: '1:2@lid', entry: 'plain' }],
      })
      expect(await signal.loadCredentials(sessionId)).toBe('{"me":"x"}')
      expect(await signal.read(sessionId, 'session', ['a', 'b', 'c'])).toEqual(
        new Map([
          ['a', 'new'],
          ['b', '{"b":1}'],
        ]),
      )
      expect(await signal.findJournal(sessionId, 'W1', '1:2@lid')).toBe('plain')
      await signal.write(sessionId, { keys: [{ kind: 'session', id: 'a', value: null }] })
      expect([...(await signal.read(sessionId, 'session', ['a', 'b'])).keys()]).toEqual(['b'])
    })

    it('are all written or none', async () => {
      const { signal } = subject().store
      const { sessionId } = await freshPlace(subject())
      const half = subject().database.call('write_signal', {
        sessionId,
        credentials: 'x',
        keys: [{ kind: 'session', id: 'a', value: 'x' }],
        journal: [{ waMessageId: 'W1', entry: 'x' }],
      })
      await expect(half).rejects.toMatchObject({ code: 'STORE_REJECTED' })
      expect(await signal.loadCredentials(sessionId)).toBeUndefined()
      expect((await signal.read(sessionId, 'session', ['a'])).size).toBe(0)
    })

    it('keep a stanza in the journal until its message is recorded or needs none', async () => {
      const { signal, messages } = subject().store
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      const device = lid.replace('@', ':17@')
      const sent = envelope(place, lid)
      await signal.write(place.sessionId, {
        journal: [
          { waMessageId: sent.waMessageId, sender: device, entry: '1' },
          { waMessageId: 'NOISE', sender: device, entry: '2' },
          { waMessageId: 'LATER', sender: device, entry: '3' },
        ],
      })
      await messages.acceptInbound(sent)
      await signal.settleJournal(place.sessionId, 'NOISE', device)
      const open = await signal.readJournal(place.sessionId)
      expect(open).toEqual([{ waMessageId: 'LATER', sender: device, entry: '3' }])
      // WhatsApp may deliver a stanza again although we have its message; Signal cannot decrypt it a second time.
      expect(await signal.findJournal(place.sessionId, sent.waMessageId, device)).toBe('1')
    })

    it('settle the journal of a repeated message too', async () => {
      const { signal, messages } = subject().store
      const place = await freshPlace(subject())
      const { lid } = freshPerson()
      const sent = envelope(place, lid)
      await messages.acceptInbound(sent)
      await signal.write(place.sessionId, {
        journal: [{ waMessageId: sent.waMessageId, sender: lid, entry: 'again' }],
      })
      expect(await messages.acceptInbound(sent)).toBe('duplicate')
      expect(await signal.readJournal(place.sessionId)).toEqual([])
    })

    it('are forgotten while the session stays', async () => {
      const { signal, sessions } = subject().store
      const { sessionId } = await freshPlace(subject())
      await signal.write(sessionId, {
        credentials: 'c',
        keys: [{ kind: 'session', id: 'a', value: 'v' }],
        journal: [{ waMessageId: 'W', sender: 's', entry: 'e' }],
      })
      await sessions.forgetCredentials(sessionId)
      expect(await sessions.find(sessionId)).toBeDefined()
      expect(await signal.loadCredentials(sessionId)).toBeUndefined()
      expect((await signal.read(sessionId, 'session', ['a'])).size).toBe(0)
      expect(await signal.readJournal(sessionId)).toEqual([])
    })
  })

  it('prunes what has served its time and nothing else', async () => {
    const { signal } = subject().store
    const { sessionId } = await freshPlace(subject())
    await signal.write(sessionId, {
      journal: ['old', 'new', 'open'].map((waMessageId) => ({ waMessageId, sender: 's', entry: 'e' })),
    })
    await signal.settleJournal(sessionId, 'old', 's')
    await signal.settleJournal(sessionId, 'new', 's')
    await subject().run(
      `update bridge.journal set settled_at = now() - interval '2 days' where wa_message_id = 'old' and session_id = '${sessionId}'`,
    )
    const day = 24 * 60 * 60_000
    expect(await subject().database.call('prune', { batch: 100, journalMs: day, laneMs: day })).toBe(1)
    expect(await signal.findJournal(sessionId, 'old', 's')).toBeUndefined()
    expect(await signal.findJournal(sessionId, 'new', 's')).toBe('e')
  })
}

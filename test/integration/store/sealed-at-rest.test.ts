import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppEvents } from '../../../src/bridge/app-events.ts'
import type { CallLog } from '../../../src/bridge/call-logs.ts'
import { parseLocationId, parseMessageId } from '../../../src/core/ids.ts'
import { parseAppEvent } from '../../../src/ghl/payloads.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  LEASE_MS,
  messageIdOf,
  partsOf,
  type Subject,
  subjectOf,
} from './subject.ts'

const OTHER_KEY = Buffer.alloc(32, 8).toString('base64')
/** Every secret below carries it. */
const MARK = 'PLAINTEXT-MARK'

describe('what must not be read from a copy of the database', () => {
  let target: TestDatabase
  let subject: Subject
  beforeAll(async () => {
    target = await freshDatabase()
    subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
  })
  afterAll(async () => {
    await subject.store.close()
    await target.drop()
  })

  async function writeSecretsEverywhere() {
    const { messages, signal, installations, webhookEvents, outbox } = subject.store
    const place = await freshPlace(subject)
    const { lid } = freshPerson()
    await messages.acceptInbound(
      envelope(place, lid, {
        content: {
          kind: 'media',
          caption: `${MARK} caption`,
          media: {
            mediaKind: 'image',
            mimeType: 'image/png',
            mediaKey: `${MARK}-media-key`,
            url: `https://x/${MARK}`,
          },
        },
      }),
    )
    await messages.acceptOutbound(
      agentMessage(place, { phone: `+1${MARK}` }),
      partsOf(`${MARK} from the agent`),
    )
    const outbound = (await outbox.claim(10, LEASE_MS)).jobs.find((job) => job.kind === 'outbound')
    if (outbound === undefined) throw new Error('an outbound job')
    await messages.reserve(messageIdOf(outbound), {
      sessionId: place.sessionId,
      chat: lid,
      composed: Buffer.from(`${MARK} composed`),
    })
    await signal.write(place.sessionId, {
      credentials: `${MARK} credentials`,
      keys: [{ kind: 'session', id: 'a', value: `${MARK} key` }],
      journal: [{ waMessageId: 'W', sender: lid, entry: `${MARK} entry` }],
    })
    const installation = await installations.save({
      locationId: place.locationId,
      companyId: undefined,
      userType: 'Location',
      scopes: '',
      tokens: { accessToken: `${MARK}-access`, refreshToken: `${MARK}-refresh`, expiresAt: new Date() },
    })
    await webhookEvents.record({
      webhookId: 'w1',
      type: 'INSTALL',
      locationId: undefined,
      payload: { secret: MARK },
    })
    return { place, outbound, installation }
  }

  it('stands in no column of any table, plain or in base64', async () => {
    await writeSecretsEverywhere()
    const tables = await subject.rows<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'bridge'::regnamespace and relkind = 'r'`,
    )
    let rowCount = 0
    for (const { name } of tables) {
      const rows = await subject.rows<object>(`select * from bridge.${name}`)
      const dump = JSON.stringify(rows)
      rowCount += rows.length
      expect(dump).not.toContain(MARK)
      const decoded = dump.replaceAll(/[A-Za-z0-9+/]{24,}=*/g, (text) =>
        Buffer.from(text, 'base64').toString('latin1'),
      )
      expect(decoded, name).not.toContain(MARK)
    }
    expect(rowCount).toBeGreaterThan(10)
  })

  it('does not open with another key, and the error says which setting is wrong', async () => {
    const { place, outbound, installation } = await writeSecretsEverywhere()
    const other = subjectOf('postgres', await openPostgres(target.url, silentLog), OTHER_KEY).store
    const unsealable = {
      code: 'STORE_UNSEALABLE',
      action: expect.stringContaining('ENCRYPTION_KEY') as string,
    }
    await expect(other.signal.loadCredentials(place.sessionId)).rejects.toMatchObject(unsealable)
    await expect(other.signal.readJournal(place.sessionId)).rejects.toMatchObject(unsealable)
    await expect(other.messages.findOutboundWork(messageIdOf(outbound))).rejects.toMatchObject(unsealable)
    // Tokens count as none: whoever can get others does.
    const { installationId } = installation
    expect(await other.installations.readTokens(installationId)).toBeUndefined()
    expect(await other.installations.beginRefresh(installationId, LEASE_MS)).toEqual({
      holder: expect.any(String) as string,
      tokens: undefined,
    })
    // What waits can still be seen, and discarded.
    const { messages: rows } = await other.messages.list({
      locationId: place.locationId,
      withContent: true,
      limit: 9,
    })
    expect(rows.length).toBeGreaterThan(1)
    expect(rows.map(({ content }) => content)).toEqual(rows.map(() => undefined))
    await other.close()
  })

  it('hides nothing else of a list of messages: those that do not open stand in it without words and number', async () => {
    const place = await freshPlace(subject)
    const asks = { locationId: place.locationId, limit: 10, withContent: true }
    await subject.store.messages.acceptOutbound(
      agentMessage(place, { phone: '+34600000001' }),
      partsOf('hello'),
    )
    const [seen] = (await subject.store.messages.list(asks)).messages
    expect(seen).toMatchObject({ contact: { phoneNumber: '+34600000001' }, content: { kind: 'text' } })
    const other = subjectOf('postgres', await openPostgres(target.url, silentLog), OTHER_KEY).store
    await other.messages.acceptOutbound(agentMessage(place, { phone: '+34600000002' }), partsOf('again'))
    const { messages } = await other.messages.list(asks)
    expect(messages.map(({ contact, content }) => [contact?.phoneNumber, content?.kind])).toEqual([
      ['+34600000002', 'text'],
      [undefined, undefined],
    ])
    expect(await other.messages.find(seen?.id ?? parseMessageId(''))).toMatchObject({
      id: seen?.id,
      contact: { phoneNumber: undefined },
    })
    await other.close()
  })

  it('keeps no other app event from being acted on: one that does not open is given up with that reason', async () => {
    await subject.run('delete from bridge.webhook_events')
    const other = subjectOf('postgres', await openPostgres(target.url, silentLog), OTHER_KEY).store
    const event = { type: 'UPDATE', locationId: undefined, payload: { type: 'UPDATE' } }
    for (const [{ webhookEvents }, webhookId] of [
      [subject.store, 'first'],
      [other, 'foreign'],
      [subject.store, 'last'],
    ] as const)
      await webhookEvents.record({ ...event, webhookId })
    await other.close()
    const acted: string[] = []
    const events = new AppEvents({
      events: subject.store.webhookEvents,
      parse: parseAppEvent,
      handlers: {
        UPDATE: ({ webhookId }) => {
          acted.push(webhookId)
          return Promise.resolve('processed')
        },
      },
      appId: undefined,
      log: silentLog,
    })
    events.start()
    await events.stop()
    expect(acted.toSorted()).toEqual(['first', 'last'])
    const rows = await subject.store.webhookEvents.list({ limit: 5 })
    expect(Object.fromEntries(rows.map((row) => [row.webhookId, row.reason ?? row.state]))).toEqual({
      first: 'processed',
      foreign: 'STORE_UNSEALABLE',
      last: 'processed',
    })
    expect(rows.find(({ webhookId }) => webhookId === 'foreign')?.state).toBe('failed')
  })

  it('hides nothing else of a list of Voice AI calls: one that does not open stands in it without its details', async () => {
    const { locationId } = await freshPlace(subject)
    const other = subjectOf('postgres', await openPostgres(target.url, silentLog), OTHER_KEY).store
    const call = (callId: string): CallLog => ({
      callId,
      agentId: 'agent',
      ghlContactId: undefined,
      durationSec: 42,
      isTrial: false,
      calledAt: new Date('2026-11-20T10:00:00Z'),
      details: { summary: callId },
    })
    await subject.store.callLogs.save(locationId, [call('a')])
    await other.callLogs.save(locationId, [call('b')])
    await other.close()
    const { calls } = await subject.store.callLogs.list({ locationId, limit: 5 })
    expect(calls).toEqual([{ ...call('b'), details: {} }, call('a')])
  })

  it('does not open in another row', async () => {
    const { installations } = subject.store
    const save = (location: string) =>
      installations.save({
        locationId: parseLocationId(location),
        companyId: undefined,
        userType: 'Location',
        scopes: '',
        tokens: { accessToken: location, refreshToken: undefined, expiresAt: new Date() },
      })
    const [one, two] = [await save('swap-1'), await save('swap-2')]
    await subject.run(`
      update bridge.ghl_accounts a set access_token = b.access_token from bridge.ghl_accounts b
      where a.id = '${one.installationId}' and b.id = '${two.installationId}'`)
    expect(await installations.readTokens(one.installationId)).toBeUndefined()
    expect(await installations.readTokens(two.installationId)).toBeDefined()
  })
})

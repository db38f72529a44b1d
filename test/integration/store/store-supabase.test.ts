import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Announcement } from '../../../src/store/database.ts'
import { openSupabase } from '../../../src/store/supabase.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { type RpcFront, startRpcFront } from '../../support/rpc-front.ts'
import { waitFor } from '../../support/wait-for.ts'
import { describeContract } from './contract.ts'
import { agentMessage, freshPlace, LEASE_MS, partsOf, type Subject, subjectOf } from './subject.ts'

describeContract('the store on supabase-js', async () => {
  const target = await freshDatabase()
  const front = await startRpcFront(target.url)
  const subject = subjectOf('supabase', await openSupabase(front.url, front.serviceRoleKey))
  return {
    subject,
    close: async () => {
      await subject.store.close()
      await front.close()
      await target.drop()
    },
  }
})

describe('Supabase by URL and key', () => {
  let target: TestDatabase
  let empty: TestDatabase
  let front: RpcFront
  let subject: Subject
  beforeAll(async () => {
    target = await freshDatabase()
    empty = await freshDatabase('empty')
    front = await startRpcFront(target.url)
    subject = subjectOf('supabase', await openSupabase(front.url, front.serviceRoleKey))
  })
  afterAll(async () => {
    await subject.store.close()
    await front.close()
    await target.drop()
    await empty.drop()
  })

  it('refuses a project without our schema and names the files to paste', async () => {
    const bare = await startRpcFront(empty.url)
    const opening = openSupabase(bare.url, bare.serviceRoleKey)
    await expect(opening).rejects.toMatchObject({
      code: 'STORE_SCHEMA',
      action: expect.stringContaining('sql/0001_foundation.sql, sql/0002_installations.sql') as string,
    })
    await bare.close()
  })

  it.each(['anonKey', 'a key of another project'])('refuses %s', async (name) => {
    const key = name === 'anonKey' ? front.anonKey : name
    const opening = openSupabase(front.url, key)
    await expect(opening).rejects.toMatchObject({ code: 'STORE_REJECTED' })
    await expect(opening).rejects.toHaveProperty(
      'action',
      expect.stringContaining('SUPABASE_SERVICE_ROLE_KEY'),
    )
  })

  it('says that the outcome is unknown when an answer is lost, and the repeat is harmless', async () => {
    const message = agentMessage(await freshPlace(subject))
    const parts = partsOf('x')
    front.loseNextAnswer()
    const lost = subject.store.messages.acceptOutbound(message, parts)
    await expect(lost).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'unknown' })
    expect(await subject.store.messages.acceptOutbound(message, parts)).toBe('duplicate')
  })

  it('does not strand the jobs of a claim or a completion whose answer was lost', async () => {
    await subject.run('delete from bridge.jobs; delete from bridge.lanes')
    await subject.store.messages.acceptOutbound(agentMessage(await freshPlace(subject)), partsOf('a', 'b'))
    front.loseNextAnswer()
    const [first] = (await subject.store.outbox.claim(5, LEASE_MS)).jobs
    if (first === undefined) throw new Error('the claimed job')
    expect(first).toMatchObject({ attempts: 1, mayHaveHappened: false })
    front.loseNextAnswer()
    expect(await subject.store.outbox.complete(first, LEASE_MS)).toMatchObject({ attempts: 1 })
  })

  it('hears over Realtime what another node announces', async () => {
    const announced = await startRpcFront(target.url, { withRealtime: true })
    const [listening, speaking] = await Promise.all([
      openSupabase(announced.url, announced.serviceRoleKey),
      openSupabase(announced.url, announced.serviceRoleKey),
    ])
    const heard: Announcement[] = []
    await listening.listen((announcement) => heard.push(announcement))
    await waitFor('the join', () => announced.realtime?.joins === 1)
    const { locationId, sessionId } = await freshPlace(subject)
    await speaking.call('wish_session', { sessionId, wish: { id: 'w', kind: 'restart' } })
    await waitFor('the announcement', () =>
      heard.some(({ topic, subject: of }) => topic === 'session' && of === `${locationId} ${sessionId}`),
    )
    await Promise.all([listening.close(), speaking.close()])
    await announced.close()
  })
})

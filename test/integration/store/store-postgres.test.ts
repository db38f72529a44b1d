import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres } from '../../../src/store/postgres.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { describeContract } from './contract.ts'
import { agentMessage, freshPlace, partsOf, type Subject, subjectOf } from './subject.ts'

describeContract('the store on Postgres', async () => {
  const target = await freshDatabase()
  const subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
  return {
    subject,
    close: async () => {
      await subject.store.close()
      await target.drop()
    },
  }
})

describe('Postgres by connection string', () => {
  let target: TestDatabase
  let subject: Subject
  let rival: Subject
  beforeAll(async () => {
    target = await freshDatabase()
    subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
    rival = subjectOf('postgres', await openPostgres(target.url, silentLog))
  })
  afterAll(async () => {
    await subject.store.close()
    await rival.store.close()
    await target.drop()
  })

  it('says that the outcome is unknown when the connection is cut in the middle of a call', async () => {
    const cut = subject.run('select pg_sleep(20)')
    const failure = expect(cut).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'unknown' })
    await waitFor('the call to be cut', async () => {
      const ended = await rival.rows(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and state = 'active'`,
      )
      return ended.length > 0
    })
    await failure
    await subject.store.ping()
  })

  it('makes new connections when all were cut', async () => {
    await rival.rows(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    const message = agentMessage(await waitFor('the store', () => freshPlace(subject).catch(() => false)))
    expect(await subject.store.messages.acceptOutbound(message, partsOf('x'))).toBe('enqueued')
  })

  it('says that nothing was sent when nobody listens', async () => {
    const opening = openPostgres('postgres://nobody@127.0.0.1:1/none', silentLog)
    await expect(opening).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', certainty: 'not_sent' })
  })
})

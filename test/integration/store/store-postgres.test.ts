import { openPostgres } from '../../../src/store/postgres.ts'
import { freshDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import { describeContract } from './contract.ts'
import { subjectOf } from './subject.ts'

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

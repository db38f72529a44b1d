import { openEmbedded } from '../../../src/store/pglite.ts'
import { freshEmbeddedStore } from '../../support/embedded-store.ts'
import { silentLog } from '../../support/silent-log.ts'
import { describeContract } from './contract.ts'
import { subjectOf } from './subject.ts'

describeContract('the store on PGlite', async () => {
  const folder = await freshEmbeddedStore()
  const subject = subjectOf('embedded', await openEmbedded(folder.dir, silentLog))
  return {
    subject,
    close: async () => {
      await subject.store.close()
      await folder.remove()
    },
  }
})

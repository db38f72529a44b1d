import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PGlite } from '@electric-sql/pglite'
import { openEmbedded } from '../../src/store/pglite.ts'
import { silentLog } from './silent-log.ts'
import { CREATE_TEST_SQL } from './test-sql.ts'

/** Makes a closed store in `dir` as a first start makes it, plus the test function. @returns `dir`. */
export async function prepareEmbeddedStore(dir: string): Promise<string> {
  await mkdir(dir)
  const store = await openEmbedded(dir, silentLog)
  await store.close()
  const pg = await PGlite.create({ dataDir: join(dir, 'pgdata') })
  await pg.exec(CREATE_TEST_SQL)
  await pg.close()
  return dir
}

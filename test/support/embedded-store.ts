/** Folders with an embedded store that is migrated and empty: a copy takes a tenth of a first start. */
import { constants } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

export interface EmbeddedFolder {
  /** What `openStore` takes as `dataDir`. */
  readonly dir: string
  remove(): Promise<void>
}

export async function freshEmbeddedStore(): Promise<EmbeddedFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'bridge-store-'))
  const dir = join(folder, 'store')
  await copyEmbeddedStore(dir)
  return { dir, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** Puts a fresh store where a test wants it, for instance at `DATA_DIR/store`. */
export async function copyEmbeddedStore(dir: string): Promise<void> {
  const answer = await fetch(`${inject('fixturesUrl')}/embedded`)
  if (!answer.ok) throw new Error(`no embedded store: ${await answer.text()}`)
  const prepared = (await answer.json()) as { dir: string } // global-setup.ts says so
  await cp(prepared.dir, dir, { recursive: true, mode: constants.COPYFILE_FICLONE })
}

/** A run that has failed says so: whatever ends with the tests' own Postgres ends with its own status. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

it('the Postgres of the tests leaves the exit status alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'exit-status-'))
  const start = new URL('../support/start-postgres.ts', import.meta.url)
  const script = `
    const { startPostgres } = await import(${JSON.stringify(start.href)})
    const server = await startPostgres(${JSON.stringify(join(folder, 'postgres'))})
    await server.stop()
    process.exitCode = 3`
  try {
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TEST_POSTGRES_URL: undefined },
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([3, ''])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)

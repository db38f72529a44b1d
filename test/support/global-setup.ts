/**
 * Builds the pages if need be. Starts what whole test files share, and only when one asks: a real Postgres server with a migrated template database,
 * and a prepared folder of the embedded store. Test processes ask over HTTP (`provide` can only carry values).
 *
 * TEST_POSTGRES_URL names a server to use instead (of another version, say).
 */
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { prepareEmbeddedStore } from './prepare-embedded-store.ts'
import { type SharedPostgres, startPostgres } from './start-postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    fixturesUrl: string
  }
}

const BUILD_PAGES = fileURLToPath(new URL('../../scripts/build-pages.ts', import.meta.url))

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  execFileSync(process.execPath, [BUILD_PAGES, '--if-needed'], { stdio: 'inherit' })
  const folder = await mkdtemp(join(tmpdir(), 'bridge-fixtures-'))
  let postgres: Promise<SharedPostgres> | undefined
  let embedded: Promise<string> | undefined

  const answers: Record<string, () => Promise<object>> = {
    '/postgres': async () => {
      postgres ??= startPostgres(join(folder, 'postgres'))
      return { url: (await postgres).url }
    },
    '/embedded': async () => {
      embedded ??= prepareEmbeddedStore(join(folder, 'embedded'))
      return { dir: await embedded }
    },
  }
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''] ?? (() => Promise.reject(new Error('no such fixture')))
    answer().then(
      (body) => response.end(JSON.stringify(body)),
      (thrown: unknown) =>
        response.writeHead(500).end(String(thrown instanceof Error ? thrown.stack : thrown)),
    )
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  project.provide('fixturesUrl', `http://127.0.0.1:${port}`)

  return async () => {
    server.close()
    server.closeAllConnections()
    await (await postgres)?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Holds the GoHighLevel sandbox, and what the bridge asks of it, against GHL's own OpenAPI files: runs the sandbox's
 * tests, the official SDK's among them, and some of the bridge's own, records each request and answer, and validates them. What is known to differ is listed with its
 * source in `contract/known-deviations.ts`; anything else fails, and so does a listed difference that is gone.
 *
 * Usage: GHL_OPENAPI_DIR=<folder with apps/ and common/> npm run contract
 */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Reporter, startVitest } from 'vitest/node'
import { matchesRoute } from '../sandbox/ghl/call-log.ts'
import type { Exchange } from '../sandbox/ghl/exchanges.ts'
import { knownDeviations } from './contract/known-deviations.ts'
import { loadPublishedApi } from './contract/published-api.ts'

const root = join(import.meta.dirname, '..')

/** Tests in which the bridge itself calls the sandbox; between them most of the endpoints that it uses. */
const REQUESTS = [
  'test/integration/ghl/conversations.test.ts',
  'test/integration/ghl/contacts.test.ts',
  'test/integration/gateway/products.test.ts',
  'test/integration/gateway/call-logs.test.ts',
]

/** What is found matters here; of the tests only those that fail do. */
const failuresOnly: Reporter = {
  onTestCaseResult(test) {
    if (test.result().state === 'failed') process.stderr.write(`failed: ${test.fullName}\n`)
  },
}

async function recordedExchanges(): Promise<Exchange[]> {
  const folder = await mkdtemp(join(tmpdir(), 'ghl-contract-'))
  try {
    const vitest = await startVitest(['test/sandbox/ghl', ...REQUESTS], {
      root,
      config: false,
      watch: false,
      include: ['test/sandbox/ghl*.test.ts', ...REQUESTS],
      globalSetup: [join(root, 'test/support/global-setup.ts')],
      setupFiles: [fileURLToPath(import.meta.resolve('./contract/record.ts'))],
      env: { GHL_EXCHANGES_DIR: folder },
      maxWorkers: 2,
      testTimeout: 30_000,
      reporters: [failuresOnly],
    })
    const failed = vitest.state.getCountOfFailedTests()
    await vitest.close()
    if (failed > 0) throw new Error('Tests fail, see above: mend those first')
    const files = await readdir(folder)
    const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))
    // Written by record.ts in exactly this shape.
    return texts.flatMap((text) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Exchange),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
}

function report(title: string, lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`\n${title}\n${lines.map((line) => `  ${line}\n`).join('')}`)
}

const folder = process.env['GHL_OPENAPI_DIR']
if (folder === undefined || !existsSync(join(folder, 'apps'))) {
  process.stderr.write(
    "Set GHL_OPENAPI_DIR to a folder with GHL's OpenAPI files, apps/*.json and common/*.json\n",
  )
  process.exit(2)
}
const api = loadPublishedApi(folder)
const exchanges = await recordedExchanges()
const counts = new Map<string, number>()
for (const finding of exchanges.flatMap((exchange) => api.findings(exchange))) {
  counts.set(finding, (counts.get(finding) ?? 0) + 1)
}
const findings = [...counts.keys()].sort()
const unknown = findings.filter((finding) => !knownDeviations.some(({ what }) => matchesRoute(what, finding)))
const gone = knownDeviations.filter(({ what }) => !findings.some((finding) => matchesRoute(what, finding)))
const endpoints = new Set(exchanges.map(({ method, path }) => `${method} ${path}`))

report(
  'Not as published, and not listed:',
  unknown.map((finding) => `${finding} (${counts.get(finding)}x)`),
)
report(
  'Listed, but no longer so:',
  gone.map(({ what }) => what),
)
process.stdout.write(
  `\n${exchanges.length} exchanges on ${endpoints.size} endpoints; ${findings.length} findings under ` +
    `${knownDeviations.length} listed deviations, ${unknown.length} unknown, ${gone.length} gone\n`,
)
process.exitCode = unknown.length + gone.length > 0 ? 1 : 0

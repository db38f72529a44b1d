/**
 * `npm run tokens -- [--dry-run] [--force]`: asks the running server (HOST:PORT) to refresh GHL tokens and prints what came
 * of it; exits with 1 when one failed. What takes longer than an answer is followed to its end, its progress on stderr. The
 * server holds the store and the right to refresh, so nothing is done behind its back. With main.ts a file that knows `process`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { z } from 'zod'
import { parseConfig } from './config.ts'
import { BridgeError, ConfigError } from './core/errors.ts'
import { embeddedSecrets } from './embedded-secrets.ts'

const LOOK_MS = 1_000
const STATUS_PATH = '/api/sync/status?kind=token_refresh&scope=by_hand'

interface Answer {
  readonly status: number
  readonly body: unknown
}
type Ask = (method: 'GET' | 'POST', path: string, body?: object) => Promise<Answer>

const Runs = z.object({
  syncs: z
    .array(
      z.looseObject({
        state: z.string(),
        total: z.number().nullable(),
        done: z.number(),
        failed: z.number(),
      }),
    )
    .min(1),
})

/** What the run came to, whoever waits for its end. @param ask of the server on which it is under way. */
async function follow(ask: Ask): Promise<Answer> {
  let said = ''
  for (;;) {
    const { status, body } = await ask('GET', STATUS_PATH)
    if (status !== 200 && status < 500) return { status, body }
    const [run] = Runs.safeParse(body).data?.syncs ?? []
    if (run !== undefined && run.state !== 'running')
      return { status: run.state === 'done' ? 200 : 500, body: run }
    const progress =
      run === undefined
        ? `the server answers ${status}`
        : `${run.done} refreshed, ${run.failed} failed, of ${run.total ?? '?'} installations`
    if (progress !== said) process.stderr.write(`Under way: ${progress}\n`)
    said = progress
    await sleep(LOOK_MS)
  }
}

try {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, force: { type: 'boolean' } } })
  const config = parseConfig(process.env)
  if (config.API_KEY === undefined && !existsSync(join(config.DATA_DIR, 'secrets.json')))
    throw new ConfigError('CONFIG_MISSING', 'API_KEY is missing, and DATA_DIR holds no secrets.json')
  const given = { encryptionKeys: config.ENCRYPTION_KEY, apiKey: config.API_KEY }
  const apiKey = config.API_KEY ?? (await embeddedSecrets(config.DATA_DIR, given)).apiKey
  const named = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST
  const host = named.includes(':') ? `[${named}]` : named
  const ask: Ask = async (method, path, body) => {
    const answer = await request(`http://${host}:${config.PORT}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: answer.statusCode, body: await answer.body.json() }
  }
  const wish = { dryRun: values['dry-run'] === true, force: values.force === true }
  const begun = await ask('POST', '/api/ghl/tokens/refresh', wish)
  const { status, body } = begun.status === 202 ? await follow(ask) : begun
  process.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
  const { failed } = z.object({ failed: z.number().default(0) }).parse(body)
  if (status !== 200 || failed > 0) process.exitCode = 1
} catch (thrown) {
  const isRefused = thrown instanceof Error && 'code' in thrown && thrown.code === 'ECONNREFUSED'
  const lines = thrown instanceof BridgeError ? [thrown.message, thrown.action] : [String(thrown)]
  process.stderr.write(
    `${isRefused ? 'The bridge is not running: start it first (npm start).' : lines.filter(Boolean).join('\n')}\n`,
  )
  process.exitCode = 1
}

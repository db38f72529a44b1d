/**
 * `npm run tokens -- [--dry-run] [--force]`: asks the running server (HOST:PORT) to refresh GHL tokens and prints what came
 * of it; exits with 1 when one failed. The server holds the store and the right to refresh, so nothing is done behind its back.
 * With main.ts a file that knows `process`.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { request } from 'undici'
import { z } from 'zod'
import { parseConfig } from './config.ts'
import { BridgeError, ConfigError } from './core/errors.ts'
import { embeddedSecrets } from './embedded-secrets.ts'

try {
  const { values } = parseArgs({ options: { 'dry-run': { type: 'boolean' }, force: { type: 'boolean' } } })
  const config = parseConfig(process.env)
  if (config.API_KEY === undefined && !existsSync(join(config.DATA_DIR, 'secrets.json')))
    throw new ConfigError('CONFIG_MISSING', 'API_KEY is missing, and DATA_DIR holds no secrets.json')
  const given = { encryptionKeys: config.ENCRYPTION_KEY, apiKey: config.API_KEY }
  const apiKey = config.API_KEY ?? (await embeddedSecrets(config.DATA_DIR, given)).apiKey
  const named = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST
  const host = named.includes(':') ? `[${named}]` : named
  const answer = await request(`http://${host}:${config.PORT}/api/ghl/tokens/refresh`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ dryRun: values['dry-run'] === true, force: values.force === true }),
    // A thousand installations take some minutes.
    headersTimeout: 0,
  })
  const report = await answer.body.json()
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  const { failed } = z.object({ failed: z.number().default(0) }).parse(report)
  if (answer.statusCode !== 200 || failed > 0) process.exitCode = 1
} catch (thrown) {
  const isRefused = thrown instanceof Error && 'code' in thrown && thrown.code === 'ECONNREFUSED'
  const lines = thrown instanceof BridgeError ? [thrown.message, thrown.action] : [String(thrown)]
  process.stderr.write(
    `${isRefused ? 'The bridge is not running: start it first (npm start).' : lines.filter(Boolean).join('\n')}\n`,
  )
  process.exitCode = 1
}

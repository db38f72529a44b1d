/** env -> config -> app -> signals. The only file that knows `process`. */
import './quiet-console.ts'
import closeWithGrace from 'close-with-grace'
import { isLostConnection, startApp } from './app.ts'
import { type Config, parseConfig } from './config.ts'
import { BridgeError } from './core/errors.ts'
import { embeddedSecrets, type Secrets } from './embedded-secrets.ts'
import { createLogger } from './logger.ts'

/** Render and systemd give 30 s and more; whatever is not drained by then waits durably for the next start. */
const DRAIN_MS = 25_000

async function secretsOf(config: Config): Promise<Secrets> {
  const { ENCRYPTION_KEY: encryptionKeys, API_KEY: apiKey } = config
  // parseConfig has made sure of both when the store is shared.
  return await embeddedSecrets(config.DATA_DIR, { encryptionKeys, apiKey })
}

/** A start that fails says why in one or two plain lines; everything else is a bug and shows its stack. */
function explain(thrown: unknown): string {
  if (!(thrown instanceof BridgeError)) return String(thrown instanceof Error ? thrown.stack : thrown)
  return [`${thrown.code}: ${thrown.message}`, thrown.action].filter(Boolean).join('\n')
}

try {
  const config = parseConfig(process.env)
  const log = createLogger(config.LOG_LEVEL)
  const secrets = await secretsOf(config)
  const app = await startApp(config, secrets, log)
  const { close } = closeWithGrace(
    { delay: DRAIN_MS, logger: false, skip: ['unhandledRejection'] },
    async ({ err, signal }) => {
      if (err !== undefined) log.fatal({ err }, 'stopping after an unexpected error')
      else log.info({ signal }, 'stopping')
      await app.stop()
      log.info({}, 'stopped')
    },
  )
  process.on('unhandledRejection', (reason) => {
    if (isLostConnection(reason)) {
      // One number's network must not end all the others.
      log.warn({}, 'a write on a lost connection was not watched')
      return
    }
    log.fatal({ err: reason }, 'stopping after an unhandled rejection')
    process.exitCode = 1
    close()
  })
  log.info({ url: app.url, publicUrl: config.PUBLIC_URL }, 'listening')
  if (secrets.isNew) {
    process.stderr.write(
      `\nYour operator key, shown once (also in ${config.DATA_DIR}/secrets.json):\n\n  ${secrets.apiKey}\n\n`,
    )
  }
} catch (thrown) {
  process.stderr.write(`${explain(thrown)}\n`)
  process.exitCode = 1
}

/**
 * The two secrets that the embedded store needs, for people who set nothing up. They lie beside the store's folder, not
 * in it, so that a copy of the store alone opens nothing.
 */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError } from './core/errors.ts'

const SecretsFile = z.object({ encryptionKey: z.string(), apiKey: z.string() })

export interface Secrets {
  readonly encryptionKeys: readonly string[]
  readonly apiKey: string
  /** Made just now: show the operator key once. */
  readonly isNew: boolean
}

/** The store's own folder under DATA_DIR. */
export const storeDir = (dataDir: string): string => join(dataDir, 'store')

/**
 * Secrets from the environment where given, else from `DATA_DIR/secrets.json`, which is made on first start (0600).
 *
 * @throws {ConfigError} `CONFIG_MISSING` when a store exists whose key is nowhere: making a new one would lock it for ever.
 */
export async function embeddedSecrets(
  dataDir: string,
  given: { encryptionKeys: readonly string[] | undefined; apiKey: string | undefined },
): Promise<Secrets> {
  if (given.encryptionKeys !== undefined && given.apiKey !== undefined) {
    return { encryptionKeys: given.encryptionKeys, apiKey: given.apiKey, isNew: false }
  }
  const path = join(dataDir, 'secrets.json')
  const isNew = !existsSync(path)
  if (isNew && given.encryptionKeys === undefined && existsSync(storeDir(dataDir))) {
    throw new ConfigError(
      'CONFIG_MISSING',
      'ENCRYPTION_KEY is missing: DATA_DIR holds a store, but its secrets.json is gone',
      { action: 'Restore secrets.json or set ENCRYPTION_KEY; without it every number must be paired again.' },
    )
  }
  const secrets = isNew
    ? await createSecrets(dataDir, path)
    : SecretsFile.parse(JSON.parse(await readFile(path, 'utf8')))
  return {
    encryptionKeys: given.encryptionKeys ?? [secrets.encryptionKey],
    apiKey: given.apiKey ?? secrets.apiKey,
    isNew: isNew && given.apiKey === undefined,
  }
}

async function createSecrets(dataDir: string, path: string): Promise<z.output<typeof SecretsFile>> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const secrets = {
    encryptionKey: randomBytes(32).toString('base64'),
    apiKey: randomBytes(24).toString('base64url'),
  }
  await writeFile(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  return secrets
}

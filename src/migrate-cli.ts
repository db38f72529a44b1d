/**
 * `npm run migrate`: applies sql/ to DATABASE_URL, or prints it for the SQL editor when there is only a Supabase URL and key.
 * With main.ts the only file that knows `process`.
 */
import { BridgeError } from './core/errors.ts'
import { createLogger } from './logger.ts'
import { readMigrations } from './store/migrate.ts'
import { migratePostgres } from './store/postgres.ts'

try {
  const databaseUrl = process.env['DATABASE_URL']
  if (databaseUrl) {
    const applied = await migratePostgres(databaseUrl, createLogger('warn'))
    process.stdout.write(applied.length > 0 ? `Applied: ${applied.join(', ')}\n` : 'Nothing to apply.\n')
  } else {
    process.stderr.write('DATABASE_URL is not set. Paste what follows into the SQL editor of your project.\n')
    for (const { sql } of await readMigrations()) process.stdout.write(`${sql}\n`)
  }
} catch (thrown) {
  const lines = thrown instanceof BridgeError ? [thrown.message, thrown.action] : [String(thrown)]
  process.stderr.write(`${lines.filter(Boolean).join('\n')}\n`)
  process.exitCode = 1
}

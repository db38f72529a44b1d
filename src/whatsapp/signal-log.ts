/** The logger that Baileys gets: it logs whole stanzas, keys and numbers, so only the sentence and an error code pass. */
import type { Log } from '../core/log.ts'

interface BaileysLogger {
  level: string
  child(fields: Record<string, unknown>): BaileysLogger
  trace(fields: unknown, message?: string): void
  debug(fields: unknown, message?: string): void
  info(fields: unknown, message?: string): void
  warn(fields: unknown, message?: string): void
  error(fields: unknown, message?: string): void
}

const silent = (): void => undefined

function errorCode(fields: unknown): { statusCode?: number; name?: string } {
  if (typeof fields !== 'object' || fields === null) return {}
  const error: unknown = 'err' in fields ? fields.err : 'error' in fields ? fields.error : undefined
  if (!(error instanceof Error)) return {}
  const output = 'output' in error ? (error.output as { statusCode?: number } | undefined) : undefined // Boom's own shape
  return { name: error.name, ...(output?.statusCode !== undefined && { statusCode: output.statusCode }) }
}

/** Warnings of Baileys are our debug: what matters of them we see on the wire ourselves. */
export function quietLogger(log: Log): BaileysLogger {
  const tell = (fields: unknown, message?: string): void => {
    // The sentence is a constant of Baileys; a string in its place may hold anything.
    if (message !== undefined) log.debug({ baileys: message, ...errorCode(fields) }, 'baileys')
  }
  const logger: BaileysLogger = {
    level: 'warn',
    child: () => logger,
    trace: silent,
    debug: silent,
    info: silent,
    warn: tell,
    error: tell,
  }
  return logger
}

/**
 * pino with redaction, and a quiet console. Import this before anything that loads Baileys: libsignal prints private
 * ratchet keys with console.info (whatsapp.md 1c).
 */
import { type DestinationStream, pino } from 'pino'
import type { Log } from './core/log.ts'

const SECRET_FIELDS = [
  'authorization',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'qr',
  'pairingCode',
  'body',
  'text',
]

/** Replaces the console methods that libraries write secrets to. Our own output goes through pino and the demo's stdout. */
export function quietConsole(): void {
  for (const method of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) {
    // biome-ignore lint/suspicious/noConsole: silencing it is the point.
    console[method] = () => undefined
  }
}

export function createLogger(level: string, destination?: DestinationStream): Log {
  const options = {
    level,
    base: null,
    redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[secret]' },
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** pino with redaction. Field names are in core/log.ts; values that must never be printed are cut out here once more. */
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

/**
 * Log port that pino already fits. Message text is constant; data goes in fields:
 * `locationId sessionId jobId kind attempt waMessageId ghlMessageId ghlTraceId durationMs outcome errorCode`.
 * Bodies, names, tokens and full numbers never go in.
 */
export interface Log {
  trace(fields: object, message: string): void
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  fatal(fields: object, message: string): void
  child(fields: object): Log
}

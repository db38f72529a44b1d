import type { EventEmitter } from 'node:events'
import { SandboxError } from './errors.ts'

/**
 * Resolves with the first result that is not undefined: at once, or after any of the events.
 *
 * @throws {SandboxError} `WAIT_TIMEOUT`
 */
export async function waitUntil<T>(
  emitter: EventEmitter,
  events: readonly string[],
  attempt: () => T | undefined,
  timeoutMs: number,
  awaited: string,
): Promise<T> {
  const already = attempt()
  if (already !== undefined) return already
  return await new Promise<T>((resolve, reject) => {
    const stop = () => {
      clearTimeout(deadline)
      for (const event of events) emitter.off(event, check)
    }
    const check = () => {
      const result = attempt()
      if (result === undefined) return
      stop()
      resolve(result)
    }
    const deadline = setTimeout(() => {
      stop()
      reject(new SandboxError('WAIT_TIMEOUT', `${awaited} did not come within ${timeoutMs} ms`))
    }, timeoutMs)
    for (const event of events) emitter.on(event, check)
  })
}

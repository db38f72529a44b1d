/** Time as a port, so that tests move it instead of waiting for it. */
export interface Clock {
  /** Milliseconds since the epoch, by the wall clock. */
  nowMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error) // an abort reason is an Error throughout this program
        return
      }
      const onAbort = () => {
        clearTimeout(timer)
        reject(signal?.reason as Error) // as above
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}

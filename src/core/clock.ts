/** Time as a port, so that tests move it instead of waiting for it. */
export interface Clock {
  /** Milliseconds since the epoch, by the wall clock. */
  nowMs(): number
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A longer timer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    let leftMs = ms
    for (; leftMs > LONGEST_TIMER_MS; leftMs -= LONGEST_TIMER_MS) await nap(LONGEST_TIMER_MS, signal)
    await nap(leftMs, signal)
  },
}

const nap = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
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
  })

import type { Clock } from '../../src/core/clock.ts'

/** A clock that stands until it is moved; sleepers wake in order of time. */
export function createFakeClock() {
  let nowMs = Date.parse('2026-11-21T00:00:00Z')
  let sleepers: { atMs: number; wake: () => void }[] = []
  const clock: Clock = {
    nowMs: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { atMs: nowMs + ms, wake: resolve }
        sleepers.push(sleeper)
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper)
          reject(new Error('aborted'))
        })
      }),
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const advance = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms
    for (;;) {
      await settle()
      const next = sleepers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      nowMs = next.atMs
      sleepers = sleepers.filter((other) => other !== next)
      next.wake()
    }
    nowMs = untilMs
    await settle()
  }
  return { clock, advance }
}

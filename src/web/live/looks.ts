/** Looks that hints ask for: one at a time, and no more often than need be, however many hints there are. */
export interface Looks {
  /** Some time soon; what was asked for meanwhile is one look. */
  soon(): void
  /** At once, or right after the one that is under way. @throws what the look throws. */
  now(): Promise<void>
  end(): void
}

/** @param everyMs how long it is between the beginnings of two looks that hints asked for. */
export function createLooks(look: () => Promise<void>, everyMs: () => number): Looks {
  let isWanted = false
  let startedAtMs = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<void> | undefined

  const start = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    isWanted = false
    startedAtMs = performance.now()
    running = look().finally(() => {
      running = undefined
      if (isWanted) soon()
    })
    return running
  }
  const soon = (): void => {
    isWanted = true
    // Nobody looks: the page is read again when somebody does.
    if (running !== undefined || timer !== undefined || document.visibilityState !== 'visible') return
    const waitMs = Math.max(0, startedAtMs + everyMs() - performance.now())
    timer = setTimeout(() => void start().catch(() => undefined), waitMs)
  }
  const seen = (): void => {
    if (isWanted) soon()
  }
  document.addEventListener('visibilitychange', seen)
  return {
    soon,
    async now() {
      await running?.catch(() => undefined)
      await start()
    },
    end() {
      isWanted = false
      clearTimeout(timer)
      document.removeEventListener('visibilitychange', seen)
    },
  }
}

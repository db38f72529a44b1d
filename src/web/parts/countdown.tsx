import { useEffect, useRef, useState } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'

/** Told by the server as a length: the reader's clock may be wrong. */
export interface Expiring {
  readonly expiresInMs: number | null
}

/** Whole seconds that are left, counted from the moment in which `state` arrived. */
export function useSecondsLeft(state: Expiring): number {
  const arrived = useRef({ state, atMs: performance.now() })
  if (arrived.current.state !== state) arrived.current = { state, atMs: performance.now() }
  const [, tick] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => tick((ticks) => ticks + 1), 250)
    return () => clearInterval(timer)
  }, [])
  const leftMs = (state.expiresInMs ?? 0) - (performance.now() - arrived.current.atMs)
  return Math.max(0, Math.ceil(leftMs / 1_000))
}

/**
 * How long the code that is shown is still good. Screen readers hear it at the beginning only.
 *
 * @param text is the code: a new one has a bar of its own.
 */
export function Countdown({ state, text, over }: { state: Expiring; text: string; over: string }) {
  const { say } = useWords()
  const seconds = useSecondsLeft(state)
  const whole = useRef({ text, seconds })
  if (whole.current.text !== text) whole.current = { text, seconds }
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return (
    <p class="countdown" aria-hidden="true">
      <progress max={Math.max(1, whole.current.seconds)} value={seconds} />
      <span>{seconds > 0 ? say('pair.validFor', { time: clock }) : over}</span>
    </p>
  )
}

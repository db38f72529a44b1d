import { useEffect, useState } from 'preact/hooks'
import { useWords } from '../words/spoken.tsx'

/** Whole seconds until `until`, counted down; 0 when it is over. The server's clock and ours may differ by a little. */
export function useSecondsUntil(until: string | null): number {
  const left = () => (until === null ? 0 : Math.max(0, Math.ceil((Date.parse(until) - Date.now()) / 1_000)))
  const [seconds, setSeconds] = useState(left)
  useEffect(() => {
    setSeconds(left())
    const timer = setInterval(() => {
      setSeconds(left())
    }, 250)
    return () => {
      clearInterval(timer)
    }
  }, [until])
  return seconds
}

const STEP = 20

/** How long the code that is shown is still good. Screen readers hear it at the beginning only. */
export function Countdown({ until }: { until: string }) {
  const { say } = useWords()
  const seconds = useSecondsUntil(until)
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
  return (
    <p class="countdown" aria-hidden="true">
      <progress max={Math.max(STEP, seconds)} value={seconds} />
      <span>{seconds > 0 ? say('pair.validFor', { time: clock }) : say('pair.renewing')}</span>
    </p>
  )
}

/** Waiting for a store that is away: nothing is decided, and nothing lost, because of a moment without a database. */
import type { Clock } from '../core/clock.ts'
import { toBridgeError } from '../core/errors.ts'

const RETRY_MS = 1_000

/**
 * Repeats `act` until it succeeds, as long as it fails for a reason that passes.
 *
 * @param signal calls it off: then the failure of the attempt in hand is the answer.
 * @throws whatever `act` threw, when repeating cannot help or was called off.
 */
export async function patiently<T>(
  act: () => Promise<T>,
  { clock, signal, onWait }: { clock: Clock; signal: AbortSignal; onWait?: (errorCode: string) => void },
): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (thrown) {
      const { code, disposition } = toBridgeError(thrown)
      if (disposition === 'dead') throw thrown
      onWait?.(code)
      const isCalledOff = await clock.sleep(RETRY_MS, signal).then(
        () => false,
        () => true,
      )
      if (isCalledOff) throw thrown
    }
  }
}
